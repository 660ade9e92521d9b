//! A turn: one transaction in which some shards are scheduled up to the horizon.
//!
//! Claim, stamp and publish come first; then the turn only waits for Kafka, and the next one may
//! start. Only when every task is acknowledged do the shards move on. A turn that ends in any other
//! way has changed nothing: its window is read again, and the primary key of `check_result` makes the
//! tasks that were sent twice count once.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use color_eyre::eyre::{Result, WrapErr as _};
use contract::{
    check::CheckKey,
    instant::UnixMs,
    outcome::Reason,
    result::CheckResult,
    task::{Task, VERSION},
};
use futures_util::TryStreamExt as _;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionTrait as _};
use store::{
    check_result,
    schedule_gap::{self, Gap},
    site::DueSite,
};
use stream::publisher::{Delivered, RequestSize, SendError};

use crate::{
    claim::{self, Claim, Wanted},
    due::Windows,
    publish::{self, Batch, Sender},
    shard_progress::ShardProgress,
    stamp,
    trace::{Published, Tracer},
};

/// A turn that holds its shards.
#[derive(Debug)]
pub(crate) struct Turn {
    /// The transaction that holds them.
    transaction: DatabaseTransaction,
    /// The shards and their window's end.
    pub(crate) claim: Claim,
    /// When the turn started.
    pub(crate) started: Instant,
}

/// A turn whose tasks are all on their way.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The turn.
    turn: Turn,
    /// The tasks.
    batch: Arc<Batch>,
    /// Instants of sites whose task could not be sent.
    invalid: Vec<CheckResult>,
    /// What was not scheduled.
    gaps: Vec<Gap>,
    /// The tasks that are traced.
    spans: Published,
    /// `kafka.topic`.
    topic: String,
    /// How much a request may carry.
    request_size: RequestSize,
}

/// What a turn has done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Tasks that Kafka acknowledged.
    pub(crate) tasks: usize,
    /// Instants that were recorded as those of an invalid site.
    pub(crate) invalid: usize,
    /// The first of them.
    pub(crate) first_invalid: Option<CheckResult>,
    /// Shards that were not scheduled for a while.
    pub(crate) gaps: usize,
    /// The longest of these times, in milliseconds.
    pub(crate) longest_gap_ms: i64,
}

impl Turn {
    /// Looks at all shards and claims some; `None` if there is nothing to do.
    pub(crate) async fn claim(
        database: &DatabaseConnection,
        wanted: &Wanted,
    ) -> Result<(ShardProgress, Option<Self>)> {
        let started = Instant::now();
        let transaction = database.begin().await.wrap_err("begin a turn")?;
        let progress = ShardProgress::read(&transaction).await?;
        let claim = claim::claim(&transaction, wanted, progress.now).await?;
        if claim.shards.is_empty() {
            transaction.rollback().await.wrap_err("end an empty turn")?;
            return Ok((progress, None));
        }
        let turn = Self {
            transaction,
            claim,
            started,
        };
        Ok((progress, Some(turn)))
    }

    /// The ids of the claimed shards.
    pub(crate) fn shards(&self) -> Vec<i16> {
        self.claim.ids()
    }

    /// Stamps what changed and hands the tasks of the windows to Kafka.
    pub(crate) async fn send(
        self,
        sender: &Sender,
        horizon: Duration,
        tracer: Option<&Tracer>,
    ) -> Result<Sent> {
        stamp::stamp(&self.transaction, &self.claim, horizon).await?;
        let windows = Windows::read(&self.transaction, &self.claim).await?;
        let batch = sender.publisher.batch();
        let mut invalid = Vec::new();
        let mut spans = Published::new(tracer, (self.started, self.claim.now));
        let mut buffer = Vec::new();
        {
            let mut rows = std::pin::pin!(windows.stream(&self.transaction).await?);
            while let Some(row) = rows.try_next().await.wrap_err("read a due site")? {
                let site = DueSite::read(&row).wrap_err("read a due site")?;
                for instant in windows.instants(&site) {
                    match send_one(sender, &batch, (&site, instant), &mut buffer).await {
                        Ok(()) => spans.sent(CheckKey::new(site.id, instant), site.name),
                        Err(SendError::Message(fault)) => {
                            let reason = Reason::InvalidSite;
                            let check = CheckKey::new(site.id, instant);
                            let result = CheckResult::unmeasured(check, reason);
                            invalid.push(result.with_detail(fault));
                        }
                        Err(SendError::Batch(error)) => return Err(error.into()),
                    }
                }
            }
        }
        Ok(Sent {
            gaps: windows.gaps(),
            turn: self,
            batch,
            invalid,
            spans,
            topic: sender.publisher.topic().to_owned(),
            request_size: sender.publisher.request_size().clone(),
        })
    }
}

impl Sent {
    /// Waits for Kafka, then moves the shards on.
    pub(crate) async fn finish(self) -> Result<Done> {
        let Self {
            turn,
            batch,
            mut invalid,
            gaps,
            spans,
            topic,
            request_size,
        } = self;
        let Delivered {
            acknowledged: tasks,
            refused,
        } = batch.acknowledged().await?;
        let refused = refused.into_iter();
        invalid.extend(refused.map(|task| publish::too_large(task, &request_size, &topic)));
        spans.acknowledged();
        record_invalid(&turn.transaction, &invalid).await?;
        record_gaps(&turn.transaction, &gaps).await?;
        claim::advance(&turn.transaction, &turn.claim).await?;
        turn.transaction.commit().await.wrap_err("commit a turn")?;
        Ok(Done {
            tasks,
            invalid: invalid.len(),
            first_invalid: invalid.into_iter().next(),
            gaps: gaps.len(),
            longest_gap_ms: gaps.iter().map(Gap::length_ms).max().unwrap_or(0),
        })
    }

    /// The ids of the claimed shards.
    pub(crate) fn shards(&self) -> Vec<i16> {
        self.turn.shards()
    }

    /// When the turn started.
    pub(crate) fn started(&self) -> Instant {
        self.turn.started
    }
}

/// Sends the task of one instant of a site.
async fn send_one(
    sender: &Sender,
    batch: &Arc<Batch>,
    (site, scheduled_at): (&DueSite<'_>, UnixMs),
    buffer: &mut Vec<u8>,
) -> Result<(), SendError> {
    let raw = |text: &'static str, error| SendError::Message(format!("{text} is no JSON: {error}"));
    let task = Task {
        v: VERSION,
        installation: sender.installation,
        site_id: site.id,
        name: site.name,
        scheduled_at,
        expires_at: scheduled_at.plus_ms(site.interval_ms),
        url: site.url,
        timeout_ms: site.timeout_ms,
        request: serde_json::from_str(site.request).map_err(|error| raw("request", error))?,
        expect: serde_json::from_str(site.expect).map_err(|error| raw("expect", error))?,
    };
    sender.send(batch, &task, buffer).await
}

/// Records the instants of sites whose task cannot be sent.
async fn record_invalid(transaction: &impl ConnectionTrait, invalid: &[CheckResult]) -> Result<()> {
    if invalid.is_empty() {
        return Ok(());
    }
    let done = transaction
        .execute_raw(check_result::record_invalid(invalid))
        .await;
    done.wrap_err("record sites whose task cannot be sent")?;
    Ok(())
}

/// Records the times in which nothing was scheduled.
async fn record_gaps(transaction: &impl ConnectionTrait, gaps: &[Gap]) -> Result<()> {
    if gaps.is_empty() {
        return Ok(());
    }
    let done = transaction.execute_raw(schedule_gap::record(gaps)).await;
    done.wrap_err("record gaps of the schedule")?;
    Ok(())
}

//! Turns: one after the other, each starting when the one before only waits for Kafka.
//!
//! At most two are under way, each in a [slot](crate::slot) of its own.

use std::time::{Duration, Instant};

use color_eyre::eyre::{Report, Result, WrapErr as _};
use contract::result::CheckResult;
use futures_util::future::join_all;
use runtime::quota::Quota;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{
    config::Config,
    outlook::Outlook,
    pace::{Pace, Take},
    publish::Settings,
    slot::{Settled, Slot, TURN_LIMIT, overdue},
    trace::Tracer,
    turn::{Done, Turn},
};

/// The pause after a turn that could not even claim.
const CLAIM_PAUSE: Duration = Duration::from_secs(1);
/// Turns under way at once.
const SLOTS: usize = 2;
/// How often people are told how things stand, whatever the turns do.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Runs turns; see the module.
pub(crate) struct Turns {
    /// The configuration.
    config: Config,
    /// What people are told.
    outlook: Outlook,
    /// What makes spans, if there are any.
    tracer: Option<Tracer>,
    /// Slots without a turn.
    idle: Vec<Slot>,
    /// Turns that wait for Kafka, and slots that recover.
    settling: JoinSet<Settled>,
    /// How many shards a turn takes.
    pace: Pace,
    /// When the next turn starts.
    wake: Instant,
    /// How much may be said of turns that succeed.
    quotas: Quotas,
}

/// How much may be said of what a turn has found.
#[derive(Debug, Default)]
struct Quotas {
    /// Of tasks that cannot be sent.
    invalid: Quota,
    /// Of spans that were not scheduled.
    gaps: Quota,
}

impl Turns {
    /// Turns for this configuration.
    pub(crate) fn new(
        config: Config,
        outlook: Outlook,
        tracer: Option<Tracer>,
        sender: &Settings,
    ) -> Result<Self> {
        let slot = || Slot::new(&config, sender.clone());
        Ok(Self {
            idle: std::iter::repeat_with(slot)
                .take(SLOTS)
                .collect::<Result<_>>()?,
            settling: JoinSet::new(),
            pace: Pace::new(config.turn),
            wake: Instant::now(),
            quotas: Quotas::default(),
            config,
            outlook,
            tracer,
        })
    }

    /// Runs turns until `stop`, then waits for those under way.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<()> {
        let mut ticks = interval(TELL_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(settled) = self.settling.join_next() => self.settled(settled.wrap_err("a turn died")?),
                () = tokio::time::sleep_until(self.wake.into()), if !self.idle.is_empty() => self.turn().await,
                _ = ticks.tick() => self.outlook.tick(Instant::now()),
            }
        }
        while let Some(settled) = self.settling.join_next().await {
            self.settled(settled.wrap_err("a turn died")?);
        }
        join_all(self.idle.into_iter().map(|slot| slot.sender.close())).await;
        Ok(())
    }

    /// The part of a turn that no other may overlap: claim, stamp, publish.
    async fn turn(&mut self) {
        let Some(mut slot) = self.idle.pop() else {
            return;
        };
        let deadline = tokio::time::Instant::now() + TURN_LIMIT;
        if self.outlook.is_ahead() {
            self.set_back(&mut slot, deadline).await;
        }
        let take = self.pace.next(Instant::now());
        let claimed = timeout_at(deadline, slot.claim(&self.config, &take)).await;
        let (standing, turn) = match claimed.unwrap_or_else(|_| Err(overdue("claiming shards"))) {
            Ok(claimed) => claimed,
            Err(error) => return self.cannot_claim(slot, &error),
        };
        self.outlook.looked(standing, Instant::now());
        self.schedule_next(&take, turn.as_ref());
        let Some(turn) = turn else {
            return self.idle.push(slot);
        };
        let (shards, started) = (turn.shards(), turn.started);
        self.pace.started(&shards, started.elapsed());
        let sending = turn.send(&slot.sender, self.config.horizon, self.tracer.as_ref());
        let sent = timeout_at(deadline, sending).await;
        match sent.unwrap_or_else(|_| Err(overdue("publishing tasks"))) {
            Ok(sent) => drop(self.settling.spawn(slot.settle(
                sent,
                deadline,
                self.config.kafka.clone(),
            ))),
            Err(error) => {
                let settled = Settled {
                    slot,
                    shards,
                    started,
                    done: Err(error),
                };
                drop(
                    self.settling
                        .spawn(settled.recover(self.config.kafka.clone())),
                );
            }
        }
    }

    /// A failed shard was not there to be taken, as another scheduler has it. That one may fail as well: while some
    /// shard stands still this one is not taken together with others.
    fn retry_was_gone(&mut self, take: &Take) {
        if self.outlook.stands_still() {
            self.pace.failed(&take.candidates, Instant::now());
        } else {
            self.pace.gone(take);
            self.outlook.gone(&take.candidates);
        }
    }

    /// Sets back what lies too far ahead; a failure costs the turns nothing but a connection.
    async fn set_back(&mut self, slot: &mut Slot, deadline: tokio::time::Instant) {
        let done = timeout_at(deadline, slot.set_back(self.config.horizon)).await;
        let done = done.unwrap_or_else(|_| Err(overdue("setting shards back")));
        if done.is_err() {
            slot.drop_connection();
        }
        self.outlook.set_back(done);
    }

    /// Decides when the next turn starts: at once if there may be more to claim.
    fn schedule_next(&mut self, take: &Take, turn: Option<&Turn>) {
        let retry = take.most == 1 && take.candidates.len() == 1;
        let taken = turn.map_or(0, |turn| turn.claim.shards.len());
        if retry && taken == 0 {
            self.retry_was_gone(take);
        }
        let more = retry || (taken == take.most && taken < take.candidates.len());
        // A millisecond more, as windows end on whole milliseconds.
        let pause = if more {
            Duration::ZERO
        } else {
            self.config.turn + Duration::from_millis(1)
        };
        self.wake = Instant::now() + pause;
        if let Some(retry_at) = self.pace.next_retry() {
            self.wake = self.wake.min(retry_at.max(Instant::now()));
        }
    }

    /// The database is away: nothing was taken, nothing is lost.
    fn cannot_claim(&mut self, mut slot: Slot, error: &Report) {
        slot.drop_connection();
        self.idle.push(slot);
        let now = Instant::now();
        self.wake = now + CLAIM_PAUSE;
        self.outlook.cannot_claim(error, now);
    }

    /// Takes note of how a turn ended.
    fn settled(&mut self, settled: Settled) {
        let Settled {
            slot,
            shards,
            started,
            done,
        } = settled;
        self.idle.push(slot);
        let now = Instant::now();
        match done {
            Ok(done) => {
                self.pace.succeeded(&shards, now - started, now);
                debug!(
                    turn.tasks = done.tasks,
                    turn.shards = shards.len(),
                    turn.ms = (now - started).as_millis(),
                    "scheduled"
                );
                self.outlook.succeeded(&shards, done.tasks, now);
                self.note(&done);
            }
            Err(error) => {
                self.pace.failed(&shards, now);
                self.outlook.failed(&shards, &error, now);
            }
        }
        if let Some(retry_at) = self.pace.next_retry() {
            self.wake = self.wake.min(retry_at.max(now));
        }
    }

    /// Counts what a turn has done, and says what people should know of.
    fn note(&mut self, done: &Done) {
        self.outlook.done(done);
        if let Some(CheckResult {
            site_id, detail, ..
        }) = &done.first_invalid
        {
            let (invalid, fault) = (done.invalid, detail.as_deref().unwrap_or_default());
            self.quotas.invalid.say(|left_out| {
                warn!(
                    invalid,
                    site.id = site_id,
                    left_out,
                    "tasks cannot be sent, their checks are inconclusive; the first: {fault}"
                );
            });
        }
        if done.gaps > 0 {
            self.quotas.gaps.say(|left_out| {
                warn!(
                    gap.shards = done.gaps,
                    gap.longest_ms = done.longest_gap_ms,
                    left_out,
                    "nothing was scheduled for a while: recorded as gaps"
                );
            });
        }
    }
}

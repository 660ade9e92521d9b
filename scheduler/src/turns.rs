//! Turns: one after the other, each starting when the one before only waits for Kafka.
//!
//! At most two are under way, each in a [worker](crate::worker) of its own.

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
    health::Health,
    pace::{Pace, Take},
    publish::Settings,
    trace::Tracer,
    turn::{Done, Turn},
    worker::{Ended, TURN_LIMIT, Worker, overdue},
};

/// The pause after a turn that could not even claim.
const CLAIM_PAUSE: Duration = Duration::from_secs(1);
/// Turns under way at once.
const WORKERS: usize = 2;
/// How often people are told how things stand, whatever the turns do.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Runs turns; see the module.
pub(crate) struct Turns {
    /// The configuration.
    config: Config,
    /// What people are told.
    health: Health,
    /// What makes spans, if there are any.
    tracer: Option<Tracer>,
    /// Workers without a turn.
    idle: Vec<Worker>,
    /// Turns that wait for Kafka, and workers that recover from a failed turn.
    finishing: JoinSet<Ended>,
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
        health: Health,
        tracer: Option<Tracer>,
        sender: &Settings,
    ) -> Result<Self> {
        let worker = || Worker::new(&config, sender.clone());
        Ok(Self {
            idle: std::iter::repeat_with(worker)
                .take(WORKERS)
                .collect::<Result<_>>()?,
            finishing: JoinSet::new(),
            pace: Pace::new(config.settings.turn),
            wake: Instant::now(),
            quotas: Quotas::default(),
            config,
            health,
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
                Some(ended) = self.finishing.join_next() => self.turn_ended(ended.wrap_err("a turn died")?),
                () = tokio::time::sleep_until(self.wake.into()), if !self.idle.is_empty() => self.turn().await,
                _ = ticks.tick() => self.health.tick(Instant::now()),
            }
        }
        while let Some(ended) = self.finishing.join_next().await {
            self.turn_ended(ended.wrap_err("a turn died")?);
        }
        join_all(self.idle.into_iter().map(|worker| worker.sender.close())).await;
        Ok(())
    }

    /// The part of a turn that no other may overlap: claim, stamp, publish.
    async fn turn(&mut self) {
        let Some(mut worker) = self.idle.pop() else {
            return;
        };
        let deadline = tokio::time::Instant::now() + TURN_LIMIT;
        if self.health.is_ahead() {
            self.set_back(&mut worker, deadline).await;
        }
        let take = self.pace.next(Instant::now());
        let claimed = timeout_at(deadline, worker.claim(&self.config, &take)).await;
        let (progress, turn) = match claimed.unwrap_or_else(|_| Err(overdue("claiming shards"))) {
            Ok(claimed) => claimed,
            Err(error) => return self.cannot_claim(worker, &error),
        };
        self.health.looked(progress, Instant::now());
        self.schedule_next(&take, turn.as_ref());
        let Some(turn) = turn else {
            return self.idle.push(worker);
        };
        let (shards, started) = (turn.shards(), turn.started);
        self.pace.started(&shards, started.elapsed());
        let sending = turn.send(
            &worker.sender,
            self.config.settings.horizon,
            self.tracer.as_ref(),
        );
        let sent = timeout_at(deadline, sending).await;
        match sent.unwrap_or_else(|_| Err(overdue("publishing tasks"))) {
            Ok(sent) => drop(self.finishing.spawn(worker.finish(
                sent,
                deadline,
                self.config.kafka.clone(),
            ))),
            Err(error) => {
                let ended = Ended {
                    worker,
                    shards,
                    started,
                    done: Err(error),
                };
                drop(
                    self.finishing
                        .spawn(ended.recover(self.config.kafka.clone())),
                );
            }
        }
    }

    /// A failed shard was not there to be taken, as another scheduler has it. That one may fail as well: while some
    /// shard stands still this one is not taken together with others.
    fn retry_was_gone(&mut self, shard: i16) {
        if self.health.stands_still() {
            self.pace.failed(&[shard], Instant::now());
        } else {
            self.pace.gone(shard);
            self.health.gone(&[shard]);
        }
    }

    /// Sets back what lies too far ahead; a failure costs the turns nothing but a connection.
    async fn set_back(&mut self, worker: &mut Worker, deadline: tokio::time::Instant) {
        let done = timeout_at(deadline, worker.set_back(self.config.settings.horizon)).await;
        let done = done.unwrap_or_else(|_| Err(overdue("setting shards back")));
        if done.is_err() {
            worker.drop_connection();
        }
        self.health.set_back(done);
    }

    /// Decides when the next turn starts: at once if there may be more to claim.
    fn schedule_next(&mut self, take: &Take, turn: Option<&Turn>) {
        let taken = turn.map_or(0, |turn| turn.claim.shards.len());
        let more = match take {
            Take::Retry(shard) => {
                if taken == 0 {
                    self.retry_was_gone(*shard);
                }
                true
            }
            Take::Healthy { candidates, most } => taken == *most && taken < candidates.len(),
        };
        // A millisecond more, as windows end on whole milliseconds.
        let pause = if more {
            Duration::ZERO
        } else {
            self.config.settings.turn + Duration::from_millis(1)
        };
        self.wake = Instant::now() + pause;
        if let Some(retry_at) = self.pace.next_retry() {
            self.wake = self.wake.min(retry_at.max(Instant::now()));
        }
    }

    /// The database is away: nothing was taken, nothing is lost.
    fn cannot_claim(&mut self, mut worker: Worker, error: &Report) {
        worker.drop_connection();
        self.idle.push(worker);
        let now = Instant::now();
        self.wake = now + CLAIM_PAUSE;
        self.health.cannot_claim(error, now);
    }

    /// Takes note of how a turn ended.
    fn turn_ended(&mut self, ended: Ended) {
        let Ended {
            worker,
            shards,
            started,
            done,
        } = ended;
        self.idle.push(worker);
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
                self.health.succeeded(&shards, done.tasks, now);
                self.note(&done);
            }
            Err(error) => {
                self.pace.failed(&shards, now);
                self.health.failed(&shards, &error, now);
            }
        }
        if let Some(retry_at) = self.pace.next_retry() {
            self.wake = self.wake.min(retry_at.max(now));
        }
    }

    /// Counts what a turn has done, and says what people should know of.
    fn note(&mut self, done: &Done) {
        self.health.done(done);
        if let Some(CheckResult { check, detail, .. }) = &done.first_invalid {
            let (invalid, fault) = (done.invalid, detail.as_deref().unwrap_or_default());
            self.quotas.invalid.say(|left_out| {
                warn!(
                    invalid,
                    site.id = check.site.0,
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

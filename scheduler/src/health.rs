//! Health: what people are told of the schedule as a whole. Its lag, its readiness, and which turns fail.
//!
//! The lag is that of the shard furthest from where it should be, whichever scheduler has it. While no turn can look, it
//! grows with the time.

use std::time::{Duration, Instant};

use color_eyre::eyre::Report;
use contract::instant::millis;
use runtime::{
    conditions::{KAFKA, SCHEDULE},
    quota::Quota,
    retry::Outage,
    telemetry::{Condition, Readiness},
};
use store::schedule_shard::SetBack;
use stream::publisher::PublishError;
use tracing::{error, warn};

use crate::{
    config::Config,
    failing_shards::{Cause, FailingShards, named},
    metrics::Metrics,
    shard_progress::ShardProgress,
    turn::Done,
};

/// A scheduler is not ready while a shard is so far behind: the longest pause between two tries of a shard.
const MOST_BEHIND: Duration = Duration::from_secs(30);
/// A shard that is so far behind is more than late.
const STILL: Duration = Duration::from_secs(5);
/// How much later than it should a look may come before the lag grows by itself.
const LATE: Duration = Duration::from_secs(1);

/// What is known of the schedule.
pub(crate) struct Health {
    /// The time between two turns.
    turn: Duration,
    /// How far ahead of now a turn schedules.
    horizon: Duration,
    /// What is counted.
    metrics: Metrics,
    /// Whether every shard is where it should be.
    schedule: Condition,
    /// Whether Kafka takes the tasks.
    kafka: Condition,
    /// When a turn last looked at the shards, and what it found.
    seen: Option<(Instant, ShardProgress)>,
    /// Whether shards can be claimed at all.
    claims: Outage,
    /// The shards whose turns fail.
    failing: FailingShards,
    /// How much may be said of shards that lie ahead.
    ahead: Quota,
}

impl Health {
    /// Nothing is known yet.
    pub(crate) fn new(config: &Config, metrics: Metrics, readiness: &Readiness) -> Self {
        Self {
            turn: config.settings.turn,
            horizon: config.settings.horizon,
            metrics,
            schedule: readiness.condition(SCHEDULE),
            kafka: readiness.part(KAFKA),
            seen: None,
            claims: Outage::new("PostgreSQL, asked for shards,"),
            failing: FailingShards::default(),
            ahead: Quota::new(),
        }
    }

    /// A turn has looked at the shards.
    pub(crate) fn looked(&mut self, progress: ShardProgress, now: Instant) {
        self.claims.over();
        self.seen = Some((now, progress));
        self.tell(now);
    }

    /// Whether some shard stands still, as it seems.
    pub(crate) fn stands_still(&self) -> bool {
        let behind = self
            .seen
            .map(|(_, progress)| progress.behind_ms(self.lead()));
        behind.is_some_and(|behind| behind > millis(STILL))
    }

    /// How far ahead of now a shard is claimed.
    const fn lead(&self) -> Duration {
        self.horizon.saturating_sub(self.turn)
    }

    /// Whether shards lie too far ahead.
    pub(crate) fn is_ahead(&self) -> bool {
        self.ahead_ms().is_some()
    }

    /// These shards were set back to now, or why they could not be.
    pub(crate) fn set_back(&mut self, done: Result<Vec<SetBack>, Report>) {
        let set_back = match done {
            Ok(set_back) if set_back.is_empty() => return,
            Ok(set_back) => set_back,
            Err(error) => {
                self.ahead.say(|left_out| {
                    error!(left_out, "shards are scheduled further ahead than the horizon, and cannot be set back: {error:#}");
                });
                return;
            }
        };
        self.metrics.set_back(set_back.len());
        let shards: Vec<_> = set_back.iter().map(|shard| shard.id).collect();
        let ahead = set_back.iter().map(|shard| shard.ahead_ms);
        self.ahead.say(|left_out| {
            warn!(
                ahead.shards = named(&shards),
                ahead.count = shards.len(),
                ahead.longest_ms = ahead.max(),
                left_out,
                "shards are scheduled further ahead than the horizon: set back to now; the database's clock was ahead"
            );
        });
    }

    /// A turn could not even claim.
    pub(crate) fn cannot_claim(&mut self, error: &Report, now: Instant) {
        self.metrics.failed();
        self.claims.failed(&format!("{error:#}"));
        self.tell(now);
    }

    /// A turn over these shards failed.
    pub(crate) fn failed(&mut self, shards: &[i16], error: &Report, now: Instant) {
        self.metrics.failed();
        self.failing.failed(shards, &cause(error), now);
        self.tell(now);
    }

    /// A turn over these shards succeeded, in which Kafka took so many tasks.
    pub(crate) fn succeeded(&mut self, shards: &[i16], tasks: usize, now: Instant) {
        self.failing.succeeded(shards, tasks);
        self.tell(now);
    }

    /// Counts what a turn has done.
    pub(crate) fn done(&self, done: &Done) {
        self.metrics.done(done);
    }

    /// Other schedulers have these shards.
    pub(crate) fn gone(&mut self, shards: &[i16]) {
        self.failing.recovered(shards);
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.failing.remind(now);
        self.tell(now);
    }

    /// How far ahead of now the shard furthest ahead is, if that is too far.
    fn ahead_ms(&self) -> Option<i64> {
        let (_, progress) = self.seen?;
        progress.ahead_ms(self.horizon)
    }

    /// How far the shard furthest behind is behind its turn; zero before the first look.
    fn behind_ms(&self, now: Instant) -> i64 {
        let Some((at, progress)) = self.seen else {
            return 0;
        };
        let behind = progress.behind_ms(self.lead());
        let since = now.saturating_duration_since(at);
        if since > self.turn + LATE {
            behind.saturating_add(millis(since)).max(0)
        } else {
            behind.max(0)
        }
    }

    /// Shows what is known now.
    fn tell(&self, now: Instant) {
        let (behind, ahead) = (self.behind_ms(now), self.ahead_ms());
        self.metrics.lag(behind.max(ahead.unwrap_or(0)));
        self.metrics.ahead(ahead.unwrap_or(0));
        self.kafka.tell(self.failing.of_kafka().map(str::to_owned));
        if self.seen.is_some() || self.claims.cause().is_some() {
            self.schedule.tell(self.lack(behind, ahead));
        }
    }

    /// What keeps shards from where they should be.
    fn lack(&self, behind_ms: i64, ahead_ms: Option<i64>) -> Option<String> {
        if let Some(ahead) = ahead_ms {
            return Some(format!(
                "shards are scheduled {} s ahead, further than the horizon; they are set back",
                ahead / 1_000
            ));
        }
        if self.seen.is_none() {
            return self.claims.cause().map(str::to_owned);
        }
        if behind_ms <= millis(MOST_BEHIND) {
            return None;
        }
        let behind = format!(
            "the shard furthest behind is {} s behind its turn",
            behind_ms / 1_000
        );
        Some(match (self.claims.cause(), self.failing.worst()) {
            (Some(cause), _) => format!("{behind}: {cause}"),
            (None, Some((shard, cause))) => {
                format!("{behind}; turns of shard {shard} fail: {}", cause.text)
            }
            (None, None) => behind,
        })
    }
}

/// Why a turn failed.
fn cause(error: &Report) -> Cause {
    match error.downcast_ref::<PublishError>() {
        Some(error) => Cause {
            text: error.cause(),
            of_kafka: true,
        },
        None => Cause {
            text: format!("{error:#}"),
            of_kafka: false,
        },
    }
}

//! Shard progress: up to where all shards are scheduled, whether or not this turn takes them.
//!
//! Each turn begins with this look. A turn sees only what it may take, and that leaves out what matters most:
//! a shard whose turns fail, and one that lies so far ahead that its turn does not come.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _, eyre};
use contract::instant::{UnixMs, millis};
use sea_orm::{ConnectionTrait, FromQueryResult as _};
use store::schedule_shard::{self, Progress};

/// So much further ahead than the horizon a shard may be: no longest horizon of another scheduler reaches there.
const TOLERANCE: Duration = Duration::from_secs(10);

/// Up to where the shards are scheduled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShardProgress {
    /// The start of the turn.
    pub(crate) now: UnixMs,
    /// Up to where the shard furthest behind is scheduled.
    least: UnixMs,
    /// Up to where the shard furthest ahead is scheduled, or reconciled.
    most: UnixMs,
}

impl ShardProgress {
    /// Looks at all shards.
    pub(crate) async fn read(transaction: &impl ConnectionTrait) -> Result<Self> {
        let row = transaction
            .query_one_raw(schedule_shard::progress())
            .await
            .wrap_err("read how the shards stand")?;
        let row = row.ok_or_else(|| eyre!("read how the shards stand: no answer"))?;
        let read = Progress::from_query_result(&row, "").wrap_err("read how the shards stand")?;
        let Progress { now, least, most } = read;
        Ok(Self { now, least, most })
    }

    /// How far the shard furthest behind is behind its turn, in milliseconds; not above zero if it is not.
    pub(crate) fn behind_ms(&self, lead: Duration) -> i64 {
        (self.now + lead).ms_since(self.least)
    }

    /// How far ahead of now the shard furthest ahead is, in milliseconds, if that is too far.
    pub(crate) fn ahead_ms(&self, horizon: Duration) -> Option<i64> {
        let ahead = self.most.ms_since(self.now);
        (ahead > millis(furthest(horizon))).then_some(ahead)
    }
}

/// How far ahead of now a shard may be.
pub(crate) const fn furthest(horizon: Duration) -> Duration {
    horizon.saturating_add(TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HORIZON: Duration = Duration::from_secs(2);

    /// Shards that reach from here to there.
    fn progress(least: i64, most: i64) -> ShardProgress {
        ShardProgress {
            now: UnixMs(1_000_000),
            least: UnixMs(1_000_000 + least),
            most: UnixMs(1_000_000 + most),
        }
    }

    #[test]
    fn behind_is_the_shard_that_waits_longest_for_its_turn() {
        let lead = Duration::from_secs(1);
        assert_eq!(progress(1_000, 2_000).behind_ms(lead), 0);
        assert_eq!(progress(-59_000, 2_000).behind_ms(lead), 60_000);
    }

    #[test]
    fn ahead_is_what_no_scheduler_s_horizon_reaches() {
        assert_eq!(progress(0, 2_000).ahead_ms(HORIZON), None);
        assert_eq!(progress(0, 10_000).ahead_ms(HORIZON), None);
        assert_eq!(progress(0, 12_001).ahead_ms(HORIZON), Some(12_001));
    }
}

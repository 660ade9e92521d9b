//! Claim: the shards whose turn it is, locked for the length of a transaction.
//!
//! The scheduler that holds the row lock schedules the shard; one that dies lets go of it by rolling
//! back. `SKIP LOCKED` lets any number of schedulers take what the others left, furthest behind first.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _};
use sea_orm::{ConnectionTrait, FromQueryResult};
use store::sql;

/// The shards of one turn, and the one end that all its windows share.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The locked shards.
    pub(crate) shards: Vec<Shard>,
    /// The start of the turn, in milliseconds since the Unix epoch on the database's clock.
    pub(crate) now: i64,
    /// The end of the turn's windows, likewise.
    pub(crate) until: i64,
}

/// A locked row of `schedule_shard`.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub(crate) struct Shard {
    /// `schedule_shard.id`.
    pub(crate) id: i16,
    /// Everything up to here has been scheduled, in milliseconds since the Unix epoch.
    pub(crate) scheduled_until: i64,
}

/// What may be claimed.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Shards that may be taken.
    pub(crate) candidates: Vec<i16>,
    /// How many at most.
    pub(crate) most: usize,
    /// How far ahead of now a turn schedules.
    pub(crate) horizon: Duration,
    /// The time between two turns of a shard.
    pub(crate) turn: Duration,
}

/// Claims what lies furthest behind. An instant that `PostgreSQL` alone knows (`-infinity`) is the first there is.
const CLAIM: &str = "\
SELECT id, (extract(epoch FROM greatest(scheduled_until, timestamptz 'epoch')) * 1000)::bigint AS scheduled_until
FROM schedule_shard
WHERE scheduled_until < now() + $1 * interval '1 millisecond' AND id = ANY($2)
ORDER BY scheduled_until
LIMIT $3
FOR UPDATE SKIP LOCKED";

/// Locks the shards that have fallen behind, at most `wanted.most`; none if others hold them all. `now` is the
/// start of the turn.
pub(crate) async fn claim(
    transaction: &impl ConnectionTrait,
    wanted: &Wanted,
    now: i64,
) -> Result<Claim> {
    let ahead = sql::millis(wanted.horizon.saturating_sub(wanted.turn));
    let most = i64::try_from(wanted.most).unwrap_or(i64::MAX);
    let statement = sql::statement(
        CLAIM,
        [ahead.into(), wanted.candidates.clone().into(), most.into()],
    );
    let rows = transaction
        .query_all_raw(statement)
        .await
        .wrap_err("claim shards")?;
    let shards = rows
        .iter()
        .map(|row| Shard::from_query_result(row, ""))
        .collect::<Result<_, _>>()
        .wrap_err("read schedule_shard")?;
    Ok(Claim {
        shards,
        now,
        until: now + sql::millis(wanted.horizon),
    })
}

/// The instant `$n` (milliseconds since the Unix epoch) as an exact `timestamptz`.
const ADVANCE: &str = "\
UPDATE schedule_shard SET scheduled_until = timestamptz 'epoch' + $1 * interval '1 millisecond'
WHERE id = ANY($2)";

/// Moves the claimed shards to the end of their windows.
pub(crate) async fn advance(transaction: &impl ConnectionTrait, claim: &Claim) -> Result<()> {
    let ids: Vec<i16> = claim.shards.iter().map(|shard| shard.id).collect();
    let statement = sql::statement(ADVANCE, [claim.until.into(), ids.into()]);
    transaction
        .execute_raw(statement)
        .await
        .wrap_err("advance schedule_shard")?;
    Ok(())
}

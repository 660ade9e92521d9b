//! Claim: the shards whose turn it is, locked for the length of a transaction.
//!
//! The scheduler that holds the row lock schedules the shard; one that dies lets go of it by rolling
//! back. `SKIP LOCKED` lets any number of schedulers take what the others left, furthest behind first.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _};
use contract::instant::UnixMs;
use sea_orm::{ConnectionTrait, FromQueryResult as _};
use store::schedule_shard::{self, Shard};

/// The shards of one turn, and the one end that all its windows share.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The locked shards.
    pub(crate) shards: Vec<Shard>,
    /// The start of the turn.
    pub(crate) now: UnixMs,
    /// The end of the turn's windows.
    pub(crate) until: UnixMs,
}

impl Claim {
    /// The ids of the locked shards.
    pub(crate) fn ids(&self) -> Vec<i16> {
        self.shards.iter().map(|shard| shard.id).collect()
    }
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

/// Locks the shards that have fallen behind, at most `wanted.most`; none if others hold them all. `now` is the
/// start of the turn.
pub(crate) async fn claim(
    transaction: &impl ConnectionTrait,
    wanted: &Wanted,
    now: UnixMs,
) -> Result<Claim> {
    let lead = wanted.horizon.saturating_sub(wanted.turn);
    let rows = transaction
        .query_all_raw(schedule_shard::claim(
            wanted.candidates.clone(),
            wanted.most,
            lead,
        ))
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
        until: now + wanted.horizon,
    })
}

/// Moves the claimed shards to the end of their windows.
pub(crate) async fn advance(transaction: &impl ConnectionTrait, claim: &Claim) -> Result<()> {
    transaction
        .execute_raw(schedule_shard::advance(claim.ids(), claim.until))
        .await
        .wrap_err("advance schedule_shard")?;
    Ok(())
}

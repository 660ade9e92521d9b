//! Ahead: shards that are scheduled further than any horizon are set back to now.
//!
//! A database whose clock was ahead for a while leaves them there when it is right again. Nothing would be
//! scheduled until the clock gets there, and nothing recorded as lost. What is scheduled twice by this does no harm:
//! the primary key of `check_result` makes it once.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _};
use sea_orm::{ConnectionTrait, FromQueryResult as _};
use store::{
    schedule_shard::{self, SetBack},
    site,
};

use crate::{config::LONGEST_HORIZON, shard_progress::furthest};

/// Sets back what is further ahead than this horizon and any other.
pub(crate) async fn set_back(
    database: &impl ConnectionTrait,
    horizon: Duration,
) -> Result<Vec<SetBack>> {
    let rows = database
        .query_all_raw(schedule_shard::set_back(furthest(horizon)))
        .await
        .wrap_err("set back shards that are scheduled too far ahead")?;
    let read = rows.iter().map(|row| SetBack::from_query_result(row, ""));
    read.collect::<Result<_, _>>()
        .wrap_err("read which shards were set back")
}

/// Takes stamps away that a wrong clock has given; returns how many. Reads all sites once.
pub(crate) async fn unstamp(database: &impl ConnectionTrait) -> Result<u64> {
    let done = database
        .execute_raw(site::unstamp(furthest(LONGEST_HORIZON)))
        .await;
    Ok(done
        .wrap_err("take back stamps that lie ahead")?
        .rows_affected())
}

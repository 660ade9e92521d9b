//! Stamp: rows that were made or changed are told from when on they have been scheduled as they are.
//!
//! An audit may look at a site only from an instant at which no scheduler can still be working with an
//! older version of its row. Every window that was read before this statement ends at most one
//! horizon after now, so that instant is `clock_timestamp() + horizon`: written once per change,
//! never per check. `updated_at` would not do: it is taken when a statement starts, and a long
//! transaction makes the change visible much later.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _};
use sea_orm::ConnectionTrait;
use store::site;

use crate::claim::Claim;

/// Stamps the fresh rows of the claimed shards. Comes before they are read.
pub(crate) async fn stamp(
    transaction: &impl ConnectionTrait,
    claim: &Claim,
    horizon: Duration,
) -> Result<u64> {
    let done = transaction
        .execute_raw(site::stamp(claim.ids(), horizon))
        .await;
    Ok(done
        .wrap_err("stamp new and changed sites")?
        .rows_affected())
}

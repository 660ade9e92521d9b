//! `schedule_shard`: how far the sites of a shard have been scheduled, and reconciled.
//!
//! The sites of a shard whose row is missing are not scheduled at all.

mod ahead;
mod missing;
mod progress;
mod reconciled;
mod repair;

use sea_orm::entity::prelude::*;

pub use ahead::{SetBack, rewind, set_back};
pub use missing::Missing;
pub use progress::{Progress, Shard, advance, claim, progress};
pub use reconciled::{Extent, advance_reconciled, extent};
pub use repair::{missing_shards, put_back};

/// A row of `schedule_shard`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule_shard")]
pub struct Model {
    /// The shard, 0 to 63.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i16,
    /// Every due instant up to here has been sent, or lies in a gap.
    pub scheduled_until: DateTimeUtc,
    /// Every due instant that expired up to here has a row, or lies in a gap.
    pub reconciled_until: DateTimeUtc,
}

/// Shards have no relations: a site names its shard by a generated column.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `schedule_gap`: spans in which a shard's sites were not scheduled.

use sea_orm::entity::prelude::*;

/// A row of `schedule_gap`: the span `(since, until]`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule_gap")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The shard, 0 to 63.
    pub shard: i16,
    /// The last instant that was scheduled.
    pub since: DateTimeUtc,
    /// The last instant that was not.
    pub until: DateTimeUtc,
    /// When the gap was found.
    pub recorded_at: DateTimeUtc,
}

/// Gaps have no relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

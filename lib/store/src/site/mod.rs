//! `site`: what is watched, and how.
//!
//! A turn of a scheduler stamps new rows, and reads the ones that are due. A sites file is [applied](apply), and
//! people [look](look_up) at sites.

pub mod apply;
mod due;
pub mod look_up;
mod stamp;

use sea_orm::ActiveValue::NotSet;
use sea_orm::entity::prelude::*;

pub use due::{DUE, DueSite, INTERVALS, PhaseRange, due, intervals};
pub use stamp::{stamp, unstamp};

/// A row of `site`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "site")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// What people call it; unique.
    #[sea_orm(unique)]
    pub name: String,
    /// What to probe.
    pub url: String,
    /// The time between two checks, in milliseconds.
    pub interval_ms: i32,
    /// The time for one check, in milliseconds.
    pub timeout_ms: i32,
    /// How to ask: see [`contract::site::Request`].
    #[sea_orm(column_type = "JsonBinary")]
    pub request: Json,
    /// What a healthy site answers: see [`contract::site::Expect`].
    #[sea_orm(column_type = "JsonBinary")]
    pub expect: Json,
    /// Words for people to sort sites by.
    #[sea_orm(column_type = "JsonBinary")]
    pub labels: Json,
    /// Whether it is checked at all.
    pub enabled: bool,
    /// One extra due instant.
    pub check_at: Option<DateTimeUtc>,
    /// The instant from which the row, as it is now, has been scheduled.
    pub scheduled_from: Option<DateTimeUtc>,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When people last changed the row.
    pub updated_at: DateTimeUtc,
    /// The row of `schedule_shard` that it is scheduled with; generated from the name.
    pub shard: i16,
    /// Its due instants are `phase_ms` past a multiple of the interval; generated from the name.
    pub phase_ms: i32,
}

/// Sites have no relations: results outlive them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

#[async_trait::async_trait]
impl ActiveModelBehavior for ActiveModel {
    /// Leaves the generated columns to `PostgreSQL`, which refuses any value for them.
    async fn before_save<C>(mut self, _db: &C, _insert: bool) -> Result<Self, DbErr>
    where
        C: ConnectionTrait,
    {
        self.shard = NotSet;
        self.phase_ms = NotSet;
        Ok(self)
    }
}

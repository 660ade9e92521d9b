//! `schedule_shard`: how far the sites of a shard have been scheduled, and reconciled.
//!
//! The sites of a shard whose row is missing are not scheduled at all.

use std::fmt;

use sea_orm::DatabaseConnection;
use sea_orm::entity::prelude::*;

use crate::error::DatabaseError;
use crate::sql::scalar;

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

/// The shards without a row.
const MISSING: &str = "\
SELECT coalesce(array_agg(shard ORDER BY shard), '{}') FROM generate_series(0, $1 - 1) AS shard
WHERE NOT EXISTS (SELECT FROM schedule_shard WHERE id = shard)";

/// Shards that have no row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing(Vec<i32>);

impl Missing {
    /// Looks for them.
    pub async fn find(database: &DatabaseConnection) -> Result<Self, DatabaseError> {
        let sql = MISSING.replace("$1", &contract::SHARDS.to_string());
        let found = scalar(database, "look for missing rows of schedule_shard", sql).await?;
        Ok(Self(found.unwrap_or_default()))
    }

    /// Whether every shard has its row.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shards: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        write!(
            f,
            "schedule_shard has no row for {} {}, whose sites are not scheduled: run `webmon repair`",
            if shards.len() == 1 {
                "shard"
            } else {
                "the shards"
            },
            shards.join(", ")
        )
    }
}

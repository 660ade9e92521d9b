//! Shards that have no row: their sites are not scheduled at all.

use std::fmt;

use sea_orm::DatabaseConnection;

use crate::error::DatabaseError;
use crate::sql::scalar;

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

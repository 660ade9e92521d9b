//! Sites that are looked up by their name, by their id, or for being enabled.

use sea_orm::{
    ColumnTrait as _, DatabaseConnection, DbErr, EntityTrait as _, FromQueryResult,
    QueryFilter as _, QuerySelect as _, Statement,
};

use super::{Column, Entity};
use crate::sql::{POSTGRES, statement};

/// A site as a task has it.
const SITE: &str = "SELECT id, url, timeout_ms, request::text AS request, expect::text AS expect \
                    FROM site WHERE name = $1";

/// What a check of a site needs of its row.
#[derive(Clone, Debug, FromQueryResult)]
pub struct SiteToCheck {
    /// `site.id`.
    pub id: i64,
    /// `site.url`.
    pub url: String,
    /// `site.timeout_ms`.
    pub timeout_ms: i32,
    /// `site.request`, as JSON text.
    pub request: String,
    /// `site.expect`, as JSON text.
    pub expect: String,
}

/// Reads the site of this name, as a [`SiteToCheck`].
pub fn by_name(name: &str) -> Statement {
    statement(SITE, [name.into()])
}

/// What changes when a site comes, goes, or is switched on or off.
const SIGNATURE: &str =
    "SELECT count(*) AS sites, bit_xor(hashint8extended(id, 0)) AS ids FROM site WHERE enabled";
/// The sites that are checked.
const ENABLED: &str = "SELECT coalesce(array_agg(id), '{}') AS ids FROM site WHERE enabled";

/// Reads what identifies the sites that are checked: their number `sites`, and `ids`, null if there are none.
pub fn enabled_signature() -> Statement {
    Statement::from_string(POSTGRES, SIGNATURE)
}

/// Reads the sites that are checked: one row, with their `ids`.
pub fn enabled_ids() -> Statement {
    Statement::from_string(POSTGRES, ENABLED)
}

/// Reads id, name and URL of those of these sites that are checked.
pub async fn enabled_among(
    database: &DatabaseConnection,
    ids: Vec<i64>,
) -> Result<Vec<(i64, String, String)>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::Id, Column::Name, Column::Url])
        .filter(Column::Id.is_in(ids))
        .filter(Column::Enabled.eq(true))
        .into_tuple()
        .all(database)
        .await
}

/// How many sites there are.
pub const COUNT: &str = "SELECT count(*) FROM site";

/// All names, in no order.
const NAMES: &str = "SELECT name FROM site";

/// Reads all names.
pub fn names() -> Statement {
    statement(NAMES, [])
}

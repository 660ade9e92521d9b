//! Which checks have a row already.

use contract::check::{CheckKey, SiteId};
use contract::instant::UnixMs;
use sea_orm::{DbErr, QueryResult, Statement};

use crate::sql::statement;

/// The instants of these that have a row of a check; a row that says `missed` does not count, as that check may still be made.
const FIND: &str = "\
SELECT found.site_id, (extract(epoch FROM found.scheduled_at) * 1000)::bigint
FROM unnest($1::bigint[], $2::bigint[]) AS task (site_id, scheduled_ms)
JOIN check_result AS found ON found.site_id = task.site_id
    AND found.scheduled_at = timestamptz 'epoch' + task.scheduled_ms * interval '1 millisecond'
    AND found.outcome <> 'missed'";

/// Reads which of these checks were made, as rows for [`read_key`]. A check is named by its site and its due instant.
pub fn recorded(sites: Vec<i64>, instants: Vec<i64>) -> Statement {
    statement(FIND, [sites.into(), instants.into()])
}

/// Reads a row of [`recorded`].
pub fn read_key(row: &QueryResult) -> Result<CheckKey, DbErr> {
    let site = SiteId(row.try_get_by_index(0)?);
    Ok(CheckKey::new(site, UnixMs(row.try_get_by_index(1)?)))
}

//! Days whose tables are in disorder, and what puts them right. Names are as SQL writes them.

use std::fmt::Display;
use std::time::Duration;

use contract::instant::millis;
use sea_orm::Statement;

use crate::sql::statement;

/// Days whose `DETACH PARTITION CONCURRENTLY` did not end: no row of theirs is found. Each has a `name`.
pub const HALF_DETACHED: &str = "\
SELECT inhrelid::regclass::text AS name FROM pg_inherits
WHERE inhparent = 'check_result'::regclass AND inhdetachpending";

/// Tables that are called as days are, and are none. No row of theirs is found, and none can be recorded on that
/// day. What is older than the retention was detached to be kept, and is left alone.
const UNATTACHED: &str = "\
SELECT relname::text AS name FROM pg_class
WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'check_result'::regclass)
    AND relkind = 'r' AND NOT relispartition AND relname ~ '^check_result_[0-9]{8}$'
    AND right(relname, 8) >= to_char((now() - $1 * interval '1 millisecond') AT TIME ZONE 'UTC', 'YYYYMMDD')
ORDER BY relname";

/// Reads the tables that are called as days are, and are none: a `name` each.
pub fn unattached(retention: Duration) -> Statement {
    statement(UNATTACHED, [millis(retention).into()])
}

/// Ends the interrupted detaching of a day.
pub fn finish_detaching(day: &str) -> String {
    format!("ALTER TABLE check_result DETACH PARTITION {day} FINALIZE")
}

/// Attaches the table of a day that ends when `next` begins; both as `2026-11-30`.
pub fn attach(table: &str, day: impl Display, next: impl Display) -> String {
    format!(
        "ALTER TABLE check_result ATTACH PARTITION {table}
                 FOR VALUES FROM ('{day} 00:00:00+00') TO ('{next} 00:00:00+00')"
    )
}

/// Makes a day that is not there.
pub fn make(day: &str) -> String {
    format!("SELECT webmon_make_day('{day}')")
}

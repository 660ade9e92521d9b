//! The days of `check_result`: its partitions, the index of each, and who owns them.

use std::time::Duration;

use contract::instant::millis;
use sea_orm::Statement;
use store::sql::{POSTGRES, statement};

/// The days that rows may fall into: catching up reaches back a day, tasks reach ahead by seconds;
/// one more day is in store in case no scheduler runs at midnight.
const NEEDED: &str = "\
SELECT day::date::text AS day
FROM generate_series((now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date + 2, interval '1 day') AS day
WHERE to_regclass('check_result_' || to_char(day, 'YYYYMMDD')) IS NULL";

/// Reads the days that are needed and not there: the column `day`, as `2026-11-30`.
pub(crate) fn missing() -> Statement {
    Statement::from_string(POSTGRES, NEEDED)
}

/// Makes a day, which is written as [`missing`] reads it.
pub(crate) fn make(day: &str) -> Statement {
    statement("SELECT webmon_make_day($1::date)", [day.into()])
}

/// The days that ended longer ago than the retention.
const AGED: &str = "\
SELECT relnamespace::regnamespace::text || '.' || quote_ident(relname) AS day FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = 'check_result'::regclass AND relname ~ '^check_result_[0-9]{8}$'
    AND to_date(right(relname, 8), 'YYYYMMDD') + 1 <= (now() AT TIME ZONE 'UTC') - $1 * interval '1 millisecond'
ORDER BY relname";

/// Reads the days that ended longer ago than `retention`: the column `day`, a name as SQL writes it.
pub(crate) fn aged(retention: Duration) -> Statement {
    statement(AGED, [millis(retention).into()])
}

/// Takes the lock of packing until the session ends, if it is free: one scheduler of a database packs at a time.
pub(crate) const LOCK: &str = "SELECT pg_try_advisory_lock(hashtextextended('webmon_pack', 0))";

/// The days to pack; newest first, as they are read most and kept longest. `$1` is the comment on an index that is
/// packed; `$2` asks for all days, else for those that ended between `$3` and `$4` milliseconds ago.
pub(crate) const UNPACKED: &str = "\
SELECT day.oid::regclass::text, indexrelid::regclass::text
FROM pg_inherits JOIN pg_class AS day ON day.oid = inhrelid
    JOIN pg_index ON indrelid = day.oid AND indisprimary
    CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE 'UTC') - (to_date(right(relname, 8), 'YYYYMMDD') + 1) AS age) AS since_its_end
WHERE inhparent = 'check_result'::regclass AND relname ~ '^check_result_[0-9]{8}$'
    AND obj_description(indexrelid, 'pg_class') IS DISTINCT FROM $1
    AND ($2 OR age BETWEEN $3 * interval '1 millisecond' AND $4 * interval '1 millisecond')
ORDER BY relname DESC";

/// The size of the index `$1`, in bytes.
pub(crate) const SIZE: &str = "SELECT pg_relation_size($1::text::regclass)";

/// What an interrupted `REINDEX CONCURRENTLY` left behind on the table `$1`.
pub(crate) const LEFTOVERS: &str = "\
SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = $1::text::regclass AND NOT indisvalid AND relname ~ '_cc(new|old)[0-9]*$'";

/// The owner, as SQL writes it; none if the session may do all that the owner may, or may not become it.
pub(crate) const OWNER: &str = "\
SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class
WHERE oid = 'check_result'::regclass AND pg_has_role(relowner, 'MEMBER') AND NOT pg_has_role(relowner, 'USAGE')";

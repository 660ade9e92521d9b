//! The days of `check_result`: its partitions. Each is made ahead of time, packed when it is finished, and dropped
//! when it has aged.

pub mod owner;
pub mod pack;
pub mod repair;

use std::time::Duration;

use contract::instant::millis;
use sea_orm::Statement;
use sea_orm::sqlx::{self, PgPool};

use crate::sql::{POSTGRES, statement};

/// The days that rows may fall into: catching up reaches back a day, tasks reach ahead by seconds;
/// one more day is in store in case no scheduler runs at midnight.
const NEEDED: &str = "\
SELECT day::date::text AS day
FROM generate_series((now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date + 2, interval '1 day') AS day
WHERE to_regclass('check_result_' || to_char(day, 'YYYYMMDD')) IS NULL";

/// Reads the days that are needed and not there: the column `day`, as `2026-11-30`.
pub fn missing() -> Statement {
    Statement::from_string(POSTGRES, NEEDED)
}

/// Makes a day, which is written as [`missing`] reads it.
pub fn make(day: &str) -> Statement {
    statement("SELECT webmon_make_day($1::date)", [day.into()])
}

/// Makes the days of these instants.
const MAKE_DAYS: &str = "\
SELECT webmon_make_day(day) FROM (
    SELECT DISTINCT ((timestamptz 'epoch' + ms * interval '1 millisecond') AT TIME ZONE 'UTC')::date AS day
    FROM unnest($1::bigint[]) AS result (ms)
) AS days";

/// Makes the days that these instants fall into, straight by sea-orm's driver.
pub(crate) async fn make_for(pool: &PgPool, instants: Vec<i64>) -> Result<(), sqlx::Error> {
    let making = sqlx::query(MAKE_DAYS).bind(instants);
    making.execute(pool).await?;
    Ok(())
}

/// The days that ended longer ago than the retention.
const AGED: &str = "\
SELECT relnamespace::regnamespace::text || '.' || quote_ident(relname) AS day FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = 'check_result'::regclass AND relname ~ '^check_result_[0-9]{8}$'
    AND to_date(right(relname, 8), 'YYYYMMDD') + 1 <= (now() AT TIME ZONE 'UTC') - $1 * interval '1 millisecond'
ORDER BY relname";

/// Reads the days that ended longer ago than `retention`: the column `day`, a name as SQL writes it.
pub fn aged(retention: Duration) -> Statement {
    statement(AGED, [millis(retention).into()])
}

/// For the transaction that drops a day: it gives up where the table is in use.
pub const DO_NOT_WAIT: &str = "SET LOCAL lock_timeout = '200ms'";

/// Drops the day `table`, a name as SQL writes it.
pub fn drop_table(table: &str) -> String {
    format!("DROP TABLE {table}")
}

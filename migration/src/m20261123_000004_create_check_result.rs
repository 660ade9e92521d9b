//! `check_result`, partitioned by UTC day, and `webmon_make_day`, which makes a day.
//!
//! There is no default partition: one would have to be searched under a lock by each new day, and
//! would hide that a day is missing. No day is made here either; the scheduler keeps them ahead.

use sea_orm_migration::prelude::{
    ConnectionTrait, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, async_trait,
};

/// Creates `check_result` and `webmon_make_day`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The columns stand in order of width, so that no byte is lost to alignment.
const TABLE: &str = r"
CREATE TABLE check_result (
    site_id bigint NOT NULL,
    scheduled_at timestamptz(3) NOT NULL,
    started_at timestamptz,
    certificate_expires_at timestamptz,
    body_bytes bigint,
    outcome check_outcome NOT NULL,
    reason check_reason,
    dns_us int,
    connect_us int,
    tls_us int,
    wait_us int,
    receive_us int,
    total_us int,
    status smallint,
    address inet,
    detail text,
    PRIMARY KEY (site_id, scheduled_at)
) PARTITION BY RANGE (scheduled_at)
";

/// A day is made beside the table and then attached, as that takes no lock that inserts or readers
/// wait for, which `PARTITION OF` does. The second caller waits for the first and finds it made.
///
/// The function runs as its owner, so that a role that may only write results can still have a day
/// made. The bounds are spelled with their offset: a day is a UTC day whatever the session's
/// `TimeZone` and `DateStyle` say.
pub(crate) const MAKE_DAY: &str = r"
CREATE OR REPLACE FUNCTION webmon_make_day(day date) RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER AS $$
DECLARE
    partition text := 'check_result_' || to_char(day::timestamp, 'YYYYMMDD');
BEGIN
    IF day NOT BETWEEN date '0001-01-01' AND date '9999-12-30' THEN
        RAISE datetime_field_overflow
            USING MESSAGE = format('%s is not a day of results', day);
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('webmon_make_day', 0));
    -- not to_regclass: it may remember that there was none, from before the lock was waited for
    IF NOT EXISTS (
        SELECT FROM pg_class
        WHERE relname = partition AND relnamespace = current_schema()::regnamespace
    ) THEN
        EXECUTE format('CREATE TABLE %I (LIKE check_result INCLUDING ALL)', partition);
        EXECUTE format(
            'ALTER TABLE check_result ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            partition,
            to_char(day::timestamp, 'YYYY-MM-DD') || ' 00:00:00+00',
            to_char((day + 1)::timestamp, 'YYYY-MM-DD') || ' 00:00:00+00'
        );
    END IF;
END
$$;
";

/// What runs as its owner must not find its caller's tables: the search path is the schema of
/// `check_result`, and temporary tables come last, as they would otherwise come first.
pub(crate) const PIN_SEARCH_PATH: &str = r"
DO $$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION webmon_make_day(date) SET search_path = %I, pg_temp', current_schema()
    );
END
$$;
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for sql in [TABLE, MAKE_DAY, PIN_SEARCH_PATH] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP FUNCTION webmon_make_day(date); DROP TABLE check_result")
            .await?;
        Ok(())
    }
}

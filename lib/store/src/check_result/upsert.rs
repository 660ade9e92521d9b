//! Rows for checks that were made: a batch of results in one statement.

use contract::outcome::Reason;
use contract::result::{CheckResult, Phases};
use postgres_address::sqlstate;
use sea_orm::DatabaseConnection;
use sea_orm::prelude::IpNetwork;
use sea_orm::sqlx::{self, Postgres, postgres::PgArguments, query::QueryAs};

use crate::days;

/// How much of a detail is kept, in characters.
const MOST_DETAIL: usize = 1_000;

/// The first row for an instant stays, but a check that was made replaces one thought missed.
const UPSERT: &str = "\
WITH written AS (
    INSERT INTO check_result (site_id, scheduled_at, started_at, certificate_expires_at, body_bytes, outcome, reason,
        dns_us, connect_us, tls_us, wait_us, receive_us, total_us, status, address, detail)
    SELECT site_id, timestamptz 'epoch' + scheduled_ms * interval '1 millisecond',
        timestamptz 'epoch' + started_us * interval '1 microsecond',
        timestamptz 'epoch' + expires_s * interval '1 second',
        body_bytes, outcome::check_outcome, reason::check_reason,
        dns_us, connect_us, tls_us, wait_us, receive_us, total_us, status, address, detail
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
        $8::int[], $9::int[], $10::int[], $11::int[], $12::int[], $13::int[], $14::smallint[], $15::inet[], $16::text[])
        AS result (site_id, scheduled_ms, started_us, expires_s, body_bytes, outcome, reason,
            dns_us, connect_us, tls_us, wait_us, receive_us, total_us, status, address, detail)
    ON CONFLICT (site_id, scheduled_at) DO UPDATE SET
        started_at = excluded.started_at, certificate_expires_at = excluded.certificate_expires_at,
        body_bytes = excluded.body_bytes, outcome = excluded.outcome, reason = excluded.reason,
        dns_us = excluded.dns_us, connect_us = excluded.connect_us, tls_us = excluded.tls_us,
        wait_us = excluded.wait_us, receive_us = excluded.receive_us, total_us = excluded.total_us,
        status = excluded.status, address = excluded.address, detail = excluded.detail
    WHERE check_result.outcome = 'missed' AND excluded.outcome <> 'missed'
    RETURNING outcome, reason
)
SELECT outcome::text, coalesce(reason::text, '') AS reason, count(*) AS rows FROM written GROUP BY outcome, reason";

/// Why a batch was not written.
#[derive(Debug)]
pub enum Refusal {
    /// `PostgreSQL` will never take it: a value is out of range, or breaks a constraint.
    Content(String),
    /// `PostgreSQL` cannot take it now.
    Unavailable(String),
}

/// Rows inserted, or that replaced a missed one: outcome, reason (empty for `up`), how many.
pub type Written = (String, String, i64);

/// Writes a batch of distinct results in one statement; makes missing days, and then writes it.
///
/// Past sea-orm, whose arrays hold no nulls, straight to its driver.
pub async fn upsert(
    database: &DatabaseConnection,
    batch: &[&CheckResult],
) -> Result<Vec<Written>, Refusal> {
    let pool = database.get_postgres_connection_pool();
    match bound(batch).fetch_all(pool).await {
        Err(error) if sqlstate::is_missing_partition(&error) => {
            let instants: Vec<_> = batch
                .iter()
                .map(|result| result.check.scheduled_at.0)
                .collect();
            days::make_for(pool, instants)
                .await
                .map_err(|error| refusal(&error))?;
            bound(batch).fetch_all(pool).await
        }
        written => written,
    }
    .map_err(|error| refusal(&error))
}

/// The statement with the columns of a batch.
fn bound<'a>(batch: &[&'a CheckResult]) -> QueryAs<'a, Postgres, Written, PgArguments> {
    /// The array of one column.
    fn column<'a, T>(batch: &[&'a CheckResult], of: impl Fn(&'a CheckResult) -> T) -> Vec<T> {
        batch.iter().copied().map(of).collect()
    }
    let micros = |of: fn(&Phases) -> Option<u64>| {
        column(batch, |result| of(&result.measured.phases).map(saturated))
    };
    let status = |status| i16::try_from(status).unwrap_or(i16::MAX);
    let bytes = |bytes| i64::try_from(bytes).unwrap_or(i64::MAX);
    sqlx::query_as(UPSERT)
        .bind(column(batch, |result| result.check.site.0))
        .bind(column(batch, |result| result.check.scheduled_at.0))
        .bind(column(batch, |result| {
            result.measured.started_at_us.map(|at| at.0)
        }))
        .bind(column(batch, |result| {
            result.measured.certificate_expires_at_s
        }))
        .bind(column(batch, |result| {
            result.measured.body_bytes.map(bytes)
        }))
        .bind(column(batch, |result| result.outcome().as_str()))
        .bind(column(batch, |result| result.reason.map(Reason::as_str)))
        .bind(micros(|phases| phases.dns_us))
        .bind(micros(|phases| phases.connect_us))
        .bind(micros(|phases| phases.tls_us))
        .bind(micros(|phases| phases.wait_us))
        .bind(micros(|phases| phases.receive_us))
        .bind(micros(|phases| phases.total_us))
        .bind(column(batch, |result| result.measured.status.map(status)))
        .bind(column(batch, |result| {
            result.measured.address.map(IpNetwork::from)
        }))
        .bind(column(batch, |result| {
            result.detail.as_deref().map(storable)
        }))
}

/// Microseconds as `PostgreSQL` holds them: numbers saturate, after 35 minutes.
fn saturated(micros: u64) -> i32 {
    i32::try_from(micros).unwrap_or(i32::MAX)
}

/// Text as `PostgreSQL` takes it: without NULs, and not without end.
fn storable(detail: &str) -> String {
    detail
        .chars()
        .filter(|c| *c != '\0')
        .take(MOST_DETAIL)
        .collect()
}

/// Tells a batch that will never be taken from a database that cannot take it now.
fn refusal(error: &sqlx::Error) -> Refusal {
    match sqlstate::of(error) {
        Some(state) if sqlstate::refuses_content(&state) => {
            Refusal::Content(format!("{error} (SQLSTATE {state})"))
        }
        _ => Refusal::Unavailable(error.to_string()),
    }
}

//! Rows: the statement that writes results, and what `PostgreSQL` may say to it.

use contract::{
    outcome::{Outcome, Reason},
    result::{CheckResult, Measured, Phases},
};
use runtime::sql;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, QueryResult, RuntimeErr, TryGetError, Value,
};

/// Session settings of the connections that record. `PostgreSQL` may hang; the statement may not.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("jit", "off"),
    ("tcp_user_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "10s"),
];

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
        dns_us, connect_us, tls_us, wait_us, receive_us, total_us, status, address::inet, detail
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
        $8::int[], $9::int[], $10::int[], $11::int[], $12::int[], $13::int[], $14::smallint[], $15::text[], $16::text[])
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
SELECT outcome::text, reason::text, count(*) FROM written GROUP BY outcome, reason";

/// Makes the days of these instants.
const MAKE_DAYS: &str = "\
SELECT webmon_make_day(day) FROM (
    SELECT DISTINCT ((timestamptz 'epoch' + ms * interval '1 millisecond') AT TIME ZONE 'UTC')::date AS day
    FROM unnest($1::bigint[]) AS result (ms)
) AS days";

/// Why a batch was not written.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Something in it is not to `PostgreSQL`'s liking.
    Content(String),
    /// `PostgreSQL` cannot take it now.
    Unavailable(String),
}

/// How many rows of a verdict were written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// `check_result.outcome`.
    pub(crate) outcome: String,
    /// `check_result.reason`; empty for `up`.
    pub(crate) reason: String,
    /// Rows inserted, or that replaced a missed one.
    pub(crate) rows: u64,
}

/// Leaves one result per instant of a batch in key order: one that was made rather than a missed one.
pub(crate) fn distinct(batch: impl IntoIterator<Item = CheckResult>) -> Vec<CheckResult> {
    let mut kept: Vec<CheckResult> = Vec::new();
    for result in batch {
        let key = |result: &CheckResult| (result.site_id, result.scheduled_at);
        match kept.last_mut() {
            Some(last) if key(last) == key(&result) => {
                if last.outcome() == Outcome::Missed {
                    *last = result;
                }
            }
            _ => kept.push(result),
        }
    }
    kept
}

/// Writes a batch of distinct results in one statement; makes missing days, and then writes it.
pub(crate) async fn upsert(
    database: &DatabaseConnection,
    batch: &[CheckResult],
) -> Result<Vec<Written>, Refusal> {
    let statement = sql::statement(UPSERT, values(batch));
    match database.query_all_raw(statement.clone()).await {
        Ok(rows) => read_written(&rows),
        Err(error) if is_missing_day(&error) => {
            let days = batch.iter().map(|result| Some(result.scheduled_at));
            let make = sql::statement(MAKE_DAYS, [sql::array(days)]);
            database
                .execute_raw(make)
                .await
                .map_err(|error| refusal(&error))?;
            read_written(
                &database
                    .query_all_raw(statement)
                    .await
                    .map_err(|error| refusal(&error))?,
            )
        }
        Err(error) => Err(refusal(&error)),
    }
}

/// Reads the counts.
fn read_written(rows: &[QueryResult]) -> Result<Vec<Written>, Refusal> {
    rows.iter()
        .map(|row| {
            let rows: i64 = row.try_get_by_index(2)?;
            Ok(Written {
                outcome: row.try_get_by_index(0)?,
                reason: row
                    .try_get_by_index::<Option<String>>(1)?
                    .unwrap_or_default(),
                rows: rows.try_into().unwrap_or(0),
            })
        })
        .collect::<Result<_, TryGetError>>()
        .map_err(|error| Refusal::Unavailable(DbErr::from(error).to_string()))
}

/// The columns of a batch, in the order of [`UPSERT`].
fn values(batch: &[CheckResult]) -> [Value; 16] {
    /// An array of one column.
    fn column<T: Into<Value> + sea_orm::sea_query::Nullable + sea_orm::sea_query::ValueType>(
        batch: &[CheckResult],
        of: impl Fn(&CheckResult) -> Option<T>,
    ) -> Value {
        sql::array(batch.iter().map(of))
    }
    let micros = |of: fn(&Phases) -> Option<u64>| {
        column(batch, move |result| {
            of(&result.measured.phases).map(saturated)
        })
    };
    let measured =
        |of: fn(&Measured) -> Option<i64>| column(batch, move |result| of(&result.measured));
    [
        column(batch, |result| Some(result.site_id)),
        column(batch, |result| Some(result.scheduled_at)),
        measured(|measured| measured.started_at_us),
        measured(|measured| measured.certificate_expires_at_s),
        measured(|measured| {
            measured
                .body_bytes
                .map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX))
        }),
        column(batch, |result| Some(result.outcome().as_str().to_owned())),
        column(batch, |result| {
            result.reason.map(Reason::as_str).map(str::to_owned)
        }),
        micros(|phases| phases.dns_us),
        micros(|phases| phases.connect_us),
        micros(|phases| phases.tls_us),
        micros(|phases| phases.wait_us),
        micros(|phases| phases.receive_us),
        micros(|phases| phases.total_us),
        column(batch, |result| {
            result
                .measured
                .status
                .map(|status| i16::try_from(status).unwrap_or(i16::MAX))
        }),
        column(batch, |result| {
            result.measured.address.map(|address| address.to_string())
        }),
        column(batch, |result| result.detail.as_deref().map(storable)),
    ]
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

/// The SQLSTATE and message of an error that came from `PostgreSQL`.
fn sqlstate(error: &DbErr) -> Option<(String, String)> {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return None;
    };
    let error = error.as_database_error()?;
    Some((error.code()?.into_owned(), error.message().to_owned()))
}

/// Whether a row's day has no partition yet. `PostgreSQL` has no SQLSTATE of its own for that: it is
/// a check violation that names no constraint.
fn is_missing_day(error: &DbErr) -> bool {
    sqlstate(error)
        .is_some_and(|(code, message)| code == "23514" && message.starts_with("no partition"))
}

/// Tells a batch that will never be taken from a database that cannot take it now.
fn refusal(error: &DbErr) -> Refusal {
    match sqlstate(error) {
        Some((code, message)) if code.starts_with("22") || code.starts_with("23") => {
            Refusal::Content(format!("{message} (SQLSTATE {code})"))
        }
        _ => Refusal::Unavailable(error.to_string()),
    }
}

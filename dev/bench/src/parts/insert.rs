//! The bare insert: rows by `unnest`, so many to a statement, and no conflict is expected.

use std::time::Instant;

use chrono::{DateTime, Utc};
use color_eyre::eyre::{Result, WrapErr as _};
use contract::instant::UnixUs;
use contract::result::{CheckResult, Phases};
use sea_orm::prelude::IpNetwork;
use sea_orm::sqlx;
use sea_orm::sqlx::postgres::PgPool;

use super::results::Results;
use super::{Report, done};
use crate::kernel;

/// The rows of a statement: as many as the recorder's.
const BATCH_ROWS: usize = 2_000;

/// The same columns as the recorder's.
const INSERT: &str = "\
INSERT INTO check_result (site_id, scheduled_at, started_at, certificate_expires_at, body_bytes, outcome,
    reason, dns_us, connect_us, tls_us, wait_us, receive_us, total_us, status, address, detail)
SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::bigint[],
    $6::text[]::check_outcome[], $7::text[]::check_reason[], $8::int[], $9::int[], $10::int[], $11::int[],
    $12::int[], $13::int[], $14::smallint[], $15::inet[], $16::text[])";

/// Inserts them, batch by batch on one connection.
pub(super) async fn run(results: Results) -> Result<Report> {
    let pool = PgPool::connect(&results.database).await;
    let pool = pool.wrap_err("connect to the database")?;
    let results = results.make();
    let (began, cpu) = (Instant::now(), kernel::own_cpu());
    for batch in results.chunks(BATCH_ROWS) {
        insert(&pool, batch).await?;
    }
    done(results.len(), began, cpu)
}

/// Inserts a batch.
async fn insert(pool: &PgPool, batch: &[CheckResult]) -> Result<()> {
    /// The array of one column.
    fn column<'a, T>(batch: &'a [CheckResult], of: impl Fn(&'a CheckResult) -> T) -> Vec<T> {
        batch.iter().map(of).collect()
    }
    let micros = |of: fn(&Phases) -> Option<u64>| {
        column(batch, |result| {
            of(&result.measured.phases).and_then(|us| i32::try_from(us).ok())
        })
    };
    let instant = |at: UnixUs| DateTime::<Utc>::from_timestamp_micros(at.0);
    let statement = sqlx::query(INSERT)
        .bind(column(batch, |result| result.check.site.0))
        .bind(column(batch, |result| {
            instant(result.check.scheduled_at.to_us())
        }))
        .bind(column(batch, |result| {
            result.measured.started_at_us.and_then(instant)
        }))
        .bind(column(batch, |_| None::<DateTime<Utc>>))
        .bind(column(batch, |result| {
            let bytes = result.measured.body_bytes;
            bytes.and_then(|bytes| i64::try_from(bytes).ok())
        }))
        .bind(column(batch, |result| result.outcome().as_str()))
        .bind(column(batch, |_| None::<&str>))
        .bind(micros(|phases| phases.dns_us))
        .bind(micros(|phases| phases.connect_us))
        .bind(micros(|phases| phases.tls_us))
        .bind(micros(|phases| phases.wait_us))
        .bind(micros(|phases| phases.receive_us))
        .bind(micros(|phases| phases.total_us))
        .bind(column(batch, |result| {
            let status = result.measured.status;
            status.and_then(|status| i16::try_from(status).ok())
        }))
        .bind(column(batch, |result| {
            result.measured.address.map(IpNetwork::from)
        }))
        .bind(column(batch, |_| None::<&str>));
    statement.execute(pool).await.wrap_err("insert rows")?;
    Ok(())
}

//! `webmon audit`: the ledger of all scheduled checks, hour by hour.
//!
//! It is computed from `site`, `schedule_gap` and `check_result` alone: when each site was due as it is
//! defined now, since it was first scheduled so, and what became of each of these instants. A row counts
//! as a row even inside a gap. What may still be on its way is open: the reconciler judges a check a
//! minute after it expired, and from then on it must be a row or inside a gap.
//!
//! It is computed in `PostgreSQL`, [a day at a time](statements), from one snapshot.

use std::time::Duration;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _, ensure};
use contract::instant::millis;
use runtime::program::say;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DbErr, FromQueryResult, IsolationLevel,
    TransactionTrait as _,
};
use store::check_result::audit::{self as statements, Hour, Window};
use store::schedule_shard::Missing;

use crate::commands::table;

/// The milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// How far back the audit goes.
#[derive(Args, Debug)]
pub struct Audit {
    /// How far back, as `24h` or `7d`, and at most as far as results are kept; hours begin and end in UTC
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = humantime::parse_duration)]
    since: Duration,
}

/// The hours of the last `since` milliseconds, in order.
async fn ledger(database: &DatabaseConnection, since: i64) -> Result<Vec<Hour>, DbErr> {
    // One snapshot: what is recorded meanwhile belongs to no day, or to all.
    let snapshot = Some(IsolationLevel::RepeatableRead);
    let transaction = database
        .begin_with_config(snapshot, Some(AccessMode::ReadOnly))
        .await?;
    transaction.execute_unprepared(statements::SETTINGS).await?;
    let mut hours = Vec::new();
    if let Some((since, until)) = window(&transaction, since).await? {
        let mut day = since.div_euclid(DAY_MS) * DAY_MS;
        while day <= until {
            let statement = statements::day(since, day);
            hours.extend(Hour::find_by_statement(statement).all(&transaction).await?);
            day += DAY_MS;
        }
    }
    transaction.commit().await?;
    Ok(hours)
}

/// The window of the last `since` milliseconds.
async fn window(database: &impl ConnectionTrait, since: i64) -> Result<Option<(i64, i64)>, DbErr> {
    let statement = statements::window(since);
    let window = Window::find_by_statement(statement).one(database).await?;
    Ok(window.and_then(|Window { since, until }| Some((since?, until?))))
}

/// Shows the ledger; one that does not balance is an error. What is older than `retention` is gone.
pub async fn audit(
    database: &DatabaseConnection,
    Audit { since }: &Audit,
    retention: Duration,
) -> Result<()> {
    let since = millis((*since).min(retention));
    let hours = ledger(database, since)
        .await
        .wrap_err("compute the ledger")?;
    let heads = [
        "hour (UTC)",
        "scheduled",
        "up",
        "degraded",
        "down",
        "inconclusive",
        "missed",
        "in gaps",
        "open",
        "unaccounted",
        "not due",
    ];
    let rows: Vec<_> = hours.iter().map(cells).collect();
    table::show(heads, &rows)?;
    let sum = |count: fn(&Hour) -> i64| hours.iter().map(count).sum::<i64>();
    let (unaccounted, not_due) = (sum(|hour| hour.unaccounted), sum(|hour| hour.not_due));
    // Their sites have no due instants in the ledger.
    let missing = Missing::find(database).await?;
    ensure!(missing.is_empty(), "the ledger is not whole: {missing}");
    ensure!(
        unaccounted == 0 && not_due == 0,
        "the ledger does not balance: {unaccounted} checks left neither a row nor a gap, {not_due} rows are of \
         instants at which their site was not due"
    );
    let scheduled = sum(|hour| hour.scheduled);
    say(format_args!("the ledger balances: {scheduled} checks"))
        .wrap_err("write to standard output")
}

/// The texts of a row.
fn cells(hour: &Hour) -> [String; 11] {
    let began = hour.began.format("%Y-%m-%d %H:%M").to_string();
    let counts = [
        hour.scheduled,
        hour.up,
        hour.degraded,
        hour.down,
        hour.inconclusive,
        hour.missed,
        hour.in_gaps,
        hour.open,
        hour.unaccounted,
        hour.not_due,
    ];
    let mut counts = counts.iter().map(i64::to_string);
    std::array::from_fn(|column| match column {
        0 => began.clone(),
        _ => counts.next().unwrap_or_default(),
    })
}

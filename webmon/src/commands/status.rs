//! `webmon status`: the sites and their verdicts, as a table.

use chrono::{DateTime, Local, TimeDelta, Utc};
use color_eyre::eyre::{Result, WrapErr as _};
use contract::text::harmless;
use futures_util::TryStreamExt as _;
use sea_orm::{
    AccessMode, ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr,
    FromQueryResult, IsolationLevel, StreamTrait as _, TransactionTrait as _,
};
use store::check_result::status::{self as statements, SiteStatus};
use store::site::look_up;
use store::sql::NO_JIT;
use unicode_width::UnicodeWidthStr as _;

use crate::commands::table::{MAX_CELL, Table};

/// The heads of the table, and how wide what stands below them may be, but for the name.
const COLUMNS: [(&str, usize); 7] = [
    ("site", 0),
    ("verdict", 12),
    ("since", 19),
    ("last check", 19),
    ("p50", 11),
    ("p95", 11),
    ("uptime (24 h)", 8),
];

/// Shows the table, row by row: memory is flat in the number of sites.
pub async fn status(database: &DatabaseConnection) -> Result<()> {
    let reading = "read the sites' status";
    // one state of the database for both statements
    let config = (
        Some(IsolationLevel::RepeatableRead),
        Some(AccessMode::ReadOnly),
    );
    let view = database
        .begin_with_config(config.0, config.1)
        .await
        .wrap_err(reading)?;
    // compiling the statement would take longer than it does, the more days there are
    view.execute_unprepared(NO_JIT).await.wrap_err(reading)?;
    let mut widths = COLUMNS.map(|(_, width)| width);
    widths[0] = name_width(&view).await.wrap_err(reading)?;
    let now: DateTime<Utc> = view
        .query_one_raw(statements::now())
        .await
        .and_then(|row| row.map(|row| row.try_get_by_index(0)).transpose())
        .wrap_err(reading)?
        .unwrap_or_else(Utc::now);
    let (since, until) = (now - TimeDelta::days(1), now + TimeDelta::hours(1));
    let mut rows = view
        .stream_raw(statements::status(since, until))
        .await
        .wrap_err(reading)?;
    let mut table = Table::begin(COLUMNS.map(|(head, _)| head), widths)?;
    while let Some(row) = rows.try_next().await.wrap_err(reading)? {
        let row = SiteStatus::from_query_result(&row, "").wrap_err(reading)?;
        if !table.row(&cells(&row))? {
            return Ok(());
        }
    }
    table.end()
}

/// How wide the column of names is, which must be known before the first row.
async fn name_width(view: &DatabaseTransaction) -> Result<usize, DbErr> {
    let mut names = view.stream_raw(look_up::names()).await?;
    let mut widest = 0;
    while let Some(row) = names.try_next().await? {
        let name: String = row.try_get_by_index(0)?;
        widest = harmless(&name).width().max(widest);
    }
    Ok(widest.min(MAX_CELL))
}

/// The texts of a row.
fn cells(row: &SiteStatus) -> [String; 7] {
    let SiteStatus {
        name,
        enabled,
        outcome,
        checked_at,
        since,
        p50_us,
        p95_us,
        uptime,
    } = row;
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let time = |at: &Option<DateTime<Utc>>| {
        or_dash(at.map(|at| {
            at.with_timezone(&Local)
                .format("%Y-%m-%d %H:%M:%S")
                .to_string()
        }))
    };
    let millis = |us: &Option<f64>| or_dash(us.map(|us| format!("{:.1} ms", us / 1_000.0)));
    let verdict = if *enabled {
        or_dash(outcome.clone())
    } else {
        "disabled".to_owned()
    };
    [
        harmless(name).into_owned(),
        verdict,
        time(since),
        time(checked_at),
        millis(p50_us),
        millis(p95_us),
        or_dash(uptime.map(|share| format!("{:.2} %", share * 100.0))),
    ]
}

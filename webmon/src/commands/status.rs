//! `webmon status`: the sites and their verdicts, as a table.

use chrono::{DateTime, Local, TimeDelta, Utc};
use color_eyre::eyre::{Result, WrapErr as _};
use contract::text::harmless;
use futures_util::TryStreamExt as _;
use sea_orm::{
    AccessMode, ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr,
    FromQueryResult, IsolationLevel, StreamTrait as _, TransactionTrait as _,
};
use store::sql;
use unicode_width::UnicodeWidthStr as _;

use crate::commands::table::{MAX_CELL, Table};

/// All names: how wide their column is must be known before the first row.
const NAMES: &str = "SELECT name FROM site";

/// One site over the last day, which is from `$1` to `$2`: as values, these leave out all other days' tables
/// already when the statement is planned. A check that was not made says nothing about its site, and one
/// that is inconclusive counts neither for nor against its uptime.
const STATUS: &str = "\
SELECT site.name, site.enabled, last.outcome::text AS outcome, last.scheduled_at AS checked_at, first.since,
    day.p50_us, day.p95_us, day.uptime
FROM site
LEFT JOIN LATERAL (
    SELECT outcome, scheduled_at FROM check_result
    WHERE site_id = site.id AND outcome <> 'missed' AND scheduled_at > $1 AND scheduled_at < $2
    ORDER BY scheduled_at DESC LIMIT 1
) AS last ON true
LEFT JOIN LATERAL (
    SELECT min(scheduled_at) AS since FROM check_result
    WHERE site_id = site.id AND outcome = last.outcome AND scheduled_at > $1 AND scheduled_at < $2
        AND scheduled_at > coalesce((
            SELECT max(scheduled_at) FROM check_result
            WHERE site_id = site.id AND outcome NOT IN ('missed', last.outcome)
                AND scheduled_at > $1 AND scheduled_at < $2
        ), $1)
) AS first ON true
LEFT JOIN LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total_us) AS p50_us,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY total_us) AS p95_us,
        avg((outcome IN ('up', 'degraded'))::int) FILTER (WHERE outcome IN ('up', 'degraded', 'down'))::float8 AS uptime
    FROM check_result WHERE site_id = site.id AND scheduled_at > $1 AND scheduled_at < $2
) AS day ON true
ORDER BY site.name";

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

/// A row of the table.
#[derive(Debug, FromQueryResult)]
struct Row {
    /// `site.name`.
    name: String,
    /// `site.enabled`.
    enabled: bool,
    /// The last verdict of the day.
    outcome: Option<String>,
    /// When it was due.
    checked_at: Option<DateTime<Utc>>,
    /// Since when it has been the same; a day at most.
    since: Option<DateTime<Utc>>,
    /// The median of the total time, in microseconds.
    p50_us: Option<f64>,
    /// The time that one in twenty exceeds, in microseconds.
    p95_us: Option<f64>,
    /// The share of conclusive checks that were up.
    uptime: Option<f64>,
}

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
    view.execute_unprepared("SET LOCAL jit = off")
        .await
        .wrap_err(reading)?;
    let mut widths = COLUMNS.map(|(_, width)| width);
    widths[0] = name_width(&view).await.wrap_err(reading)?;
    let now: DateTime<Utc> = view
        .query_one_raw(sql::statement("SELECT now()", []))
        .await
        .and_then(|row| row.map(|row| row.try_get_by_index(0)).transpose())
        .wrap_err(reading)?
        .unwrap_or_else(Utc::now);
    let day = [
        (now - TimeDelta::days(1)).into(),
        (now + TimeDelta::hours(1)).into(),
    ];
    let mut rows = view
        .stream_raw(sql::statement(STATUS, day))
        .await
        .wrap_err(reading)?;
    let mut table = Table::begin(COLUMNS.map(|(head, _)| head), widths)?;
    while let Some(row) = rows.try_next().await.wrap_err(reading)? {
        let row = Row::from_query_result(&row, "").wrap_err(reading)?;
        if !table.row(&cells(&row))? {
            return Ok(());
        }
    }
    table.end()
}

/// How wide the column of names is.
async fn name_width(view: &DatabaseTransaction) -> Result<usize, DbErr> {
    let mut names = view.stream_raw(sql::statement(NAMES, [])).await?;
    let mut widest = 0;
    while let Some(row) = names.try_next().await? {
        let name: String = row.try_get_by_index(0)?;
        widest = harmless(&name).width().max(widest);
    }
    Ok(widest.min(MAX_CELL))
}

/// The texts of a row.
fn cells(row: &Row) -> [String; 7] {
    let Row {
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

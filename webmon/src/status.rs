//! `webmon status`: the sites and their verdicts, as a table.

use chrono::{DateTime, Local, Utc};
use color_eyre::eyre::{Result, WrapErr as _};
use runtime::sql;
use sea_orm::{DatabaseConnection, FromQueryResult, Statement};

use crate::table;
use crate::watch::harmless;

/// One site over the last day. A check that was not made says nothing about its site, and one that is
/// inconclusive counts neither for nor against its uptime.
const STATUS: &str = "\
SELECT site.name, site.enabled, last.outcome::text AS outcome, last.scheduled_at AS checked_at, first.since,
    day.p50_us, day.p95_us, day.uptime
FROM site
LEFT JOIN LATERAL (
    SELECT outcome, scheduled_at FROM check_result
    WHERE site_id = site.id AND outcome <> 'missed' AND scheduled_at > now() - interval '1 day'
    ORDER BY scheduled_at DESC LIMIT 1
) AS last ON true
LEFT JOIN LATERAL (
    SELECT min(scheduled_at) AS since FROM check_result
    WHERE site_id = site.id AND outcome = last.outcome AND scheduled_at > coalesce((
        SELECT max(scheduled_at) FROM check_result
        WHERE site_id = site.id AND outcome NOT IN ('missed', last.outcome) AND scheduled_at > now() - interval '1 day'
    ), now() - interval '1 day')
) AS first ON true
LEFT JOIN LATERAL (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total_us) AS p50_us,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY total_us) AS p95_us,
        avg((outcome IN ('up', 'degraded'))::int) FILTER (WHERE outcome IN ('up', 'degraded', 'down'))::float8 AS uptime
    FROM check_result WHERE site_id = site.id AND scheduled_at > now() - interval '1 day'
) AS day ON true
ORDER BY site.name";

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

/// Shows the table.
pub async fn status(database: &DatabaseConnection) -> Result<()> {
    let statement = Statement::from_string(sql::POSTGRES, STATUS);
    let rows = Row::find_by_statement(statement)
        .all(database)
        .await
        .wrap_err("read the sites' status")?;
    let rows: Vec<_> = rows.iter().map(cells).collect();
    let heads = [
        "site",
        "verdict",
        "since",
        "last check",
        "p50",
        "p95",
        "uptime (24 h)",
    ];
    table::show(heads, rows)
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
        harmless(name),
        verdict,
        time(since),
        time(checked_at),
        millis(p50_us),
        millis(p95_us),
        or_dash(uptime.map(|share| format!("{:.2} %", share * 100.0))),
    ]
}

//! The verdicts on all sites over the last day.

use sea_orm::prelude::DateTimeUtc;
use sea_orm::{FromQueryResult, Statement};

use crate::sql::statement;

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

/// What is known of a site.
#[derive(Debug, FromQueryResult)]
pub struct SiteStatus {
    /// `site.name`.
    pub name: String,
    /// `site.enabled`.
    pub enabled: bool,
    /// The last verdict of the day.
    pub outcome: Option<String>,
    /// When it was due.
    pub checked_at: Option<DateTimeUtc>,
    /// Since when it has been the same; a day at most.
    pub since: Option<DateTimeUtc>,
    /// The median of the total time, in microseconds.
    pub p50_us: Option<f64>,
    /// The time that one in twenty exceeds, in microseconds.
    pub p95_us: Option<f64>,
    /// The share of conclusive checks that were up.
    pub uptime: Option<f64>,
}

/// Reads the [`SiteStatus`] of every site, by name, from `since` to `until`.
pub fn status(since: DateTimeUtc, until: DateTimeUtc) -> Statement {
    statement(STATUS, [since.into(), until.into()])
}

/// Reads the start of the transaction.
pub fn now() -> Statement {
    statement("SELECT now()", [])
}

//! `webmon audit`: the ledger of all scheduled checks, hour by hour.
//!
//! It is computed from `site`, `schedule_gap` and `check_result` alone: when each site was due as it is
//! defined now, since it was first scheduled so, and what became of each of these instants. A row counts
//! as a row even inside a gap. What may still be on its way is open: the reconciler judges a check a
//! minute after it expired, and from then on it must be a row or inside a gap.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _, ensure};
use runtime::program::say;
use runtime::sql;
use sea_orm::{DatabaseConnection, FromQueryResult};

use crate::table;

/// What became of each instant at which an enabled site was due, by hour; the last `$1` milliseconds, as
/// far as there are days with results.
const LEDGER: &str = "\
WITH kept AS (
    SELECT min(to_date(right(relname, 8), 'YYYYMMDD'))::timestamp AT TIME ZONE 'UTC' AS since
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'check_result'::regclass AND relname ~ '^check_result_[0-9]{8}$'
), judged AS (
    SELECT site.id, site.shard, site.interval_ms::bigint, site.phase_ms::bigint, site.check_at,
        (extract(epoch FROM greatest(site.scheduled_from, kept.since, now() - $1 * interval '1 millisecond')) * 1000)::bigint AS since,
        (extract(epoch FROM least(shard.scheduled_until, now())) * 1000)::bigint AS until,
        (extract(epoch FROM shard.reconciled_until) * 1000)::bigint AS reconciled
    FROM site JOIN schedule_shard AS shard ON shard.id = site.shard CROSS JOIN kept
    WHERE site.enabled AND isfinite(site.scheduled_from)
), due AS (
    SELECT id, timestamptz 'epoch' + ms * interval '1 millisecond' AS at
    FROM judged CROSS JOIN LATERAL generate_series(
        since + 1 + ((phase_ms - since - 1) % interval_ms + interval_ms) % interval_ms, until, interval_ms) AS ms
    UNION
    SELECT id, check_at FROM judged
    WHERE check_at > timestamptz 'epoch' + since * interval '1 millisecond'
        AND check_at <= timestamptz 'epoch' + until * interval '1 millisecond'
), done AS (
    SELECT id, row.scheduled_at AS at, row.outcome::text AS outcome
    FROM judged JOIN check_result AS row ON row.site_id = judged.id
        AND row.scheduled_at > timestamptz 'epoch' + since * interval '1 millisecond'
        AND row.scheduled_at <= timestamptz 'epoch' + until * interval '1 millisecond'
    WHERE row.scheduled_at > now() - $1 * interval '1 millisecond' - interval '1 day'
), entry AS (
    SELECT at, due.id IS NOT NULL AS was_due, done.outcome,
        done.outcome IS NULL AND EXISTS (
            SELECT FROM schedule_gap AS gap
            WHERE gap.shard = judged.shard AND gap.since < at AND at <= gap.until) AS in_gap,
        at + interval_ms * interval '1 millisecond' > timestamptz 'epoch' + reconciled * interval '1 millisecond' AS open
    FROM due FULL JOIN done USING (id, at) JOIN judged USING (id)
)
SELECT date_trunc('hour', at, 'UTC') AS began,
    count(*) FILTER (WHERE was_due) AS scheduled,
    count(*) FILTER (WHERE was_due AND outcome = 'up') AS up,
    count(*) FILTER (WHERE was_due AND outcome = 'degraded') AS degraded,
    count(*) FILTER (WHERE was_due AND outcome = 'down') AS down,
    count(*) FILTER (WHERE was_due AND outcome = 'inconclusive') AS inconclusive,
    count(*) FILTER (WHERE was_due AND outcome = 'missed') AS missed,
    count(*) FILTER (WHERE in_gap) AS in_gaps,
    count(*) FILTER (WHERE outcome IS NULL AND NOT in_gap AND open) AS open,
    count(*) FILTER (WHERE outcome IS NULL AND NOT in_gap AND NOT open) AS unaccounted,
    count(*) FILTER (WHERE NOT was_due) AS not_due
FROM entry GROUP BY began ORDER BY began";

/// How far back the audit goes.
#[derive(Args, Debug)]
pub struct Audit {
    /// How far back, as `24h` or `7d`, and at most as far as results are kept; hours begin and end in UTC
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = humantime::parse_duration)]
    since: Duration,
}

/// An hour of the ledger.
#[derive(Debug, FromQueryResult)]
struct Hour {
    /// When it began.
    began: DateTime<Utc>,
    /// Instants at which a site was due.
    scheduled: i64,
    /// Those with a row of this outcome.
    up: i64,
    /// Likewise.
    degraded: i64,
    /// Likewise.
    down: i64,
    /// Likewise.
    inconclusive: i64,
    /// Likewise.
    missed: i64,
    /// Those without a row inside a gap.
    in_gaps: i64,
    /// Those that may still be on their way.
    open: i64,
    /// Those of which nothing is known.
    unaccounted: i64,
    /// Rows for instants at which their site was not due.
    not_due: i64,
}

/// Shows the ledger; one that does not balance is an error. What is older than `retention` is gone.
pub async fn audit(
    database: &DatabaseConnection,
    Audit { since }: &Audit,
    retention: Duration,
) -> Result<()> {
    let since = sql::millis((*since).min(retention));
    let statement = sql::statement(LEDGER, [since.into()]);
    let hours = Hour::find_by_statement(statement).all(database).await;
    let hours = hours.wrap_err("compute the ledger")?;
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
    table::show(heads, hours.iter().map(Hour::cells).collect())?;
    let sum = |count: fn(&Hour) -> i64| hours.iter().map(count).sum::<i64>();
    let (unaccounted, not_due) = (sum(|hour| hour.unaccounted), sum(|hour| hour.not_due));
    ensure!(
        unaccounted == 0 && not_due == 0,
        "the ledger does not balance: {unaccounted} checks left neither a row nor a gap, {not_due} rows are of \
         instants at which their site was not due"
    );
    let scheduled = sum(|hour| hour.scheduled);
    say(format_args!("the ledger balances: {scheduled} checks"))
        .wrap_err("write to standard output")
}

impl Hour {
    /// The texts of a row.
    fn cells(&self) -> [String; 11] {
        let hour = self.began.format("%Y-%m-%d %H:%M").to_string();
        let counts = [
            self.scheduled,
            self.up,
            self.degraded,
            self.down,
            self.inconclusive,
            self.missed,
            self.in_gaps,
            self.open,
            self.unaccounted,
            self.not_due,
        ];
        let mut counts = counts.iter().map(i64::to_string);
        std::array::from_fn(|column| match column {
            0 => hour.clone(),
            _ => counts.next().unwrap_or_default(),
        })
    }
}

//! Reconcile: due instants with neither a row nor a gap are recorded as `missed` / `lost`.
//!
//! One statement looks at the sites of all shards over a time, either at the instants whose tasks have expired
//! (every checker has had its chance) or at those that are due (nothing can be in flight). Of a site it looks only
//! at what is later than `scheduled_from`, the instant from which its row has been scheduled as it is now. `lost` is
//! provisional: a check that was made after all replaces it. A running scheduler looks once a minute.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr as _, eyre};
use contract::GRACE;
use runtime::periodic::{Failure, Failures, Task};
use sea_orm::{ConnectionTrait, DatabaseConnection, FromQueryResult, Statement};
use store::{Link, sql};
use tokio::time::timeout;
use tracing::warn;

use crate::{ahead, metrics::Metrics};

/// How often a running scheduler looks for losses. Each look reads all sites once.
const EVERY: Duration = Duration::from_mins(1);
/// A look is not made for less than this, in milliseconds: another scheduler has just looked. Half of
/// [`EVERY`], as two looks of one scheduler are a minute apart give or take milliseconds.
const LEAST_LOOK_MS: i64 = 30_000;
/// The time for one look.
const LIMIT: Duration = Duration::from_mins(10);

/// About how many instants one statement looks at.
const INSTANTS_PER_STEP: f64 = 100_000.0;
/// The shortest time that one statement looks at, in milliseconds.
const LEAST_STEP_MS: i64 = 60_000;
/// The longest, in milliseconds.
const MOST_STEP_MS: i64 = 86_400_000;

/// Which instants must have left a result by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cutoff {
    /// Those whose tasks expired [`GRACE`] ago or earlier: for a running system.
    Expired,
    /// Those that are due by now: for a system in which nothing is in flight.
    Due,
}

/// How far the shards were reconciled and may be reconciled, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, FromQueryResult)]
struct Extent {
    /// The end of what was reconciled.
    since: i64,
    /// The end of what may be reconciled.
    until: i64,
    /// Due instants per second.
    rate: f64,
}

/// Every shard's own ends are respected by [`RECORD_LOST`]; these are the outermost. A shard of which nothing has
/// expired since, as it stands still, does not move the beginning back to where it stands. Retention comes first: days that
/// were dropped are not filled again.
const EXTENT: &str = "\
WITH edge AS (
    SELECT reconciled_until, least(scheduled_until, date_trunc('milliseconds', now()) - $1 * interval '1 millisecond') AS until
    FROM schedule_shard
)
SELECT (extract(epoch FROM greatest(
        coalesce(min(reconciled_until) FILTER (WHERE $1 = 0 OR reconciled_until < until), max(until)),
        now() - $2 * interval '1 millisecond')) * 1000)::bigint AS since,
    (extract(epoch FROM max(until)) * 1000)::bigint AS until,
    (SELECT coalesce(sum(1000 / interval_ms::float8), 0) FROM site WHERE enabled) AS rate
FROM edge HAVING count(*) > 0";

/// Records the losses of `($1, $2]`. `$3`, or a shard that was reconciled further: also what was due earlier and
/// had not expired by then. `$4`: only what has expired at `$2`.
///
/// Which sites lack rows at all is found by counting. Sites that are alike, of one interval and span, are read
/// together: their rows came at the same time and lie side by side, so that a bitmap has each page read once
/// instead of once a row. (50,000 sites at a time, as a bitmap that outgrows `work_mem` forgets which rows it
/// meant, and each row of a page is sought in the whole array.) A row counts only if it is in step with its site,
/// which shows in the last instant of that step by the end of the span: a row at another instant makes up for none
/// that is lacking. A site that is short is asked for instant by instant.
///
/// `OFFSET 0` and MATERIALIZED, or expressions would be computed anew wherever they are used. `IN` beside `OR` is
/// looked up in a hash table whatever the planner guesses, and the last question is a subquery of each instant, as a
/// join would read the tables whole.
const RECORD_LOST: &str = "\
WITH shard AS MATERIALIZED (
    SELECT id, round(date_part('epoch', greatest(timestamptz 'epoch', reconciled_until)) * 1000)::bigint AS judged,
        round(date_part('epoch', greatest(timestamptz 'epoch', scheduled_until)) * 1000)::bigint AS scheduled
    FROM schedule_shard
), judged AS MATERIALIZED (
    SELECT *, ((until - phase_ms) / interval_ms - (since - phase_ms) / interval_ms)::int AS instants FROM (
        SELECT site.id, site.shard, phase_ms::bigint, interval_ms::bigint,
            CASE WHEN isfinite(check_at) THEN round(date_part('epoch', check_at) * 1000)::bigint END AS check_ms,
            greatest(
                greatest($1, judged) - CASE WHEN $3 OR $1 < judged THEN interval_ms ELSE 0 END,
                round(date_part('epoch', scheduled_from) * 1000)::bigint) AS since,
            least($2 - CASE WHEN $4 THEN interval_ms ELSE 0 END, scheduled) AS until
        FROM site JOIN shard ON shard.id = site.shard
        WHERE enabled AND isfinite(scheduled_from) OFFSET 0
    ) AS span WHERE since < until
), alike AS (
    SELECT interval_ms * interval '1 millisecond' AS every, array_agg(id) AS ids,
        timestamptz 'epoch' + since * interval '1 millisecond' AS since_at,
        timestamptz 'epoch' + until * interval '1 millisecond' AS until_at
    FROM judged WHERE instants > 0 GROUP BY interval_ms, since, until, id / 50000
), tally AS (
    SELECT id, timestamptz 'epoch' + (until - (until - phase_ms) % interval_ms) * interval '1 millisecond' AS last, instants
    FROM judged WHERE instants > 0
    UNION ALL
    SELECT site_id, date_bin(every, until_at, scheduled_at), -1
    FROM alike JOIN check_result ON site_id = ANY (ids) AND scheduled_at > since_at AND scheduled_at <= until_at
), lacking AS (
    SELECT * FROM judged
    WHERE id IN (SELECT id FROM tally GROUP BY id, last HAVING sum(instants) > 0)
        OR (check_ms > since AND check_ms <= until)
), due AS (
    SELECT id, shard, timestamptz 'epoch' + ms * interval '1 millisecond' AS at FROM (
        SELECT id, shard, generate_series(
            since + 1 + ((phase_ms - since - 1) % interval_ms + interval_ms) % interval_ms, until, interval_ms) AS ms
        FROM lacking
        UNION
        SELECT id, shard, check_ms FROM lacking WHERE check_ms > since AND check_ms <= until
    ) AS instant
)
INSERT INTO check_result (site_id, scheduled_at, outcome, reason)
SELECT id, at, 'missed', 'lost' FROM due
WHERE (SELECT count(*) FROM check_result AS found WHERE found.site_id = due.id AND found.scheduled_at = due.at) = 0
    AND NOT EXISTS (SELECT FROM schedule_gap AS gap WHERE gap.shard = due.shard AND gap.since < due.at AND due.at <= gap.until)
ORDER BY id, at
ON CONFLICT DO NOTHING";

/// Every shard has been reconciled up to `$1`, as far as it was scheduled. One that a turn has is reconciled again by
/// the next look: to wait for it would keep the others from the turns meanwhile.
const ADVANCE: &str = "\
UPDATE schedule_shard SET reconciled_until = greatest(reconciled_until,
    least(scheduled_until, timestamptz 'epoch' + $1 * interval '1 millisecond'))
WHERE id IN (SELECT id FROM schedule_shard ORDER BY id FOR UPDATE SKIP LOCKED)";

/// Nothing is in flight: what was scheduled ahead of now is scheduled again.
const REWIND: &str = "\
UPDATE schedule_shard SET scheduled_until = least(scheduled_until, date_trunc('milliseconds', now()))";

/// Records all losses that are not recorded yet, as far back as results are kept; returns how many instants were
/// lost.
pub async fn reconcile(
    database: &DatabaseConnection,
    cutoff: Cutoff,
    retention: Duration,
) -> Result<u64> {
    let extent = extent(database, cutoff, retention).await?;
    record_lost(database, cutoff, extent).await
}

/// The task that looks for losses. Of several schedulers one does the work: what another has looked at within the
/// last half minute is left alone.
#[derive(Debug)]
pub(super) struct Reconciler {
    /// The connection.
    database: Link,
    /// How long results are kept.
    retention: Duration,
    /// Where losses are counted.
    metrics: Metrics,
    /// Whether it has not looked yet.
    first: bool,
}

impl Reconciler {
    /// A task that has not looked yet.
    pub(super) const fn new(database: Link, retention: Duration, metrics: Metrics) -> Self {
        Self {
            database,
            retention,
            metrics,
            first: true,
        }
    }

    /// How its failures are logged.
    pub(super) fn failures() -> Failures {
        Failures::outage("PostgreSQL, asked for lost checks,")
    }

    /// Looks once.
    async fn look(&mut self) -> Result<u64> {
        look(self.database.get().await?, self.retention, self.first).await
    }
}

impl Task for Reconciler {
    const NAME: &'static str = "reconcile";
    const PERIOD: Duration = EVERY;

    async fn tick(&mut self) -> Result<(), Failure> {
        let looked = timeout(LIMIT, self.look()).await;
        match looked.unwrap_or_else(|_| Err(eyre!("no end within {LIMIT:?}"))) {
            Ok(lost) => {
                self.first = false;
                note(&self.metrics, lost);
                Ok(())
            }
            Err(error) => {
                self.database.cut();
                Err(error.into())
            }
        }
    }
}

/// Takes note of what was lost.
fn note(metrics: &Metrics, lost: u64) {
    if lost > 0 {
        metrics.lost(lost);
        warn!(
            lost,
            "checks were lost on the way, they are recorded as missed"
        );
    }
}

/// Records the losses among what has expired, unless that is little; returns how many instants were lost. Sites that
/// would not be looked at for long are found by the `first` look, and by each that records losses.
async fn look(database: &DatabaseConnection, retention: Duration, first: bool) -> Result<u64> {
    let extent = extent(database, Cutoff::Expired, retention).await?;
    let little = extent.until - extent.since < LEAST_LOOK_MS;
    if first || !little {
        let sites = ahead::unstamp(database).await?;
        if sites > 0 {
            warn!(
                sites,
                "sites were to be judged from a later instant on than any that is scheduled: judged from now on"
            );
        }
    }
    if little {
        return Ok(0);
    }
    record_lost(database, Cutoff::Expired, extent).await
}

/// For a system whose broker forgot everything: what was due and left no result is recorded as lost,
/// and what was scheduled ahead of its due instant is scheduled again. Nothing else may be running.
pub async fn start_over(database: &DatabaseConnection, retention: Duration) -> Result<u64> {
    // First, so that no instant falls between what is reconciled and what is scheduled again.
    rewind(database).await?;
    reconcile(database, Cutoff::Due, retention).await
}

/// Forgets what was scheduled ahead of its due instant. Nothing may be in flight.
pub async fn rewind(database: &DatabaseConnection) -> Result<()> {
    let rewind = Statement::from_string(sql::POSTGRES, REWIND);
    database
        .execute_raw(rewind)
        .await
        .wrap_err("schedule again what was scheduled ahead")?;
    Ok(())
}

/// Reads how far the shards may be reconciled.
async fn extent(
    database: &DatabaseConnection,
    cutoff: Cutoff,
    retention: Duration,
) -> Result<Extent> {
    let grace = if cutoff == Cutoff::Expired {
        sql::millis(GRACE)
    } else {
        0
    };
    let statement: Statement =
        sql::statement(EXTENT, [grace.into(), sql::millis(retention).into()]);
    let row = database
        .query_one_raw(statement)
        .await
        .wrap_err("read how far the shards were judged")?;
    let row = row.ok_or_else(|| eyre!("schedule_shard is empty: run `webmon repair`"))?;
    Extent::from_query_result(&row, "").wrap_err("read how far the shards were judged")
}

/// Records the losses of an extent, step by step.
async fn record_lost(database: &DatabaseConnection, cutoff: Cutoff, extent: Extent) -> Result<u64> {
    let expired = cutoff == Cutoff::Expired;
    let mut lost = 0;
    let mut since = extent.since;
    // Of what is due one step at least: what was reconciled up to here may have left out what had not expired.
    let mut left_out = !expired;
    while left_out || since < extent.until {
        let until = extent.until.min(since + step_ms(extent.rate));
        let reach_back = expired || left_out;
        let values = [
            since.into(),
            until.into(),
            reach_back.into(),
            expired.into(),
        ];
        let done = database
            .execute_raw(sql::statement(RECORD_LOST, values))
            .await;
        lost += done.wrap_err("record lost checks")?.rows_affected();
        let advance = sql::statement(ADVANCE, [until.into()]);
        database
            .execute_raw(advance)
            .await
            .wrap_err("move reconciled_until")?;
        (since, left_out) = (until, false);
    }
    Ok(lost)
}

/// The time that a step looks at, for so many due instants per second.
fn step_ms(rate: f64) -> i64 {
    let seconds = Duration::try_from_secs_f64(INSTANTS_PER_STEP / rate).unwrap_or(Duration::MAX);
    sql::millis(seconds).clamp(LEAST_STEP_MS, MOST_STEP_MS)
}

//! From the start of scheduler and checker to the full rate, with a million sites.

use std::time::Duration;

use color_eyre::eyre::{Result, ensure};
use sea_orm::FromQueryResult;
use tokio::time::sleep;

use crate::figures::{Unit, number};
use crate::flow::whole;
use crate::stage::{Stage, Website};
use crate::table::{Line, Reach};
use crate::world::{Sites, World};

/// The interval of each site.
const INTERVAL_MS: u32 = 300_000;
/// A check that starts so late was not started at full rate.
const LATE: &str = "interval '100 ms'";
/// What must have been made after that: a site's phase is a matter of chance.
const FULL: f64 = 0.95;
/// How long both run.
const SECONDS: u32 = 8;
/// How long the last results may take to be recorded.
const RECORDING: Duration = Duration::from_secs(2);

/// What the rows say.
#[derive(Debug, FromQueryResult)]
struct Rows {
    /// When the last late check started, or else the first of all, in milliseconds since the Unix epoch.
    full: i64,
    /// Checks that were due after that.
    after: i64,
}

/// Measures the row.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<Line>> {
    let website = Website::plain(stage).await?;
    let world = World::new(stage).await;
    let sites = Sites {
        count: stage.pick(1_000_000, 50_000),
        interval_ms: INTERVAL_MS,
        urls: &website.urls,
    };
    world.add(&sites).await?;
    let rate = sites.count * 1_000 / INTERVAL_MS;
    let mut seconds = Vec::new();
    for _ in stage.repeats() {
        seconds.push(run(&world, rate).await?);
    }
    world.end().await;
    let (rate, count) = (number(rate), number(sites.count));
    let what = format!("from start until {rate} checks/s start on time, {count} sites");
    let line = Line::new(what, Unit::Seconds, seconds);
    Ok(vec![line.reach(Reach::Under(5.0))])
}

/// How many seconds it took.
async fn run(world: &World, rate: u32) -> Result<f64> {
    // As if all services had just stopped.
    let now = "UPDATE schedule_shard SET reconciled_until = now(), scheduled_until =
                   date_trunc('milliseconds', clock_timestamp())";
    world.execute(now).await?;
    let began = world.now().await;
    let scheduler = world.scheduler()?;
    let checker = world.checker(None)?;
    sleep(Duration::from_secs(SECONDS.into())).await;
    let until = world.now().await;
    sleep(RECORDING).await;
    scheduler.process.stop().await?;
    checker.process.stop().await?;
    let instant = |ms: i64| format!("timestamptz 'epoch' + {ms} * interval '1 millisecond'");
    let rows: Rows = world
        .row(&format!(
            "WITH seen AS (
                SELECT scheduled_at, started_at FROM check_result
                WHERE scheduled_at > {began} AND scheduled_at <= {until}
            ), reached AS (
                SELECT coalesce(max(started_at) FILTER (WHERE started_at - scheduled_at > {LATE}),
                    min(started_at)) AS at
                FROM seen
            )
            SELECT (extract(epoch FROM at) * 1000)::bigint AS full,
                (SELECT count(*) FROM seen WHERE scheduled_at > at) AS after
            FROM reached",
            began = instant(began),
            until = instant(until),
        ))
        .await?;
    let due = f64::from(rate) * whole(until - rows.full) / 1_000.0;
    ensure!(
        whole(rows.after) > FULL * due,
        "{} checks instead of {due:.0} after it",
        rows.after
    );
    Ok(whole(rows.full - began) / 1_000.0)
}

//! From the start of scheduler and checker to the full rate, with a million sites.

use std::collections::VecDeque;
use std::time::Duration;

use color_eyre::eyre::{Result, ensure};
use tokio::time::{Instant, sleep};

use crate::figures::Unit;
use crate::stage::{Stage, Website};
use crate::table::{Line, Reach};
use crate::world::{Sites, World};

/// The interval of each site.
const INTERVAL_MS: u32 = 300_000;
/// What counts as full: a site's phase is a matter of chance.
const FULL: f64 = 0.95;
/// Over so long the rate is taken.
const WINDOW: Duration = Duration::from_secs(1);
/// How often the targets are asked.
const PAUSE: Duration = Duration::from_millis(100);
/// How long it may take.
const PATIENCE: Duration = Duration::from_mins(1);

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
    let rate = f64::from(sites.count) * 1_000.0 / f64::from(INTERVAL_MS);
    let mut seconds = Vec::new();
    for _ in stage.repeats() {
        // As if the schedulers had just stopped.
        let now = "UPDATE schedule_shard SET reconciled_until = now(), scheduled_until =
                       date_trunc('milliseconds', clock_timestamp())";
        world.execute(now).await?;
        let began = Instant::now();
        let scheduler = world.scheduler()?;
        let checker = world.checker(None)?;
        seconds.push(full_rate(rate, began, &website).await?);
        scheduler.process.stop().await?;
        checker.process.stop().await?;
    }
    world.end().await;
    let what = format!("from start to full rate ({rate:.0} checks/s), {} sites", sites.count);
    let line = Line::new(what, Unit::Seconds, seconds);
    Ok(vec![line.reach(Reach::Under(5.0))])
}

/// When the first second of full rate began, in seconds.
async fn full_rate(rate: f64, began: Instant, website: &Website) -> Result<f64> {
    let mut seen = VecDeque::new();
    loop {
        let now = (Instant::now(), website.answers().await?);
        seen.push_back(now);
        while let Some((first, count)) = seen.front().copied() {
            if now.0 - first < WINDOW {
                break;
            }
            let per_second = (now.1 - count) / (now.0 - first).as_secs_f64();
            if per_second >= FULL * rate {
                return Ok((first - began).as_secs_f64());
            }
            seen.pop_front();
        }
        ensure!(began.elapsed() < PATIENCE, "no full rate within {PATIENCE:?}");
        sleep(PAUSE).await;
    }
}

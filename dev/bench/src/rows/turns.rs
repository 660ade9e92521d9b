//! A scheduler that starts when all of its sites are due within five seconds.

use std::time::Duration;

use color_eyre::eyre::{Result, ensure};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::stage::Stage;
use crate::world::{Sites, World};

/// The interval of each site: so long is a window that has every site once.
const INTERVAL_MS: u32 = 5_000;
/// How far behind the shards are; the scheduler looks 2 s ahead.
const BEHIND_MS: u32 = 3_000;
/// All shards.
const SHARDS: u64 = 64;
/// How long that may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often the log is read.
const PAUSE: Duration = Duration::from_millis(50);

/// What it took until every shard was scheduled once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turns {
    /// Tasks that Kafka acknowledged.
    pub(super) tasks: f64,
    /// From the start of the first turn to the end of the last.
    pub(super) seconds: f64,
    /// CPU time of the scheduler, from its start on.
    pub(super) cpu_seconds: f64,
    /// The scheduler's peak memory, in MiB.
    pub(super) peak_mib: f64,
}

/// A line of the scheduler's log, about a turn that has ended.
#[derive(Deserialize)]
struct Entry {
    /// When, as RFC 3339.
    timestamp: chrono::DateTime<chrono::Utc>,
    /// How many tasks it sent.
    #[serde(rename = "turn.tasks")]
    tasks: u32,
    /// How many shards it took.
    #[serde(rename = "turn.shards")]
    shards: u64,
    /// How long it took, in milliseconds; so wide a number is logged as text.
    #[serde(rename = "turn.ms")]
    ms: String,
}

impl Entry {
    /// When the turn began, in microseconds since the Unix epoch.
    fn began(&self) -> i64 {
        let ms: i64 = self.ms.parse().unwrap_or_default();
        self.timestamp.timestamp_micros() - ms * 1_000
    }
}

/// A world with so many sites.
pub(super) async fn world(stage: &Stage, sites: u32) -> Result<World> {
    let world = World::new(stage).await;
    let urls = ["http://127.0.0.1:8080/".to_owned()];
    world
        .add(&Sites {
            count: sites,
            interval_ms: INTERVAL_MS,
            urls: &urls,
        })
        .await?;
    Ok(world)
}

/// Starts a scheduler there, on a topic of its own, and stops it when all shards were scheduled.
pub(super) async fn run(world: &mut World) -> Result<Turns> {
    world.renew_topic();
    let behind = format!(
        "UPDATE schedule_shard SET reconciled_until = now(), scheduled_until =
             date_trunc('milliseconds', clock_timestamp()) - {BEHIND_MS} * interval '1 millisecond';
         CHECKPOINT"
    );
    world.execute(&behind).await?;
    let mut scheduler = world.scheduler()?;
    let end = Instant::now() + PATIENCE;
    let turns = loop {
        if let Some(turns) = covered(&scheduler.process.log()) {
            break turns;
        }
        scheduler.process.check()?;
        ensure!(Instant::now() < end, "not all shards within {PATIENCE:?}");
        sleep(PAUSE).await;
    };
    let turns = Turns {
        cpu_seconds: scheduler.process.cpu()?,
        peak_mib: scheduler.process.peak_kib()? / 1_024.0,
        ..turns
    };
    scheduler.process.stop().await?;
    world.delete_topic().await;
    Ok(turns)
}

/// The turns that took each shard for the first time, once they are complete. Those furthest behind are
/// always taken first.
fn covered(log: &str) -> Option<Turns> {
    let lines = log.lines();
    let turns = lines.filter_map(|line| serde_json::from_str(line).ok());
    let mut turns: Vec<Entry> = turns.collect();
    turns.sort_by_key(Entry::began);
    let (mut shards, mut tasks, mut last) = (0, 0.0, i64::MIN);
    let first = turns.first()?.began();
    for turn in &turns {
        if shards < SHARDS {
            shards += turn.shards;
            tasks += f64::from(turn.tasks);
            last = last.max(turn.timestamp.timestamp_micros());
        }
    }
    let micros = u32::try_from(last.checked_sub(first)?).ok()?;
    (shards >= SHARDS).then_some(Turns {
        tasks,
        seconds: f64::from(micros) / 1e6,
        cpu_seconds: 0.0,
        peak_mib: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_turns_of_a_log_count_until_every_shard_was_taken() {
        let turn = |second: u32, shards: u32, ms: u32| {
            format!(
                "{{\"timestamp\":\"2026-11-25T06:00:{second:02}.5Z\",\"level\":\"DEBUG\",\
                 \"message\":\"scheduled\",\"turn.tasks\":100,\"turn.shards\":{shards},\"turn.ms\":\"{ms}\"}}\n"
            )
        };
        let other = "{\"timestamp\":\"2026-11-25T06:00:01Z\",\"message\":\"ready\"}\nplain\n";
        let log = other.to_owned() + &turn(2, 8, 500) + &turn(3, 8, 1_200);
        assert!(covered(&log).is_none());
        let log = log + &turn(4, 48, 900) + &turn(9, 8, 100);
        let turns = covered(&log).unwrap();
        assert!((turns.tasks - 300.0).abs() < 1e-9, "{turns:?}");
        assert!((turns.seconds - 2.5).abs() < 1e-9, "{turns:?}");
    }
}

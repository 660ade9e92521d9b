//! The whole pipeline under load: scheduler, Kafka, checker, PostgreSQL and targets on this machine.

use std::time::Duration;

use color_eyre::eyre::Result;
use sea_orm::FromQueryResult;
use tokio::time::{Instant, sleep};

use crate::stage::{Stage, Website};
use crate::world::{Sites, World};

/// How long the last results may take to be recorded.
const RECORDING: Duration = Duration::from_secs(20);

/// So much to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Checks a second.
    pub(crate) rate: u32,
    /// The interval of each site, in milliseconds.
    pub(crate) interval_ms: u32,
    /// How long is measured, in seconds.
    pub(crate) seconds: u32,
}

/// What became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    /// Checks that were due and have a row, a second.
    pub(crate) rate: f64,
    /// Checks that were due and have none, or are `missed`.
    pub(crate) missed: f64,
    /// Checks that were made, but did not find the site up.
    pub(crate) not_up: f64,
    /// Start lateness: the median, in milliseconds.
    pub(crate) late_p50_ms: f64,
    /// Start lateness: the 99th percentile, in milliseconds.
    pub(crate) late_p99_ms: f64,
    /// Bytes of table and index for each row, as they were recorded.
    pub(crate) bytes: f64,
    /// The same once the day was packed.
    pub(crate) packed_bytes: f64,
    /// The checker's peak memory, in MiB.
    pub(crate) checker_mib: f64,
    /// CPU time for each check, in microseconds.
    pub(crate) cpu: Cpu,
}

/// CPU time by process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpu {
    /// The scheduler.
    pub(crate) scheduler: f64,
    /// The checker.
    pub(crate) checker: f64,
    /// All processes of PostgreSQL.
    pub(crate) postgres: f64,
    /// Kafka.
    pub(crate) kafka: f64,
    /// The targets.
    pub(crate) targets: f64,
}

/// What the rows of a window say.
#[derive(Debug, FromQueryResult)]
struct Rows {
    /// How many there are.
    count: i64,
    /// How many are `missed`.
    missed: i64,
    /// How many were made and are not `up`.
    not_up: i64,
    /// Lateness, in milliseconds.
    late_p50: f64,
    /// Lateness, in milliseconds.
    late_p99: f64,
}

impl Load {
    /// How many sites that are.
    pub(crate) const fn sites(&self) -> u32 {
        self.rate * self.interval_ms / 1_000
    }

    /// How many checks are due in the window, which is a multiple of the interval.
    fn due(&self) -> i64 {
        i64::from(self.sites()) * i64::from(self.seconds) * 1_000 / i64::from(self.interval_ms)
    }

    /// Runs it, measured after so many seconds.
    pub(crate) async fn run(&self, stage: &Stage, website: &Website) -> Result<Flow> {
        let world = World::new(stage).await;
        let sites = Sites {
            count: self.sites(),
            interval_ms: self.interval_ms,
            urls: &website.urls,
        };
        world.add(&sites).await?;
        let mut scheduler = world.scheduler()?;
        let mut checker = world.checker(website.ca.as_ref())?;
        scheduler.ready().await?;
        checker.ready().await?;
        sleep(Duration::from_secs(stage.pick(6, 4))).await;
        let used = || -> Result<[f64; 5]> {
            Ok([
                scheduler.process.cpu()?,
                checker.process.cpu()?,
                stage.postgres_cpu()?,
                stage.kafka_cpu()?,
                website.cpu()?,
            ])
        };
        let (from, before) = (world.now().await, used()?);
        sleep(Duration::from_secs(self.seconds.into())).await;
        let after = used()?;
        let rows = self.rows(&world, from).await?;
        let checker_mib = checker.process.peak_kib()? / 1_024.0;
        scheduler.process.stop().await?;
        checker.process.stop().await?;
        let bytes = bytes_per_row(&world).await;
        world.pack().await?;
        let packed_bytes = bytes_per_row(&world).await;
        world.end().await;
        let mut cpu = [0.0; 5];
        for ((cpu, before), after) in cpu.iter_mut().zip(before).zip(after) {
            *cpu = (after - before) * 1e6 / whole(rows.count);
        }
        let [scheduler, checker, postgres, kafka, targets] = cpu;
        Ok(Flow {
            rate: whole(rows.count) / f64::from(self.seconds),
            missed: whole(self.due() - rows.count + rows.missed),
            not_up: whole(rows.not_up),
            late_p50_ms: rows.late_p50,
            late_p99_ms: rows.late_p99,
            bytes,
            packed_bytes,
            checker_mib,
            cpu: Cpu {
                scheduler,
                checker,
                postgres,
                kafka,
                targets,
            },
        })
    }

    /// The rows of the window that started at `from`, once they are complete or late.
    async fn rows(&self, world: &World, from: i64) -> Result<Rows> {
        let until = from + i64::from(self.seconds) * 1_000;
        let instant = |ms: i64| format!("timestamptz 'epoch' + {ms} * interval '1 millisecond'");
        let late = "extract(epoch FROM started_at - scheduled_at)::float8 * 1000";
        let sql = format!(
            "SELECT count(*) AS count, count(*) FILTER (WHERE outcome = 'missed') AS missed,
                count(*) FILTER (WHERE outcome NOT IN ('up', 'missed')) AS not_up,
                coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY {late}), 0) AS late_p50,
                coalesce(percentile_cont(0.99) WITHIN GROUP (ORDER BY {late}), 0) AS late_p99
             FROM check_result WHERE scheduled_at > {} AND scheduled_at <= {}",
            instant(from),
            instant(until)
        );
        let end = Instant::now() + RECORDING;
        loop {
            let rows: Rows = world.row(&sql).await?;
            if rows.count >= self.due() || Instant::now() >= end {
                return Ok(rows);
            }
            sleep(Duration::from_millis(500)).await;
        }
    }
}

/// What a row of `check_result` takes, table and index, in the days that have rows.
async fn bytes_per_row(world: &World) -> f64 {
    let size =
        "SELECT sum(pg_table_size(inhrelid) + pg_indexes_size(inhrelid))::bigint FROM pg_inherits
                WHERE inhparent = 'check_result'::regclass AND pg_relation_size(inhrelid) > 0";
    let rows = "SELECT count(*) FROM check_result";
    whole(world.number(size).await) / whole(world.number(rows).await)
}

/// A whole number as a figure.
#[expect(clippy::cast_precision_loss, reason = "there are not that many")]
pub(crate) const fn whole(number: i64) -> f64 {
    number as f64
}

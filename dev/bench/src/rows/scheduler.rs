//! A million sites due within 5 s: how long until Kafka has acknowledged all of their tasks.
//!
//! Against the sum of what it cannot do without: reading the rows by a bare `COPY`, and sending the same
//! bytes by librdkafka alone. The first two runs are not counted: all the while Kafka's compiler takes a good part
//! of the machine.

use color_eyre::eyre::Result;

use super::turns;
use crate::figures::{Spread, Unit};
use crate::flow::whole;
use crate::parts::Report;
use crate::process::part;
use crate::stage::Stage;
use crate::table::{Line, Reach};
use crate::world::World;

/// So many runs come first that are not counted.
const COLD_RUNS: usize = 2;

/// Measures the row.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<Line>> {
    let sites = stage.pick(1_000_000, 50_000);
    let mut world = turns::world(stage, sites).await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut producers, mut copies, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..COLD_RUNS {
        turns::run(&mut world).await?;
    }
    for _ in stage.repeats() {
        let turns = turns::run(&mut world).await?;
        let million = 1e6 / turns.tasks;
        ours.push(turns.seconds * million);
        cpu.push(turns.cpu_seconds * million);
        let producer = producer(stage, &mut world, sites).await?;
        let url = world.database_url().to_owned();
        let copy = part("copy", ["--database", &url], stage.folder()).await?;
        let (producer, copy) = (per_million(producer), per_million(copy));
        theirs.push(producer + copy);
        producers.push(producer);
        copies.push(copy);
    }
    let show = |runs: &[f64]| {
        let spread = Spread::of(runs);
        spread.map_or_else(String::new, |spread| Unit::Seconds.show(spread.median))
    };
    let parts = format!("producer {}, COPY {}", show(&producers), show(&copies));
    let what = "scheduler: a million tasks of as many sites";
    Ok(vec![
        Line::new(what, Unit::Seconds, ours.clone())
            .against("bare producer + COPY", theirs)
            .reach(Reach::AtMost(2.5))
            .note(parts),
        Line::new(what, Unit::Seconds, ours)
            .reach(Reach::Under(3.0))
            .note(format!(
                "CPU time {}, start included; Kafka is warm",
                show(&cpu)
            )),
    ])
}

/// Sends as many tasks by the bare producer, to a topic of their own.
async fn producer(stage: &Stage, world: &mut World, sites: u32) -> Result<Report> {
    world.renew_topic();
    let (tasks, brokers) = (sites.to_string(), testbed::brokers());
    let arguments = [
        "--brokers",
        &brokers,
        "--topic",
        world.topic(),
        "--tasks",
        &tasks,
    ];
    let url = ["--url", "http://127.0.0.1:8080/"];
    let arguments = arguments.into_iter().chain(url);
    let report = part("producer", arguments, stage.folder()).await?;
    world.delete_topic().await;
    Ok(report)
}

/// The seconds that a million would have taken.
fn per_million(report: Report) -> f64 {
    report.seconds * 1e6 / whole(i64::try_from(report.done).unwrap_or(i64::MAX))
}

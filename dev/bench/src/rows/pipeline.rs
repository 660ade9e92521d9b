//! Everything on this machine, the targets included, sustained.

use color_eyre::eyre::Result;

use crate::figures::{Unit, number};
use crate::flow::{Cpu, Flow, Load};
use crate::stage::{Stage, Website};
use crate::table::{Line, Reach};

/// Measures the row: the rate that must be sustained, and the one that is aimed at.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<Line>> {
    let website = Website::plain(stage).await?;
    let mut lines = Vec::new();
    for (rate, seconds) in stage.pick([(5_000, 60), (7_000, 30)], [(500, 5), (700, 5)]) {
        let load = Load {
            rate,
            interval_ms: 1_000,
            seconds,
        };
        lines.extend(show(load, &load.run(stage, &website).await?));
    }
    Ok(lines)
}

/// The lines of one rate.
fn show(load: Load, flow: &Flow) -> Vec<Line> {
    let Load { rate, seconds, .. } = load;
    let Cpu {
        scheduler,
        checker,
        postgres,
        kafka,
        targets,
    } = flow.cpu;
    let what = |what: &str| format!("whole pipeline, {} checks/s: {what}", number(rate));
    let cpu = format!(
        "µs per check: scheduler {scheduler:.0}, checker {checker:.0}, PostgreSQL {postgres:.0}, \
         Kafka {kafka:.0}, targets {targets:.0}"
    );
    vec![
        Line::new(
            what(&format!("sustained for {seconds} s")),
            Unit::PerSecond,
            vec![flow.rate],
        )
        .reach(Reach::AtLeast(f64::from(rate)))
        .note(cpu),
        Line::new(what("missed"), Unit::Count, vec![flow.missed]).reach(Reach::AtMost(0.0)),
        Line::new(what("not up"), Unit::Count, vec![flow.not_up]).reach(Reach::AtMost(0.0)),
        Line::new(
            what("start lateness, p99"),
            Unit::Millis,
            vec![flow.late_p99_ms],
        )
        .reach(Reach::Under(20.0))
        .note(format!("p50 {}", Unit::Millis.show(flow.late_p50_ms))),
    ]
}

//! How late checks start, by the rows themselves. The row `pipeline` has it at higher rates.

use color_eyre::eyre::Result;

use crate::figures::{Unit, number};
use crate::flow::Load;
use crate::stage::{Stage, Website};
use crate::table::{Line, Reach};

/// Measures the row.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<Line>> {
    let website = Website::plain(stage).await?;
    let load = Load {
        rate: stage.pick(1_000, 200),
        interval_ms: 1_000,
        seconds: stage.pick(20, 4),
    };
    let flow = load.run(stage, &website).await?;
    let rate = number(load.rate);
    Ok(vec![
        Line::new(
            format!("start lateness at {rate} checks/s, p99"),
            Unit::Millis,
            vec![flow.late_p99_ms],
        )
        .reach(Reach::Under(5.0))
        .note(format!("p50 {}", Unit::Millis.show(flow.late_p50_ms))),
    ])
}

//! What a check takes in PostgreSQL, table and index, as the pipeline leaves it.

use color_eyre::eyre::Result;

use crate::figures::Unit;
use crate::flow::Load;
use crate::stage::{Stage, Website};
use crate::table::{Line, Reach};

/// Measures the row.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<Line>> {
    let load = Load {
        rate: stage.pick(1_000, 200),
        interval_ms: 1_000,
        seconds: stage.pick(10, 4),
    };
    let mut lines = Vec::new();
    for (kind, website, reach) in [
        ("plain", Website::plain(stage).await?, 140.0),
        ("HTTPS", Website::tls(stage).await?, 155.0),
    ] {
        let flow = load.run(stage, &website).await?;
        let line = Line::new(
            format!("bytes per check, {kind}"),
            Unit::Bytes,
            vec![flow.bytes],
        );
        lines.push(line.reach(Reach::Under(reach)));
    }
    Ok(lines)
}

//! What a check takes in PostgreSQL, table and index: on its own day as it was recorded, and from two
//! days on, when the scheduler has packed it.

use color_eyre::eyre::Result;

use crate::figures::Unit;
use crate::flow::Load;
use crate::stage::{Stage, Website};
use crate::table::{Line, Reach};

/// Measures the row.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<Line>> {
    let load = Load {
        rate: stage.pick(2_000, 200),
        interval_ms: 1_000,
        // So many rows that what a day takes without any, some pages, is less than a byte of each.
        seconds: stage.pick(15, 4),
    };
    let mut lines = Vec::new();
    for (kind, website, reach) in [
        ("plain", Website::plain(stage).await?, 140.0),
        ("HTTPS", Website::tls(stage).await?, 155.0),
    ] {
        let flow = load.run(stage, &website).await?;
        let line = |day: &str, bytes| {
            let what = format!("bytes per check, {kind}: {day}");
            Line::new(what, Unit::Bytes, vec![bytes])
        };
        lines.push(line("as recorded", flow.bytes));
        let packed = line("finished day, packed", flow.packed_bytes);
        lines.push(packed.reach(Reach::Under(reach)));
    }
    Ok(lines)
}

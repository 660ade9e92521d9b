//! What a slot has in memory that is in use: the difference of many slots and few.

use color_eyre::eyre::Result;

use super::probe::checks;
use crate::figures::Unit;
use crate::stage::{Stage, Website};
use crate::table::{Line, Reach};

/// Few slots.
const FEW: u32 = 64;
/// Many slots.
const MANY: u32 = 2_048;

/// How long the checks run, in seconds: each slot has made many by then.
const SECONDS: f64 = 1.5;

/// Measures the row.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (kind, website) in [
        ("plain", Website::plain(stage).await?),
        ("HTTPS", Website::tls(stage).await?),
    ] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in stage.repeats() {
            for (rival, slots) in [("lanes", &mut ours), ("reqwest", &mut theirs)] {
                let few = checks(stage, &website, (FEW, SECONDS), rival).await?;
                let many = checks(stage, &website, (MANY, SECONDS), rival).await?;
                slots.push((many.peak_kib - few.peak_kib) / f64::from(MANY - FEW));
            }
        }
        let slot = Line::new(format!("memory per slot, {kind}"), Unit::Kib, ours);
        lines.push(slot.reach(Reach::AtMost(64.0)));
        let task = Line::new(
            format!("the same by reqwest, {kind}"),
            Unit::Kib,
            Vec::new(),
        );
        lines.push(task.against("a task", theirs));
    }
    Ok(lines)
}

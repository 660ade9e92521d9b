//! The scheduler's memory is flat: a million sites cost hardly more than a thousand.

use color_eyre::eyre::Result;

use super::turns;
use crate::figures::Unit;
use crate::stage::Stage;
use crate::table::{Line, Reach};

/// Measures the row: the peak of a scheduler that has all of its sites due within 5 s.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<Line>> {
    let mut many = turns::world(stage, stage.pick(1_000_000, 50_000)).await?;
    let mut few = turns::world(stage, 1_000).await?;
    let (mut of_many, mut of_few) = (Vec::new(), Vec::new());
    for _ in stage.repeats() {
        of_many.push(turns::run(&mut many).await?.peak_mib);
        of_few.push(turns::run(&mut few).await?.peak_mib);
    }
    let what = "scheduler: peak memory with a million sites";
    Ok(vec![
        Line::new(what, Unit::Mib, of_many.clone())
            .against("a thousand sites", of_few)
            .reach(Reach::AtMost(1.2)),
        Line::new(what, Unit::Mib, of_many).reach(Reach::Under(128.0)),
    ])
}

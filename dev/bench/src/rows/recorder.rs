//! Results recorded a second, from the recorder's channel to committed rows, against a bare `INSERT`.

use color_eyre::eyre::Result;

use crate::figures::Unit;
use crate::flow::whole;
use crate::process::part;
use crate::stage::Stage;
use crate::table::{Line, Reach};
use crate::world::World;

/// Measures the row.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<Line>> {
    let world = World::new(stage).await;
    let days =
        "SELECT webmon_make_day((now() AT TIME ZONE 'UTC')::date + n) FROM generate_series(0, 1) n";
    world.execute(days).await?;
    let (sites, checks) = stage.pick(("10000", "30"), ("1000", "20"));
    let from = world.now().await.to_string();
    let url = world.database_url().to_owned();
    let arguments = [
        "--database",
        &url,
        "--sites",
        sites,
        "--checks",
        checks,
        "--from",
        &from,
    ];
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in stage.repeats() {
        for (rival, rates) in [("recorder", &mut ours), ("insert", &mut theirs)] {
            world.execute("TRUNCATE check_result").await?;
            let report = part(rival, arguments, stage.folder()).await?;
            let done = whole(i64::try_from(report.done).unwrap_or(i64::MAX));
            rates.push(done / report.seconds);
        }
    }
    let what = "results recorded";
    Ok(vec![
        Line::new(what, Unit::PerSecond, ours.clone())
            .against("bare INSERT", theirs)
            .reach(Reach::AtLeast(0.6)),
        Line::new(what, Unit::PerSecond, ours).reach(Reach::AtLeast(100_000.0)),
    ])
}

//! What a scheduler takes that has next to nothing to do.

use std::time::Duration;

use color_eyre::eyre::Result;
use tokio::time::sleep;

use crate::figures::Unit;
use crate::stage::Stage;
use crate::table::{Line, Reach};
use crate::world::{Sites, World};

/// Measures the row: ten sites, checked once a minute.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<Line>> {
    let world = World::new(stage).await;
    let urls = ["http://127.0.0.1:8080/".to_owned()];
    let sites = Sites {
        count: 10,
        interval_ms: 60_000,
        urls: &urls,
    };
    world.add(&sites).await?;
    let mut scheduler = world.scheduler()?;
    scheduler.ready().await?;
    sleep(Duration::from_secs(5)).await;
    let seconds = stage.pick(8_u32, 5);
    let (mut all, mut own) = (Vec::new(), Vec::new());
    for _ in stage.repeats() {
        let (before, postgres_before) = (scheduler.process.cpu()?, stage.postgres_cpu()?);
        sleep(Duration::from_secs(seconds.into())).await;
        let used = scheduler.process.cpu()? - before;
        let percent = |cpu: f64| cpu / f64::from(seconds) * 100.0;
        own.push(percent(used));
        all.push(percent(used + stage.postgres_cpu()? - postgres_before));
    }
    scheduler.process.stop().await?;
    world.end().await;
    Ok(vec![
        Line::new(
            "scheduler at rest (10 sites), PostgreSQL included",
            Unit::Percent,
            all,
        )
        .reach(Reach::Under(1.0))
        .note("of one core"),
        Line::new("scheduler at rest, without PostgreSQL", Unit::Percent, own),
    ])
}

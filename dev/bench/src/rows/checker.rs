//! The whole checker at 1,000 checks a second, Kafka and recording included, against other monitors,
//! which do neither.

use color_eyre::eyre::Result;

use crate::figures::{Unit, number};
use crate::flow::Load;
use crate::peers::{Cost, Peer, Running};
use crate::stage::{Stage, Website};
use crate::table::{Line, Reach};

/// The interval of each site: gatus waits 222 ms before it begins with the next, so they are few.
const INTERVAL_MS: u32 = 250;

/// A peer and its runs.
struct Runs {
    /// Who it is.
    peer: Peer,
    /// Itself, or why it does not run.
    running: Result<Running>,
    /// What it took.
    costs: Vec<Cost>,
}

/// Measures the row.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<Line>> {
    let website = Website::plain(stage).await?;
    let load = Load {
        rate: stage.pick(1_000, 200),
        interval_ms: INTERVAL_MS,
        seconds: stage.pick(6, 4),
    };
    let mut ours = Vec::new();
    let mut rivals = Peer::ALL.map(|peer| Runs {
        peer,
        running: peer.start(load, (stage, &website)),
        costs: Vec::new(),
    });
    for _ in stage.repeats() {
        let flow = load.run(stage, &website).await?;
        ours.push(Cost {
            micros: flow.cpu.checker,
            mib: flow.checker_mib,
        });
        for rival in &mut rivals {
            rival.run(load, stage, &website).await;
        }
    }
    let lines = rivals.iter().flat_map(|rival| rival.lines(load, &ours));
    Ok(lines.collect())
}

impl Runs {
    /// Lets the peer run; one that fails once is out.
    async fn run(&mut self, load: Load, stage: &Stage, website: &Website) {
        if let Ok(running) = &mut self.running {
            match running.measure(load, (stage, website)).await {
                Ok(cost) => self.costs.push(cost),
                Err(error) => self.running = Err(error),
            }
        }
    }

    /// What it took, beside what webmon took.
    fn lines(&self, load: Load, ours: &[Cost]) -> Vec<Line> {
        let Self {
            peer,
            running,
            costs,
        } = self;
        let what = format!("whole checker at {} checks/s", number(load.rate));
        if let Err(why) = running {
            return vec![Line::without_figures(what, format!("{why:#}"))];
        }
        let reach = match peer {
            Peer::Gatus | Peer::Cloudprober => 0.7,
            Peer::Blackbox => 0.3,
        };
        let column = |costs: &[Cost], of: fn(&Cost) -> f64| costs.iter().map(of).collect();
        vec![
            Line::new(
                format!("{what}: CPU per check"),
                Unit::Micros,
                column(ours, |cost| cost.micros),
            )
            .against(peer.name(), column(costs, |cost| cost.micros))
            .reach(Reach::AtMost(reach)),
            Line::new(
                format!("{what}: peak memory"),
                Unit::Mib,
                column(ours, |cost| cost.mib),
            )
            .against(peer.name(), column(costs, |cost| cost.mib)),
        ]
    }
}

//! Inner stages by themselves, for `dev/bench` to measure; no part of the service.

use std::{fmt, sync::Arc};

use color_eyre::eyre::Result;
use contract::instant::UnixUs;
use contract::result::CheckResult;
use contract::task::Task;
use probe::Prober;
use prometheus_client::registry::Registry;
use runtime::clock::Clock;
use stream::subscription::{Ledger, Position};

use crate::{
    held::{Held, Results},
    hold::Hold,
    lanes,
    metrics::Metrics,
};

/// The hold and the lanes alone.
pub struct Probing {
    /// Where tasks wait.
    hold: Arc<Hold>,
    /// What the lanes found.
    results: Arc<Results>,
    /// Where the tasks seem to come from.
    position: Position,
}

impl Probing {
    /// Starts so many slots.
    pub fn start(slots: usize, prober: &Prober, clock: &Clock) -> Result<Self> {
        let hold = Arc::new(Hold::new(clock.clone()));
        let results = Arc::new(Results::default());
        let shared = lanes::Shared {
            hold: Arc::clone(&hold),
            results: Arc::clone(&results),
            clock: clock.clone(),
            metrics: Metrics::register(&mut Registry::default()),
        };
        lanes::start(slots, prober, &shared)?;
        let mut ledger = Ledger::default();
        ledger.assign(&[0]);
        hold.check_only(ledger.changed().unwrap_or_default());
        let position = ledger.deliver(0, 0);
        Ok(Self {
            hold,
            results,
            position,
        })
    }

    /// Has these checks made, each when it is due.
    pub fn probe(&self, tasks: impl IntoIterator<Item = Task>) {
        let position = self.position;
        let held = tasks.into_iter().map(|task| Held {
            task,
            position,
            read_at: UnixUs(0),
        });
        self.hold.put(held);
    }

    /// How many checks wait.
    pub fn waiting(&self) -> usize {
        self.hold.size().0
    }

    /// Takes the results so far; the slots wait if it is not called.
    pub fn take(&self) -> Vec<CheckResult> {
        let taken = self.results.take().into_iter();
        taken.map(|finished| finished.result).collect()
    }
}

impl Drop for Probing {
    fn drop(&mut self) {
        self.hold.close();
    }
}

impl fmt::Debug for Probing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probing").finish_non_exhaustive()
    }
}

/// Reads so many tasks of one partition, has them done in `order` (their offsets), and says how many
/// offsets there were to commit when it asked after every `batch` of them.
pub fn keep_ledger(order: &[i64], batch: usize) -> usize {
    let mut ledger = Ledger::default();
    ledger.assign(&[0]);
    let positions: Vec<_> = (0..)
        .zip(order)
        .map(|(n, _)| ledger.deliver(0, n))
        .collect();
    let mut commits = 0;
    for done in order.chunks(batch.max(1)) {
        for offset in done {
            let position = usize::try_from(*offset).ok();
            if let Some(position) = position.and_then(|offset| positions.get(offset)) {
                ledger.done(*position);
            }
        }
        commits += ledger.commits().len();
    }
    commits
}

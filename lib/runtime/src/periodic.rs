//! Periodic: tasks that a service repeats until it stops.
//!
//! A tick takes no input: it looks at what is there and does what is left to do. So a tick that fails needs no memory
//! of its failure, the next one does the same work; and several services may tick at once.
//!
//! Each task has a status, the metric `webmon_task_last_success_seconds`, and its failures are reported in one way.

use std::convert::Infallible;
use std::future::pending;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use color_eyre::eyre::{self, Report};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::retry::Outage;

/// A task that is repeated.
pub trait Task: Send {
    /// What the task is called: the label `task` of its metric.
    const NAME: &'static str;
    /// The time from the start of one tick to the start of the next. A tick that takes longer is followed by the
    /// next at once.
    const PERIOD: Duration;

    /// Looks at what is there, and does what is left to do.
    fn tick(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// What the task does between its ticks; dropped when the next one is due.
    fn between(&mut self) -> impl Future<Output = Infallible> + Send {
        pending()
    }
}

/// Why a tick failed.
#[derive(Debug)]
pub enum Failure {
    /// The next tick may succeed.
    Passing(Report),
    /// No tick can succeed any more: the task ends with this error, and so does its service.
    Lasting(Report),
}

/// How the failures of a task are logged.
#[derive(Debug)]
pub enum Failures {
    /// As an outage of what the task needs.
    Outage(Outage),
    /// By the task itself.
    LoggedByTask,
}

/// When each task of this process last succeeded. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Statuses(Family<[(&'static str, &'static str); 1], Gauge<f64, AtomicU64>>);

/// A task with its schedule.
#[derive(Debug)]
pub struct Periodic<T> {
    /// The task.
    task: T,
    /// The time to the first tick.
    first_after: Duration,
    /// How its failures are logged.
    failures: Failures,
}

impl<T: Task> Periodic<T> {
    /// A task whose first tick comes at once.
    pub const fn at_once(task: T, failures: Failures) -> Self {
        Self {
            task,
            first_after: Duration::ZERO,
            failures,
        }
    }

    /// A task whose first tick comes after a period.
    pub const fn after_a_period(task: T, failures: Failures) -> Self {
        Self {
            task,
            first_after: T::PERIOD,
            failures,
        }
    }

    /// Repeats the task until `stop`, which waits for no tick. The error is a lasting failure.
    pub async fn run(mut self, statuses: Statuses, stop: CancellationToken) -> eyre::Result<()> {
        let status = statuses.of(T::NAME);
        let mut ticks = interval_at(Instant::now() + self.first_after, T::PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let repeating = async {
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    never = self.task.between() => match never {},
                }
                match self.task.tick().await {
                    Ok(()) => {
                        status.set(unix_seconds());
                        self.failures.over();
                    }
                    Err(Failure::Passing(error)) => self.failures.failed(&error),
                    Err(Failure::Lasting(error)) => return Err(error),
                }
            }
        };
        stop.run_until_cancelled(repeating).await.unwrap_or(Ok(()))
    }
}

impl Failures {
    /// The failures of a task that needs `what`, as the log calls it.
    pub fn outage(what: &str) -> Self {
        Self::Outage(Outage::new(what))
    }

    /// A tick succeeded.
    fn over(&mut self) {
        if let Self::Outage(outage) = self {
            outage.over();
        }
    }

    /// A tick failed.
    fn failed(&mut self, error: &Report) {
        if let Self::Outage(outage) = self {
            outage.failed(&format!("{error:#}"));
        }
    }
}

impl Statuses {
    /// Has `registry` show them.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "webmon_task_last_success_seconds",
            "When a periodic task last succeeded, as Unix time; zero before the first success",
            self.0.clone(),
        );
    }

    /// The status of a task.
    fn of(&self, task: &'static str) -> Gauge<f64, AtomicU64> {
        self.0.get_or_create_owned(&[("task", task)])
    }
}

impl From<Report> for Failure {
    fn from(error: Report) -> Self {
        Self::Passing(error)
    }
}

/// This host's wall clock; read for the metric alone.
fn unix_seconds() -> f64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
#[path = "periodic_tests.rs"]
mod tests;

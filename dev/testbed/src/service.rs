//! A scheduler or a checker under observation: whether it is ready, what it counts, what it says.

use std::time::Duration;

use crate::http::{get, metric};
use crate::process::Process;
use crate::settings::ConfigFile;
use crate::wait::eventually;
use crate::wall_clock::WallClock;

/// How long a service may take to be ready, or to notice that it is not.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take to stop in good order.
const STOP: Duration = Duration::from_secs(45);

/// A service that runs.
#[derive(Debug)]
pub struct Service {
    /// Its configuration.
    config: ConfigFile,
    /// The process.
    pub process: Process,
}

impl Service {
    /// Starts it under a name; `program` is what it is.
    pub fn start(name: &str, program: &str, config: ConfigFile) -> Self {
        Self {
            process: config.start(name, program),
            config,
        }
    }

    /// The same, and it goes by this wall clock.
    pub fn start_by(clock: &WallClock, name: &str, program: &str, config: ConfigFile) -> Self {
        Self {
            process: config.start_by(clock, name, program),
            config,
        }
    }

    /// Waits until it is ready.
    pub async fn ready(&mut self) {
        let ready =
            |answer: &str| answer.starts_with("HTTP/1.1 200") && answer.ends_with("ready\n");
        self.readyz("that it is ready", ready).await;
    }

    /// Waits until it misses this, and says that something is amiss.
    pub async fn misses(&mut self, condition: &str) {
        let missing = |answer: &str| {
            let (_, list) = answer.split_once("not ready: ").unwrap_or_default();
            let named = names(list.trim()).any(|name| name == condition);
            answer.starts_with("HTTP/1.1 503") && named
        };
        self.readyz(&format!("that it misses {condition}"), missing)
            .await;
        self.process.line_seen("not ready: ", PATIENCE).await;
    }

    /// Waits for an answer of `/readyz` that fits.
    async fn readyz(&mut self, what: &str, fits: impl Fn(&str) -> bool) {
        let what = format!("{} says {what}", self.process.name());
        eventually(PATIENCE, &what, async || {
            self.process.assert_running();
            let answer = get(self.config.listen, "/readyz").await?;
            fits(&answer).then_some(())
        })
        .await;
    }

    /// Waits until it has noticed how far its wall clock is ahead of the machine's.
    pub async fn knows_to_be_ahead(&self, seconds: i32) {
        let what = format!("{} notices the step of its clock", self.process.name());
        eventually(PATIENCE, &what, async || {
            let behind = metric(self.config.listen, "webmon_clock_offset_seconds").await;
            ((behind + f64::from(seconds)).abs() < 0.5).then_some(())
        })
        .await;
    }

    /// How many lines it has said.
    pub fn lines(&self) -> usize {
        self.process.said().lines().count()
    }

    /// Stops it in good order.
    pub async fn stop(mut self) {
        self.process.terminate();
        let code = self.process.wait(STOP).await;
        assert_eq!(code, 0, "{} did not drain", self.process.name());
    }
}

/// The names in a list of conditions, of which some say in brackets what they lack.
fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(", ").filter_map(|item| item.split(" (").next())
}

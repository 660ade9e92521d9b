//! What the HTTP endpoints show: a registry of metrics, and what a service still waits for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use prometheus_client::registry::Registry;
use tokio::sync::watch;

use super::traces::SpanCounters;
use crate::periodic::Statuses;

/// What `/metrics` and `/readyz` show. `webmon up` shares one between its two services.
#[derive(Debug, Default)]
pub struct Endpoints {
    /// The metrics; registered at start, read by each scrape.
    registry: RwLock<Registry>,
    /// What must hold before work can be done.
    readiness: Readiness,
    /// What is counted of spans.
    spans: SpanCounters,
    /// When the periodic tasks last succeeded.
    tasks: Statuses,
}

impl Endpoints {
    /// No conditions yet, and no metrics but those that all services of a process share.
    pub fn new() -> Arc<Self> {
        let endpoints = Self::default();
        endpoints.register(|registry| {
            endpoints.spans.register(registry);
            endpoints.tasks.register(registry);
        });
        Arc::new(endpoints)
    }

    /// Lets `build` register metrics and returns what it built.
    ///
    /// Names are given in full (`webmon_hold_size`), except that `prometheus_client` itself adds
    /// `_total` to counters: `webmon_checks` becomes `webmon_checks_total`.
    pub fn register<T>(&self, build: impl FnOnce(&mut Registry) -> T) -> T {
        build(
            &mut self
                .registry
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// What must hold before work can be done.
    pub const fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// When the periodic tasks last succeeded.
    pub const fn tasks(&self) -> &Statuses {
        &self.tasks
    }

    /// What is counted of spans.
    pub(super) const fn spans(&self) -> &SpanCounters {
        &self.spans
    }

    /// All metrics as `OpenMetrics` text.
    pub fn metrics(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

/// What is missing while nothing is known yet of what must hold.
const START: &str = "start";

/// A set of named conditions; ready is when there are some and all of them hold. Clones share the set.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    /// By name; the first of a name is the condition itself, the others are its parts.
    conditions: Arc<Mutex<BTreeMap<&'static str, Vec<Condition>>>>,
    /// Whether a service watches over them.
    watched: Arc<AtomicBool>,
}

impl Readiness {
    /// Whether the service that asks is to watch over the conditions: it is the first that asks.
    pub(crate) fn be_watched(&self) -> bool {
        !self.watched.swap(true, Ordering::Relaxed)
    }

    /// The condition of this name (one of [`conditions`](crate::conditions)), made as not holding if it is new.
    pub fn condition(&self, name: &'static str) -> Condition {
        let mut conditions = self
            .conditions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let own = conditions
            .entry(name)
            .or_insert_with(|| vec![Condition::default()]);
        own.first().cloned().unwrap_or_default()
    }

    /// One more view of the condition of this name, which holds until it is told otherwise: the condition as
    /// a whole holds while all its parts do.
    pub fn part(&self, name: &'static str) -> Condition {
        drop(self.condition(name));
        let part = Condition::default();
        part.set(true);
        let mut conditions = self
            .conditions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        conditions.entry(name).or_default().push(part.clone());
        part
    }

    /// The names of the conditions that do not hold, in alphabetical order. A service that has not begun
    /// to name its conditions is not ready.
    pub fn missing(&self) -> Vec<&'static str> {
        let missing = self.faults().into_iter();
        missing.map(|(name, _)| name).collect()
    }

    /// The same with what each lacks, as far as that is known: `kafka (no broker answers)`.
    pub fn lacking(&self) -> Vec<String> {
        let faults = self.faults().into_iter();
        let text = faults.map(|(name, lack)| match lack {
            None => name.to_owned(),
            Some(lack) => format!("{name} ({lack})"),
        });
        text.collect()
    }

    /// The conditions that do not hold, and what the first part of each says that says something.
    fn faults(&self) -> Vec<(&'static str, Option<String>)> {
        let conditions = self
            .conditions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if conditions.is_empty() {
            return vec![(START, None)];
        }
        let faults = conditions.iter().filter_map(|(name, parts)| {
            let broken: Vec<_> = parts.iter().filter(|part| !part.holds()).collect();
            let lack = broken.iter().find_map(|part| part.lack());
            (!broken.is_empty()).then_some((*name, lack))
        });
        faults.collect()
    }
}

/// One thing that must hold before a service is ready. Clones are the same condition.
#[derive(Clone, Debug, Default)]
pub struct Condition(Arc<watch::Sender<Standing>>);

/// How a condition stands.
#[derive(Debug, Default)]
struct Standing {
    /// Whether it holds.
    holds: bool,
    /// What it lacks, where that is known.
    lack: Option<String>,
}

impl Condition {
    /// Says whether it holds now.
    pub fn set(&self, holds: bool) {
        self.0.send_replace(Standing { holds, lack: None });
    }

    /// It does not hold, and this is why: one line that names what lacks and what would help.
    pub fn lacks(&self, what: impl Into<String>) {
        let lack = Some(what.into().replace(['\n', '\r'], " "));
        self.0.send_replace(Standing { holds: false, lack });
    }

    /// It holds, or it does not, and this is why.
    pub fn tell(&self, lack: Option<String>) {
        match lack {
            None => self.set(true),
            Some(lack) => self.lacks(lack),
        }
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.0.borrow().holds
    }

    /// What it lacks, if that is known.
    fn lack(&self) -> Option<String> {
        self.0.borrow().lack.clone()
    }

    /// Waits until it holds.
    pub async fn wait(&self) {
        // Cannot fail: the sender is here.
        drop(self.0.subscribe().wait_for(|now| now.holds).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conditions::{DATABASE, KAFKA, KAFKA_GROUP, SCHEMA};

    #[test]
    fn ready_is_when_every_condition_holds() {
        let readiness = Readiness::default();
        let database = readiness.condition(DATABASE);
        readiness.condition(KAFKA_GROUP).set(true);
        assert_eq!(readiness.missing(), ["database"]);
        database.set(true);
        assert!(readiness.missing().is_empty());
        readiness.clone().condition(DATABASE).set(false);
        assert_eq!(readiness.missing(), ["database"]);
    }

    #[test]
    fn what_a_condition_lacks_is_told_in_one_line() {
        let readiness = Readiness::default();
        let kafka = readiness.condition(KAFKA);
        readiness.condition(SCHEMA);
        kafka.lacks("no broker\nanswers");
        assert_eq!(readiness.lacking(), ["kafka (no broker answers)", "schema"]);
        kafka.set(true);
        assert_eq!(readiness.lacking(), ["schema"]);
    }

    #[test]
    fn a_condition_holds_while_all_its_parts_do() {
        let readiness = Readiness::default();
        let part = readiness.part(KAFKA);
        assert_eq!(readiness.missing(), ["kafka"], "a part makes nothing hold");
        readiness.condition(KAFKA).set(true);
        assert!(readiness.missing().is_empty());
        part.lacks("no right");
        assert_eq!(readiness.lacking(), ["kafka (no right)"]);
        assert!(readiness.condition(KAFKA).holds(), "the other part");
        part.set(true);
        assert!(readiness.missing().is_empty());
    }

    #[test]
    fn before_the_first_condition_no_service_is_ready() {
        assert_eq!(Readiness::default().missing(), [START]);
    }
}

//! What librdkafka calls back, from C, on the thread that polls: it only notes what happened.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, ConsumerContext, Rebalance},
    error::KafkaError,
    topic_partition_list::TopicPartitionListElem,
};

use crate::{BrokerLog, Stranded};

/// A change of the assignment.
pub(super) enum Change {
    /// These partitions are new.
    Assigned(Vec<i32>),
    /// These partitions are gone.
    Revoked(Vec<i32>),
}

impl Change {
    /// The partitions that change hands.
    pub(super) fn partitions(&self) -> &[i32] {
        match self {
            Self::Assigned(partitions) | Self::Revoked(partitions) => partitions,
        }
    }
}

/// What librdkafka calls back.
pub(super) struct Callbacks {
    /// What librdkafka has to say.
    pub(super) log: Arc<BrokerLog>,
    /// Whether librdkafka knows no broker any more.
    pub(super) stranded: Stranded,
    /// Changes of the assignment that were not taken yet.
    changes: Mutex<Vec<Change>>,
}

impl Callbacks {
    /// Nothing has happened yet.
    pub(super) fn new(log: Arc<BrokerLog>) -> Self {
        Self {
            log,
            stranded: Stranded::default(),
            changes: Mutex::default(),
        }
    }

    /// The changes of the assignment since this was last asked.
    pub(super) fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut *self.lock())
    }

    /// The changes; a panic elsewhere leaves them usable.
    fn lock(&self) -> MutexGuard<'_, Vec<Change>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Callbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(error, reason);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.stranded.look(statistics);
    }
}

impl ConsumerContext for Callbacks {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let numbers = |list: &TopicPartitionList| {
            list.elements()
                .iter()
                .map(TopicPartitionListElem::partition)
                .collect()
        };
        let change = match rebalance {
            Rebalance::Assign(partitions) => Change::Assigned(numbers(partitions)),
            Rebalance::Revoke(partitions) => Change::Revoked(numbers(partitions)),
            Rebalance::Error(_) => return,
        };
        self.lock().push(change);
    }
}

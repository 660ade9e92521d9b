//! The reader of tasks: which messages are tasks of this installation.

use std::collections::BTreeSet;

use contract::{
    installation::Installation,
    instant::UnixMs,
    task::{Task, TaskError},
};
use stream::{HEADER, Seal, config::KafkaConfig, subscription::Message};
use tracing::{error, warn};

/// How many other installations are remembered; more would be made up.
const MOST_REMEMBERED: usize = 16;

/// Reads tasks from messages.
#[derive(Debug)]
pub(crate) struct TaskReader {
    /// Whose tasks are checked here.
    ours: Installation,
    /// By what a message shows that one of us wrote it, where that is asked for.
    seal: Option<Seal>,
    /// Whether the headers of a message were looked at.
    has_looked: bool,
    /// The other installations of which was told.
    told: BTreeSet<Installation>,
}

impl TaskReader {
    /// A reader of the tasks of this installation.
    pub(crate) fn new(config: &KafkaConfig, ours: Installation) -> Self {
        Self {
            ours,
            seal: Seal::of(config),
            has_looked: false,
            told: BTreeSet::new(),
        }
    }

    /// Refuses a message that none of us wrote, where messages have to show that.
    pub(super) fn verify(&mut self, message: &Message<'_>) -> Result<(), TaskError> {
        let Some(seal) = &mut self.seal else {
            self.warn_of_headers(message);
            return Ok(());
        };
        let headers = message.headers(HEADER);
        seal.verify(message.key(), message.payload(), headers)
            .map_err(|unsealed| TaskError::Poison(unsealed.to_string()))
    }

    /// Reads a message that was verified, at the instant `now`.
    pub(super) fn decode(&self, message: &Message<'_>, now: UnixMs) -> Result<Task, TaskError> {
        Task::decode(message.payload(), now, self.ours)
    }

    /// Says so if the scheduler has a key and this checker has none. The first message shows it; looking at the
    /// headers of each would cost something.
    fn warn_of_headers(&mut self, message: &Message<'_>) {
        if !self.has_looked && message.headers(HEADER).next().is_some() {
            warn!(
                "tasks carry the header {HEADER}, and this checker believes every message: set the schedulers' \
                 kafka.key for this checker too"
            );
        }
        self.has_looked = true;
    }

    /// Tells of another installation on this topic, once.
    pub(super) fn tell_of(&mut self, theirs: Installation, message: &Message<'_>) {
        if self.told.len() >= MOST_REMEMBERED || !self.told.insert(theirs) {
            return;
        }
        error!(
            kafka.topic = message.topic(),
            kafka.partition = message.partition(),
            kafka.offset = message.offset(),
            installation.ours = %self.ours,
            installation.theirs = %theirs,
            "another installation sends its tasks to this topic: they are left alone, and each installation misses \
             what checkers of the other read; set another kafka.topic for one of the two"
        );
    }
}

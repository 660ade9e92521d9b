//! The door of the desk: which messages are tasks of this installation.

use std::collections::BTreeSet;

use contract::{
    installation::Installation,
    task::{Task, TaskError},
};
use tracing::error;

use crate::consumer::Message;

/// How many other installations are remembered; more would be made up.
const MOST_REMEMBERED: usize = 16;

/// Who comes in.
#[derive(Debug)]
pub(crate) struct Door {
    /// Whose tasks are checked here.
    ours: Installation,
    /// The other installations of which was told.
    told: BTreeSet<Installation>,
}

impl Door {
    /// A door for the tasks of this installation.
    pub(crate) const fn new(ours: Installation) -> Self {
        Self {
            ours,
            told: BTreeSet::new(),
        }
    }

    /// Reads a message at the instant `now`.
    pub(crate) fn read(&self, message: &Message<'_>, now: i64) -> Result<Task, TaskError> {
        Task::decode(message.payload(), now, self.ours)
    }

    /// Tells of another installation on this topic, once.
    pub(crate) fn tell_of(&mut self, theirs: Installation, topic: &str, message: &Message<'_>) {
        if self.told.len() >= MOST_REMEMBERED || !self.told.insert(theirs) {
            return;
        }
        error!(
            kafka.topic = topic,
            kafka.partition = message.partition(),
            kafka.offset = message.offset(),
            installation.ours = %self.ours,
            installation.theirs = %theirs,
            "another installation sends its tasks to this topic: they are left alone, and each installation misses \
             what checkers of the other read; set another kafka.topic for one of the two"
        );
    }
}

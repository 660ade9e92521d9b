//! Leaving the group, so that others take the partitions at once.

use std::{
    fmt,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{Message, Position, Progress, Subscription, consumer::Consumer};

/// The time for leaving the group.
const LEAVE_LIMIT: Duration = Duration::from_secs(1);
/// The time in which librdkafka, once the revocation is served, stops its fetchers and says goodbye. A
/// consumer that is closed before that leaves without a word, and its partitions are orphaned for the
/// session timeout. Nothing tells when it is done.
const LEAVE_AFTER_REVOCATION: Duration = Duration::from_millis(300);
/// How long consumers that were replaced may take at the end, to be closed.
const CLOSE_LIMIT: Duration = Duration::from_millis(500);

/// A subscription that has left its group: what remains is to close its clients.
pub struct Left {
    /// The client that was the last member.
    consumer: Consumer,
    /// Threads that close others.
    closing: Vec<JoinHandle<()>>,
}

impl Subscription {
    /// Commits and leaves the group. What is read by the way goes to `handle`, and is not committed any more.
    ///
    /// Closing alone does not leave when the protocol is cooperative: the revocation has to be served first.
    pub fn leave(mut self, mut handle: impl FnMut(&Message<'_>, Position) -> Progress) -> Left {
        self.close_durable();
        self.commit();
        self.consumer.leave();
        let mut deadline = Instant::now() + LEAVE_LIMIT;
        while Instant::now() < deadline {
            self.consumer.wait(Duration::from_millis(10));
            self.poll(&mut handle);
            if self.member.ledger.is_empty() {
                deadline = deadline.min(Instant::now() + LEAVE_AFTER_REVOCATION);
            }
        }
        let Self {
            consumer,
            mut member,
            mut closing,
            ..
        } = self;
        closing.extend(member.end_watch());
        Left { consumer, closing }
    }
}

impl Left {
    /// Closes the clients. Those that cannot be closed are left behind after a moment.
    pub fn close(self) {
        let Self { consumer, closing } = self;
        let end = Instant::now() + CLOSE_LIMIT;
        while !closing.iter().all(JoinHandle::is_finished) && Instant::now() < end {
            thread::park_timeout(Duration::from_millis(10));
        }
        drop(consumer);
    }
}

impl fmt::Debug for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Left").finish_non_exhaustive()
    }
}

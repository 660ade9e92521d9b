//! A subscription: one thread reads a topic as a member of a group, each message at least once.
//!
//! The service calls [`Subscription::read`] and [`Subscription::maintain`] in turns, always on the same thread, and
//! never waits for long in between: a member that does not poll loses its partitions. What it has no room for stays
//! in Kafka while the partitions are [paused](Subscription::set_paused).

mod callbacks;
mod consumer;
mod leave;
mod ledger;
mod member;
mod message;
mod partition_watch;
mod read_right;
mod settings;

use std::{
    collections::BTreeMap,
    fmt,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use color_eyre::eyre::Result;
pub use consumer::MEMORY_BYTES;
pub use leave::Left;
pub use ledger::{Ledger, Position};
pub use member::{Conditions, TAKEOVER_TIME};
pub use message::Message;
pub use settings::Settings;
use tokio::sync::mpsc;
use tracing::warn;

use self::{consumer::Consumer, member::Member};

/// How long to wait for a message; a stop and what has become durable are noticed at least so often.
const WAIT: Duration = Duration::from_millis(100);
/// The most messages of one [`Subscription::read`]: enough that what a service does after each costs little.
const MOST_READ: usize = 1_000;
/// The most bytes of one [`Subscription::read`], but for the last message.
pub const MOST_READ_BYTES: usize = 4 * 1024 * 1024;
/// How often offsets are committed.
const COMMIT_EVERY: Duration = Duration::from_secs(1);

/// The least time between two replacements of the consumer.
const REJOIN_PAUSE: Duration = Duration::from_secs(10);
/// A consumer that is no member of the group for so long is replaced: librdkafka has been seen to wait for a
/// coordinator that it knew no way to. A round of the group takes 20 s at most, see `max.poll.interval.ms`.
const OUTSIDE_LIMIT: Duration = Duration::from_secs(30);
/// The most consumers that are being closed: that may take long without a broker.
const MOST_CLOSING: usize = 4;

/// What a service has done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All that there was to do: it may be committed.
    Done,
    /// Its position comes back when what became of it is durable.
    Pending,
}

/// A topic that is read; see the module.
pub struct Subscription {
    /// Kafka's client.
    consumer: Consumer,
    /// What the client was given; apart, as a message borrows from the client.
    member: Member,
    /// Where the positions of messages come from with which nothing remains to be done.
    durable: mpsc::Receiver<Vec<Position>>,
    /// Whether the last read has taken all that there was.
    is_idle: bool,
    /// When offsets were last committed.
    committed_at: Instant,
    /// Consumers that were replaced: closing one may take as long as its last request.
    closing: Vec<JoinHandle<()>>,
    /// When the consumer was replaced last, or was to be.
    rejoined_at: Option<Instant>,
}

impl Subscription {
    /// Joins the group. Each position that [`Self::read`] gave out comes back by `durable`.
    pub fn join(
        settings: &Settings,
        conditions: Conditions,
        durable: mpsc::Receiver<Vec<Position>>,
    ) -> Result<Self> {
        let consumer = Consumer::join(settings.clone())?;
        let member = Member::new(settings, conditions)?;
        Ok(Self {
            consumer,
            member,
            durable,
            is_idle: false,
            committed_at: Instant::now(),
            closing: Vec::new(),
            rejoined_at: None,
        })
    }

    /// Hands what has come to `handle`, message by message; waits for a moment if there was nothing more the last
    /// time.
    pub fn read(&mut self, mut handle: impl FnMut(&Message<'_>, Position) -> Progress) {
        if self.is_idle {
            self.consumer.wait(WAIT);
        }
        let mut bytes = 0;
        for _ in 0..MOST_READ {
            // Twice, as the answer to a commit looks like nothing, and messages may lie behind it.
            let polled = self.poll(&mut handle).or_else(|| self.poll(&mut handle));
            self.is_idle = polled.is_none();
            bytes += polled.unwrap_or(0);
            if self.is_idle || bytes >= MOST_READ_BYTES {
                break;
            }
        }
        self.member.tell_joined();
    }

    /// What follows each read: closes what has become durable, commits once a second, and takes another consumer in
    /// place of one that is lost.
    pub fn maintain(&mut self) {
        self.close_durable();
        if self.committed_at.elapsed() >= COMMIT_EVERY {
            self.commit();
        }
        self.rejoin_if_lost();
    }

    /// Nothing remains to be done with the message that stood here.
    pub fn done(&mut self, position: Position) {
        self.member.ledger.done(position);
    }

    /// The current assignment of each partition, if any has changed since this was last asked.
    pub fn changed_assignments(&mut self) -> Option<BTreeMap<i32, u64>> {
        self.member.ledger.changed()
    }

    /// Whether partitions were assigned within this time.
    pub fn was_assigned_within(&self, time: Duration) -> bool {
        self.member.was_assigned_within(time)
    }

    /// Whether the partitions are paused.
    pub const fn is_paused(&self) -> bool {
        self.member.paused
    }

    /// Pauses or resumes the partitions, and those that come later as well.
    pub fn set_paused(&mut self, paused: bool) {
        self.member.paused = paused;
        self.consumer
            .set_paused(self.member.ledger.partitions(), paused);
    }

    /// Serves Kafka once; how many bytes that brought, if there was anything.
    fn poll(
        &mut self,
        handle: &mut impl FnMut(&Message<'_>, Position) -> Progress,
    ) -> Option<usize> {
        let polled = self.consumer.poll();
        let rebalanced = !polled.rebalances.is_empty();
        if let Some(lack) = polled.lack {
            self.member.refused(&lack);
        }
        for change in polled.rebalances {
            self.member.reassign(&self.consumer, &change);
        }
        let Some(message) = polled.message else {
            return rebalanced.then_some(0);
        };
        let position = self.member.deliver(message.partition(), message.offset());
        if handle(&message, position) == Progress::Done {
            self.member.ledger.done(position);
        }
        Some(message.payload().len())
    }

    /// Closes what has become durable.
    fn close_durable(&mut self) {
        while let Ok(positions) = self.durable.try_recv() {
            for position in positions {
                self.member.ledger.done(position);
            }
        }
    }

    /// Commits what is durable and contiguous. A revocation commits nothing by itself: the last commit is at most a
    /// second old, and what is read again is found by the service. An empty commit is made, too: it wakes librdkafka's thread for the group:
    /// a wall clock that was set back has it wait for long, and the group would take this member for dead.
    fn commit(&mut self) {
        self.committed_at = Instant::now();
        self.consumer.commit(&self.member.ledger.commits());
    }

    /// Takes another consumer in place of one that does not find its way to Kafka, or into the group, any
    /// more, or misses messages there; not while too many are still being closed.
    fn rejoin_if_lost(&mut self) {
        let just_now = |at: Instant| at.elapsed() < REJOIN_PAUSE;
        let is_lost = self.consumer.is_stranded() || self.member.is_lost(OUTSIDE_LIMIT);
        if is_lost && !self.rejoined_at.is_some_and(just_now) {
            self.closing.retain(|closing| !closing.is_finished());
            if self.closing.len() < MOST_CLOSING {
                self.rejoin();
            }
        }
    }

    /// Takes another consumer. The partitions of this one are gone already, or will be when its session
    /// ends: their messages are read again.
    fn rejoin(&mut self) {
        self.member.ask_again();
        warn!("the Kafka client does not find its way back: a new one takes its place");
        self.rejoined_at = Some(Instant::now());
        match self.consumer.again() {
            Ok(consumer) => {
                self.member.start_over();
                let lost = std::mem::replace(&mut self.consumer, consumer);
                let closing = thread::Builder::new().name("closing".to_owned());
                // Without another thread it is closed here.
                self.closing.extend(closing.spawn(move || drop(lost)));
            }
            Err(error) => warn!("cannot make a new Kafka client: {error:#}"),
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

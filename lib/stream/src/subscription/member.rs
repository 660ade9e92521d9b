//! A member of a group: the partitions it has, and whether it reads them.

use std::{
    thread::JoinHandle,
    time::{Duration, Instant},
};

use color_eyre::eyre::Result;
use runtime::telemetry::Condition;
use tracing::info;

use super::{
    callbacks::Change,
    consumer::Consumer,
    ledger::{Ledger, Position},
    partition_watch::PartitionWatch,
    read_right::ReadRight,
    settings::Settings,
};
use crate::Lack;

/// How long it takes until another member reads a partition that one has lost: a heartbeat of every member and a
/// round of the group, a second and more. It is a time that is waited, not an agreement of the two. So long the
/// member that lost a partition may go on with what it has read of it, the member that got it reckons with that, and a
/// member that was given nothing waits for its part before it counts as joined.
pub const TAKEOVER_TIME: Duration = Duration::from_secs(2);

/// What a subscription tells of itself, and what it is told.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// Tells whether the group was joined.
    pub joined: Condition,
    /// Tells whether Kafka lets this client read.
    pub allowed: Condition,
    /// Whether Kafka can be reached, as the watch over readiness has found.
    pub reachable: Condition,
}

/// What is known of one consumer's membership.
pub(super) struct Member {
    /// The partitions, and what of them may be committed.
    pub(super) ledger: Ledger,
    /// Whether the partitions are paused.
    pub(super) paused: bool,
    /// When partitions were last assigned.
    assigned_at: Option<Instant>,
    /// When the assignment last changed, in whatever way.
    changed_at: Instant,
    /// Whether the last change was an assignment, if only of nothing: then the consumer is a member.
    in_group: bool,
    /// What Kafka refuses to the consumer.
    right: ReadRight,
    /// Whether the consumer reads what comes; not asked in a standalone, whose broker forgets no topic.
    watch: Option<PartitionWatch>,
    /// Whether the group was joined.
    joined: Condition,
    /// Whether Kafka can be reached.
    reachable: Condition,
}

impl Member {
    /// A member without partitions.
    pub(super) fn new(settings: &Settings, conditions: Conditions) -> Result<Self> {
        let Conditions {
            joined,
            allowed,
            reachable,
        } = conditions;
        let watch = (!settings.broker.is_embedded()).then(|| PartitionWatch::new(settings));
        Ok(Self {
            ledger: Ledger::default(),
            paused: false,
            assigned_at: None,
            changed_at: Instant::now(),
            in_group: false,
            right: ReadRight::new(allowed, settings.messages),
            watch: watch.transpose()?,
            joined,
            reachable,
        })
    }

    /// Applies a change of the assignment.
    pub(super) fn reassign(&mut self, consumer: &Consumer, change: &Change) {
        match change {
            Change::Assigned(partitions) => {
                info!(kafka.partitions = partitions.len(), "assigned partitions");
                self.ledger.assign(partitions);
                self.assigned_at = Some(Instant::now());
                self.in_group = true;
                // Said in either case: a partition that was paused, revoked and assigned again would
                // stay silent for ever.
                consumer.set_paused(partitions.iter().copied(), self.paused);
                if !partitions.is_empty() {
                    self.right.assigned(Instant::now());
                }
            }
            Change::Revoked(partitions) => {
                info!(kafka.partitions = partitions.len(), "revoked partitions");
                self.ledger.revoke(partitions);
                self.in_group = false;
            }
        }
        self.changed_at = Instant::now();
        self.tell_joined();
        if let Some(watch) = &mut self.watch {
            watch.reassign(change.partitions());
        }
    }

    /// A message was read.
    pub(super) fn deliver(&mut self, partition: i32, offset: i64) -> Position {
        self.right.read();
        if let Some(watch) = &mut self.watch {
            watch.read(partition, offset);
        }
        self.ledger.deliver(partition, offset)
    }

    /// Kafka refuses something to the consumer.
    pub(super) fn refused(&mut self, lack: &Lack) {
        self.right.refused(lack.to_string(), Instant::now());
    }

    /// Another consumer is to ask for what this one was refused.
    pub(super) fn ask_again(&mut self) {
        self.right.start_over();
    }

    /// The consumer is another one from now on, and has joined no group yet.
    pub(super) fn start_over(&mut self) {
        let partitions: Vec<_> = self.ledger.partitions().collect();
        self.ledger.revoke(&partitions);
        self.in_group = false;
        self.changed_at = Instant::now();
        self.tell_joined();
        self.watch.iter_mut().for_each(PartitionWatch::start_over);
    }

    /// Whether another consumer should take the place of this one: it has been no member for so long, it may have
    /// got a right that it lacked, or it misses messages.
    pub(super) fn is_lost(&mut self, outside_limit: Duration) -> bool {
        self.is_outside(outside_limit)
            || self.right.asks_again(Instant::now())
            || self.misses_messages()
    }

    /// Whether this has been no member of the group for so long, though others reach Kafka.
    fn is_outside(&self, limit: Duration) -> bool {
        !self.in_group && self.reachable.holds() && self.changed_at.elapsed() > limit
    }

    /// Whether something came to its partitions that the consumer does not read. It need not while they
    /// are paused.
    fn misses_messages(&mut self) -> bool {
        let Some(watch) = &mut self.watch else {
            return false;
        };
        if self.paused {
            watch.pause();
        }
        watch.misses_messages(self.ledger.partitions())
    }

    /// Whether partitions were assigned within this time.
    pub(super) fn was_assigned_within(&self, time: Duration) -> bool {
        self.assigned_at.is_some_and(|at| at.elapsed() < time)
    }

    /// Tells whether this is a member that has its part of the work.
    ///
    /// The first round of the group gives a new member nothing; the next, a second later, gives it what the others
    /// can spare. A member that has nothing after that has company enough. A member that Kafka has forgotten, or that
    /// has not heard of Kafka for the session timeout, loses all it had and is given nothing.
    pub(super) fn tell_joined(&self) {
        let rounds_are_over = self.in_group && self.changed_at.elapsed() >= TAKEOVER_TIME;
        self.joined.set(rounds_are_over || !self.ledger.is_empty());
    }

    /// Ends the watch over partitions; its thread ends soon.
    pub(super) fn end_watch(&mut self) -> Option<JoinHandle<()>> {
        self.watch.take().map(PartitionWatch::end)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.joined.set(false);
    }
}

//! Intake: one thread owns Kafka's consumer.
//!
//! It reads tasks into the hold, commits what the ledger says is durable, and never stops polling, so
//! that the group never rebalances because a site or the database is slow: when there is no room the
//! partitions are paused.

use std::{
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use color_eyre::eyre::Result;
use contract::installation::Installation;
use recorder::Repeats;
use runtime::quota::Quota;
use stream::config::KafkaConfig;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    access::Access,
    consumer::{Assignment, Consumer},
    desk::{Desk, Drained, Links},
    door::Door,
    hold,
    pulse::Pulse,
};

/// How long to wait for a task; a stop and completions are noticed at least so often.
const WAIT: Duration = Duration::from_millis(100);
/// The most tasks of one drain: little against the hold, much against the cost of a hand-over.
const MOST_DRAINED: usize = 1_000;
/// The most bytes of one drain, but for the last message: that much the hold may exceed its bound.
pub(crate) const MOST_DRAINED_BYTES: usize = 4 * 1024 * 1024;
/// How often offsets are committed.
const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// The time for leaving the group.
const LEAVE_LIMIT: Duration = Duration::from_secs(1);
/// The time in which librdkafka, once the revocation is served, stops its fetchers and says goodbye. A
/// consumer that is closed before that leaves without a word, and its partitions are orphaned for the
/// session timeout. Nothing tells when it is done.
const LEAVE_AFTER_REVOCATION: Duration = Duration::from_millis(300);

/// The least time between two replacements of the consumer.
const REJOIN_PAUSE: Duration = Duration::from_secs(10);
/// A consumer that is no member of the group for so long is replaced: librdkafka has been seen to wait for a
/// coordinator that it knew no way to. A round of the group takes 20 s at most, see `max.poll.interval.ms`.
const OUTSIDE_LIMIT: Duration = Duration::from_secs(30);
/// The most consumers that are being closed: that may take long without a broker.
const MOST_CLOSING: usize = 4;
/// How long consumers that were replaced may take at the end, to be closed.
const CLOSE_LIMIT: Duration = Duration::from_millis(500);

/// What intake works with.
pub(crate) struct Intake {
    /// How Kafka is reached.
    config: KafkaConfig,
    /// Kafka.
    consumer: Consumer,
    /// The rest; apart, as a message borrows from the consumer.
    desk: Desk,
    /// Whether the consumer hears; not asked in a standalone, whose broker forgets no topic.
    pulse: Option<Pulse>,
    /// What Kafka refuses to the consumer.
    access: Access,
    /// How much may be said of pauses: a slow database makes many.
    changes: Quota,
    /// Consumers that were replaced: closing one may take as long as its last request.
    closing: Vec<JoinHandle<()>>,
    /// When the consumer was replaced last, or was to be.
    rejoined_at: Option<Instant>,
}

impl Intake {
    /// Joins the group.
    pub(crate) fn new(
        config: &KafkaConfig,
        ours: Installation,
        repeats: Repeats,
        links: Links,
    ) -> Result<Self> {
        let consumer = Consumer::join(config, &links.broker)?;
        let pulse = (!links.broker.is_embedded())
            .then(|| Pulse::new(config))
            .transpose()?;
        let access = Access::new(links.allowed.clone());
        let desk = Desk::new(Door::new(config, ours), repeats, links);
        Ok(Self {
            access,
            config: config.clone(),
            consumer,
            desk,
            pulse,
            changes: Quota::new(),
            closing: Vec::new(),
            rejoined_at: None,
        })
    }

    /// Reads until `stop`, then leaves the group.
    pub(crate) fn run(mut self, stop: &CancellationToken) {
        let mut is_idle = false;
        while !stop.is_cancelled() {
            if is_idle {
                self.consumer.wait(WAIT);
            }
            let (drained, was_all) = self.drain();
            is_idle = was_all;
            self.desk.hand_over(drained);
            self.desk.give_up();
            self.desk.close_durable();
            if self.desk.committed_at.elapsed() >= COMMIT_EVERY {
                self.commit();
            }
            self.pause_or_resume();
            self.rejoin_if_lost();
        }
        self.leave();
    }

    /// Takes another consumer in place of one that does not find its way to Kafka, or into the group, any
    /// more, or hears nothing there; not while too many are still being closed.
    fn rejoin_if_lost(&mut self) {
        let just_now = |at: Instant| at.elapsed() < REJOIN_PAUSE;
        let is_lost = self.consumer.is_stranded()
            || self.desk.is_outside(OUTSIDE_LIMIT)
            || self.access.asks_again(Instant::now())
            || self.is_deaf();
        if is_lost && !self.rejoined_at.is_some_and(just_now) {
            self.closing.retain(|closing| !closing.is_finished());
            if self.closing.len() < MOST_CLOSING {
                self.rejoin();
            }
        }
    }

    /// Whether something came to its partitions that the consumer does not hear. It need not while they
    /// are paused.
    fn is_deaf(&mut self) -> bool {
        let Some(pulse) = &mut self.pulse else {
            return false;
        };
        if self.desk.paused {
            pulse.pause();
        }
        pulse.is_deaf(self.desk.ledger.partitions())
    }

    /// Takes another consumer. The partitions of this one are gone already, or will be when its session
    /// ends: their tasks are read again.
    fn rejoin(&mut self) {
        self.access.start_over();
        warn!("the Kafka client does not find its way back: a new one takes its place");
        self.rejoined_at = Some(Instant::now());
        match self.consumer.again(&self.config, &self.desk.links.broker) {
            Ok(consumer) => {
                self.desk.lose_all();
                self.pulse.iter_mut().for_each(Pulse::start_over);
                let lost = std::mem::replace(&mut self.consumer, consumer);
                let closing = thread::Builder::new().name("closing".to_owned());
                // Without another thread it is closed here.
                self.closing.extend(closing.spawn(move || drop(lost)));
            }
            Err(error) => warn!("cannot make a new Kafka client: {error:#}"),
        }
    }

    /// Reads what is there; also whether that was all.
    fn drain(&mut self) -> (Drained, bool) {
        let mut drained = Drained::default();
        let mut is_idle = false;
        for _ in 0..MOST_DRAINED {
            // Twice, as the answer to a commit looks like nothing, and tasks may lie behind it.
            is_idle = !self.poll(&mut drained) && !self.poll(&mut drained);
            if is_idle || drained.bytes >= MOST_DRAINED_BYTES {
                break;
            }
        }
        (drained, is_idle)
    }

    /// Serves Kafka once; whether there was anything.
    fn poll(&mut self, drained: &mut Drained) -> bool {
        let polled = self.consumer.poll();
        let rebalanced = !polled.rebalances.is_empty();
        if let Some(lack) = polled.lack {
            self.access.refused(lack.to_string(), Instant::now());
        }
        for change in polled.rebalances {
            self.desk.reassign(&self.consumer, &change);
            if matches!(&change, Assignment::Given(partitions) if !partitions.is_empty()) {
                self.access.given(Instant::now());
            }
            if let Some(pulse) = &mut self.pulse {
                pulse.reassign(change.partitions());
            }
        }
        match polled.message {
            Some(message) => {
                self.access.read();
                if let Some(pulse) = &mut self.pulse {
                    pulse.heard(message.partition(), message.offset());
                }
                self.desk.sort(self.consumer.topic(), &message, drained);
                true
            }
            None => rebalanced,
        }
    }

    /// Commits what is durable and contiguous; also nothing, which wakes librdkafka's thread for the group:
    /// a wall clock that was set back has it wait for long, and the group would take us for dead.
    fn commit(&mut self) {
        self.desk.committed_at = Instant::now();
        self.consumer.commit(&self.desk.ledger.commits());
    }

    /// Pauses when there is no room for more, and resumes at half.
    fn pause_or_resume(&mut self) {
        let Desk {
            ledger,
            paused,
            links,
            ..
        } = &mut self.desk;
        let (tasks, bytes) = links.hold.size();
        links
            .metrics
            .hold_size
            .set(i64::try_from(tasks).unwrap_or(i64::MAX));
        links
            .metrics
            .hold_bytes
            .set(i64::try_from(bytes).unwrap_or(i64::MAX));
        let unrecorded = links.results.is_full();
        let pause = if *paused {
            unrecorded || bytes > hold::MOST_BYTES / 2
        } else {
            unrecorded || bytes >= hold::MOST_BYTES
        };
        if pause != *paused {
            *paused = pause;
            let what = if pause { "paused" } else { "resumed" };
            self.changes.say(|left_out| {
                info!(hold.bytes = bytes, left_out, "{what} reading tasks");
            });
            self.consumer.set_paused(ledger.partitions(), pause);
        }
    }

    /// Leaves the group, so that others take the partitions at once. Closing alone does not leave
    /// when the protocol is cooperative: the revocation has to be served first.
    fn leave(mut self) {
        self.desk.close_durable();
        self.commit();
        self.consumer.leave();
        let mut deadline = Instant::now() + LEAVE_LIMIT;
        let mut ignored = Drained::default();
        while Instant::now() < deadline {
            self.consumer.wait(Duration::from_millis(10));
            self.poll(&mut ignored);
            if self.desk.ledger.is_empty() {
                deadline = deadline.min(Instant::now() + LEAVE_AFTER_REVOCATION);
            }
        }
        // The other stages wait for what the desk has; for clients that cannot be closed nobody does.
        let Self {
            desk,
            mut closing,
            pulse,
            ..
        } = self;
        drop(desk);
        closing.extend(pulse.map(Pulse::end));
        let end = Instant::now() + CLOSE_LIMIT;
        while !closing.iter().all(JoinHandle::is_finished) && Instant::now() < end {
            thread::park_timeout(Duration::from_millis(10));
        }
    }
}

//! A worker: runs one turn at a time, and is made ready for another after a failure.
//!
//! The connection and the producer are the worker's own, so that a turn that fails can drop the one and
//! replace the other without touching its neighbour.

use std::time::{Duration, Instant};

use color_eyre::eyre::{Report, Result, eyre};
use store::Link;
use store::schedule_shard::SetBack;
use stream::{config::KafkaConfig, publisher::PublishError};
use tokio::time::{timeout, timeout_at};
use tracing::{debug, warn};

use crate::{
    ahead,
    claim::Wanted,
    config::Config,
    connections::TURN,
    pace::Take,
    publish::{self, Sender},
    shard_progress::ShardProgress,
    turn::{Done, Sent, Turn},
    wall_clock::WallClock,
};

/// The time for a turn, from its claim to its commit.
pub(crate) const TURN_LIMIT: Duration = Duration::from_secs(10);
/// The time for making a worker ready after a failed turn.
const RECOVERY_LIMIT: Duration = Duration::from_secs(5);

/// What a turn works with.
pub(crate) struct Worker {
    /// A connection of its own.
    database: Link,
    /// A producer of its own.
    pub(crate) sender: Sender,
    /// Tells when the producer may wait for too long.
    wall_clock: WallClock,
}

/// A turn that has ended.
pub(crate) struct Ended {
    /// What it worked with.
    pub(crate) worker: Worker,
    /// The shards it held.
    pub(crate) shards: Vec<i16>,
    /// When it started.
    pub(crate) started: Instant,
    /// What it has done.
    pub(crate) done: Result<Done>,
}

impl Worker {
    /// A worker whose producer connects in the background.
    pub(crate) fn new(config: &Config, settings: publish::Settings) -> Result<Self> {
        Ok(Self {
            database: Link::new(config.database.clone(), TURN),
            sender: Sender::new(settings)?,
            wall_clock: WallClock::new(),
        })
    }

    /// Claims shards, on a new connection if the last one was dropped; with another producer than before the
    /// wall clock was set back, or requests became smaller.
    pub(crate) async fn claim(
        &mut self,
        config: &Config,
        take: &Take,
    ) -> Result<(ShardProgress, Option<Turn>)> {
        if self.wall_clock.was_set_back() || self.sender.publisher.is_outdated() {
            self.renew_producer();
        }
        let wanted = Wanted {
            candidates: take.candidates().to_vec(),
            most: take.most(),
            horizon: config.settings.horizon,
            turn: config.settings.turn,
        };
        Turn::claim(self.database.get().await?, &wanted).await
    }

    /// Sets back the shards that lie too far ahead.
    pub(crate) async fn set_back(&mut self, horizon: Duration) -> Result<Vec<SetBack>> {
        ahead::set_back(self.database.get().await?, horizon).await
    }

    /// The part of a turn that overlaps with the next: waiting for Kafka, then the commit.
    pub(crate) async fn finish(
        self,
        sent: Sent,
        deadline: tokio::time::Instant,
        kafka: KafkaConfig,
    ) -> Ended {
        let (shards, started) = (sent.shards(), sent.started());
        let done = timeout_at(deadline, sent.finish()).await;
        let done = done.unwrap_or_else(|_| Err(overdue("waiting for Kafka")));
        let failed = done.is_err();
        let ended = Ended {
            worker: self,
            shards,
            started,
            done,
        };
        if failed {
            ended.recover(kafka).await
        } else {
            ended
        }
    }

    /// Takes another producer.
    fn renew_producer(&mut self) {
        if let Err(error) = self.sender.publisher.renew() {
            warn!("cannot make a new Kafka client, keeping the one there is: {error:#}");
        }
    }

    /// Drops the connection, without waiting for a database that may not answer.
    pub(crate) fn drop_connection(&mut self) {
        self.database.cut();
    }
}

impl Ended {
    /// Makes the worker ready after a failed turn, and makes the topic if that was missing. What the topic takes is
    /// asked again before there is another producer, which goes by it.
    pub(crate) async fn recover(mut self, config: KafkaConfig) -> Self {
        self.worker.drop_connection();
        let publisher = &self.worker.sender.publisher;
        publisher.purge();
        if self.was_oversized() {
            publisher.shrink();
        }
        match timeout(RECOVERY_LIMIT, stream::prepare_topic(&config)).await {
            Ok(Ok((_, limits))) => publisher.request_size().learn(limits.message_bytes),
            Ok(Err(error)) => debug!("cannot look for the topic: {error:#}"),
            Err(_) => {}
        }
        self.worker.renew_producer();
        self
    }

    /// Whether it failed as Kafka refused a request for its size.
    fn was_oversized(&self) -> bool {
        let error = self.done.as_ref().err();
        error
            .and_then(Report::downcast_ref)
            .is_some_and(PublishError::is_oversized)
    }
}

/// The error of a turn that ran out of time.
pub(crate) fn overdue(what: &str) -> Report {
    eyre!("no end of {what} within {TURN_LIMIT:?}")
}

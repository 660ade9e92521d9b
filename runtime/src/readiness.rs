//! Readiness as it is now: the database and the broker are asked again and again.
//!
//! What was true at the start says little an hour later. So a database that can be reached, at the schema
//! of this build, and a broker that answers are looked for every few seconds, on connections that are
//! used for nothing else, and whose own trouble holds up no work.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use crate::config::KafkaConfig;
use crate::database::{DatabaseError, Link, Pool, check_schema};
use crate::installation::{Identity, IdentityError};
use crate::kafka::{Quiet, client_config};
use crate::quota::Quota;
use crate::service::{Ground, KAFKA};
use crate::telemetry::{Condition, Readiness};

/// How often to look.
const EVERY: Duration = Duration::from_secs(5);
/// How long a look may take; then the answer is no.
const LIMIT: Duration = Duration::from_secs(2);
/// The connection that is only looked at.
const POOL: Pool = Pool {
    name: "webmon-readiness",
    connections: 1,
    settings: &[],
};

/// A client of Kafka that is a member of no group.
type Client = BaseConsumer<Quiet>;

/// What is looked at.
pub(crate) struct Watch {
    /// All conditions of this process, for the log.
    readiness: Readiness,
    /// Whether the database answers, has the schema, and whether Kafka answers.
    conditions: Conditions,
    /// The database.
    database: Link,
    /// Whose database it was at the start.
    identity: Identity,
    /// Where Kafka is.
    kafka: KafkaConfig,
    /// A client of Kafka; none before the first look.
    client: Option<Client>,
    /// What was missing when it was last said.
    missing: Vec<&'static str>,
    /// How much may be said.
    quota: Quota,
}

/// The conditions of every service.
#[derive(Clone, Debug)]
pub(crate) struct Conditions {
    /// The database answers.
    pub(crate) database: Condition,
    /// It is at the schema of this build.
    pub(crate) schema: Condition,
    /// A broker answers.
    pub(crate) kafka: Condition,
}

impl Conditions {
    /// These conditions of a process.
    pub(crate) fn of(readiness: &Readiness) -> Self {
        let [database, schema, kafka] =
            ["database", "schema", KAFKA].map(|name| readiness.condition(name));
        Self {
            database,
            schema,
            kafka,
        }
    }
}

impl Watch {
    /// A watch that has not looked yet.
    pub(crate) fn new(readiness: &Readiness, ground: Ground<'_>) -> Self {
        let Ground {
            database,
            kafka,
            identity,
        } = ground;
        Self {
            conditions: Conditions::of(readiness),
            readiness: readiness.clone(),
            database: Link::new(database.clone(), POOL),
            identity: identity.clone(),
            kafka: kafka.clone(),
            client: None,
            missing: Vec::new(),
            quota: Quota::new(),
        }
    }

    /// Looks until `stop`; each change is said once. Ends early when the database has another identity: messages
    /// of this process would be taken for another installation's.
    pub(crate) async fn keep(mut self, stop: CancellationToken) -> Result<(), IdentityError> {
        // All of it was there a moment ago.
        let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let looking = async {
            loop {
                ticks.tick().await;
                self.look().await;
                self.tell();
                self.refuse_change().await?;
            }
        };
        stop.run_until_cancelled(looking).await.unwrap_or(Ok(()))
    }

    /// Refuses another identity; a database that does not tell is no reason to end.
    async fn refuse_change(&mut self) -> Result<(), IdentityError> {
        if !self.conditions.database.holds() {
            return Ok(());
        }
        let Ok(open) = self.database.get().await else {
            return Ok(());
        };
        match timeout(LIMIT, self.identity.refuse_change(open)).await {
            Ok(Err(changed @ IdentityError::Changed { .. })) => Err(changed),
            _ => Ok(()),
        }
    }

    /// Looks once, at both at a time.
    async fn look(&mut self) {
        // The configuration was good enough for the clients that do the work.
        let new = || {
            let config = client_config(&self.kafka, "webmon-readiness");
            config.create_with_context(Quiet).ok()
        };
        let client = self.client.take().or_else(new);
        let topic = self.kafka.topic.clone();
        let ((), client) = tokio::join!(self.look_at_database(), answers(client, topic));
        self.conditions.kafka.set(client.is_some());
        self.client = client;
    }

    /// Asks the database for its schema.
    async fn look_at_database(&mut self) {
        let Conditions {
            database, schema, ..
        } = &self.conditions;
        let link = &mut self.database;
        // Connecting has a limit of its own.
        let asked = match link.get().await {
            Ok(open) => timeout(LIMIT, check_schema(open)).await,
            Err(error) => Ok(Err(error)),
        };
        match asked {
            Ok(Ok(())) => {
                database.set(true);
                schema.set(true);
            }
            Ok(Err(DatabaseError::SchemaBehind { .. } | DatabaseError::SchemaAhead { .. })) => {
                database.set(true);
                schema.set(false);
            }
            Ok(Err(_)) | Err(_) => {
                database.set(false);
                self.database.cut();
            }
        }
    }

    /// Says what is missing, if that has changed.
    fn tell(&mut self) {
        let missing = self.readiness.missing();
        if missing == self.missing {
            return;
        }
        let said = self.quota.say(|left_out| {
            if missing.is_empty() {
                tracing::info!(left_out, "ready");
            } else {
                tracing::warn!(left_out, "not ready: {}", missing.join(", "));
            }
        });
        if said {
            self.missing = missing;
        }
    }
}

/// Asks about the topic, which makes no broker create it; gives the client back if a broker answers. One to
/// which none does is not asked again: it may have [lost them all](crate::kafka::Stranded).
async fn answers(client: Option<Client>, topic: String) -> Option<Client> {
    let client = client?;
    // librdkafka's own deadline ends the thread.
    let asking = spawn_blocking(move || {
        // What it has to say of its own would pile up.
        while client.poll(Duration::ZERO).is_some() {}
        let answer = client.fetch_metadata(Some(&topic), LIMIT);
        let answered = answer.is_ok_and(|metadata| !metadata.brokers().is_empty());
        answered.then_some(client)
    });
    asking.await.ok().flatten()
}

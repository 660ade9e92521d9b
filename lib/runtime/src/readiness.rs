//! Readiness as it is now: the database and the broker are asked again and again.
//!
//! What was true at the start says little an hour later. So a database that can be reached, at the schema
//! of this build, and a broker that answers are looked for every few seconds, on connections that are
//! used for nothing else, and whose own trouble holds up no work.

use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use crate::config::KafkaConfig;
use crate::database::{DatabaseError, Link, Pool, check_schema};
use crate::installation::{Identity, IdentityError};
use crate::kafka::look::{Client, look};
use crate::quota::Quota;
use crate::service::{Ground, KAFKA};
use crate::telemetry::{Condition, Readiness};
use crate::writable::check_writable;

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
    /// What was lacking when it was last said, without its numbers.
    said: String,
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
            identity,
            kafka: kafka.clone(),
            client: None,
            said: String::new(),
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
        let (config, client) = (self.kafka.clone(), self.client.take());
        // librdkafka's own deadlines end the thread.
        let asking = spawn_blocking(move || look(client, &config, LIMIT));
        let ((), looked) = tokio::join!(self.look_at_database(), asking);
        let lack = match looked {
            Ok(Ok(client)) => {
                self.client = Some(client);
                None
            }
            Ok(Err(lack)) => Some(lack),
            Err(error) => Some(error.to_string()),
        };
        self.conditions.kafka.tell(lack);
    }

    /// Asks the database for its schema, and whether it takes changes.
    async fn look_at_database(&mut self) {
        let Conditions {
            database, schema, ..
        } = &self.conditions;
        let link = &mut self.database;
        // Connecting has a limit of its own.
        let asked = match link.get().await {
            Ok(open) => timeout(LIMIT, async {
                check_schema(open).await?;
                check_writable(open).await
            })
            .await
            .unwrap_or(Err(DatabaseError::TimedOut {
                operation: "look at the database",
                limit: LIMIT,
            })),
            Err(error) => Err(error),
        };
        match asked {
            Ok(()) => {
                database.set(true);
                schema.set(true);
            }
            Err(
                error @ (DatabaseError::SchemaBehind { .. } | DatabaseError::SchemaAhead { .. }),
            ) => {
                database.set(true);
                schema.lacks(error.to_string());
            }
            Err(error @ DatabaseError::ReadOnly { .. }) => {
                database.lacks(error.to_string());
                schema.set(true);
            }
            Err(error) => {
                database.lacks(error.to_string());
                self.database.cut();
            }
        }
    }

    /// Says what is lacking, if that has changed.
    fn tell(&mut self) {
        let lacking = self.readiness.lacking().join(", ");
        // Times and counts change from one look to the next.
        let gist = lacking.replace(|char: char| char.is_ascii_digit(), "");
        if gist == self.said {
            return;
        }
        let said = self.quota.say(|left_out| {
            if lacking.is_empty() {
                tracing::info!(left_out, "ready");
            } else {
                tracing::warn!(left_out, "not ready: {lacking}");
            }
        });
        if said {
            self.said = gist;
        }
    }
}

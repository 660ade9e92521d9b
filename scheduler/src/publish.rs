//! Publish: a task for each due instant goes to Kafka.
//!
//! The [publisher](stream::publisher) does that with any message. What is about tasks is here: their keys, their
//! bytes, and what the row of a site says whose task Kafka does not take for its size.

use std::sync::Arc;

use color_eyre::eyre::Result;
use contract::{
    check::{CheckKey, SiteId},
    installation::Installation,
    instant::UnixMs,
    outcome::Reason,
    result::CheckResult,
    task::Task,
};
use runtime::broker::Broker;
use serde::Deserialize;
use serde_json::value::RawValue;
use stream::{
    config::KafkaConfig,
    publisher::{self, Publisher, Refused, RequestSize, SendError},
};

/// The tasks of one turn.
pub(crate) type Batch = publisher::Batch<TaskKey>;

/// A task as the scheduler writes it: everything borrowed from the row.
pub(crate) type NewTask<'a> = Task<&'a str, &'a RawValue>;

/// Which task a message is.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct TaskKey {
    /// `site.id`.
    site_id: SiteId,
    /// The due instant.
    scheduled_at: UnixMs,
}

/// What all senders of a scheduler have in common.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Whose tasks these are.
    installation: Installation,
    /// Where they go.
    publisher: publisher::Settings<TaskKey>,
}

/// Sends the tasks of one turn at a time.
#[derive(Debug)]
pub(crate) struct Sender {
    /// Whose tasks these are.
    pub(crate) installation: Installation,
    /// Where they go.
    pub(crate) publisher: Publisher<TaskKey>,
}

impl Settings {
    /// Tasks of an installation.
    pub(crate) fn new(kafka: &KafkaConfig, installation: Installation, broker: Broker) -> Self {
        Self {
            installation,
            publisher: publisher::Settings {
                kafka: kafka.clone(),
                broker,
                client_id: "webmon-scheduler",
                message: "task",
                request_size: RequestSize::new(),
                label: |payload| serde_json::from_slice(payload).ok(),
            },
        }
    }

    /// How much a request may carry.
    pub(crate) const fn request_size(&self) -> &RequestSize {
        &self.publisher.request_size
    }
}

impl Sender {
    /// A sender that connects in the background.
    pub(crate) fn new(settings: Settings) -> Result<Self> {
        let Settings {
            installation,
            publisher,
        } = settings;
        Ok(Self {
            installation,
            publisher: Publisher::new(publisher)?,
        })
    }

    /// Ends the producer.
    pub(crate) async fn close(self) {
        self.publisher.close().await;
    }

    /// Hands a task of a turn to Kafka's client.
    pub(crate) async fn send(
        &self,
        batch: &Arc<Batch>,
        task: &NewTask<'_>,
        buffer: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        buffer.clear();
        task.encode(buffer)
            .map_err(|error| SendError::Message(format!("cannot be encoded: {error}")))?;
        let key = task.site_id.to_string();
        self.publisher.send(batch, &key, buffer).await
    }
}

/// The result of a task that Kafka does not take for its size.
pub(crate) fn too_large(refused: Refused<TaskKey>, size: &RequestSize, topic: &str) -> CheckResult {
    let Refused {
        label: TaskKey {
            site_id,
            scheduled_at,
        },
        bytes,
    } = refused;
    let result = CheckResult::unmeasured(CheckKey::new(site_id, scheduled_at), Reason::InvalidSite);
    result.with_detail(refusal(bytes, size, topic))
}

/// Why a task of so many bytes is not sent, and what would help.
fn refusal(bytes: usize, size: &RequestSize, topic: &str) -> String {
    let limit = size.limit().map_or_else(
        || "its max.message.bytes".to_owned(),
        |limit| format!("its max.message.bytes is {limit}"),
    );
    format!(
        "{bytes} bytes are more than topic {topic} takes ({limit}): \
         make the request smaller, or raise max.message.bytes of the topic"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_limit_and_what_would_help() {
        let size = RequestSize::new();
        size.learn(Some(8_192));
        assert_eq!(
            refusal(20_000, &size, "tasks"),
            "20000 bytes are more than topic tasks takes (its max.message.bytes is 8192): \
             make the request smaller, or raise max.message.bytes of the topic"
        );
        assert!(
            refusal(20_000, &RequestSize::new(), "tasks")
                .contains("takes (its max.message.bytes): ")
        );
    }
}

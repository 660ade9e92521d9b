//! Limits: what a topic that is there takes, and whether that is enough for webmon.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::client::ClientContext;

/// How long a broker may take to tell the configuration of a topic.
const TIMEOUT: Duration = Duration::from_secs(2);
/// What the largest task needs that `site` allows: a request and expectations of 64 KiB each, an address of 2 KiB, a
/// name, and as much again for what JSON and Kafka add.
const LARGEST_TASK: usize = 160 * 1_024;
/// A topic that forgets tasks sooner loses them while checkers restart.
const LEAST_RETENTION_MS: i64 = 5 * 60 * 1_000;

/// What a topic takes, as far as its broker has told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopicLimits {
    /// `max.message.bytes`: of a whole batch, after compression.
    pub message_bytes: Option<usize>,
    /// `retention.ms`; none is for ever.
    retention_ms: Option<i64>,
    /// Whether `cleanup.policy` has `compact`: of each site only the latest task is kept.
    compacts: bool,
}

impl TopicLimits {
    /// Asks for the limits of a topic. A broker that does not tell (it asks for the right `DescribeConfigs`) is no
    /// fault: then they are not known.
    pub(crate) async fn read<C: ClientContext>(admin: &AdminClient<C>, topic: &str) -> Self {
        let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
        let topics = [ResourceSpecifier::Topic(topic)];
        let asked = admin.describe_configs(&topics, &options);
        match asked.await {
            Ok(told) => told
                .into_iter()
                .find_map(|told| {
                    told.inspect_err(|error| {
                        tracing::debug!(kafka.topic = topic, "limits not told: {error}");
                    })
                    .ok()
                })
                .map_or_else(Self::default, |told| Self::of(&told)),
            Err(error) => {
                tracing::debug!(kafka.topic = topic, "limits not told: {error}");
                Self::default()
            }
        }
    }

    /// The limits in a topic's configuration.
    fn of(told: &ConfigResource) -> Self {
        let value = |name| told.get(name).and_then(|entry| entry.value.as_deref());
        let retention_ms = value("retention.ms").and_then(|value| value.parse().ok());
        Self {
            message_bytes: value("max.message.bytes").and_then(|value| value.parse().ok()),
            retention_ms: retention_ms.filter(|millis| *millis >= 0),
            compacts: value("cleanup.policy").is_some_and(|value| value.contains("compact")),
        }
    }

    /// What of the topic is less than webmon may need, each with the remedy.
    pub fn shortcomings(&self) -> Vec<String> {
        let Self {
            message_bytes,
            retention_ms,
            compacts,
        } = *self;
        let small = message_bytes.filter(|bytes| *bytes < LARGEST_TASK);
        let short = retention_ms.filter(|millis| *millis < LEAST_RETENTION_MS);
        [
            small.map(|bytes| {
                format!(
                    "max.message.bytes is {bytes}, tasks of sites with large requests need up to {LARGEST_TASK}: raise it"
                )
            }),
            short.map(|millis| {
                format!(
                    "retention.ms is {millis}, tasks are lost while checkers restart: raise it to {LEAST_RETENTION_MS} at least"
                )
            }),
            compacts.then(|| {
                "cleanup.policy has compact, which drops tasks of a site that has newer ones: set it to delete".to_owned()
            }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_is_too_small_is_told_with_the_setting() {
        assert!(TopicLimits::default().shortcomings().is_empty(), "unknown");
        let good = TopicLimits {
            message_bytes: Some(1_048_588),
            retention_ms: Some(21_600_000),
            compacts: false,
        };
        assert!(good.shortcomings().is_empty());
        let bad = TopicLimits {
            message_bytes: Some(8_192),
            retention_ms: Some(60_000),
            compacts: true,
        };
        let told = bad.shortcomings();
        let begins = [
            "max.message.bytes is 8192",
            "retention.ms is 60000",
            "cleanup.policy has compact",
        ];
        assert_eq!(told.len(), begins.len());
        for (text, begin) in told.iter().zip(begins) {
            assert!(text.starts_with(begin), "{text}");
        }
    }
}

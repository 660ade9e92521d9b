//! The bare producer: librdkafka as the scheduler has it, but with all the room it may want, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _};
use contract::check::SiteId;
use contract::installation::Installation;
use contract::instant::UnixMs;
use contract::task::{Task, VERSION};
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, ProducerContext, ThreadedProducer};
use serde_json::value::RawValue;
use stream::config::KafkaConfig;
use stream::{client_config, ensure_topic};

use super::Report;
use crate::kernel;

/// How long to wait when the queue is full, or for the last acknowledgements.
const PAUSE: Duration = Duration::from_millis(1);

/// Sends tasks.
#[derive(Args, Clone, Debug)]
pub(crate) struct Producer {
    /// The broker, as host:port
    #[arg(long)]
    brokers: String,
    /// The topic
    #[arg(long)]
    topic: String,
    /// How many tasks
    #[arg(long)]
    tasks: i64,
    /// What the sites' addresses are
    #[arg(long)]
    url: String,
}

/// Counts acknowledgements.
#[derive(Clone, Debug, Default)]
struct Acknowledged(Arc<AtomicU64>, Arc<AtomicU64>);

impl ClientContext for Acknowledged {}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let count = if result.is_ok() { &self.0 } else { &self.1 };
        count.fetch_add(1, Ordering::AcqRel);
    }
}

impl Producer {
    /// Sends them, and waits until the broker has all.
    pub(super) async fn run(self) -> Result<Report> {
        let mut config = KafkaConfig::plain(vec![self.brokers.clone()]);
        config.topic.clone_from(&self.topic);
        ensure_topic(&config).await.wrap_err("make a topic")?;
        let messages = self.messages()?;
        let Acknowledged(done, failed) = Acknowledged::default();
        let context = Acknowledged(Arc::clone(&done), Arc::clone(&failed));
        let producer = producer(&config, context)?;
        let (began, cpu) = (Instant::now(), kernel::own_cpu());
        for (key, payload) in &messages {
            self.send(&producer, key, payload).await?;
        }
        let all = u64::try_from(messages.len()).unwrap_or(u64::MAX);
        while done.load(Ordering::Acquire) + failed.load(Ordering::Acquire) < all {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(Report {
            done: done.load(Ordering::Acquire),
            failed: failed.load(Ordering::Acquire),
            seconds: began.elapsed().as_secs_f64(),
            cpu_seconds: kernel::own_cpu() - cpu,
            peak_kib: kernel::peak_kib(std::process::id())?,
        })
    }

    /// The messages, encoded beforehand.
    fn messages(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let empty: &RawValue = serde_json::from_str("{}").wrap_err("an empty object")?;
        let message = |id: i64| {
            let (mut bytes, name) = (Vec::new(), format!("site-{id}"));
            let task = Task {
                v: VERSION,
                installation: Installation::default(),
                site_id: SiteId(id),
                name: name.as_str(),
                scheduled_at: UnixMs(1_795_449_600_000 + id % 5_000),
                expires_at: UnixMs(1_795_449_605_000 + id % 5_000),
                url: self.url.as_str(),
                timeout_ms: 1_000,
                request: empty,
                expect: empty,
            };
            task.encode(&mut bytes).wrap_err("encode a task")?;
            Ok((id.to_string(), bytes))
        };
        (1..=self.tasks).map(message).collect()
    }

    /// Sends one, waiting while the queue is full.
    async fn send(
        &self,
        producer: &ThreadedProducer<Acknowledged>,
        key: &str,
        payload: &[u8],
    ) -> Result<()> {
        let mut record = BaseRecord::to(&self.topic).key(key).payload(payload);
        loop {
            match producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                    record = again;
                    tokio::time::sleep(PAUSE).await;
                }
                Err((error, _)) => return Err(error).wrap_err("send a task"),
            }
        }
    }
}

/// A producer as the scheduler's (`lib/stream/src/publisher/`), without its bounds of memory.
fn producer(config: &KafkaConfig, context: Acknowledged) -> Result<ThreadedProducer<Acknowledged>> {
    client_config(config, "webmon-bench")
        .set("acks", "all")
        .set("enable.idempotence", "false")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .set("message.timeout.ms", "30000")
        .set("queue.buffering.max.kbytes", "32768")
        .set("queue.buffering.max.messages", "1000000")
        .create_with_context(context)
        .wrap_err("create a producer")
}

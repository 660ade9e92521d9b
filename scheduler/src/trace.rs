//! The spans of a turn: of each task from when Kafka's client took it, till Kafka had acknowledged the
//! turn's tasks. The rest of a check's way is the checker's to tell.

use std::{io, time::Instant};

use contract::{
    check::CheckKey,
    instant::{UnixMs, UnixUs},
    trace::Trace,
};
use runtime::telemetry::{
    Endpoints,
    traces::{Exporter, Kind, Span, Traces},
};

use crate::config::Config;

/// The spans of one turn; more would find no room in the queue behind.
const MOST_SPANS: usize = 8_192;

/// Makes spans of tasks.
#[derive(Clone, Debug)]
pub(crate) struct Tracer {
    /// Where they go.
    traces: Traces,
    /// `kafka.topic`.
    topic: String,
}

/// The tasks of a turn that are traced; without [`acknowledged`](Self::acknowledged) they have failed.
#[derive(Debug)]
pub(crate) struct Published {
    /// What makes spans, if there are any.
    tracer: Option<Tracer>,
    /// When the turn began, by the monotonic clock, and by the database's.
    began: (Instant, UnixMs),
    /// The tasks.
    tasks: Vec<Task>,
}

/// A task that is traced.
#[derive(Debug)]
struct Task {
    /// Its check.
    trace: Trace,
    /// When Kafka's client took it.
    sent_at: UnixUs,
    /// The site and the due instant.
    check: CheckKey,
    /// `site.name`.
    site: String,
}

impl Tracer {
    /// Starts to export, if the configuration says where to.
    pub(crate) fn start(
        config: &Config,
        endpoints: &Endpoints,
    ) -> io::Result<(Option<Self>, Exporter)> {
        let (traces, exporter) =
            Traces::start(config.traces.as_ref(), "webmon-scheduler", endpoints)?;
        let topic = config.kafka.topic.clone();
        Ok((traces.map(|traces| Self { traces, topic }), exporter))
    }
}

impl Published {
    /// No task yet of the turn that began so.
    pub(crate) fn new(tracer: Option<&Tracer>, began: (Instant, UnixMs)) -> Self {
        Self {
            tracer: tracer.cloned(),
            began,
            tasks: Vec::new(),
        }
    }

    /// Kafka's client has taken the task of a check; the site's name is `site`.
    pub(crate) fn sent(&mut self, check: CheckKey, site: &str) {
        let Some(Tracer { traces, .. }) = &self.tracer else {
            return;
        };
        let Some(trace) = traces.of(check) else {
            return;
        };
        if self.tasks.len() == MOST_SPANS {
            return traces.leave_out();
        }
        self.tasks.push(Task {
            trace,
            sent_at: self.now(),
            check,
            site: site.to_owned(),
        });
    }

    /// Kafka has acknowledged all tasks.
    pub(crate) fn acknowledged(mut self) {
        self.end(None);
    }

    /// Now, by the database's clock.
    fn now(&self) -> UnixUs {
        let (began, at) = self.began;
        at.to_us() + began.elapsed()
    }

    /// Exports the spans.
    fn end(&mut self, error: Option<&'static str>) {
        let now = self.now();
        let Some(Tracer { traces, topic }) = &self.tracer else {
            return;
        };
        for task in self.tasks.drain(..) {
            let (trace, times) = (task.trace, (task.sent_at, now));
            let span = Span::below(trace.root, trace, "publish", times)
                .kind(Kind::Producer)
                .with("messaging.system", "kafka")
                .with("messaging.operation.type", "send")
                .with("messaging.destination.name", topic.clone())
                .with("webmon.site.id", task.check.site.0)
                .with("webmon.site.name", task.site);
            traces.add(match error {
                None => span,
                Some(error) => span.failed(error),
            });
        }
    }
}

impl Drop for Published {
    /// The turn has failed; what Kafka has all the same will be sent again.
    fn drop(&mut self) {
        self.end(Some("turn_failed"));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract::{check::SiteId, trace::Share};
    use runtime::config::TracesConfig;
    use testbed::{Collector, eventually};

    use super::*;

    #[tokio::test]
    async fn tasks_of_a_turn_that_failed_are_told_from_those_that_kafka_has() {
        let collector = Collector::start();
        let config = TracesConfig {
            url: collector.endpoint(),
            share: Share::new(1.0).unwrap(),
        };
        let started = Traces::start(Some(&config), "webmon-scheduler", &Endpoints::new());
        let (queue, _exporter) = started.unwrap();
        let tracer = queue.map(|traces| Tracer {
            traces,
            topic: "tasks".to_owned(),
        });
        for (site, acknowledged) in [("one", true), ("two", false)] {
            let mut published = Published::new(tracer.as_ref(), (Instant::now(), UnixMs(1_000)));
            published.sent(CheckKey::new(SiteId(1), UnixMs(3_000)), site);
            if acknowledged {
                published.acknowledged();
            }
        }
        let limit = Duration::from_secs(20);
        let spans = eventually(limit, "two spans arrive", async || {
            Some(collector.spans()).filter(|spans| spans.len() == 2)
        })
        .await;
        assert_eq!(spans[0]["traceId"], spans[1]["traceId"]);
        assert_eq!(spans[0]["status"]["code"].as_u64(), None);
        assert_eq!(spans[1]["status"]["code"].as_u64(), Some(2));
        let start = spans[0]["startTimeUnixNano"].as_str().unwrap();
        let start: u64 = start.parse().unwrap();
        assert!((1_000_000_000..20_000_000_000).contains(&start), "{start}");
    }
}

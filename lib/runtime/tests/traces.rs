//! What `runtime::telemetry::traces` promises: a collector on a real socket gets the spans, and one that
//! does not take them holds up no work.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use contract::check::CheckKey;
use contract::check::SiteId;
use contract::instant::UnixMs;
use contract::instant::UnixUs;
use contract::trace::{Share, Trace};
use runtime::config::TracesConfig;
use runtime::telemetry::Endpoints;
use runtime::telemetry::traces::{Exporter, Kind, Span, Traces};
use testbed::{Collector, eventually};

/// The check of a site at an instant.
fn check(site: i64, at: i64) -> CheckKey {
    CheckKey::new(SiteId(site), UnixMs(at))
}

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A service that exports its spans.
struct Service {
    /// Where they go.
    traces: Traces,
    /// The thread that exports.
    exporter: Exporter,
    /// What is counted.
    endpoints: Arc<Endpoints>,
}

impl Service {
    /// One that exports to this collector.
    fn start(endpoint: &str) -> Self {
        let config = TracesConfig {
            url: format!("{endpoint}/v1/traces"),
            share: Share::new(1.0).unwrap(),
        };
        let endpoints = Endpoints::new();
        let started = Traces::start(Some(&config), "webmon-test", &endpoints);
        let (traces, exporter) = started.unwrap();
        Self {
            traces: traces.unwrap(),
            exporter,
            endpoints,
        }
    }

    /// Adds so many spans.
    fn add(&self, count: i64) {
        for site in 0..count {
            let trace = self.traces.of(check(site, 1)).unwrap();
            self.traces
                .add(Span::root(trace, "check", (UnixUs(1), UnixUs(2))));
        }
    }

    /// Waits until so many spans were exported and dropped.
    async fn counts(&self, exported: i64, dropped: i64) {
        let what = format!("{exported} spans are exported, {dropped} dropped");
        eventually(PATIENCE, &what, async || {
            let page = self.endpoints.metrics().unwrap();
            let counted = |line: String| page.lines().any(|one| one == line);
            let both = counted(format!("webmon_spans_exported_total {exported}"))
                && counted(format!("webmon_spans_dropped_total {dropped}"));
            both.then_some(())
        })
        .await;
    }

    /// Stops it; returns how long that took.
    async fn stop(self) -> Duration {
        let asked = Instant::now();
        drop(self.traces);
        self.exporter.after(async {}).await;
        asked.elapsed()
    }
}

/// All that is logged in this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines that name an address.
fn logged(endpoint: &str) -> Vec<String> {
    let text = String::from_utf8(log().0.lock().unwrap().clone()).unwrap();
    let lines = text.lines().filter(|line| line.contains(endpoint));
    lines.map(str::to_owned).collect()
}

/// The log, from the first call on.
fn log() -> &'static Log {
    static LOG: LazyLock<Log> = LazyLock::new(|| {
        let log = Log::default();
        let pages = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || pages.clone());
        subscriber.with_ansi(false).init();
        log
    });
    &LOG
}

#[tokio::test]
async fn what_is_added_arrives_and_the_last_of_it_before_the_end() {
    let collector = Collector::start();
    let service = Service::start(&collector.endpoint());
    let trace = Trace::of(check(7, 1_795_449_600_123));
    let root = Span::root(trace, "check", (UnixUs(10), UnixUs(30))).with("webmon.site.id", 7);
    let probe = Span::below(root.id, trace, "probe", (UnixUs(10), UnixUs(20))).kind(Kind::Client);
    service.traces.add(root);
    service.traces.add(probe.failed("refused"));
    let endpoints = Arc::clone(&service.endpoints);
    assert!(service.stop().await < Duration::from_secs(1));

    let requests = collector.requests();
    let [(head, _)] = requests.as_slice() else {
        panic!("{} requests", requests.len());
    };
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(
        head.contains("\r\ncontent-type: application/json\r\n"),
        "{head}"
    );
    let spans = collector.spans();
    let id = format!("{:032x}", trace.id);
    assert!(spans.iter().all(|span| span["traceId"] == id.as_str()));
    assert!(spans.iter().all(|span| span["service"] == "webmon-test"));
    let names: Vec<_> = spans.iter().map(|span| &span["name"]).collect();
    assert_eq!(names, ["check", "probe"]);
    assert_eq!(spans[1]["parentSpanId"], spans[0]["spanId"]);
    assert_eq!(spans[1]["status"]["message"], "refused");
    let page = endpoints.metrics().unwrap();
    assert!(page.contains("webmon_spans_exported_total 2\n"), "{page}");
}

#[tokio::test]
async fn without_a_configuration_there_is_no_thread_and_with_a_share_of_none_no_trace() {
    let endpoints = Endpoints::new();
    let start = |config| Traces::start(config, "webmon-test", &endpoints).unwrap();
    assert!(start(None).0.is_none());
    let config = TracesConfig {
        url: Collector::start().endpoint(),
        share: Share::new(0.0).unwrap(),
    };
    let (traces, _exporter) = start(Some(&config));
    assert_eq!(traces.unwrap().of(check(1, 2)), None);
}

#[tokio::test]
async fn a_collector_that_fails_costs_its_spans_and_a_line_at_each_change() {
    let collector = Collector::start();
    let endpoint = collector.endpoint();
    log();
    collector.answer(500);
    let service = Service::start(&endpoint);
    for sent in 1..=3 {
        service.add(1);
        service.counts(0, sent).await;
    }
    let lines = logged(&endpoint);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("HTTP 500"), "{lines:#?}");
    collector.answer(200);
    service.add(2);
    service.counts(2, 3).await;
    let lines = logged(&endpoint);
    assert!(
        lines.len() == 2 && lines[1].contains("answers again"),
        "{lines:#?}"
    );
    service.stop().await;
}

#[tokio::test]
async fn a_collector_that_is_away_costs_its_spans_and_one_line() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    log();
    let service = Service::start(&endpoint);
    service.add(3_000);
    service.counts(0, 3_000).await;
    let lines = logged(&endpoint);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    service.stop().await;
}

#[tokio::test]
async fn a_collector_that_does_not_answer_holds_up_nobody() {
    let collector = Collector::start();
    collector.answer(0);
    let service = Service::start(&collector.endpoint());
    service.add(1_000);
    eventually(PATIENCE, "the collector is asked", async || {
        (!collector.requests().is_empty()).then_some(())
    })
    .await;
    // It has five seconds; the queue is full long before that.
    let began = Instant::now();
    service.add(20_000);
    let page = service.endpoints.metrics().unwrap();
    assert!(began.elapsed() < Duration::from_secs(4));
    let dropped = page
        .lines()
        .find_map(|line| line.strip_prefix("webmon_spans_dropped_total "));
    assert!(dropped.unwrap().parse::<u64>().unwrap() > 10_000, "{page}");
    let took = service.stop().await;
    assert!(took < Duration::from_millis(2_500), "{took:?}");
}

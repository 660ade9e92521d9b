//! Traces: scheduler and checker tell a collector of one check in one trace, and tell nothing unless asked.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use sea_orm::JsonValue;
use testbed::{Cluster, Collector, ConfigFile, Crowd, eventually, metric};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// A site that answers, and one that fails.
const SITES: &[Crowd] = &[
    Crowd::new("up", "/ok", 500, 1),
    Crowd::new("down", "/fail", 500, 1),
];

/// How many checks are recorded.
const ROWS: &str = "SELECT count(*) FROM check_result";

#[tokio::test(flavor = "multi_thread")]
async fn the_way_of_a_check_is_one_trace_of_all_services_that_are_asked_for_it() {
    let (cluster, collector) = (Cluster::start("traces").await, Collector::start());
    cluster.add(SITES).await;
    let scheduler = traced(
        cluster.settings.scheduler(cluster.folder(), "scheduler"),
        &collector,
    );
    let _scheduler = scheduler.start("scheduler", "scheduler");
    let untraced = cluster.settings.checker(cluster.folder(), "untraced");
    let mut checker = untraced.start("untraced", "checker");
    let recorded = async || metric(untraced.listen, "webmon_results_recorded_total").await;
    eventually(PATIENCE, "checks are made without traces", async || {
        let published = of(&collector, "webmon-scheduler").len() > 4;
        (published && recorded().await > 4.0).then_some(())
    })
    .await;
    assert!(of(&collector, "webmon-checker").is_empty());

    let traced_checker = traced(
        cluster.settings.checker(cluster.folder(), "checker"),
        &collector,
    );
    let mut process = traced_checker.start("checker", "checker");
    checker.terminate();
    assert_eq!(checker.wait(PATIENCE).await, 0);
    let before = cluster.number(ROWS).await;
    for outcome in ["up", "down"] {
        let what = format!("the trace of a check that ends as {outcome}");
        let spans = eventually(PATIENCE, &what, async || whole(&collector, outcome)).await;
        assert_one_way(&spans, outcome);
    }
    assert!(metric(traced_checker.listen, "webmon_spans_exported_total").await > 0.0);
    process.terminate();
    assert_eq!(process.wait(PATIENCE).await, 0);
    let traced: BTreeSet<_> = of(&collector, "webmon-checker")
        .iter()
        .filter(|span| span["name"] == "check")
        .map(|span| span["traceId"].to_string())
        .collect();
    let rows = cluster.number(ROWS).await - before;
    assert!(
        traced.len() >= usize::try_from(rows).unwrap(),
        "the last checks are missing"
    );
}

/// The same file, and a section that has every check traced.
fn traced(file: ConfigFile, collector: &Collector) -> ConfigFile {
    let mut text = OpenOptions::new().append(true).open(&file.path).unwrap();
    let endpoint = collector.endpoint();
    writeln!(text, "traces: {{endpoint: \"{endpoint}\", ratio: 1}}").unwrap();
    file
}

/// The spans of a service.
fn of(collector: &Collector, service: &str) -> Vec<JsonValue> {
    let spans = collector.spans().into_iter();
    spans.filter(|span| span["service"] == service).collect()
}

/// The spans, by name, of a check with this outcome that both services have told of.
fn whole(collector: &Collector, outcome: &str) -> Option<BTreeMap<String, JsonValue>> {
    let spans = collector.spans();
    let published = spans.iter().filter(|span| span["name"] == "publish");
    let traces = published.map(|publish| {
        let trace = spans
            .iter()
            .filter(|span| span["traceId"] == publish["traceId"]);
        trace.map(|span| (span["name"].as_str().unwrap().to_owned(), span.clone()))
    });
    let mut traces = traces.map(BTreeMap::from_iter);
    traces.find(|trace| {
        let check = trace.get("check");
        check.is_some_and(|check| said(check, "webmon.check.outcome") == outcome)
    })
}

/// What an attribute of a span says; null if it is not there.
fn said<'a>(span: &'a JsonValue, key: &str) -> &'a JsonValue {
    let attributes = span["attributes"].as_array().unwrap().iter();
    let mut found = attributes.filter(|attribute| attribute["key"] == key);
    let value = found.next().map(|attribute| &attribute["value"]);
    let value = value.and_then(|value| value.as_object().unwrap().values().next());
    value.unwrap_or(&JsonValue::Null)
}

/// Fails unless these are the spans of one check, each where it belongs.
fn assert_one_way(spans: &BTreeMap<String, JsonValue>, outcome: &str) {
    let names: Vec<_> = spans.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "check", "connect", "dns", "hold", "probe", "publish", "receive", "record", "wait"
        ]
    );
    let time =
        |name: &str, field: &str| -> u64 { spans[name][field].as_str().unwrap().parse().unwrap() };
    for (name, span) in spans {
        let (parent, service) = match name.as_str() {
            "check" => (None, "webmon-checker"),
            "publish" => (Some("check"), "webmon-scheduler"),
            "hold" | "probe" | "record" => (Some("check"), "webmon-checker"),
            _ => (Some("probe"), "webmon-checker"),
        };
        let parent = parent.map_or(&JsonValue::Null, |parent| &spans[parent]["spanId"]);
        assert_eq!(
            (&span["parentSpanId"], &span["service"]),
            (parent, &service.into()),
            "{name}"
        );
        let took = time(name, "startTimeUnixNano")..=time(name, "endTimeUnixNano");
        assert!(
            !took.is_empty() && *took.end() - *took.start() < 20_000_000_000,
            "{span}"
        );
    }
    let instant = |name: &str| time(name, "startTimeUnixNano");
    assert!(instant("hold") <= instant("probe") && instant("check") <= instant("probe"));
    assert!(instant("publish") < instant("record") && instant("probe") < instant("record"));
    assert_eq!(
        time("check", "endTimeUnixNano"),
        time("record", "endTimeUnixNano")
    );
    let site = said(&spans["check"], "webmon.site.id");
    assert_eq!(site, said(&spans["publish"], "webmon.site.id"));
    assert_eq!(
        said(&spans["publish"], "webmon.site.name"),
        &format!("{outcome}-1")
    );
    assert_eq!(said(&spans["publish"], "messaging.system"), "kafka");
    let failed = outcome == "down";
    let (status, code) = if failed { ("500", 2) } else { ("200", 0) };
    let probe = &spans["probe"];
    assert_eq!(said(probe, "http.response.status_code"), status);
    assert_eq!(said(probe, "network.peer.address"), "127.0.0.1");
    assert_eq!(probe["status"]["code"].as_u64().unwrap_or(0), code);
    assert_eq!(said(probe, "error.type") == "status", failed);
}

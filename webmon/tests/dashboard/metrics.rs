//! Each metric that is asked for is counted, and each that is counted is on the dashboard.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contract::outcome::Outcome;
use sea_orm::JsonValue;
use testbed::{Cluster, Crowd, eventually, get};

use crate::{dashboard, panels, targets, text, yaml};

/// How long the first results may take, from the start of the services.
const FIRST_RESULTS: Duration = Duration::from_secs(30);
/// What the services watch.
const SITES: &[Crowd] = &[
    Crowd {
        name: "up",
        path: "/ok",
        interval_ms: 500,
        count: 5,
    },
    Crowd {
        name: "down",
        path: "/fail",
        interval_ms: 500,
        count: 5,
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_is_counted_and_what_is_counted_is_on_the_dashboard() {
    let cluster = Cluster::start("dashboard").await;
    cluster.add(SITES).await;
    let files = [
        cluster.settings.scheduler(cluster.folder(), "scheduler"),
        cluster.settings.checker(cluster.folder(), "checker"),
    ];
    let _services = [
        files[0].start("scheduler", "scheduler"),
        files[1].start("checker", "checker"),
    ];
    let counted = eventually(FIRST_RESULTS, "sites are up and down", async || {
        let mut pages = String::new();
        for file in &files {
            pages += &get(file.listen, "/metrics").await?;
        }
        let both = pages.contains("outcome=\"up\"") && pages.contains("outcome=\"down\"");
        both.then(|| Counted::read(&pages))
    })
    .await;

    let dashboard = dashboard();
    let targets = panels(&dashboard).flat_map(targets);
    let queries: Vec<_> = targets
        .filter(|target| target["expr"].is_string())
        .collect();
    let alerts = yaml("alerts.yaml");
    let rules = alerts["groups"].as_array().unwrap().iter();
    let rules: Vec<_> = rules
        .flat_map(|group| group["rules"].as_array().unwrap())
        .collect();
    for query in queries.iter().chain(&rules) {
        counted.assert_answers(query);
    }
    let asked: BTreeSet<_> = queries
        .iter()
        .flat_map(|query| metrics(text(&query["expr"])))
        .collect();
    for family in &counted.families {
        let on_it = asked.iter().any(|name| name.starts_with(family));
        assert!(on_it, "{family} is not on the dashboard");
    }
}

/// What the services show at `/metrics`.
struct Counted {
    /// The names of the metrics, without `_total` or `_bucket`.
    families: BTreeSet<String>,
    /// The labels of each sample, by its name.
    labels: BTreeMap<String, BTreeSet<String>>,
}

impl Counted {
    /// Reads `OpenMetrics` text.
    fn read(pages: &str) -> Self {
        let types = pages
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "));
        let families = types.filter_map(|line| line.split(' ').next().map(str::to_owned));
        let mut labels: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for line in pages.lines().filter(|line| line.starts_with("webmon_")) {
            let (name, _) = line.split_once(['{', ' ']).unwrap();
            let own = labels.entry(name.to_owned()).or_default();
            own.extend(selectors(line).map(|(label, _)| label.to_owned()));
        }
        Self {
            families: families.collect(),
            labels,
        }
    }

    /// Fails unless each metric and label of a query is there.
    fn assert_answers(&self, query: &JsonValue) {
        let expr = text(&query["expr"]);
        let mut known = BTreeSet::from(["job", "instance"]);
        for name in metrics(expr) {
            let labels = self.labels.get(name);
            let labels = labels.unwrap_or_else(|| panic!("{name} is not counted: {expr}"));
            known.extend(labels.iter().map(String::as_str));
        }
        let legend = query["legendFormat"].as_str().unwrap_or_default();
        let shown = legend
            .split("{{")
            .skip(1)
            .filter_map(|rest| rest.split("}}").next());
        let grouped = expr
            .split("by (")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        let grouped = grouped.flat_map(|labels| labels.split(", "));
        let selected = selectors(expr).map(|(label, _)| label);
        for label in shown.chain(grouped).chain(selected) {
            assert!(known.contains(label), "no label {label}: {expr}");
        }
        for (_, value) in selectors(expr).filter(|(label, _)| *label == "outcome") {
            for one in value.split('|') {
                let outcome = Outcome::ALL.iter().any(|outcome| outcome.as_str() == one);
                assert!(outcome, "no outcome {one}: {expr}");
            }
        }
    }
}

/// The metrics of webmon that an expression names.
fn metrics(expr: &str) -> impl Iterator<Item = &str> {
    let words = expr.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("webmon_"))
}

/// The labels between braces, and their values.
fn selectors(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let braces = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next());
    braces
        .flat_map(|inside| inside.split(','))
        .filter_map(|pair| {
            let (label, value) = pair.split_once('=')?;
            Some((label, value.trim_matches(['~', '"'])))
        })
}

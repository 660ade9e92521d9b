//! The files of the observability profile in `docker/`, held to what webmon stores and counts.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

mod metrics;
mod queries;

use std::collections::BTreeSet;
use std::path::Path;

use runtime::config::from_yaml;
use sea_orm::JsonValue;

#[test]
fn the_files_name_what_is_there() {
    let dashboard = dashboard();
    let sources = yaml("grafana/datasources.yaml")["datasources"].take();
    let sources = sources.as_array().unwrap();
    let asks = panels(&dashboard).filter(|panel| panel["type"] != "row");
    for user in asks.chain(dashboard["templating"]["list"].as_array().unwrap()) {
        let named = &user["datasource"];
        let is_it = |source: &JsonValue| {
            ["uid", "type"]
                .iter()
                .all(|key| source[*key] == named[*key])
        };
        assert!(sources.iter().any(is_it), "no datasource {named}");
    }
    let ids: BTreeSet<_> = panels(&dashboard)
        .map(|panel| panel["id"].as_u64())
        .collect();
    assert_eq!(
        ids.len(),
        panels(&dashboard).count(),
        "two panels of one id"
    );
    let provider = &yaml("grafana/dashboards.yaml")["providers"][0];
    assert_eq!(provider["options"]["path"], "/etc/grafana/dashboards");

    let prometheus = yaml("prometheus.yaml");
    assert_eq!(
        prometheus["rule_files"],
        JsonValue::from(vec!["alerts.yaml"])
    );
    for source in sources {
        let interval = &source["jsonData"]["timeInterval"];
        assert_eq!(*interval, prometheus["global"]["scrape_interval"]);
    }
    let jobs = prometheus["scrape_configs"].as_array().unwrap();
    assert_eq!(jobs.len(), 2);
    for (job, service) in jobs.iter().zip(["scheduler", "checker"]) {
        let replicas = &job["dns_sd_configs"][0];
        assert_eq!(
            [&job["job_name"], &replicas["names"][0]],
            [service, service]
        );
        let listen = format!("0.0.0.0:{}", replicas["port"]);
        let config = yaml(&format!("{service}.yaml"));
        assert_eq!(config["http"]["listen"], listen, "{service}");
    }
}

/// The dashboard.
pub(crate) fn dashboard() -> JsonValue {
    read("grafana/webmon.json").parse().unwrap()
}

/// Its panels, rows included.
pub(crate) fn panels(dashboard: &JsonValue) -> impl Iterator<Item = &JsonValue> {
    dashboard["panels"].as_array().unwrap().iter()
}

/// The queries of a panel; a row has none.
pub(crate) fn targets(panel: &JsonValue) -> impl Iterator<Item = &JsonValue> {
    panel["targets"].as_array().into_iter().flatten()
}

/// A text.
pub(crate) fn text(value: &JsonValue) -> &str {
    value.as_str().unwrap()
}

/// A YAML file in `docker/`.
pub(crate) fn yaml(file: &str) -> JsonValue {
    from_yaml(&read(file)).unwrap()
}

/// A file in `docker/`.
pub(crate) fn read(file: &str) -> String {
    let docker = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker");
    std::fs::read_to_string(docker.join(file)).expect(file)
}

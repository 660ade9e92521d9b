//! The keys of both services in one file, and what stands without one.

use std::fs;
use std::time::Duration;

use super::*;

/// Loads a text as a file; the error as it is shown, without the folder.
fn read(text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    fs::write(&file, text).unwrap();
    Config::load_or_default_in(Some(&file), ProcessEnvironment::default()).map_err(|error| {
        error
            .to_string()
            .replace(&format!("{}: ", file.display()), "")
    })
}

#[test]
fn nothing_is_required() {
    let without_file = Config::load_or_default_in(None, ProcessEnvironment::default()).unwrap();
    assert_eq!(
        (&without_file.database, &without_file.kafka),
        (&None, &None)
    );
    assert_eq!(without_file.http.listen.to_string(), "127.0.0.1:9360");
    for text in [
        "",
        "database:\nkafka:\n",
        "database: {}\nkafka: {}\nhttp:\n",
    ] {
        assert_eq!(read(text).as_ref(), Ok(&without_file), "{text}");
    }
}

#[test]
fn the_keys_of_both_services_reach_the_service_that_knows_them() {
    let text = "database: {url: postgres://h/d}\nkafka: {brokers: ['k:9092'], partitions: 4}\n\
                http: {listen: '127.0.0.1:1'}\nhorizon: 3s\nslots: 64\n\
                traces: {endpoint: 'http://c:4318', ratio: 1}\n";
    let config = read(text).unwrap();
    let (database, kafka) = (
        config.database.clone().unwrap(),
        config.kafka.clone().unwrap(),
    );
    assert_eq!(kafka.partitions, 4);
    let scheduler = config.scheduler_config(database.clone(), kafka.clone());
    assert_eq!(scheduler.settings.horizon, Duration::from_secs(3));
    let checker = config.checker_config(database.clone(), kafka.clone());
    assert_eq!(checker.settings.slots, 64);
    assert_eq!(
        (&scheduler.database, &checker.database),
        (&database, &database)
    );
    assert_eq!((&scheduler.kafka, &checker.kafka), (&kafka, &kafka));
    assert_eq!(
        (&scheduler.http, &checker.http),
        (&config.http, &config.http)
    );
    assert!(config.traces.is_some());
    assert_eq!(
        (&scheduler.traces, &checker.traces),
        (&config.traces, &config.traces)
    );
}

#[test]
fn private_and_loopback_addresses_are_allowed_unless_the_file_says_otherwise() {
    let allowed = |text: &str| {
        let networks = read(text).unwrap().checker.probe.addresses.allow;
        networks.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(allowed(""), ALLOW);
    assert_eq!(allowed("addresses: {deny: [10.0.0.1]}"), ALLOW);
    assert_eq!(allowed("addresses: {allow: [10.0.0.0/8]}"), ["10.0.0.0/8"]);
    assert!(allowed("addresses: {allow: []}").is_empty());
}

#[test]
fn a_section_that_says_something_must_be_complete() {
    let message = read("kafka: {topic: a}\n").unwrap_err();
    assert_eq!(
        message,
        "kafka.brokers: missing: list at least one broker, as `- host:9092`"
    );
}

#[test]
fn unknown_keys_are_reported_against_both_services() {
    assert_eq!(
        read("horizn: 3s\nslot: 64\n").unwrap_err(),
        "horizn: unknown key: known here are `addresses`, `body_limit`, `body_memory`, \
         `database`, `dns`, `drain`, `horizon`, `http`, `kafka`, `log`, `reference`, \
         `retention`, `secrets`, `slots`, `traces`, `turn`\n\
         slot: unknown key: known here are `addresses`, `body_limit`, `body_memory`, \
         `database`, `dns`, `drain`, `horizon`, `http`, `kafka`, `log`, `reference`, \
         `retention`, `secrets`, `slots`, `traces`, `turn`"
    );
}

#[test]
fn a_missing_file_is_no_reason_for_defaults() {
    let error = Config::load_or_default(Some(Path::new("no-such.yaml"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no-such.yaml: no such file: \
         name a file that exists, or leave out --config: webmon up needs none"
    );
}

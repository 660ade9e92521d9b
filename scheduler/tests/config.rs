//! The scheduler's configuration: its example, its defaults and its messages.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

#[path = "../../lib/runtime/tests/fixtures/mod.rs"]
mod fixtures;

#[path = "../../lib/runtime/tests/example/mod.rs"]
mod example;

use std::path::Path;
use std::time::Duration;

use example::Example;
use runtime::config::Configuration as _;
use scheduler::config::Config;

/// The example as it is delivered.
const EXAMPLE: &str = include_str!("../config-example.yaml");

#[test]
fn every_bad_file_gives_its_exact_message() {
    fixtures::every_bad_file_gives_its_exact_message(Config::load);
}

#[test]
fn every_key_has_a_bad_file() {
    fixtures::every_key_has_a_bad_file();
}

#[test]
fn a_missing_file_says_what_to_copy() {
    let error = Config::load(Path::new("scheduler/config.yaml")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "scheduler/config.yaml: no such file: \
         copy scheduler/config-example.yaml to scheduler/config.yaml and adjust it"
    );
}

#[test]
fn the_example_is_right_once_the_certificates_are_there() {
    let config = Example::new(EXAMPLE).load(Config::load_in).unwrap();
    assert!(config.kafka.ssl.is_some());
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:9361");
    assert_eq!(
        (config.settings.turn, config.settings.horizon),
        (Duration::from_secs(1), Duration::from_secs(2))
    );
    assert_eq!(config.settings.retention, Duration::from_hours(30 * 24));
}

#[test]
fn the_example_without_its_ssl_section_is_plain_kafka() {
    let config = Example::new(EXAMPLE)
        .without_ssl()
        .load(Config::load_in)
        .unwrap();
    assert_eq!(config.kafka.ssl, None);
}

#[test]
fn the_defaults_in_the_example_are_the_real_ones() {
    let example = Example::new(EXAMPLE);
    let real = example.load(Config::load_in).unwrap();
    assert_eq!(example.uncommented().load(Config::load_in).unwrap(), real);
}

#[test]
fn the_example_shows_every_key() {
    Example::new(EXAMPLE).shows(fixtures::every_known_key("../lib/runtime/tests/bad-config"));
    Example::new(EXAMPLE).shows(fixtures::every_known_key("tests/bad-config"));
}

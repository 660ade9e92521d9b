//! The checker's configuration: its example, its defaults and its messages.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

#[path = "../../runtime/tests/fixtures/mod.rs"]
mod fixtures;

#[path = "../../runtime/tests/example/mod.rs"]
mod example;

use std::path::Path;
use std::time::Duration;

use checker::config::{Addresses, Config};
use example::Example;

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
    let error = Config::load(Path::new("checker/config.yaml")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "checker/config.yaml: no such file: \
         copy checker/config-example.yaml to checker/config.yaml and adjust it"
    );
}

#[test]
fn the_example_is_right_once_the_certificates_are_there() {
    let config = Example::new(EXAMPLE).load(Config::load_in).unwrap();
    assert!(config.kafka.ssl.is_some());
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:9362");
    assert_eq!((config.slots, config.probe.body_limit), (1_024, 1_048_576));
    assert_eq!(config.drain, Duration::from_secs(25));
    assert_eq!(config.probe.addresses, Addresses::default());
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
    Example::new(EXAMPLE).shows(fixtures::every_known_key("../runtime/tests/bad-config"));
    Example::new(EXAMPLE).shows(fixtures::every_known_key("tests/bad-config"));
}

#[test]
fn networks_and_single_addresses_of_both_families_are_read() {
    let addresses = "addresses:\n  allow: [10.0.0.0/8, '::1']\n  deny: [10.1.2.3, 'fd00::/8']\n";
    let text = EXAMPLE.replace("addresses:\n", addresses);
    let config = Example::new(&text).load(Config::load_in).unwrap();
    let shown = |networks: &[ipnet::IpNet]| {
        networks
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(shown(&config.probe.addresses.allow), "10.0.0.0/8 ::1/128");
    assert_eq!(shown(&config.probe.addresses.deny), "10.1.2.3/32 fd00::/8");
}

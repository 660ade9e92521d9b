//! The checker's configuration: its example, its defaults and its messages.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

#[path = "../../lib/runtime/tests/fixtures/mod.rs"]
mod fixtures;

#[path = "../../lib/runtime/tests/example/mod.rs"]
mod example;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::time::Duration;

use checker::config::Config;
use example::Example;
use probe::Addresses;
use runtime::config::{ConfigError, Configuration as _};

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
    assert_eq!(
        (config.settings.slots, config.settings.probe.body_limit),
        (1_024, 1_048_576)
    );
    assert_eq!(config.settings.drain, Duration::from_secs(25));
    assert_eq!(config.settings.probe.addresses, Addresses::default());
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
    assert_eq!(
        shown(&config.settings.probe.addresses.allow),
        "10.0.0.0/8 ::1/128"
    );
    assert_eq!(
        shown(&config.settings.probe.addresses.deny),
        "10.1.2.3/32 fd00::/8"
    );
}

/// Loads a file where these environment variables are set.
fn load_with(text: &str, variables: &[(&str, &[u8])]) -> Result<Config, ConfigError> {
    Example::new(text).load(|file, mut environment| {
        let set = variables.iter().map(|(name, value)| {
            let value = OsString::from_vec(value.to_vec());
            ((*name).to_owned(), value)
        });
        environment.variables.extend(set);
        Config::load_in(file, environment)
    })
}

#[test]
fn secrets_are_the_variables_with_their_prefix_and_a_name() {
    let variables: [(&str, &[u8]); 4] = [
        ("WEBMON_SECRET_A_1", b"hunter2"),
        ("WEBMON_SECRET_lower", b"no"),
        ("WEBMON_SECRET_", b"no"),
        ("HOME", b"no"),
    ];
    let secrets = load_with(EXAMPLE, &variables)
        .unwrap()
        .settings
        .probe
        .secrets;
    let found = secrets.variables.iter();
    let found: Vec<_> = found
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect();
    assert_eq!(found, [("A_1", "hunter2")]);
    assert!(!format!("{secrets:?}").contains("hunter2"));
    let error = load_with(EXAMPLE, &[("WEBMON_SECRET_A", b"\xff")]).unwrap_err();
    let said =
        "secrets: the environment variable WEBMON_SECRET_A is not UTF-8: a secret must be text";
    assert!(error.to_string().ends_with(said), "{error}");
}

#[test]
fn secrets_come_from_a_directory_and_go_to_origins_as_urls_have_them() {
    let secrets = "secrets:\n  dir: certs\n  strict: true\n  hosts:\n    \
                   KEY: ['https://Shop.Example:443/', 'https://bücher.example', 'http://[0::1]:8080']\n";
    let config = load_with(&EXAMPLE.replace("secrets:\n", secrets), &[]).unwrap();
    let origins = config.settings.probe.secrets.hosts["KEY"].iter();
    let origins: Vec<_> = origins.map(ToString::to_string).collect();
    assert_eq!(
        origins.join(" "),
        "https://shop.example https://xn--bcher-kva.example http://[::1]:8080"
    );
    assert!(
        config
            .settings
            .probe
            .secrets
            .dir
            .unwrap()
            .ends_with("certs")
    );
    assert!(config.settings.probe.secrets.strict);
}

#[test]
fn resolvers_and_the_reference_are_read_with_their_ports() {
    let text = EXAMPLE
        .replace(
            "dns:\n",
            "dns:\n  servers: [192.0.2.53, '[2001:db8::1]:5353', fe80::1%eth0]\n",
        )
        .replace("#reference:", "reference: '[2001:db8::2]:443'");
    let probe = Example::new(&text)
        .load(Config::load_in)
        .unwrap()
        .settings
        .probe;
    let servers: Vec<_> = probe.dns.servers.iter().map(ToString::to_string).collect();
    assert_eq!(
        servers,
        ["192.0.2.53:53", "[2001:db8::1]:5353", "[fe80::1%eth0]:53"]
    );
    let reference = probe.reference.unwrap();
    assert_eq!(
        (reference.host.as_str(), reference.port),
        ("2001:db8::2", 443)
    );
}

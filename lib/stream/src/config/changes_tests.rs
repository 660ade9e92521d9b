//! Which keys of `kafka` are named when they change.

use std::time::Duration;

use runtime::config::Secret;

use super::super::KafkaSasl;
use super::*;

/// The section before a change.
fn section() -> KafkaConfig {
    KafkaConfig {
        ssl: Some(KafkaSsl {
            ca: Some("ca".into()),
            client: Some(ClientCertificate {
                certificate: "certificate".into(),
                key: "key".into(),
                key_password: None,
            }),
        }),
        ..KafkaConfig::plain(vec!["k:9092".to_owned()])
    }
}

/// What is found of one change.
fn restart(change: impl FnOnce(&mut KafkaConfig)) -> Vec<&'static str> {
    let (old, mut new) = (section(), section());
    change(&mut new);
    let mut changes = Changes::default();
    changes.fixed(&old, &new);
    assert!(changes.made.is_empty());
    changes.restart
}

#[test]
fn each_key_that_needs_a_restart_is_named_by_itself() {
    assert_eq!(restart(|_| ()), Vec::<&str>::new());
    for (key, found) in [
        (
            "kafka.brokers",
            restart(|new| new.brokers.push("l:9092".to_owned())),
        ),
        ("kafka.topic", restart(|new| new.topic.push('x'))),
        ("kafka.partitions", restart(|new| new.partitions += 1)),
        ("kafka.replication", restart(|new| new.replication += 1)),
        (
            "kafka.retention",
            restart(|new| new.retention += Duration::from_secs(1)),
        ),
        ("kafka.group", restart(|new| new.group.push('x'))),
        ("kafka.key", restart(|new| new.key = Some(Secret::new("x")))),
        (
            "kafka.previous_key",
            restart(|new| new.previous_key = Some(Secret::new("x"))),
        ),
        ("kafka.compression", restart(|new| new.compression = "none")),
        (
            "kafka.sasl",
            restart(|new| {
                new.sasl = Some(KafkaSasl {
                    mechanism: "PLAIN",
                    username: "u".to_owned(),
                    password: Secret::new("p"),
                });
            }),
        ),
    ] {
        assert_eq!(found, [key]);
    }
}

#[test]
fn of_kafkas_certificates_each_that_needs_a_restart_is_named() {
    let ssl = |new: &mut KafkaConfig, change: fn(&mut KafkaSsl)| change(new.ssl.as_mut().unwrap());
    let client = |new: &mut KafkaConfig, change: fn(&mut ClientCertificate)| {
        let ssl = new.ssl.as_mut().unwrap();
        change(ssl.client.as_mut().unwrap());
    };
    for (key, found) in [
        ("kafka.ssl", restart(|new| new.ssl = None)),
        ("kafka.ssl.ca", restart(|new| ssl(new, |ssl| ssl.ca = None))),
        (
            "kafka.ssl.certificate",
            restart(|new| ssl(new, |ssl| ssl.client = None)),
        ),
        (
            "kafka.ssl.certificate",
            restart(|new| client(new, |client| client.certificate = "x".into())),
        ),
        (
            "kafka.ssl.key",
            restart(|new| client(new, |client| client.key = "x".into())),
        ),
        (
            "kafka.ssl.key_password",
            restart(|new| client(new, |client| client.key_password = Some(Secret::new("x")))),
        ),
    ] {
        assert_eq!(found, [key]);
    }
}

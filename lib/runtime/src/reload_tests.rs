//! Which keys of a configuration change without a restart, and which are named.

use std::time::Duration;

use super::*;
use crate::config::{KafkaSasl, Secret};

/// The sections that hold to the end of a process.
struct Sections {
    database: DatabaseConfig,
    kafka: KafkaConfig,
    http: HttpConfig,
    traces: Option<TracesConfig>,
}

impl Sections {
    fn new() -> Self {
        Self {
            database: DatabaseConfig {
                url: Secret::new("postgres://h/d"),
            },
            kafka: KafkaConfig {
                ssl: Some(KafkaSsl {
                    ca: Some("ca".into()),
                    client: Some(ClientCertificate {
                        certificate: "certificate".into(),
                        key: "key".into(),
                        key_password: None,
                    }),
                }),
                ..KafkaConfig::plain(vec!["k:9092".to_owned()])
            },
            http: HttpConfig {
                listen: "127.0.0.1:1".parse().unwrap(),
            },
            traces: None,
        }
    }

    fn fixed(&self) -> Fixed<'_> {
        Fixed {
            database: &self.database,
            kafka: &self.kafka,
            http: &self.http,
            traces: self.traces.as_ref(),
        }
    }
}

/// What is found of one change.
fn restart(change: impl FnOnce(&mut Sections)) -> Vec<&'static str> {
    let (old, mut new) = (Sections::new(), Sections::new());
    change(&mut new);
    let mut changes = Changes::default();
    changes.fixed(old.fixed(), new.fixed());
    assert!(changes.made.is_empty());
    changes.restart
}

#[test]
fn each_key_that_needs_a_restart_is_named_by_itself() {
    assert_eq!(restart(|_| ()), Vec::<&str>::new());
    for (key, found) in [
        (
            "database.url",
            restart(|new| new.database.url = Secret::new("postgres://h/e")),
        ),
        (
            "kafka.brokers",
            restart(|new| new.kafka.brokers.push("l:9092".to_owned())),
        ),
        ("kafka.topic", restart(|new| new.kafka.topic.push('x'))),
        ("kafka.partitions", restart(|new| new.kafka.partitions += 1)),
        (
            "kafka.replication",
            restart(|new| new.kafka.replication += 1),
        ),
        (
            "kafka.retention",
            restart(|new| new.kafka.retention += Duration::from_secs(1)),
        ),
        ("kafka.group", restart(|new| new.kafka.group.push('x'))),
        (
            "kafka.key",
            restart(|new| new.kafka.key = Some(Secret::new("x"))),
        ),
        (
            "kafka.previous_key",
            restart(|new| new.kafka.previous_key = Some(Secret::new("x"))),
        ),
        (
            "kafka.compression",
            restart(|new| new.kafka.compression = "none"),
        ),
        (
            "kafka.sasl",
            restart(|new| {
                new.kafka.sasl = Some(KafkaSasl {
                    mechanism: "PLAIN",
                    username: "u".to_owned(),
                    password: Secret::new("p"),
                });
            }),
        ),
        ("http.listen", restart(|new| new.http.listen.set_port(2))),
    ] {
        assert_eq!(found, [key]);
    }
}

#[test]
fn of_kafkas_certificates_each_that_needs_a_restart_is_named() {
    let ssl =
        |new: &mut Sections, change: fn(&mut KafkaSsl)| change(new.kafka.ssl.as_mut().unwrap());
    let client = |new: &mut Sections, change: fn(&mut ClientCertificate)| {
        let ssl = new.kafka.ssl.as_mut().unwrap();
        change(ssl.client.as_mut().unwrap());
    };
    for (key, found) in [
        ("kafka.ssl", restart(|new| new.kafka.ssl = None)),
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

#[test]
fn what_was_adopted_is_no_change_the_next_time_and_what_was_not_is() {
    let mut changes = Changes::default();
    let mut slots = 32;
    assert!(changes.adopt("slots", &mut slots, 64));
    assert!(!changes.adopt("slots", &mut slots, 64));
    for _ in 0..2 {
        changes.needs_restart("drain", &1, &2);
    }
    assert_eq!(
        (changes.made, changes.restart),
        (vec!["slots"], vec!["drain", "drain"])
    );
}

#[tokio::test]
async fn hang_ups_before_and_during_a_reload_are_one_more_reload() {
    let (asked, ended) = (HangUps::default(), CancellationToken::new());
    // nothing listens yet: a service that starts
    asked.ask();
    asked.ask();
    let source = Source {
        file: "none".into(),
        logs: Logs::default(),
    };
    let reloads = Reloads::new(asked.clone(), source);
    let (count, stop) = (std::cell::Cell::new(0), ended.clone());
    let adopt = |_: &Logs, ()| {
        count.set(count.get() + 1);
        match count.get() {
            // while the first is adopted two more come
            1 => (asked.ask(), asked.ask()),
            _ => (ended.cancel(), ()),
        };
        Changes::default()
    };
    reloads.keep(|_| Ok(()), adopt, stop).await.unwrap();
    assert_eq!(count.get(), 2);
}

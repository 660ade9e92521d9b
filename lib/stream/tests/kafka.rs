//! What `stream` promises, on librdkafka's mock cluster and on a real broker.

#[cfg(test)]
mod support;

use std::time::{Duration, SystemTime};

use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use runtime::config::Secret;
use stream::{KafkaError, TopicState, client_config, ensure_topic, wait_for_brokers};
use support::{
    certificate, config, door, files, fresh_topic, plain_brokers, refusal, sasl, ssl, tls_brokers,
    without_client,
};
use tokio_util::sync::CancellationToken;

/// How long the broker may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_broker_that_answers_ends_the_wait() {
    let mock = MockCluster::new(1).unwrap();
    let config = config(&mock.bootstrap_servers(), "tasks", None);
    let stop = CancellationToken::new();
    wait_for_brokers(&config, Duration::from_secs(10), &stop)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_topic_that_is_there_stays_as_it_is() {
    let mock = MockCluster::new(1).unwrap();
    mock.create_topic("tasks", 5, 1).unwrap();
    let config = config(&mock.bootstrap_servers(), "tasks", None);
    let state = ensure_topic(&config).await.unwrap();
    assert_eq!(state, TopicState::Present { partitions: 5 });
}

#[tokio::test]
async fn unreachable_brokers_are_named_with_cause_and_remedy() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert_eq!(
        refusal(&config(&closed.to_string(), "tasks", None)).await,
        format!(
            "cannot reach Kafka at {closed} within 2s: Connect to ipv4#{closed} failed: \
             Connection refused; check kafka.brokers and that a broker runs"
        )
    );
}

#[tokio::test]
async fn stopping_ends_the_wait_for_brokers() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let config = config(&closed.to_string(), "tasks", None);
    let stop = CancellationToken::new();
    stop.cancel();
    let waiting = wait_for_brokers(&config, Duration::from_mins(1), &stop);
    let error = tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, KafkaError::Stopped { .. }), "{error}");
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_named_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let ssl = files(["ca.pem", "service.cert", "service.key"].map(path));
    assert_eq!(
        refusal(&config("127.0.0.1:1", "tasks", Some(ssl))).await,
        format!(
            "cannot set up the Kafka client for 127.0.0.1:1: cannot read {}: No such file or \
             directory (os error 2); put the PEM file there, correct kafka.ssl.ca, or delete the \
             section kafka.ssl for plain Kafka",
            path("ca.pem").display()
        )
    );
}

#[tokio::test]
async fn a_missing_topic_is_created_as_configured_and_only_once() {
    let config = config(&plain_brokers(), &fresh_topic("created"), None);
    let stop = CancellationToken::new();
    wait_for_brokers(&config, Duration::from_secs(10), &stop)
        .await
        .unwrap();
    assert_eq!(ensure_topic(&config).await.unwrap(), TopicState::Created);
    assert_eq!(
        ensure_topic(&config).await.unwrap(),
        TopicState::Present { partitions: 3 }
    );
}

/// A broker refuses what is an hour ahead of its own clock, unless that clock alone counts.
#[tokio::test]
async fn a_new_topic_takes_messages_of_a_client_whose_clock_is_ahead() {
    let config = config(&plain_brokers(), &fresh_topic("ahead"), None);
    ensure_topic(&config).await.unwrap();
    let ahead = SystemTime::now() + Duration::from_hours(3);
    let ahead = ahead.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let ahead = i64::try_from(ahead.as_millis()).unwrap();
    let producer: BaseProducer = client_config(&config, "test").create().unwrap();
    let record = BaseRecord::<(), _>::to(&config.topic).payload("task");
    let sent = producer.send(record.partition(0).timestamp(ahead));
    sent.map_err(|(error, _)| error).unwrap();
    producer.flush(PATIENCE).unwrap();
    let ends = producer
        .client()
        .fetch_watermarks(&config.topic, 0, PATIENCE);
    assert_eq!(ends.unwrap(), (0, 1));
}

#[tokio::test]
async fn a_topic_that_cannot_be_made_is_refused_with_the_remedy() {
    let mut config = config(&plain_brokers(), &fresh_topic("refused"), None);
    config.replication = 9;
    let (topic, brokers) = (&config.topic, plain_brokers());
    assert_eq!(
        ensure_topic(&config).await.unwrap_err().to_string(),
        format!(
            "cannot create topic {topic} on {brokers}: Broker: Invalid replication factor; \
             set kafka.replication to at most the number of brokers"
        )
    );
}

#[tokio::test]
async fn tls_with_a_client_certificate_works() {
    let config = config(&tls_brokers(), &fresh_topic("tls"), Some(ssl("ca.pem")));
    let stop = CancellationToken::new();
    wait_for_brokers(&config, Duration::from_secs(10), &stop)
        .await
        .unwrap();
    assert_eq!(ensure_topic(&config).await.unwrap(), TopicState::Created);
}

#[tokio::test]
async fn an_authority_that_did_not_sign_the_broker_is_said_so() {
    let brokers = tls_brokers();
    assert_eq!(
        refusal(&config(&brokers, "tasks", Some(ssl("other-ca.pem")))).await,
        format!(
            "cannot reach Kafka at {brokers} within 2s: error:0A000086:SSL routines::certificate \
             verify failed; check that kafka.ssl.ca signed the brokers' certificates, that the brokers \
             trust kafka.ssl.certificate, and that none of them has expired"
        )
    );
}

#[tokio::test]
async fn plain_kafka_spoken_to_a_tls_port_is_said_so() {
    let brokers = tls_brokers();
    assert_eq!(
        refusal(&config(&brokers, "tasks", None)).await,
        format!(
            "cannot reach Kafka at {brokers} within 2s: Disconnected: connection closed by peer; \
             check kafka.brokers; if that port speaks TLS, add the section kafka.ssl"
        )
    );
}

#[tokio::test]
async fn tls_spoken_to_a_plain_port_is_said_so() {
    let brokers = plain_brokers();
    assert_eq!(
        refusal(&config(&brokers, "tasks", Some(ssl("ca.pem")))).await,
        format!(
            "cannot reach Kafka at {brokers} within 2s: Disconnected: SSL connection closed by peer; \
             that port seems to speak plain Kafka: use the brokers' TLS port, or delete the section \
             kafka.ssl"
        )
    );
}

#[tokio::test]
async fn a_client_certificate_that_the_broker_does_not_trust_is_said_so() {
    let brokers = tls_brokers();
    let stranger = files(["ca.pem", "other-ca.pem", "other-ca.key"].map(certificate));
    let error = refusal(&config(&brokers, "tasks", Some(stranger))).await;
    assert!(
        error.contains("alert bad certificate: SSL alert number 42; "),
        "{error}"
    );
    assert!(
        error.contains("that the brokers trust kafka.ssl.certificate"),
        "{error}"
    );
}

#[tokio::test]
async fn a_client_certificate_that_has_expired_is_said_so() {
    let expired = files(["ca.pem", "expired.cert", "expired.key"].map(certificate));
    let error = refusal(&config(&tls_brokers(), "tasks", Some(expired))).await;
    // Kafka's brokers say no more than that they do not accept it.
    assert!(
        error.contains("alert certificate unknown: SSL alert number 46; "),
        "{error}"
    );
    assert!(error.ends_with("that none of them has expired"), "{error}");
}

#[tokio::test]
async fn a_key_that_is_not_the_certificates_own_is_said_so() {
    let swapped = files(["ca.pem", "service.cert", "other-ca.key"].map(certificate));
    let error = refusal(&config(&tls_brokers(), "tasks", Some(swapped))).await;
    assert!(error.contains("key values mismatch"), "{error}");
    assert!(
        error.ends_with(
            "check that kafka.ssl.ca, kafka.ssl.certificate and kafka.ssl.key are PEM files and \
             belong together"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_broker_that_demands_a_client_certificate_gets_nothing_without() {
    let mut client: ClientConfig = client_config(
        &config(&tls_brokers(), "tasks", Some(ssl("ca.pem"))),
        "webmon",
    );
    client
        .remove("ssl.certificate.location")
        .remove("ssl.key.location");
    let fetch = move || {
        let client: BaseProducer = client.create().unwrap();
        client
            .client()
            .fetch_metadata(None, Duration::from_secs(2))
            .map(|_| ())
    };
    tokio::task::spawn_blocking(fetch)
        .await
        .unwrap()
        .unwrap_err();
}

#[tokio::test]
async fn a_password_is_taken_by_each_mechanism_over_plain_connections_and_over_tls() {
    let stop = CancellationToken::new();
    let (plain, all) = (
        ["PLAIN", "SCRAM-SHA-512"],
        ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"],
    );
    for (kind, ssl, mechanisms) in [
        ("plain", None, plain.as_slice()),
        ("tls", Some(without_client()), all.as_slice()),
    ] {
        for &mechanism in mechanisms {
            let mut config = config(&door(kind), &fresh_topic(mechanism), ssl.clone());
            config.sasl = Some(sasl(mechanism, None));
            wait_for_brokers(&config, PATIENCE, &stop).await.unwrap();
            assert_eq!(ensure_topic(&config).await.unwrap(), TopicState::Created);
        }
    }
}

#[tokio::test]
async fn tls_without_a_client_certificate_works_where_the_broker_demands_none() {
    let config = config(
        &door("tls_open"),
        &fresh_topic("open"),
        Some(without_client()),
    );
    let stop = CancellationToken::new();
    wait_for_brokers(&config, PATIENCE, &stop).await.unwrap();
    assert_eq!(ensure_topic(&config).await.unwrap(), TopicState::Created);
}

#[tokio::test]
async fn the_brokers_choose_the_replication_where_they_are_asked_to() {
    let mut config = config(&plain_brokers(), &fresh_topic("choice"), None);
    config.replication = -1;
    assert_eq!(ensure_topic(&config).await.unwrap(), TopicState::Created);
}

#[tokio::test]
async fn an_encrypted_key_is_opened_by_its_password() {
    let encrypted = |password: Option<&str>| {
        let mut ssl = files(["ca.pem", "service.cert", "locked.key"].map(certificate));
        if let Some(client) = &mut ssl.client {
            client.key_password = password.map(Secret::new);
        }
        config(&tls_brokers(), &fresh_topic("locked"), Some(ssl))
    };
    let stop = CancellationToken::new();
    let right = encrypted(Some("locked by a password"));
    wait_for_brokers(&right, PATIENCE, &stop).await.unwrap();
    for wrong in [None, Some("another")] {
        let error = refusal(&encrypted(wrong)).await;
        assert!(
            error.ends_with(
                "kafka.ssl.key is encrypted: set kafka.ssl.key_password to its password"
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_password_is_said_with_the_remedy() {
    let plain = |sasl| {
        let mut config = config(&door("plain"), "tasks", None);
        config.sasl = sasl;
        config
    };
    let without_sasl = {
        let mut config = config(&plain_brokers(), "tasks", None);
        config.sasl = Some(sasl("SCRAM-SHA-512", None));
        config
    };
    for (config, remedy) in [
        (
            plain(Some(sasl("SCRAM-SHA-512", Some("wrong")))),
            "check kafka.sasl.username, kafka.sasl.password and kafka.sasl.mechanism",
        ),
        (
            plain(Some(sasl("PLAIN", Some("wrong")))),
            "check kafka.sasl.username, kafka.sasl.password and kafka.sasl.mechanism",
        ),
        (
            plain(Some(sasl("SCRAM-SHA-256", None))),
            "set kafka.sasl.mechanism to one that the brokers offer",
        ),
        (
            plain(None),
            "the brokers demand a password: add the section kafka.sasl with mechanism, username and password",
        ),
        (
            without_sasl,
            "that port takes no password: use the brokers' SASL port, or delete the section kafka.sasl",
        ),
    ] {
        let error = refusal(&config).await;
        assert!(error.ends_with(remedy), "{error}");
        assert!(!error.contains("wrong"), "{error}");
    }
}

#[tokio::test]
async fn a_broker_that_demands_a_certificate_is_named_to_a_client_that_shows_none() {
    let error = refusal(&config(&tls_brokers(), "tasks", Some(without_client()))).await;
    assert!(
        error.ends_with("set kafka.ssl.certificate and kafka.ssl.key"),
        "{error}"
    );
}

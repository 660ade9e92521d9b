//! A broker that tells clients to use an address that they cannot reach is named with that address and setting.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::net::SocketAddr;
use std::time::Duration;

use stream::config::KafkaConfig;
use stream::{ensure_topic, wait_for_brokers};
use tempfile::TempDir;
use testbed::{Server, free_address, free_ports};
use tokio_util::sync::CancellationToken;

/// A broker with a listener for clients, of which it tells them this address.
async fn broker(advertised: &str) -> (Server, SocketAddr, TempDir) {
    let (folder, port) = (TempDir::new().unwrap(), free_ports(4));
    let nowhere = free_address();
    let listeners = format!(
        "advertised.listeners=PLAINTEXT://127.0.0.1:{port},SSL://127.0.0.1:{},BEHIND_{}://{advertised}",
        port + 1,
        nowhere.port(),
    );
    let mut server = Server::kafka(folder.path(), port, &[nowhere]).with(&listeners);
    server.start();
    server.ready().await;
    let told = SocketAddr::new(server.address().ip(), port + 3);
    (server, told, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_sends_clients_nowhere_is_named_with_the_address_and_the_setting() {
    let nowhere = free_address().to_string();
    for (advertised, cause) in [
        (nowhere.as_str(), "Connection refused"),
        ("kafka-1.invalid:9092", "resolve"),
    ] {
        let (server, told, _folder) = broker(advertised).await;
        for _ in 0..3 {
            let config = KafkaConfig::plain(vec![told.to_string()]);
            let (patience, stop) = (Duration::from_secs(2), CancellationToken::new());
            let waited = wait_for_brokers(&config, patience, &stop).await;
            let error = waited.unwrap_err().to_string();
            let begin = format!(
                "the broker at {told} answers, but tells clients to use {advertised}, which cannot be reached: "
            );
            assert!(
                error.starts_with(&begin) && error.contains(cause),
                "{error}"
            );
            assert!(
                error.ends_with("; correct advertised.listeners of the broker"),
                "{error}"
            );
        }
        let good = KafkaConfig::plain(vec![server.address().to_string()]);
        ensure_topic(&good).await.unwrap();
    }
}

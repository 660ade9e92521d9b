//! IPv6 addresses in brackets: a broker may have one.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::net::Ipv6Addr;
use std::time::Duration;

use stream::config::KafkaConfig;
use stream::wait_for_brokers;
use testbed::brokers;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// An address of this machine at which the broker answers.
async fn broker() -> String {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut broker = TcpStream::connect(brokers()).await.unwrap();
                tokio::io::copy_bidirectional(&mut client, &mut broker).await
            });
        }
    });
    address.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_may_have_one() {
    let broker = broker().await;
    assert!(broker.starts_with("[::1]:"), "{broker}");
    let config = KafkaConfig::plain(vec![broker]);
    let stop = CancellationToken::new();
    wait_for_brokers(&config, PATIENCE, &stop).await.unwrap();
}

//! What `runtime::telemetry` promises, through a real socket.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::instant::UnixMs;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use runtime::clock::Clock;
use runtime::conditions::{DATABASE, KAFKA_GROUP};
use runtime::config::HttpConfig;
use runtime::descriptors;
use runtime::telemetry::{Endpoints, MOST_CONNECTIONS, bind, healthcheck, serve};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A served set of probes.
struct Service {
    /// Where it listens.
    address: SocketAddr,
    /// What it shows.
    endpoints: Arc<Endpoints>,
    /// Ends it.
    stop: CancellationToken,
    /// The server itself.
    task: JoinHandle<std::io::Result<()>>,
}

#[cfg(test)]
impl Service {
    /// Starts one on a port of its own.
    async fn start() -> Self {
        let listener = bind(&HttpConfig {
            listen: ([127, 0, 0, 1], 0).into(),
        })
        .await
        .unwrap();
        let address = listener.local_addr().unwrap();
        let (endpoints, stop) = (Endpoints::new(), CancellationToken::new());
        let task = tokio::spawn(serve(listener, Arc::clone(&endpoints), stop.clone()));
        Self {
            address,
            endpoints,
            stop,
            task,
        }
    }

    /// The whole answer to a GET, as text.
    async fn get(&self, path: &'static str) -> String {
        self.say(format!(
            "GET {path} HTTP/1.1\r\nHost: webmon\r\nConnection: close\r\n\r\n"
        ))
        .await
    }

    /// All that is answered to these bytes.
    async fn say(&self, bytes: String) -> String {
        let address = self.address;
        let ask = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            // it may be closed before it has taken all
            let sent = stream.write_all(bytes.as_bytes());
            assert!(sent.is_ok() || bytes.len() > 16_384, "{sent:?}");
            let mut answer = Vec::new();
            let read = stream.read_to_end(&mut answer);
            assert!(read.is_ok() || bytes.len() > 16_384, "{read:?}");
            String::from_utf8(answer).unwrap()
        };
        tokio::task::spawn_blocking(ask).await.unwrap()
    }

    /// Opens so many connections that say these bytes and no more.
    async fn open(&self, count: usize, bytes: &'static str) -> Vec<TcpStream> {
        let address = self.address;
        let open = move || {
            let streams = (0..count).map(|_| {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(bytes.as_bytes()).unwrap();
                stream.set_nonblocking(true).unwrap();
                stream
            });
            streams.collect()
        };
        tokio::task::spawn_blocking(open).await.unwrap()
    }
}

/// Labels as the checker has them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verdict {
    /// The outcome.
    outcome: &'static str,
    /// The reason, empty for `up`.
    reason: &'static str,
}

#[tokio::test]
async fn metrics_have_exactly_the_names_of_the_contract() {
    let service = Service::start().await;
    let (checks, lateness) = service.endpoints.register(|registry| {
        let checks = Family::<Verdict, Counter>::default();
        registry.register("webmon_checks", "Checks by verdict", checks.clone());
        let lateness = Histogram::new([0.001, 5.0]);
        registry.register(
            "webmon_start_lateness_seconds",
            "Lateness",
            lateness.clone(),
        );
        registry.register_collector(Box::new(Clock::fixed(UnixMs(0))));
        (checks, lateness)
    });
    checks
        .get_or_create(&Verdict {
            outcome: "up",
            reason: "",
        })
        .inc();
    lateness.observe(0.5);
    let answer = service.get("/metrics").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    for line in [
        "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n",
        "webmon_checks_total{outcome=\"up\",reason=\"\"} 1\n",
        "webmon_start_lateness_seconds_bucket{le=\"5.0\"} 1\n",
        "webmon_start_lateness_seconds_count 1\n",
        "webmon_clock_offset_seconds 0.0\n",
        "# EOF\n",
    ] {
        assert!(answer.contains(line), "{line:?} is not in {answer}");
    }
}

#[tokio::test]
async fn alive_is_not_ready() {
    let service = Service::start().await;
    let database = service.endpoints.readiness().condition(DATABASE);
    let group = service.endpoints.readiness().condition(KAFKA_GROUP);
    assert!(service.get("/healthz").await.ends_with("\r\n\r\nok\n"));
    let answer = service.get("/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(
        answer.ends_with("\r\n\r\nnot ready: database, kafka group\n"),
        "{answer}"
    );
    database.set(true);
    group.set(true);
    let answer = service.get("/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nready\n"), "{answer}");
    assert!(service.get("/else").await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn the_healthcheck_says_what_is_missing() {
    let service = Service::start().await;
    let everywhere: SocketAddr = ([0, 0, 0, 0], service.address.port()).into();
    let says = async || healthcheck(everywhere).await.unwrap_err().to_string();
    assert!(says().await.ends_with("not ready: start"));
    let database = service.endpoints.readiness().condition(DATABASE);
    database.set(true);
    healthcheck(everywhere).await.unwrap();
    database.set(false);
    assert_eq!(
        says().await,
        format!(
            "http://{}/readyz says 503 Service Unavailable: not ready: database",
            service.address
        )
    );
}

#[tokio::test]
async fn a_service_that_does_not_run_or_does_not_answer_is_not_healthy() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let silent = healthcheck(address).await.unwrap_err().to_string();
    assert!(silent.contains("timed out"), "{silent}");
    drop(listener);
    assert_eq!(
        healthcheck(address).await.unwrap_err().to_string(),
        format!(
            "no answer from http://{address}/readyz: Connection refused (os error 111); \
             check that the service runs with this http.listen"
        )
    );
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_remedy() {
    let service = Service::start().await;
    assert_eq!(
        bind(&HttpConfig {
            listen: service.address
        })
        .await
        .unwrap_err()
        .to_string(),
        format!(
            "cannot listen on {}: Address already in use (os error 98); \
             free that port or change http.listen",
            service.address
        )
    );
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_client_that_never_asks() {
    let service = Service::start().await;
    let idle = tokio::net::TcpStream::connect(service.address)
        .await
        .unwrap();
    service.get("/healthz").await;
    service.stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(10), service.task).await;
    ended.unwrap().unwrap().unwrap();
    drop(idle);
}

/// Whether a connection is open still, which does not block.
fn is_open(mut stream: &TcpStream) -> bool {
    let read = stream.read(&mut [0; 64]);
    matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_answered_beside_thousands_of_connections_that_never_ask() {
    descriptors::raise();
    assert!(
        descriptors::limit().is_none_or(|limit| limit > 5_000),
        "ulimit -n is too low here"
    );
    let service = Service::start().await;
    for half in ["", "GET /metrics HTTP/1.1\r\nX: "] {
        let streams = service.open(4_100, half).await;
        let began = Instant::now();
        for path in ["/healthz", "/readyz", "/metrics"] {
            let answer = service.get(path).await;
            assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
        }
        assert!(
            began.elapsed() < Duration::from_secs(4),
            "{:?}",
            began.elapsed()
        );
        let open = streams.iter().filter(|stream| is_open(stream)).count();
        assert!(open <= MOST_CONNECTIONS, "{open} are open");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_does_not_ask_in_time_is_closed() {
    let service = Service::start().await;
    let streams = service.open(2, "GET /healthz HTTP/1.1\r\n").await;
    testbed::eventually(Duration::from_secs(30), "they are closed", async || {
        (!streams.iter().any(is_open)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_has_one_request_that_is_not_long() {
    let service = Service::start().await;
    let ask = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n{more}\r\n");
    let twice = service.say(ask("/healthz", "").repeat(1_000)).await;
    assert_eq!(twice.matches("HTTP/1.1 200").count(), 1, "{twice}");
    for long in [
        ask(&format!("/{}", "a".repeat(20_000)), ""),
        ask("/healthz", &format!("X: {}\r\n", "a".repeat(20_000))),
        ask("/healthz", &"X: a\r\n".repeat(200)),
    ] {
        let answer = service.say(long).await;
        assert!(!answer.contains("HTTP/1.1 200"), "{answer}");
    }
    let body = ask("/healthz", "Content-Length: 1000000000\r\n");
    assert!(service.say(body).await.starts_with("HTTP/1.1 200"));
}

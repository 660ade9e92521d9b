//! Phases, against servers that delay each by a known time.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use contract::outcome::Reason;
use contract::result::Phases;
use probe::Prober;
use rcgen::CertifiedKey;
use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

use crate::{STARTED, config, detail, phases, prober, runtime, task};

/// How long a server waits before each part of its answer.
const DELAY: Duration = Duration::from_millis(40);
/// The same, in microseconds.
const DELAY_US: u64 = 40_000;
/// The most that a phase may have beyond its delays, in microseconds.
const EXCESS_US: u64 = 10_000;
/// A loaded machine adds to a time and takes nothing off, so the best of so many checks counts.
const ATTEMPTS: usize = 5;

/// What serves TLS, and what trusts it.
static TLS: LazyLock<(Arc<ServerConfig>, Prober)> = LazyLock::new(|| {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let prober = Prober::with_roots(&config(), runtime(), roots).unwrap();
    (Arc::new(server), prober)
});

/// Waits for [`DELAY`].
fn delay() {
    wait(DELAY);
}

/// Waits.
fn wait(time: Duration) {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        thread::park_timeout(left);
    }
}

/// Serves one connection, over TLS or without, with a delay before each part; its address.
fn serve(tls: Option<Arc<ServerConfig>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let Some(tls) = tls else {
            return answer(stream).unwrap();
        };
        // Each delay begins once the client is in the phase that is delayed.
        stream.peek(&mut [0]).unwrap();
        delay();
        let session = ServerConnection::new(tls).unwrap();
        answer(StreamOwned::new(session, stream)).unwrap();
    });
    address
}

/// Answers with a delay before the head, in the head, and before the body.
fn answer(mut stream: impl Read + Write) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.extend(byte);
    }
    let parts = ["HTTP/1.1 200 OK\r\n", "Content-Length: 5\r\n\r\n", "hello"];
    parts.iter().try_for_each(|part| {
        delay();
        stream.write_all(part.as_bytes())?;
        stream.flush()
    })
}

/// What the phases have beyond their delays, in microseconds: those of the attempts that are least.
fn excesses(attempt: impl Fn() -> Phases, tls_us: u64) -> [u64; 4] {
    let mut least = [u64::MAX; 4];
    for _ in 0..ATTEMPTS {
        let p = attempt();
        let (wait, receive) = (p.wait_us.unwrap(), p.receive_us.unwrap());
        // Whatever its thread had to wait for, no delay is missed. A byte is received when it is
        // read: of two neighbouring phases the second may be short by what the first is too long.
        assert!(p.tls_us.unwrap_or_default() >= tls_us, "{p:?}");
        assert!(wait >= DELAY_US && wait + receive >= 3 * DELAY_US, "{p:?}");
        let before = p.dns_us.unwrap() + p.connect_us.unwrap();
        let found = [
            before,
            p.tls_us.unwrap_or_default() - tls_us,
            wait - DELAY_US,
            receive.abs_diff(2 * DELAY_US),
        ];
        least = std::array::from_fn(|phase| least[phase].min(found[phase]));
        let sum = before + p.tls_us.unwrap_or_default() + wait + receive;
        // rounded down to a microsecond in each phase
        assert!((0..=5).contains(&(p.total_us.unwrap() - sum)), "{p:?}");
    }
    least
}

#[test]
fn each_phase_has_its_own_delay_and_not_its_neighbours() {
    let prober = prober();
    let attempt = || {
        let task = task(&format!("http://{}/", serve(None)), "{}", "{}");
        let result = prober.check(&task, STARTED);
        assert_eq!(result.reason, None, "{result:?}");
        assert_eq!(phases(&result), "dns connect wait receive");
        result.measured.phases
    };
    let excess = excesses(attempt, 0);
    assert!(excess.iter().all(|us| *us <= EXCESS_US), "{excess:?}");
}

#[test]
fn a_handshake_has_its_own_delay_too() {
    let (server, prober) = &*TLS;
    let attempt = || {
        let url = format!("https://{}/", serve(Some(Arc::clone(server))));
        let mut task = task(&url, "{}", "{}");
        task.timeout_ms = 5_000;
        let result = prober.check(&task, STARTED);
        assert_eq!(result.reason, None, "{result:?}");
        assert_eq!(phases(&result), "dns connect tls wait receive");
        result.measured.phases
    };
    let excess = excesses(attempt, DELAY_US);
    assert!(excess.iter().all(|us| *us <= EXCESS_US), "{excess:?}");
}

/// A listener whose queue is full: the system drops what else wants to connect.
fn crowded() -> (TcpListener, Vec<TcpStream>) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let join = || TcpStream::connect_timeout(&address, Duration::from_millis(50));
    let crowd = std::iter::from_fn(|| join().ok()).collect();
    (listener, crowd)
}

#[test]
fn a_connection_that_nobody_takes_times_out() {
    let (listener, _crowd) = crowded();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let result = prober().check(&task(&url, "{}", "{}"), STARTED);
    assert_eq!(result.reason, Some(Reason::ConnectTimeout), "{result:?}");
    assert!(detail(&result).starts_with("connect: "), "{result:?}");
    assert_eq!(phases(&result), "dns connect");
    let total = result.measured.phases.total_us.unwrap();
    assert!((400_000..500_000).contains(&total), "{result:?}");
}

#[test]
fn a_connection_that_is_taken_late_has_waited_in_its_phase() {
    let (listener, crowd) = crowded();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        // The check has been dropped by then; the system asks again after a second.
        wait(10 * DELAY);
        for _ in &crowd {
            listener.accept().unwrap();
        }
        let (late, _) = listener.accept().unwrap();
        answer(late).unwrap();
    });
    let mut task = task(&url, "{}", "{}");
    task.timeout_ms = 5_000;
    let result = prober().check(&task, STARTED);
    server.join().unwrap();
    let p = result.measured.phases;
    assert_eq!(result.reason, None, "{result:?}");
    assert!(
        p.connect_us > Some(DELAY_US) && p.wait_us >= Some(DELAY_US),
        "{p:?}"
    );
    assert!(
        p.connect_us < Some(4_000_000) && p.wait_us < Some(1_000_000),
        "{p:?}"
    );
}

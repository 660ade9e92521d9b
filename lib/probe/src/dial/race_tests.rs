//! Races between real sockets.

use std::net::TcpListener;

use contract::outcome::Reason;

use super::*;

/// The time of a check, unless a test says otherwise.
const LIMIT: Duration = Duration::from_secs(5);
/// How much later than expected a race may end.
const TOLERANCE: Duration = Duration::from_millis(150);

/// An address that takes connections.
fn alive() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// An address that refuses connections.
fn closed() -> SocketAddr {
    address(&alive())
}

/// An address that does not answer: its listener has no place left, and drops what arrives.
struct Dead {
    listener: Socket,
    _filler: TcpStream,
}

impl Dead {
    fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let filler = TcpStream::connect(address).unwrap();
        let probe = TcpStream::connect_timeout(&address, Duration::from_millis(20));
        assert_eq!(probe.unwrap_err().kind(), io::ErrorKind::TimedOut);
        Self {
            listener,
            _filler: filler,
        }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap().as_socket().unwrap()
    }
}

fn address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().unwrap()
}

/// Where a race led, or why it did not; and how long it took.
fn timed(
    limit: Duration,
    addresses: &[SocketAddr],
) -> (Result<SocketAddr, (Reason, String)>, Duration) {
    observed::begin(limit, 0);
    observed::begin_hop(&ureq::http::Method::GET, "http://a.example/", 0);
    observed::enter(observed::Phase::Connect);
    let began = Instant::now();
    let end = race(addresses.to_vec(), &SocketBudget::new(16));
    let took = began.elapsed();
    let end = end
        .map(|(stream, _)| stream.peer_addr().unwrap())
        .map_err(|fault| (fault.reason, fault.message));
    (end, took)
}

fn assert_took(took: Duration, expected: Duration) {
    let range = expected..expected + TOLERANCE;
    assert!(range.contains(&took), "{took:?}, expected {range:?}");
}

/// The address of the hop, as it is recorded.
fn recorded() -> Option<std::net::IpAddr> {
    observed::with(|observed| observed.hop().unwrap().address)
}

#[test]
fn families_take_turns_beginning_with_ipv6() {
    for (addresses, order) in [
        ("", ""),
        ("1.1.1.1:1", "1.1.1.1:1"),
        ("1.1.1.1:1 1.1.1.2:1", "1.1.1.1:1 1.1.1.2:1"),
        ("1.1.1.1:1 [2::1]:1", "[2::1]:1 1.1.1.1:1"),
        (
            "1.1.1.1:1 1.1.1.2:1 1.1.1.3:1 [2::2]:1 [2::1]:1",
            "[2::2]:1 1.1.1.1:1 [2::1]:1 1.1.1.2:1 1.1.1.3:1",
        ),
        (
            "[2::1]:1 [2::2]:1 [2::3]:1 1.1.1.1:1",
            "[2::1]:1 1.1.1.1:1 [2::2]:1 [2::3]:1",
        ),
    ] {
        let parsed = |text: &str| -> Vec<SocketAddr> {
            text.split_whitespace()
                .map(|part| part.parse().unwrap())
                .collect()
        };
        assert_eq!(interleave(parsed(addresses)), parsed(order), "{addresses}");
    }
}

#[test]
fn the_first_address_wins_when_it_answers_and_no_other_is_dialled() {
    let (first, second) = (alive(), alive());
    let (end, took) = timed(LIMIT, &[address(&first), address(&second)]);
    assert_eq!(end, Ok(address(&first)));
    assert_took(took, Duration::ZERO);
    assert_eq!(recorded(), Some(address(&first).ip()));
    second.set_nonblocking(true).unwrap();
    let other = second.accept().unwrap_err();
    assert_eq!(other.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn a_dead_address_costs_a_head_start_and_not_the_whole_time() {
    let (dead, other, live) = (Dead::new(), Dead::new(), alive());
    let (end, took) = timed(LIMIT, &[dead.address(), address(&live)]);
    assert_eq!(end, Ok(address(&live)));
    assert_took(took, HEAD_START);
    let all = [dead.address(), other.address(), address(&live)];
    let (end, took) = timed(LIMIT, &all);
    assert_eq!(end, Ok(address(&live)));
    assert_took(took, 2 * HEAD_START);
}

#[test]
fn a_refused_address_costs_nothing_wherever_it_stands() {
    let (dead, live) = (Dead::new(), alive());
    let (end, took) = timed(LIMIT, &[closed(), closed(), address(&live)]);
    assert_eq!(end, Ok(address(&live)));
    assert_took(took, Duration::ZERO);
    let (end, took) = timed(LIMIT, &[dead.address(), closed(), address(&live)]);
    assert_eq!(end, Ok(address(&live)));
    assert_took(took, HEAD_START);
}

#[test]
fn an_address_that_answers_late_still_wins() {
    let (dead, other) = (Dead::new(), Dead::new());
    let addresses = [dead.address(), other.address()];
    let listener = dead.listener.try_clone().unwrap();
    let (_keep, never) = std::sync::mpsc::sync_channel::<()>(0);
    let late = std::thread::spawn(move || {
        // makes a place when the other has started; what was dropped is sent once more after a second
        never.recv_timeout(HEAD_START + TOLERANCE).unwrap_err();
        listener.accept().unwrap();
    });
    let (end, took) = timed(LIMIT, &addresses);
    late.join().unwrap();
    assert_eq!(end, Ok(dead.address()));
    assert!(took > HEAD_START && took < LIMIT, "{took:?}");
}

#[test]
fn when_all_have_failed_the_most_remote_error_counts() {
    let (one, two) = (closed(), closed());
    let (end, took) = timed(LIMIT, &[one, two]);
    let refused = |address: SocketAddr| (Reason::ConnectRefused, format!("{address}: refused"));
    assert_eq!(end, Err(refused(one)));
    assert_took(took, Duration::ZERO);
    // TCP has no broadcasts, and the system says so at once
    let nowhere: SocketAddr = "255.255.255.255:80".parse().unwrap();
    let dead = Dead::new();
    let limit = Duration::from_millis(300);
    for addresses in [[nowhere, two], [two, nowhere]] {
        assert_eq!(timed(limit, &addresses).0, Err(refused(two)));
    }
    let (end, took) = timed(limit, &[dead.address(), two]);
    assert_eq!(end, Err(refused(two)));
    assert_took(took, limit);
    assert_eq!(recorded(), Some(two.ip()));
}

#[test]
fn when_the_time_is_up_the_connection_is_a_timeout() {
    let (dead, other) = (Dead::new(), Dead::new());
    for limit in [100, 400] {
        let time = Duration::from_millis(limit);
        let (end, took) = timed(time, &[dead.address(), other.address()]);
        let message = format!("{}: no answer within {limit} ms", dead.address());
        assert_eq!(end, Err((Reason::ConnectTimeout, message)));
        assert_took(took, time);
        assert_eq!(recorded(), Some(dead.address().ip()));
    }
}

#[test]
fn the_connection_blocks_and_sends_without_delay() {
    let live = alive();
    observed::begin(LIMIT, 0);
    let (mut stream, _opened) = race(vec![address(&live)], &SocketBudget::new(1)).unwrap();
    assert!(stream.nodelay().unwrap());
    let short = Duration::from_millis(50);
    stream.set_read_timeout(Some(short)).unwrap();
    let began = Instant::now();
    io::Read::read(&mut stream, &mut [0]).unwrap_err();
    assert!(began.elapsed() >= short);
}

/// How long the system waits at most for something to send along with the handshake's last packet.
#[cfg(target_os = "linux")]
const ACK_DELAY: Duration = Duration::from_millis(200);

#[test]
#[cfg(target_os = "linux")]
fn the_last_packet_of_the_handshake_carries_the_request() {
    let live = alive();
    live.set_nonblocking(true).unwrap();
    loop {
        observed::begin(LIMIT, 0);
        let began = Instant::now();
        let (mut stream, _opened) = race(vec![address(&live)], &SocketBudget::new(1)).unwrap();
        let early = live.accept();
        if began.elapsed() >= ACK_DELAY {
            // this thread stood still for so long that nothing can be said
            continue;
        }
        assert_eq!(early.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        io::Write::write_all(&mut stream, b"request").unwrap();
        live.accept().unwrap();
        return;
    }
}

//! What a socket does when its server answers too early, or too late.

use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use socket2::SockRef;
use ureq::unversioned::transport::{NextTimeout, Transport};

use super::*;
use crate::sockets::SocketBudget;
use crate::transport::TcpTransport;

/// The answer of a server that wants no more.
const REFUSAL: &[u8] = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig";
/// More than the kernel takes of a connection that is not read.
const HUGE: usize = 16 << 20;

/// Both ends of a connection; the check has so much time.
fn connection(limit: Duration) -> (Socket, TcpStream) {
    observed::begin(limit, u64::MAX);
    observed::begin_hop(&ureq::http::Method::POST, "http://a.example/", 0);
    observed::enter(Phase::Wait);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (theirs, _) = listener.accept().unwrap();
    let permit = SocketBudget::new(1).take(1).unwrap();
    (Socket::new((ours, permit)), theirs)
}

/// Closes the server's side with a reset.
fn reset(theirs: TcpStream) {
    let linger = SockRef::from(&theirs).set_linger(Some(Duration::ZERO));
    linger.unwrap();
    drop(theirs);
}

/// Waits until the system has closed the socket.
fn wait_for_the_end(socket: &Socket) {
    let news = socket.wait_for(PollFlags::empty(), Duration::from_secs(5));
    assert!(news.unwrap().contains(PollFlags::HUP));
}

/// All that comes, and the error at its end.
fn read_all(socket: &mut Socket) -> (Vec<u8>, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let end = socket.read_to_end(&mut bytes);
    (bytes, end.err().map(|error| error.kind()))
}

#[test]
fn what_a_server_said_before_it_reset_the_connection_is_heard() {
    let (mut socket, mut theirs) = connection(Duration::from_secs(5));
    theirs.write_all(REFUSAL).unwrap();
    reset(theirs);
    wait_for_the_end(&socket);
    socket.write_all(b"ping").unwrap();
    socket.write_all(&vec![b'x'; HUGE]).unwrap();
    let (said, end) = read_all(&mut socket);
    assert_eq!(said, REFUSAL);
    assert_eq!(
        end,
        Some(ErrorKind::ConnectionReset),
        "the system told it to the sender"
    );
    let recorded = observed::with(|observed| observed.connection_end);
    assert_eq!(recorded, ConnectionEnd::Reset);
}

#[test]
fn a_server_that_closed_its_side_before_it_reset_the_other_has_said_all() {
    let (mut socket, mut theirs) = connection(Duration::from_secs(5));
    theirs.write_all(REFUSAL).unwrap();
    drop(theirs);
    // the first bytes bring the reset, and the next ones meet it
    socket.write_all(b"ping").unwrap();
    wait_for_the_end(&socket);
    socket.write_all(b"ping").unwrap();
    let (said, end) = read_all(&mut socket);
    assert_eq!((said.as_slice(), end), (REFUSAL, None));
}

#[test]
fn a_server_that_says_nothing_and_resets_is_a_reset() {
    let (mut socket, theirs) = connection(Duration::from_secs(5));
    reset(theirs);
    wait_for_the_end(&socket);
    socket.write_all(b"ping").unwrap();
    let (said, end) = read_all(&mut socket);
    assert_eq!((said.len(), end), (0, Some(ErrorKind::ConnectionReset)));
}

/// Sends much to a server that says `said` and reads nothing. How long that took, or why it ended; and what is read
/// then.
fn send_to_the_deaf(said: &[u8], limit: Duration) -> (Result<Duration, Fault>, Vec<u8>) {
    let (socket, mut theirs) = connection(limit);
    let mut transport = TcpTransport::over(socket);
    theirs.write_all(said).unwrap();
    let never = NextTimeout::default();
    let piece = transport.buffers().output().len();
    let began = Instant::now();
    for _ in 0..HUGE / piece {
        if let Err(error) = transport.transmit_output(piece, never) {
            return (Err(blame::explain(error)), vec![]);
        }
    }
    let took = began.elapsed();
    assert!(transport.await_input(never).unwrap());
    (Ok(took), transport.buffers().input().to_vec())
}

#[test]
fn an_answer_of_a_server_that_does_not_read_is_heard() {
    let hints = [b"HTTP/1.1 103 Early Hints\r\n\r\n", REFUSAL].concat();
    for (said, least) in [
        (REFUSAL, Duration::ZERO),
        (&hints, Duration::ZERO),
        (b"220 mail.example ESMTP\r\n", Duration::ZERO),
        (&[b'\n'; 16 * 1024], Duration::ZERO),
        // it may read on while it answers
        (b"HTTP/1.1 200 OK\r\n\r\n", Duration::from_millis(990)),
    ] {
        let (took, heard) = send_to_the_deaf(said, Duration::from_mins(1));
        let took = took.unwrap();
        assert!(said.starts_with(&heard) && !heard.is_empty(), "{heard:?}");
        assert!(took >= least && took < Duration::from_secs(30), "{took:?}");
    }
}

#[test]
fn a_server_that_does_not_answer_has_until_the_time_is_up() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    for said in ["", "HTTP/1.", interim] {
        let (fault, _) = send_to_the_deaf(said.as_bytes(), Duration::from_millis(200));
        let fault = fault.unwrap_err();
        assert_eq!(fault.reason, Reason::ResponseTimeout, "{said}: {fault}");
    }
}

#[test]
fn a_server_that_answers_and_reads_on_gets_all() {
    let (socket, mut theirs) = connection(Duration::from_secs(30));
    let mut transport = TcpTransport::over(socket);
    theirs.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    let reading = thread::spawn(move || {
        let mut bytes = Vec::new();
        theirs.read_to_end(&mut bytes).unwrap();
        bytes.len()
    });
    let never = NextTimeout::default();
    let piece = transport.buffers().output().len();
    for _ in 0..HUGE / piece {
        transport.transmit_output(piece, never).unwrap();
    }
    assert!(transport.await_input(never).unwrap());
    drop(transport);
    assert_eq!(reading.join().unwrap(), HUGE / piece * piece);
}

/// How late the end of a read is that nothing comes to, in a check with so much time.
fn lateness(limit: Duration) -> Duration {
    let (mut socket, _theirs) = connection(limit);
    observed::start();
    let began = Instant::now();
    let error = socket.read(&mut [0]).unwrap_err();
    let took = began.elapsed();
    assert_eq!(blame::explain(error.into()).reason, Reason::ResponseTimeout);
    took.saturating_sub(limit)
}

/// The kernel's wheel has a cog every 32, 64 or 80 ms at these times, by the rate of its clock, and each of these reads
/// would end at one.
#[test]
fn a_read_ends_when_the_time_is_up() {
    let round = || {
        let limits = [640, 650, 660, 670].map(Duration::from_millis);
        let reads = limits.map(|limit| thread::spawn(move || lateness(limit)));
        reads.map(|read| read.join().unwrap())
    };
    // a busy machine is late, but not always
    let on_time = |late: [Duration; 4]| late.iter().all(|late| *late < Duration::from_millis(5));
    assert!((0..20).any(|_| on_time(round())), "{:?}", round());
}

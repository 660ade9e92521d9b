//! A server on loopback that does as it is told, one act for each connection.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use socket2::SockRef;

/// What the server does with a connection.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Sends this and closes.
    Send(Vec<u8>),
    /// Sends this, then nothing, until the client leaves.
    HangAfter(&'static str),
    /// Sends this and resets the connection.
    ResetAfter(&'static str),
    /// Sends this, then `x` without end.
    Endless(&'static str),
    /// Sends the first bytes, then the second over and over, as fast as the client reads.
    Repeat(Vec<u8>, Vec<u8>),
    /// Sends the first bytes, then the second one by one every 20 ms, over and over.
    Drip(Vec<u8>, Vec<u8>),
    /// Sends these one by one, as fast as the client reads, and closes.
    Bytes(Vec<u8>),
    /// Closes before it has read the request.
    Close,
    /// Sends this before it has read anything, and closes.
    AtOnce(&'static str),
    /// Sends this once the request has begun, reads none of it, and waits until the client leaves.
    Deaf(&'static str),
}

impl Act {
    /// Sends this text and closes.
    pub(crate) fn send(text: &str) -> Self {
        Self::Send(text.as_bytes().to_vec())
    }

    /// A healthy answer.
    pub(crate) fn ok(body: &str) -> Self {
        let length = body.len();
        Self::send(&format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    }

    /// A redirect.
    pub(crate) fn to(location: &str) -> Self {
        Self::send(&format!(
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n"
        ))
    }

    /// Plays the act; returns the request.
    fn play(&self, stream: &mut TcpStream) -> io::Result<String> {
        match self {
            Self::ResetAfter(text) => {
                // closing with the request unread makes the system send a reset
                stream.peek(&mut [0])?;
                stream.write_all(text.as_bytes())?;
                return Ok(String::new());
            }
            Self::Close => return stream.shutdown(Shutdown::Both).map(|()| String::new()),
            Self::AtOnce(text) => {
                stream.write_all(text.as_bytes())?;
                // its end comes before the reset, which a request that is there by now brings about
                return stream.shutdown(Shutdown::Write).map(|()| String::new());
            }
            Self::Deaf(text) => {
                stream.peek(&mut [0])?;
                stream.write_all(text.as_bytes())?;
                wait_for_leaving(stream);
                return Ok(String::new());
            }
            _ => {}
        }
        let request = read_request(stream)?;
        // an error here is the client's leaving
        drop(self.answer(stream));
        Ok(request)
    }

    /// Answers until the client leaves.
    fn answer(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        match self {
            Self::Send(bytes) => stream.write_all(bytes),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| stream.write_all(&[*byte])),
            Self::HangAfter(text) => {
                stream.write_all(text.as_bytes())?;
                stream.read_exact(&mut [0])
            }
            Self::Endless(text) => repeat(stream, text.as_bytes(), b"x"),
            Self::Repeat(first, unit) => repeat(stream, first, unit),
            Self::Drip(first, unit) => drip(stream, first, unit),
            Self::ResetAfter(_) | Self::Close | Self::AtOnce(_) | Self::Deaf(_) => Ok(()),
        }
    }
}

/// Waits until the client leaves, and reads nothing.
pub(crate) fn wait_for_leaving(stream: &TcpStream) {
    poll(&mut [PollFd::new(stream, PollFlags::RDHUP)], None).unwrap();
}

/// Makes the connections of a listener so narrow that a long request fills them while it is not read.
pub(crate) fn narrow(listener: &TcpListener) {
    let socket = SockRef::from(listener);
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    socket.set_tcp_mss(88).unwrap();
}

/// Sends `first`, then `unit` without end.
fn repeat(stream: &mut TcpStream, first: &[u8], unit: &[u8]) -> io::Result<()> {
    stream.write_all(first)?;
    let many = unit.repeat(4_096_usize.div_ceil(unit.len()));
    loop {
        stream.write_all(&many)?;
    }
}

/// Sends `first`, then a byte of `unit` every 20 ms without end.
fn drip(stream: &mut TcpStream, first: &[u8], unit: &[u8]) -> io::Result<()> {
    stream.write_all(first)?;
    stream.set_read_timeout(Some(Duration::from_millis(20)))?;
    for byte in unit.iter().cycle() {
        if matches!(stream.read(&mut [0]), Ok(0)) {
            break;
        }
        stream.write_all(&[*byte])?;
    }
    Ok(())
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Serves one connection after the other, each with its act, and ends.
    pub(crate) fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        if acts.iter().any(|act| matches!(act, Act::Deaf(_))) {
            narrow(&listener);
        }
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let thread = thread::spawn(move || {
            for act in acts {
                let (mut stream, _) = listener.accept().unwrap();
                let request = act.play(&mut stream).unwrap_or_default();
                seen.lock().unwrap().push(request);
            }
        });
        Self {
            address,
            requests,
            thread,
        }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL on this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits until every act has been played; the requests, one for each.
    pub(crate) fn requests(self) -> Vec<String> {
        self.thread.join().unwrap();
        self.requests.lock().unwrap().clone()
    }

    /// The URL of a port on which nothing listens any more.
    pub(crate) fn refused_url() -> String {
        let server = Self::start(vec![]);
        let url = server.url("/");
        server.requests();
        url
    }
}

/// `hello`, compressed.
pub(crate) const GZIP_HELLO: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 7, 0, 134, 166, 16, 54, 5, 0, 0, 0,
];

/// Reads a request with its body.
fn read_request(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "));
            let length: usize = length.map_or(0, |digits| digits.parse().unwrap());
            if bytes.len() >= head.len() + 4 + length {
                return Ok(text);
            }
        }
        let read = stream.read(&mut piece)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&piece[..read]);
    }
}

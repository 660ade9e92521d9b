//! A server on loopback that does as it is told, one act for each connection.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

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
    /// Sends this, then an `x` every 20 ms without end.
    Trickle(&'static str),
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
        if let Self::ResetAfter(text) = self {
            // closing with the request unread makes the system send a reset
            stream.peek(&mut [0])?;
            stream.write_all(text.as_bytes())?;
            return Ok(String::new());
        }
        let request = read_request(stream)?;
        // an error here is the client's leaving
        drop(self.answer(stream));
        Ok(request)
    }

    /// Answers until the client leaves.
    fn answer(&self, stream: &mut TcpStream) -> io::Result<()> {
        match self {
            Self::Send(bytes) => stream.write_all(bytes),
            Self::ResetAfter(_) => Ok(()),
            Self::HangAfter(text) => {
                stream.write_all(text.as_bytes())?;
                stream.read_exact(&mut [0])
            }
            Self::Endless(text) => {
                stream.write_all(text.as_bytes())?;
                loop {
                    stream.write_all(&[b'x'; 4_096])?;
                }
            }
            Self::Trickle(text) => {
                stream.write_all(text.as_bytes())?;
                stream.set_read_timeout(Some(Duration::from_millis(20)))?;
                while !matches!(stream.read(&mut [0]), Ok(0)) {
                    stream.write_all(b"x")?;
                }
                Ok(())
            }
        }
    }
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

    /// A URL on this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits until every act has been played; the requests, one for each.
    pub(crate) fn requests(self) -> Vec<String> {
        self.thread.join().unwrap();
        self.requests.lock().unwrap().clone()
    }

    /// The URL of a port on which nobody listens any more.
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
                .find_map(|line| line.strip_prefix("content-length: "));
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

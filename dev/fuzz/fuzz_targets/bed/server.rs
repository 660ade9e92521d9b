//! A server on loopback that answers each connection of a check as it was told before.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use url::Url;

/// What stands between two answers.
const NEXT: &[u8] = b"NEXT";
/// What stands for the server's own address.
const HOST: &[u8] = b"HOST";
/// How requests end that have a body; all others end with an empty line.
const BODY: &[u8] = b"the end";
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;
/// So many small pieces are written before the rest follows at once.
const PIECES: usize = 32;

/// How an answer is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// The bytes of the first pieces.
    piece: usize,
    /// Whether the connection is reset at the end.
    reset: bool,
}

/// What the server does.
#[derive(Debug)]
struct Script {
    /// What it sends; the last one again and again.
    answers: Vec<Vec<u8>>,
    /// The connections so far.
    connections: usize,
    /// How it sends.
    manner: Manner,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it listens.
    address: SocketAddr,
    /// What it does.
    script: Arc<Mutex<Script>>,
}

impl Manner {
    /// The manner that a digit stands for: two bits for the pieces, one for the end.
    pub(crate) fn of(digit: u8) -> Self {
        Self {
            piece: [usize::MAX, 1, 5, 64][usize::from(digit & 3)],
            reset: digit & 4 != 0,
        }
    }
}

impl Server {
    /// Starts a server, which runs as long as the process.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its number");
        let script = Arc::new(Mutex::new(Script {
            answers: vec![],
            connections: 0,
            manner: Manner::of(0),
        }));
        let shared = Arc::clone(&script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, manner) = locked(&shared, Script::next);
                // an error here is the client's leaving
                drop(stream.and_then(|stream| send(stream, &answer, manner)));
            }
        });
        Self { address, script }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells the server how to answer the connections that come now. Answers that lead to another server
    /// are refused.
    pub(crate) fn prepare(&self, answers: &[u8], manner: Manner) -> bool {
        let own = self.address.to_string();
        let answers = split(answers, NEXT);
        let answers =
            answers.map(|answer| split(answer, HOST).collect::<Vec<_>>().join(own.as_bytes()));
        let answers: Vec<Vec<u8>> = answers.collect();
        let at_home = answers.iter().all(|answer| stays_at_home(answer, &own));
        locked(&self.script, |script| {
            *script = Script {
                answers,
                connections: 0,
                manner,
            };
        });
        at_home
    }
}

impl Script {
    /// What the next connection gets.
    fn next(&mut self) -> (Vec<u8>, Manner) {
        let last = self.answers.len().saturating_sub(1);
        let answer = self.answers.get(self.connections.min(last));
        self.connections += 1;
        (answer.cloned().unwrap_or_default(), self.manner)
    }
}

/// Does something short under the lock.
fn locked<T>(script: &Mutex<Script>, act: impl FnOnce(&mut Script) -> T) -> T {
    act(&mut script.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Answers one connection and closes it.
fn send(mut stream: TcpStream, answer: &[u8], manner: Manner) -> io::Result<()> {
    let Manner { piece, reset } = manner;
    stream.set_nodelay(true)?;
    if reset {
        // closing with the request unread makes the system send a reset
        stream.peek(&mut [0])?;
    } else {
        read_request(&mut stream)?;
    }
    let mut rest = answer;
    for _ in 0..PIECES {
        let (first, others) = rest.split_at(piece.min(rest.len()));
        stream.write_all(first)?;
        rest = others;
    }
    stream.write_all(rest)
}

/// Reads a request, or the beginning of a TLS handshake.
fn read_request(stream: &mut TcpStream) -> io::Result<()> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let read = stream.read(&mut piece)?;
        bytes.extend_from_slice(&piece[..read]);
        let end = if bytes.starts_with(b"POST") {
            BODY
        } else {
            b"\r\n\r\n"
        };
        if read == 0 || bytes.ends_with(end) || bytes.starts_with(&[HANDSHAKE]) {
            return Ok(());
        }
    }
}

/// Whether every redirect in an answer leads to the server `own`, however the checker may read it.
fn stays_at_home(answer: &[u8], own: &str) -> bool {
    let lines = answer.split(|byte| matches!(byte, b'\r' | b'\n'));
    lines.filter_map(location).all(|location| {
        // relative to either scheme, as `http:host` means another host on `https`
        ["http", "https"].iter().all(|scheme| {
            let home = Url::parse(&format!("{scheme}://{own}/a/b")).expect(own);
            let url = home.join(&location);
            url.map_or(true, |url| {
                let port = url.port_or_known_default();
                !url.scheme().starts_with("http")
                    || (url.host(), port) == (home.host(), home.port())
            })
        })
    })
}

/// The value of a line, if it is a `Location`.
fn location(line: &[u8]) -> Option<String> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(colon);
    let is_location = name.trim_ascii().eq_ignore_ascii_case(b"location");
    is_location.then(|| String::from_utf8_lossy(value.get(1..).unwrap_or_default()).into_owned())
}

/// The parts of `bytes` between the places where `mark` stands; at least one.
fn split<'a>(bytes: &'a [u8], mark: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let all = rest?;
        let Some(at) = all.windows(mark.len()).position(|part| part == mark) else {
            return rest.take();
        };
        rest = all.get(at + mark.len()..);
        all.get(..at)
    })
}

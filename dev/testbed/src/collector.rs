//! A collector of OpenTelemetry traces, which keeps what it is sent.

#![expect(
    clippy::indexing_slicing,
    reason = "what is not in a JSON value is null"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use sea_orm::JsonValue;

/// A collector on loopback, which answers as it is told.
#[derive(Debug)]
pub struct Collector {
    /// Where it listens.
    address: SocketAddr,
    /// What it was sent, and what it answers.
    state: Arc<Mutex<State>>,
}

/// What a collector was sent, and what it answers.
#[derive(Debug, Default)]
struct State {
    /// The requests: head and body.
    requests: Vec<(String, JsonValue)>,
    /// The status of its answers, if not 200; 0 means none at all.
    status: Option<u16>,
    /// Connections that get no answer.
    open: Vec<TcpStream>,
}

impl Collector {
    /// Starts on a free port of loopback; its threads end with the test.
    pub fn start() -> Self {
        Self::start_on(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// The same, on another address of this machine.
    pub fn start_on(address: IpAddr) -> Self {
        let listener = TcpListener::bind((address, 0)).expect("a free port");
        let address = listener.local_addr().expect("the collector's address");
        let state = Arc::<Mutex<State>>::default();
        let served = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&served);
                thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, state }
    }

    /// Its base address, as a configuration names it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Has it answer with this status from now on; 0 means that it does not answer at all.
    pub fn answer(&self, status: u16) {
        lock(&self.state).status = Some(status);
    }

    /// The requests so far: head and body.
    pub fn requests(&self) -> Vec<(String, JsonValue)> {
        lock(&self.state).requests.clone()
    }

    /// The spans so far, each as it came and with its `service`.
    pub fn spans(&self) -> Vec<JsonValue> {
        let mut spans = Vec::new();
        for (_, body) in self.requests() {
            for resource in list(&body["resourceSpans"]) {
                let attributes = list(&resource["resource"]["attributes"]);
                let mut names = attributes.filter(|attribute| attribute["key"] == "service.name");
                let service = names.next().map(|name| &name["value"]["stringValue"]);
                let scopes = list(&resource["scopeSpans"]);
                for span in scopes.flat_map(|scope| list(&scope["spans"])) {
                    let mut span = span.clone();
                    span["service"] = service.cloned().unwrap_or_default();
                    spans.push(span);
                }
            }
        }
        spans
    }
}

/// The items of a list; none of what is none.
fn list(json: &JsonValue) -> impl Iterator<Item = &JsonValue> {
    json.as_array().into_iter().flatten()
}

/// The state; a test that fails elsewhere leaves it usable.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers the requests of a connection; a client that leaves is no fault.
fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let mut state = lock(state);
        state.requests.push(request);
        let status = state.status.unwrap_or(200);
        if status == 0 {
            state.open.push(reader.into_inner());
            return;
        }
        drop(state);
        let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 2\r\n\r\n{{}}");
        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Reads a request, its head in lower case.
fn read(reader: &mut BufReader<TcpStream>) -> Option<(String, JsonValue)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_ascii_lowercase();
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "))?;
    let mut body = vec![0; length.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    Some((head, body.parse().expect("JSON")))
}

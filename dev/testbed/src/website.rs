//! A website to watch: an HTTP server on loopback whose paths say how they behave.
//!
//! - `/ok/…` answers 200 at once;
//! - `/slow/MS/…` answers 200 after so many milliseconds;
//! - `/echo/…` answers 200 with the request's head as its body, and as its header `x-echo` what came as
//!   `x-say`;
//! - `/fail/…` answers 500;
//! - `/reset/…` resets the connection instead of answering;
//! - `/switch/…` answers 200, or 503 while it is [switched off](Website::switch).
//!
//! One request per connection, as webmon asks. Every request is counted by its path.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// How many connections may wait to be accepted: more than the slots of a test's checkers, or the
/// website would really be down for some of them.
const BACKLOG: u32 = 4_096;
/// The longest request that is read, in bytes.
const MAX_REQUEST_BYTES: usize = 16_384;

/// A website that runs on the test's runtime until it is dropped.
#[derive(Debug)]
pub struct Website {
    /// Where it listens.
    address: SocketAddr,
    /// What its connections share.
    state: Arc<State>,
    /// Accepts the connections.
    accepting: JoinHandle<()>,
}

/// What the connections of a website share.
#[derive(Debug, Default)]
struct State {
    /// Requests by path.
    hits: Mutex<HashMap<String, u64>>,
    /// Whether `/switch/…` answers 503.
    switched_off: AtomicBool,
}

impl Website {
    /// Starts on a free port of loopback.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        let bound = socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        bound.expect("a free port on 127.0.0.1");
        let listener = socket.listen(BACKLOG).expect("a website that listens");
        let address = listener.local_addr().expect("the website's address");
        let state = Arc::new(State::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self {
            address,
            state,
            accepting,
        }
    }

    /// The address of a path, which starts with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Lets `/switch/…` answer 200 (`on`) or 503.
    pub fn switch(&self, on: bool) {
        self.state.switched_off.store(!on, Ordering::Relaxed);
    }

    /// How often a path was asked for.
    pub fn hits(&self, path: &str) -> u64 {
        self.state.counts().get(path).copied().unwrap_or(0)
    }

    /// How many requests there were.
    pub fn total_hits(&self) -> u64 {
        self.state.counts().values().sum()
    }
}

impl Drop for Website {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl State {
    /// The requests so far.
    fn counts(&self) -> std::sync::MutexGuard<'_, HashMap<String, u64>> {
        self.hits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves every connection in a task of its own.
async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        // A connection that is gone before it is accepted is its client's affair.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&state)));
        }
    }
}

/// Serves one request; a client that leaves early is no fault of the website.
async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let Some(head) = read_head(&mut stream).await else {
        return;
    };
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    *state.counts().entry(path.clone()).or_default() += 1;
    let status = match path.split('/').nth(1) {
        Some("reset") => {
            drop(stream.set_zero_linger());
            return;
        }
        Some("slow") => {
            let millis = path.split('/').nth(2).and_then(|text| text.parse().ok());
            tokio::time::sleep(Duration::from_millis(millis.unwrap_or(0))).await;
            "200 OK"
        }
        Some("fail") => "500 Internal Server Error",
        Some("switch") if state.switched_off.load(Ordering::Relaxed) => "503 Service Unavailable",
        _ => "200 OK",
    };
    let (echo, body) = match path.split('/').nth(1) {
        Some("echo") => (said(&head), head.as_str()),
        _ => (String::new(), "ok"),
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{echo}\r\n{body}"
    );
    if stream.write_all(answer.as_bytes()).await.is_ok() {
        drop(stream.shutdown().await);
    }
}

/// What the client said, as a header for its answer.
fn said(head: &str) -> String {
    let said = head.lines().find_map(|line| line.strip_prefix("x-say: "));
    said.map_or_else(String::new, |said| format!("x-echo: {said}\r\n"))
}

/// Reads a request's head; `None` if there is none.
async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::with_capacity(1_024);
    while !head.ends_with(b"\r\n\r\n") {
        let read = stream.read_buf(&mut head).await.ok()?;
        if read == 0 || head.len() > MAX_REQUEST_BYTES {
            return None;
        }
    }
    String::from_utf8(head).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the website answers to a path, byte for byte.
    async fn answer(website: &Website, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(website.address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn a_path_says_how_it_behaves() {
        let website = Website::start();
        website.switch(false);
        for (path, status) in [
            ("/ok/1", "200"),
            ("/slow/20/1", "200"),
            ("/fail/1", "500"),
            ("/switch/1", "503"),
        ] {
            let answer = answer(&website, path).await.unwrap();
            assert_eq!(answer.split(' ').nth(1), Some(status), "{path}");
        }
        let error = answer(&website, "/reset/1").await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn every_request_is_counted_by_its_path() {
        let website = Website::start();
        for path in ["/ok/1", "/ok/1", "/fail/1"] {
            answer(&website, path).await.unwrap();
        }
        assert_eq!((website.hits("/ok/1"), website.hits("/ok/2")), (2, 0));
        assert_eq!(website.total_hits(), 3);
    }
}

//! An HTTP proxy on loopback, which passes on what it should, or answers as it is told.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a proxy does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Pass {
    /// Passes it on to this server, whatever its name, as this name is only the proxy's.
    To(SocketAddr),
    /// Sends these bytes and closes.
    Say(Vec<u8>),
    /// Sends these bytes, then nothing, until the client leaves.
    Hang(&'static str),
    /// Sends a byte every 20 ms, over and over.
    Drip(&'static str),
    /// Closes before it has read the request, with a reset.
    Reset,
}

impl Pass {
    /// Answers this and closes.
    pub(crate) fn say(text: &str) -> Self {
        Self::Say(text.as_bytes().to_vec())
    }
}

/// A running proxy.
#[derive(Clone, Debug)]
pub(crate) struct ProxyServer {
    pub(crate) address: SocketAddr,
    pass: Pass,
    alive: bool,
    state: Arc<Mutex<State>>,
}

/// What a proxy was asked.
#[derive(Debug, Default)]
struct State {
    heads: Vec<String>,
    questions: usize,
}

impl ProxyServer {
    /// A proxy that also answers requests which are not to be passed on.
    pub(crate) fn start(pass: Pass) -> Self {
        Self::of(pass, true)
    }

    /// A proxy that answers nothing else.
    pub(crate) fn hanging(pass: Pass) -> Self {
        Self::of(pass, false)
    }

    fn of(pass: Pass, alive: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            pass,
            alive,
            state: Arc::default(),
        };
        let proxy = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (proxy, stream) = (proxy.clone(), stream.unwrap());
                // an error here is the client's leaving
                thread::spawn(move || drop(proxy.serve(stream)));
            }
        });
        server
    }

    /// Its address, as sites name it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of the requests that it was to pass on.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.state.lock().unwrap().heads.clone()
    }

    /// How many requests were for itself.
    pub(crate) fn questions(&self) -> usize {
        self.state.lock().unwrap().questions
    }

    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        if matches!(self.pass, Pass::Reset) {
            // closing with the request unread makes the system send a reset
            client.peek(&mut [0])?;
            return Ok(());
        }
        let head = read_head(&mut client)?;
        if head.starts_with("OPTIONS * ") {
            self.state.lock().unwrap().questions += 1;
            if !self.alive {
                return wait(&mut client);
            }
            return client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
        self.state.lock().unwrap().heads.push(head.clone());
        match &self.pass {
            Pass::To(site) => pass_on(&head, client, *site),
            Pass::Say(bytes) => {
                client.write_all(bytes)?;
                client.shutdown(Shutdown::Write)?;
                wait(&mut client)
            }
            Pass::Hang(text) => {
                client.write_all(text.as_bytes())?;
                wait(&mut client)
            }
            Pass::Drip(text) => drip(&mut client, text.as_bytes()),
            Pass::Reset => Ok(()),
        }
    }
}

/// Waits until the client leaves.
fn wait(client: &mut TcpStream) -> io::Result<()> {
    io::copy(client, &mut io::sink()).map(drop)
}

/// Sends a byte every 20 ms.
fn drip(client: &mut TcpStream, text: &[u8]) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_millis(20)))?;
    for byte in text.iter().cycle() {
        if matches!(client.read(&mut [0]), Ok(0)) {
            break;
        }
        client.write_all(&[*byte])?;
    }
    Ok(())
}

/// Reads the head of a request, and nothing of what follows.
fn read_head(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8(head).unwrap())
}

/// Passes a request on, as RFC 9110 (7.6 and 9.3.6) and RFC 9112 (3.2) ask of a proxy.
fn pass_on(head: &str, mut client: TcpStream, site: SocketAddr) -> io::Result<()> {
    let (line, fields) = head.split_once("\r\n").unwrap();
    let parts: Vec<_> = line.split(' ').collect();
    assert_eq!((parts.len(), parts[2]), (3, "HTTP/1.1"), "{line}");
    let (method, target) = (parts[0], parts[1]);
    let host = fields.lines().find_map(|field| {
        let (name, value) = field.split_once(": ")?;
        name.eq_ignore_ascii_case("host").then_some(value)
    });
    let host = host.unwrap();
    let mut server = TcpStream::connect(site)?;
    if method == "CONNECT" {
        assert_eq!(target, host, "{head}");
        let (_, port) = target.rsplit_once(':').unwrap();
        assert!(port.parse::<u16>().is_ok(), "{head}");
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    } else {
        let path = target.strip_prefix("http://").unwrap();
        let path = path.strip_prefix(host).unwrap();
        assert!(path.starts_with('/'), "{head}");
        let own = |field: &&str| field.to_ascii_lowercase().starts_with("proxy-");
        let fields: Vec<_> = fields.split("\r\n").filter(|field| !own(field)).collect();
        let head = format!("{method} {path} HTTP/1.1\r\n{}", fields.join("\r\n"));
        server.write_all(head.as_bytes())?;
    }
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        // an error here is the end of one of both
        drop(io::copy(&mut from_client, &mut to_server));
        drop(to_server.shutdown(Shutdown::Write));
    });
    drop(io::copy(&mut server, &mut client));
    client.shutdown(Shutdown::Write)
}

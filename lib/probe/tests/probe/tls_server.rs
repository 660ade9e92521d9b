//! TLS servers on loopback that do as they are told.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion, version,
};

use crate::authority::{Shown, Signs};
use crate::hostile::{narrow, wait_for_leaving};
use crate::nonsense::Nonsense;

/// How a server speaks TLS.
pub(crate) struct Speech {
    /// What it shows.
    pub(crate) shown: Shown,
    /// Versions.
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
    /// The authority of the clients that it wants.
    pub(crate) clients: Option<CertificateDer<'static>>,
}

impl From<Shown> for Speech {
    fn from(shown: Shown) -> Self {
        Self {
            shown,
            versions: vec![&version::TLS12, &version::TLS13],
            clients: None,
        }
    }
}

/// Shows the same to everyone, also where the key does not belong to the certificate.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

impl Speech {
    /// The configuration of such a server.
    fn config(self) -> ServerConfig {
        let provider: Arc<CryptoProvider> = Arc::new(aws_lc_rs::default_provider());
        let Shown { chain, signs } = self.shown;
        let key: Arc<dyn SigningKey> = match signs {
            Signs::Key(key) => provider.key_provider.load_private_key(key).unwrap(),
            Signs::Nonsense(scheme) => Arc::new(Nonsense(scheme)),
        };
        let pair = Arc::new(CertifiedKey::new(chain, key));
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions)
            .unwrap();
        let builder = match self.clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        builder.with_cert_resolver(Arc::new(Always(pair)))
    }
}

/// What a server does with one connection.
#[derive(Clone, Debug)]
pub(crate) enum Turn {
    /// Shakes hands, answers and closes.
    Answer(String),
    /// Answers with the head of the request as the body.
    Echo,
    /// Answers so, and closes the connection but not TLS.
    Drop(&'static str),
    /// Answers so before it has read the request, and closes.
    Early(&'static str),
    /// Answers so, reads nothing of the request, and waits until the client leaves.
    Deaf(&'static str),
    /// Shakes hands, then nothing, until the client leaves.
    Silence,
    /// Sends so many bytes of the handshake, then nothing.
    StallAfter(usize),
    /// Sends so many bytes of the handshake and closes.
    CloseAfter(usize),
    /// Sends the handshake byte by byte, one every 20 ms.
    Drip,
}

impl Turn {
    /// A healthy answer.
    pub(crate) fn ok() -> Self {
        Self::Answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_owned())
    }

    /// A redirect.
    pub(crate) fn to(location: &str) -> Self {
        Self::Answer(format!(
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n"
        ))
    }

    /// Plays the turn; the name that the client asked for.
    fn play(&self, config: Arc<ServerConfig>, stream: TcpStream) -> Option<String> {
        stream.set_nodelay(true).unwrap();
        let mut session = ServerConnection::new(config).unwrap();
        let mut pipe = Pipe {
            left: match self {
                Self::StallAfter(bytes) | Self::CloseAfter(bytes) => *bytes,
                _ => usize::MAX,
            },
            drips: matches!(self, Self::Drip),
            stream,
        };
        let shaken = session.complete_io(&mut pipe);
        let name = session.server_name().map(str::to_owned);
        let mut stream = StreamOwned::new(session, pipe);
        // an error is the client's leaving, which is what some tests are about
        drop(match self {
            Self::CloseAfter(_) => Ok(()),
            Self::StallAfter(_) => stream.sock.wait(),
            Self::Early(text) => stream.write_all(text.as_bytes()),
            Self::Deaf(text) => {
                let said = stream.write_all(text.as_bytes());
                wait_for_leaving(&stream.sock.stream);
                said
            }
            _ => shaken.and_then(|_| self.answer(&mut stream)),
        });
        name
    }

    /// Answers a request.
    fn answer(&self, stream: &mut StreamOwned<ServerConnection, Pipe>) -> io::Result<()> {
        let mut head = vec![0; 16];
        stream.read_exact(&mut head)?;
        match self {
            Self::Echo => {
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte)?;
                    head.extend(byte);
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
                stream.write_all(&head)?;
                stream.conn.send_close_notify();
                stream.flush()?;
            }
            Self::Answer(text) => {
                stream.write_all(text.as_bytes())?;
                stream.conn.send_close_notify();
                stream.flush()?;
            }
            Self::Drop(text) => stream.write_all(text.as_bytes())?,
            _ => return stream.sock.wait(),
        }
        // a close with something unread would reset the connection
        stream.sock.stream.shutdown(Shutdown::Write)?;
        stream.sock.wait()
    }
}

/// A connection that lets only so many bytes through.
struct Pipe {
    stream: TcpStream,
    left: usize,
    drips: bool,
}

impl Pipe {
    /// Waits until the client leaves.
    fn wait(&mut self) -> io::Result<()> {
        io::copy(&mut self.stream, &mut io::sink()).map(drop)
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(self.left)];
        if bytes.is_empty() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.left -= bytes.len();
        if !self.drips {
            self.stream.write_all(bytes)?;
            return Ok(bytes.len());
        }
        self.stream.write_all(&bytes[..1])?;
        self.stream
            .set_read_timeout(Some(Duration::from_millis(20)))?;
        match self.stream.peek(&mut [0]) {
            // the client has left
            Ok(0) => Err(io::ErrorKind::BrokenPipe.into()),
            _ => Ok(1),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A running server.
pub(crate) struct TlsServer {
    address: SocketAddr,
    thread: JoinHandle<Vec<Option<String>>>,
}

impl TlsServer {
    /// Serves one connection after the other, each with its turn, and ends.
    pub(crate) fn start(speech: impl Into<Speech>, turns: Vec<Turn>) -> Self {
        Self::on("127.0.0.1:0", speech, turns)
    }

    /// The same, on this address.
    pub(crate) fn on(address: &str, speech: impl Into<Speech>, turns: Vec<Turn>) -> Self {
        let config = Arc::new(speech.into().config());
        let listener = TcpListener::bind(address).unwrap();
        if turns.iter().any(|turn| matches!(turn, Turn::Deaf(_))) {
            narrow(&listener);
        }
        let address = listener.local_addr().unwrap();
        let serve = move |turn: Turn| {
            let (stream, _) = listener.accept().unwrap();
            turn.play(Arc::clone(&config), stream)
        };
        let thread = thread::spawn(move || turns.into_iter().map(serve).collect());
        Self { address, thread }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL on this server.
    pub(crate) fn url(&self) -> String {
        format!("https://{}/", self.address)
    }

    /// Waits until every turn has been played; the names that were asked for.
    pub(crate) fn names(self) -> Vec<Option<String>> {
        self.thread.join().unwrap()
    }
}

/// Sends these bytes to one client once it has spoken, then closes; or waits until it leaves.
pub(crate) fn raw(bytes: Vec<u8>, hangs: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let read = stream.read(&mut [0; 4_096]).unwrap();
        assert!(read > 0, "the client must speak first");
        // an error here is the client's leaving
        drop(stream.write_all(&bytes));
        if hangs {
            drop(io::copy(&mut stream, &mut io::sink()));
        }
    });
    url
}

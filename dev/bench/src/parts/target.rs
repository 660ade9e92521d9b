//! The website that all rivals probe: it answers after a while, and closes.
//!
//! It closes first, at once after the answer, so that the kernel keeps what is left of a connection
//! (`TIME_WAIT`) on this side, and clients do not run out of ports; several addresses give them more.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr as _};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use runtime::program::say;
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;

/// How many connections may wait to be accepted, on each address.
const BACKLOG: u32 = 4_096;
/// The longest request that is read, in bytes.
const REQUEST_BYTES: usize = 2_048;

/// A website on addresses of loopback.
#[derive(Args, Clone, Debug)]
pub(crate) struct Target {
    /// How many addresses
    #[arg(long, default_value_t = 8)]
    addresses: u8,
    /// How long an answer takes, in milliseconds
    #[arg(long)]
    delay_ms: u64,
    /// The length of an answer's body, in bytes
    #[arg(long, default_value_t = 1_024)]
    body_bytes: usize,
    /// Speak TLS, and write the authority to trust into this file
    #[arg(long)]
    ca: Option<PathBuf>,
}

/// What the connections share.
struct Shared {
    /// How long an answer takes.
    delay: Duration,
    /// The answer.
    answer: Vec<u8>,
    /// How many there were.
    answers: AtomicU64,
}

impl Target {
    /// Serves until it is killed; says its addresses first, in one line.
    pub(super) async fn run(self) -> Result<()> {
        let addresses = (1..=self.addresses).map(|n| Ipv4Addr::new(127, 0, 0, n));
        let addresses: Vec<_> = addresses.collect();
        let tls = match &self.ca {
            Some(ca) => Some(acceptor(&addresses, ca)?),
            None => None,
        };
        let shared = Arc::new(self.shared());
        let mut bound = Vec::new();
        for address in addresses {
            let socket = TcpSocket::new_v4().wrap_err("make a socket")?;
            let free = SocketAddr::from((address, 0));
            socket.bind(free).wrap_err("bind to loopback")?;
            let listener = socket.listen(BACKLOG).wrap_err("listen")?;
            bound.push(listener.local_addr().wrap_err("an address")?.to_string());
            tokio::spawn(accept(listener, tls.clone(), Arc::clone(&shared)));
        }
        say(bound.join(" ")).wrap_err("say the addresses")?;
        std::future::pending().await
    }

    /// What the connections share.
    fn shared(&self) -> Shared {
        let length = self.body_bytes;
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n"
        );
        Shared {
            delay: Duration::from_millis(self.delay_ms),
            answer: [head.into_bytes(), vec![b'x'; length]].concat(),
            answers: AtomicU64::new(0),
        }
    }
}

/// Serves every connection in a task of its own.
async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            match tls {
                None => serve(stream, &shared).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => serve(stream, &shared).await,
                    Err(_) => None,
                },
            }
        });
    }
}

/// Serves one request; a client that leaves early is its own affair.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) -> Option<()> {
    let mut request = Vec::with_capacity(REQUEST_BYTES);
    while !request.ends_with(b"\r\n\r\n") {
        let read = stream.read_buf(&mut request).await.ok()?;
        if read == 0 || request.len() >= REQUEST_BYTES {
            return None;
        }
    }
    if request.starts_with(b"GET /count ") {
        let answers = shared.answers.load(Ordering::Relaxed);
        let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{answers}");
        stream.write_all(answer.as_bytes()).await.ok()?;
        return stream.shutdown().await.ok();
    }
    tokio::time::sleep(shared.delay).await;
    stream.write_all(&shared.answer).await.ok()?;
    shared.answers.fetch_add(1, Ordering::Relaxed);
    stream.shutdown().await.ok()
}

/// TLS with a chain of two, as sites have it, and with nothing to resume.
fn acceptor(addresses: &[Ipv4Addr], ca: &PathBuf) -> Result<TlsAcceptor> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().wrap_err("make a key")?;
    let root = authority.self_signed(&authority_key).wrap_err("sign")?;
    std::fs::write(ca, root.pem()).wrap_err_with(|| format!("write {}", ca.display()))?;
    let names: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let key = KeyPair::generate().wrap_err("make a key")?;
    let leaf = CertificateParams::new(names)
        .wrap_err("name the targets")?
        .signed_by(&key, &Issuer::new(authority, authority_key))
        .wrap_err("sign the targets' certificate")?;
    let chain = vec![
        leaf.der().clone(),
        CertificateDer::from(root.der().to_vec()),
    ];
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(color_eyre::eyre::Error::msg)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .wrap_err("choose versions of TLS")?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .wrap_err("use the targets' certificate")?;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(TlsAcceptor::from(Arc::new(config)))
}

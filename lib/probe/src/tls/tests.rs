//! Servers that answer over TLS and read nothing.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::CertifiedKey;
use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use ureq::http::Method;

use super::clients::Clients;
use super::*;
use crate::sockets::SocketBudget;

/// More than the kernel takes of a connection that is not read.
const HUGE: usize = 16 << 20;

/// Both ends' configurations.
fn configs() -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = Arc::clone(Clients::new(roots).unwrap().plain());
    let provider = Arc::clone(client.crypto_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let server = server.with_single_cert(vec![cert.der().clone()], key);
    (client, Arc::new(server.unwrap()))
}

/// Shakes hands with a server that then says this, and nothing more; it reads nothing. Gives the connection once that
/// is said.
fn connected(said: &'static str, limit: Duration) -> (TlsTransport, TcpStream) {
    let (client, server) = configs();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let serving = thread::spawn(move || {
        let (theirs, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(server).unwrap(), theirs);
        stream.conn.complete_io(&mut stream.sock).unwrap();
        stream.write_all(said.as_bytes()).unwrap();
        stream.sock
    });
    observed::begin(limit, u64::MAX);
    observed::begin_hop(&Method::POST, "https://a.example/", 0);
    observed::enter(Phase::Tls);
    let permit = SocketBudget::new(1).take(1).unwrap();
    let TcpTransport {
        socket, buffers, ..
    } = TcpTransport::new((ours, permit));
    let name = ServerName::try_from("a.example").unwrap();
    let session = ClientConnection::new(client, name).unwrap();
    let mut stream = Box::new(StreamOwned::new(session, socket));
    stream.conn.complete_io(&mut stream.sock).unwrap();
    let theirs = serving.join().unwrap();
    observed::enter(Phase::Wait);
    let early = Early::default();
    let transport = TlsTransport {
        buffers,
        stream,
        early,
    };
    (transport, theirs)
}

/// Sends much more than there is room for.
fn send(transport: &mut TlsTransport) -> Result<(), ureq::Error> {
    let piece = transport.buffers().output().len();
    (0..HUGE / piece).try_for_each(|_| transport.transmit_output(piece, NextTimeout::default()))
}

#[test]
fn an_answer_of_a_server_that_does_not_read_is_heard_over_tls() {
    let refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig";
    let (mut transport, _theirs) = connected(refusal, Duration::from_mins(1));
    let began = Instant::now();
    send(&mut transport).unwrap();
    assert!(transport.await_input(NextTimeout::default()).unwrap());
    assert_eq!(transport.buffers().input(), refusal.as_bytes());
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_server_that_ends_and_does_not_read_has_said_all() {
    let (mut transport, theirs) = connected("", Duration::from_mins(1));
    theirs.shutdown(Shutdown::Write).unwrap();
    let began = Instant::now();
    send(&mut transport).unwrap();
    let error = transport.await_input(NextTimeout::default()).unwrap_err();
    assert_eq!(blame::explain(error).reason, Reason::Reset);
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn tickets_are_no_answer() {
    let (mut transport, _theirs) = connected("", Duration::from_millis(500));
    let fault = blame::explain(send(&mut transport).unwrap_err());
    assert_eq!(fault.reason, Reason::ResponseTimeout, "{fault}");
}

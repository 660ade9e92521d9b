//! The probe over TLS.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use checker::probe::Prober;
use contract::outcome::Reason;
use contract::result::CheckResult;
use rcgen::CertifiedKey;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::hostile::{Act, Server};
use crate::{config, detail, runtime, task};

/// A certificate that vouches for itself, and its key.
fn certificate(name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    (cert.into(), key)
}

/// Serves one connection with this certificate; the URL.
fn serve(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> String {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let session = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(session, stream);
        let mut request = [0; 4_096];
        // an error is the client's refusal, which is what some tests are about
        if stream.read(&mut request).is_ok() {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
                .unwrap();
        }
    });
    url
}

/// Checks `url` with a prober that trusts `roots` alone.
fn check(url: &str, roots: &[CertificateDer<'static>]) -> CheckResult {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots.iter().cloned());
    let prober = Prober::with_roots(&config(), runtime(), store).unwrap();
    let mut task = task(url, "{}", "{}");
    // a handshake takes its time in a debug build
    task.timeout_ms = 1_000;
    prober.check(&task, 5)
}

#[test]
fn a_certificate_that_is_trusted_is_up_and_the_handshake_is_timed() {
    let (certificate, key) = certificate("127.0.0.1");
    let url = serve(certificate.clone(), key);
    let result = check(&url, &[certificate]);
    assert_eq!(result.reason, None, "{result:?}");
    assert!(result.measured.phases.tls_us > Some(0), "{result:?}");
    assert_eq!(result.measured.body_bytes, Some(5));
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_down() {
    let (own, key) = certificate("127.0.0.1");
    let (other, _) = certificate("127.0.0.1");
    let result = check(&serve(own, key), &[other]);
    assert_eq!(result.reason, Some(Reason::TlsCertificate), "{result:?}");
    assert!(
        detail(&result).starts_with("tls: invalid peer certificate: "),
        "{result:?}"
    );
    let p = result.measured.phases;
    assert!(p.tls_us.is_some() && p.wait_us.is_none(), "{result:?}");
}

#[test]
fn a_certificate_for_another_name_is_down() {
    let (certificate, key) = certificate("other.example");
    let result = check(&serve(certificate.clone(), key), &[certificate]);
    assert_eq!(result.reason, Some(Reason::TlsCertificate), "{result:?}");
}

#[test]
fn what_is_not_tls_fails_in_the_handshake() {
    for (act, reason) in [
        (
            Act::ResetAfter("HTTP/1.1 400 Bad Request\r\n\r\n"),
            Reason::TlsHandshake,
        ),
        (Act::ResetAfter(""), Reason::TlsHandshake),
        (Act::HangAfter(""), Reason::TlsTimeout),
    ] {
        let server = Server::start(vec![act.clone()]);
        let result = check(&server.url("/").replace("http:", "https:"), &[]);
        assert_eq!(result.reason, Some(reason), "{act:?}: {result:?}");
        assert!(detail(&result).starts_with("tls: "), "{act:?}: {result:?}");
        assert!(
            result.measured.phases.tls_us.is_some(),
            "{act:?}: {result:?}"
        );
    }
}

//! Client configurations, and the certificates that webmon shows.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use contract::instant::UnixUs;
use contract::result::CheckResult;
use contract::task::Task;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use runtime::config::Secret;
use rustls::server::WebPkiClientVerifier;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::runtime::Runtime;

use super::*;
use crate::Prober;
use crate::fixtures;
use crate::options::ProbeOptions;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    named_authority("authority")
}

fn named_authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for loopback, in PEM, and its key.
fn leaf(authority: &Authority) -> (String, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key)
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// The certificates in a text.
fn read(pem: &str) -> Vec<CertificateDer<'static>> {
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
    certificates.collect::<Result<_, _>>().unwrap()
}

/// Options that show a certificate.
fn showing(certificate: &str) -> Tls {
    Tls {
        identity: Some(Identity {
            certificate: read(certificate),
            key: "SHOP_KEY".to_owned(),
        }),
        ..Tls::default()
    }
}

fn clients() -> Clients {
    Clients::new(RootCertStore::empty()).unwrap()
}

#[test]
fn keys_are_read_in_all_their_forms() {
    const RSA: &str = include_str!("rsa_test_key.pem");
    let (rsa, rsa_key) = RSA.split_at(RSA.find("-----BEGIN RSA").unwrap());
    let (certificate, key) = leaf(&authority());
    // what PKCS #8 wraps around a key of P-256 (RFC 5208, RFC 5915)
    let sec1 = pem("EC PRIVATE KEY", &key.serialized_der()[29..]);
    for (certificate, key) in [
        (&*certificate, &*key.serialize_pem()),
        (&certificate, &sec1),
        (rsa, rsa_key),
    ] {
        let made = clients().of_site(&showing(certificate), Some(key));
        assert!(made.is_ok(), "{made:?}");
    }
}

#[test]
fn a_certificate_or_a_key_that_is_of_no_use_is_named() {
    let (certificate, key) = leaf(&authority());
    let key = key.serialize_pem();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let no_key = "request.tls.key: the secret SHOP_KEY holds no private key (";
    for (certificate, key, reason, said) in [
        (&*certificate, "swordfish", Reason::SecretMissing, no_key),
        (&certificate, &certificate, Reason::SecretMissing, no_key),
        (
            &certificate,
            &pem("PRIVATE KEY", b"0"),
            Reason::SecretMissing,
            no_key,
        ),
        (
            &certificate,
            &pem("ENCRYPTED PRIVATE KEY", b"0"),
            Reason::SecretMissing,
            no_key,
        ),
        (
            &certificate,
            &other,
            Reason::SecretMissing,
            "request.tls.key: the secret SHOP_KEY holds a key that does not belong to the certificate",
        ),
        (
            &pem("CERTIFICATE", b"0"),
            &key,
            Reason::InvalidSite,
            "request.tls.certificate: certificate 1 in it cannot be read (",
        ),
    ] {
        let tls = showing(certificate);
        let fault = clients().of_site(&tls, Some(key)).unwrap_err();
        assert_eq!(fault.reason, reason, "{fault}");
        assert!(fault.to_string().starts_with(said), "{fault}");
        assert!(!fault.to_string().contains(key), "{fault}");
    }
}

#[test]
fn sites_with_the_same_options_share_a_configuration() {
    let clients = clients();
    let config = |ca: &str, verify, name: Option<&str>| {
        let tls = Tls {
            ca: read(ca),
            verify,
            server_name: name.map(str::to_owned),
            ..Tls::default()
        };
        clients.of_site(&tls, None).unwrap().unwrap().config
    };
    let (a, b) = (authority().pem(), authority().pem());
    let first = config(&a, true, None);
    assert!(Arc::ptr_eq(&first, &config(&a, true, Some("a.example"))));
    assert!(!Arc::ptr_eq(&first, &config(&a, false, None)));
    assert!(!Arc::ptr_eq(&first, &config(&b, true, None)));
    assert!(clients.of_site(&Tls::default(), None).unwrap().is_none());
}

#[test]
fn what_is_kept_stays_small() {
    let clients = clients();
    let ca = authority().der().clone();
    for n in 0..200 {
        let tls = Tls {
            ca: vec![ca.clone(); 40_000 / ca.len() + n],
            ..Tls::default()
        };
        clients.of_site(&tls, None).unwrap();
    }
    assert!(clients.own.weight() <= CACHE_BYTES);
    assert!(!clients.own.is_empty());
}

/// Serves one connection after the other, each with its answer; whether a certificate was shown.
fn serve(
    server: &Authority,
    clients: &Authority,
    answers: &[String],
) -> (String, JoinHandle<Vec<bool>>) {
    let (certificate, key) = leaf(server);
    let certificate = read(&certificate);
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(clients.der().clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificate, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let answers = answers.to_vec();
    let thread = thread::spawn(move || {
        let serve = |answer: String| {
            let (stream, _) = listener.accept().unwrap();
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(session, stream);
            // an error is a client whose certificate was refused
            if stream.read(&mut [0; 4_096]).is_ok() {
                stream.write_all(answer.as_bytes()).unwrap();
            }
            stream.conn.peer_certificates().is_some()
        };
        answers.into_iter().map(serve).collect()
    });
    (url, thread)
}

/// Asks a server of this authority with a client's certificate, whose key is a secret.
fn ask(url: &str, server: &Authority, client: &Authority) -> CheckResult {
    let runtime = Runtime::new().unwrap();
    let (certificate, key) = leaf(client);
    let mut config = ProbeOptions::default();
    config.addresses.allow = vec!["127.0.0.0/8".parse().unwrap()];
    let key = Secret::new(key.serialize_pem());
    config.secrets.variables.insert("SHOP_KEY".to_owned(), key);
    let mut roots = RootCertStore::empty();
    roots.add(server.der().clone()).unwrap();
    let prober = Prober::with_roots(&config, runtime.handle(), roots).unwrap();
    let tls = serde_json::json!({"certificate": certificate, "key": "${secret:SHOP_KEY}"});
    let raw = |value: serde_json::Value| serde_json::value::to_raw_value(&value).unwrap();
    let task = Task {
        request: raw(serde_json::json!({"tls": tls})),
        ..fixtures::task(url)
    };
    prober.check(&task, UnixUs(0))
}

#[test]
fn a_client_is_known_by_its_certificate_and_only_where_it_should_be() {
    let (server, known, stranger) = (authority(), authority(), named_authority("stranger"));
    let ok = || "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned();
    let to = |url: &str| format!("HTTP/1.1 302 Found\r\nLocation: {url}\r\n\r\n");
    let (elsewhere, other) = serve(&server, &known, &[ok()]);
    let answers = [ok(), to("/same"), ok(), to(&elsewhere)];
    let (url, first) = serve(&server, &known, &answers);
    for _ in 0..3 {
        let result = ask(&url, &server, &known);
        assert_eq!(result.measured.status, Some(200), "{result:?}");
    }
    assert_eq!(first.join().unwrap(), [true; 4]);
    assert_eq!(other.join().unwrap(), [false]);

    let (url, first) = serve(&server, &known, &[ok()]);
    let refused = ask(&url, &server, &stranger);
    assert_eq!(refused.reason, Some(Reason::TlsHandshake), "{refused:?}");
    let said = "wait: the server gave up with the alert unknown_ca; it wants another client";
    assert!(refused.detail.unwrap().starts_with(said));
    first.join().unwrap();
}

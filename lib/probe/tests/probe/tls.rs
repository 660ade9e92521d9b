//! What a site may say about TLS, and what is shown of it.

use std::time::Instant;

use contract::outcome::Reason;
use probe::{Prober, Watched};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use serde_json::json;

use crate::STARTED;
use crate::authority::{Authority, VALID, second};
use crate::tls_server::{TlsServer, Turn};
use crate::{config, detail, phases, runtime, task};

/// The checks' time, in milliseconds: a handshake takes some in a debug build.
pub(crate) const LIMIT_MS: u32 = 2_000;
/// The phases of a check that received something over TLS.
pub(crate) const TLS_ALL: &str = "dns connect tls wait receive";
/// The phases of a check that ended in the handshake.
pub(crate) const SHAKING: &str = "dns connect tls";
/// Where the servers are.
pub(crate) const HOST: &[&str] = &["127.0.0.1"];

/// A prober that trusts `roots` alone.
pub(crate) fn prober(roots: &[CertificateDer<'static>]) -> Prober {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots.iter().cloned());
    Prober::with_roots(&config(), runtime(), store).unwrap()
}

/// Checks `url` with these options of TLS.
pub(crate) fn watch(prober: &Prober, url: &str, tls: &serde_json::Value) -> Watched {
    let mut task = task(url, &json!({"tls": tls}).to_string(), "{}");
    task.timeout_ms = LIMIT_MS;
    let began = Instant::now();
    let watched = prober.watch(&task, STARTED);
    assert!(began.elapsed().as_millis() < LIMIT_MS.into(), "{watched:?}");
    watched
}

#[test]
fn a_name_that_is_asked_for_is_sent_and_an_address_is_not() {
    let root = Authority::new("root");
    let prober = prober(&[root.der()]);
    for (name, sent) in [("a.example", Some("a.example")), ("10.0.0.1", None)] {
        let server = TlsServer::start(root.leaf(&[name], VALID), vec![Turn::ok()]);
        let watched = watch(&prober, &server.url(), &json!({"server_name": name}));
        assert_eq!(watched.result.reason, None, "{watched:?}");
        assert_eq!(server.names(), [sent.map(str::to_owned)]);
    }
    let server = TlsServer::on("[::1]:0", root.leaf(&["::1"], VALID), vec![Turn::ok()]);
    let watched = watch(&prober, &server.url(), &json!({}));
    assert_eq!(watched.result.reason, None, "{watched:?}");
}

#[test]
fn a_dot_at_the_end_of_a_name_is_for_the_dns_and_the_host_header_only() {
    // RFC 6066, section 3: the server name has none; the certificate names none either
    let root = Authority::new("root");
    let prober = prober(&[root.der()]);
    let server = TlsServer::start(root.leaf(&["localhost"], VALID), vec![Turn::ok()]);
    let url = server.url().replace("127.0.0.1", "localhost.");
    let watched = watch(&prober, &url, &json!({}));
    assert_eq!(watched.result.reason, None, "{watched:?}");
    assert_eq!(server.names(), [Some("localhost".to_owned())]);
}

#[test]
fn a_prober_that_trusts_nobody_works_and_says_what_it_saw() {
    let root = Authority::new("root");
    let server = TlsServer::start(root.leaf(HOST, VALID), vec![Turn::ok(), Turn::ok()]);
    let prober = prober(&[]);
    let Watched { result, hops } = watch(&prober, &server.url(), &json!({}));
    assert_eq!(result.reason, Some(Reason::TlsCertificate), "{result:?}");
    let seen = hops[0].tls.clone().unwrap().certificate.unwrap();
    assert_eq!(
        (seen.subject.as_str(), seen.issuer.as_str()),
        ("CN=leaf", "CN=root")
    );
    assert_eq!(seen.names, HOST);
    assert_eq!(
        (seen.not_before_s, seen.not_after_s),
        (second(2020), second(2040))
    );
    let watched = watch(&prober, &server.url(), &json!({"ca": root.pem()}));
    assert_eq!(watched.result.reason, None, "{watched:?}");
}

#[test]
fn options_that_make_no_sense_are_told_before_anyone_is_asked() {
    let prober = prober(&[]);
    let nonsense = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
    for (tls, said) in [
        (
            json!({"ca": nonsense}),
            "request.tls.ca: certificate 1 cannot be read; copy it",
        ),
        (
            json!({"ca": nonsense.replace("MA==", "M?")}),
            "request.tls.ca: certificate 1 cannot be read; copy it",
        ),
        (
            json!({"ca": nonsense.replace('\n', " ")}),
            "request.tls.ca: certificate 1 cannot be read; copy it",
        ),
        (
            json!({"ca": format!("x{nonsense}")}),
            "request.tls.ca: holds no certificate; write",
        ),
        (
            json!({"server_name": "-a-"}),
            "request.tls.server_name: can be in no certificate",
        ),
    ] {
        let Watched { result, hops } = watch(&prober, "https://127.0.0.1:1/", &tls);
        assert_eq!(
            result.reason,
            Some(Reason::InvalidSite),
            "{tls}: {result:?}"
        );
        assert!(detail(&result).starts_with(said), "{tls}: {result:?}");
        assert_eq!((phases(&result).as_str(), hops.len()), ("", 0), "{tls}");
        assert_eq!(result.measured.phases.total_us, None, "{tls}");
    }
}

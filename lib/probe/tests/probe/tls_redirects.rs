//! What of a site's ways of TLS goes along with a redirect.

use contract::outcome::Reason;
use serde_json::json;

use crate::authority::{Authority, Shown, VALID, second};
use crate::detail;
use crate::hostile::{Act, Server};
use crate::tls::{HOST, prober, watch};
use crate::tls_server::{TlsServer, Turn};

#[test]
fn an_authority_of_the_site_and_a_missing_judge_stay_with_their_origin() {
    let own = Authority::new("own");
    let prober = prober(&[]);
    for (tls, unknown) in [
        (
            json!({"ca": own.pem()}),
            "hop 3: tls: the certificate's issuer (CN=own)",
        ),
        (
            json!({"verify": false}),
            "hop 3: tls: the certificate's issuer (CN=own)",
        ),
    ] {
        let other = TlsServer::start(own.leaf(HOST, VALID), vec![Turn::ok()]);
        let turns = vec![Turn::to("/same"), Turn::to(&other.url())];
        let first = TlsServer::start(own.leaf(HOST, VALID), turns);
        let result = watch(&prober, &first.url(), &tls).result;
        assert_eq!(
            result.reason,
            Some(Reason::TlsCertificate),
            "{tls}: {result:?}"
        );
        assert!(detail(&result).starts_with(unknown), "{tls}: {result:?}");
    }
}

#[test]
fn another_origin_is_asked_by_its_own_name_and_the_first_certificate_to_end_counts() {
    let root = Authority::new("root");
    for (years, ends) in [((2020, 2035), 2035), ((2020, 2045), 2040)] {
        let other = TlsServer::start(root.leaf(HOST, years), vec![Turn::ok()]);
        let first = root.leaf(&["a.example"], VALID);
        let first = TlsServer::start(first, vec![Turn::to(&other.url())]);
        let tls = json!({"server_name": "a.example"});
        let watched = watch(&prober(&[root.der()]), &first.url(), &tls);
        let result = watched.result;
        assert_eq!(result.reason, None, "{result:?}");
        assert_eq!(result.measured.certificate_expires_at_s, Some(second(ends)));
        assert_eq!(first.names(), [Some("a.example".to_owned())]);
        assert_eq!(other.names(), [None]);
    }
}

#[test]
fn a_check_says_nothing_of_the_certificates_of_the_one_before() {
    let prober = prober(&[]);
    let alone = Shown::self_signed(HOST, VALID, false);
    let server = TlsServer::start(alone, vec![Turn::ok()]);
    let first = watch(&prober, &server.url(), &json!({"verify": false}));
    assert_eq!(
        first.result.measured.certificate_expires_at_s,
        Some(second(2040))
    );
    let plain = Server::start(vec![Act::ok("hello")]);
    let second = watch(&prober, &plain.url("/"), &json!({"verify": false}));
    assert_eq!(second.result.reason, None, "{second:?}");
    assert_eq!(second.result.measured.certificate_expires_at_s, None);
    assert_eq!(second.hops[0].tls, None);
}

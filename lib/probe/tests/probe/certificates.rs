//! Certificates, and what is made of them.

use contract::outcome::Reason;
use probe::{Prober, Watched};
use rustls::pki_types::CertificateDer;
use serde_json::json;

use crate::authority::{Authority, EXPIRED, FUTURE, Shown, VALID, pem, second};
use crate::tables::Table;
use crate::tls::{HOST, LIMIT_MS, SHAKING, TLS_ALL, prober};
use crate::tls_server::{TlsServer, Turn};
use crate::{detail, phases, task};

/// What a check of a server that shows a certificate should find.
pub(crate) struct Row {
    what: &'static str,
    shown: Shown,
    tls: serde_json::Value,
    /// What the detail says, if the certificate is refused.
    said: Option<&'static str>,
    /// The year in which the server's certificate ends.
    ends: i32,
    /// The year in which the first certificate ends that the connection needs.
    chain_ends: i32,
}

/// A certificate that is fine and ends in 2040, unless something else is said.
pub(crate) fn row(what: &'static str, shown: Shown) -> Row {
    Row {
        what,
        shown,
        tls: json!({}),
        said: None,
        ends: 2040,
        chain_ends: 2040,
    }
}

impl Row {
    pub(crate) fn refused(mut self, said: &'static str) -> Self {
        self.said = Some(said);
        self
    }

    pub(crate) fn ends(mut self, year: i32) -> Self {
        self.ends = year;
        self.chain_ends(year)
    }

    pub(crate) fn chain_ends(mut self, year: i32) -> Self {
        self.chain_ends = year;
        self
    }

    pub(crate) fn with(mut self, tls: &serde_json::Value) -> Self {
        self.tls = tls.clone();
        self
    }

    /// With its own certificate as an authority's.
    pub(crate) fn trusted(self) -> Self {
        let pem = self.shown.pem();
        self.with(&json!({"ca": pem}))
    }

    /// Makes the check, and notes it in the table; curl trusts what is `trusted`, in PEM.
    fn assert(self, table: &mut Table, prober: &Prober, trusted: Option<&str>) {
        let serve = || {
            let server = TlsServer::start(self.shown.again(), vec![Turn::ok()]);
            let request = json!({"tls": self.tls}).to_string();
            let mut task = task(&server.url(), &request, "{}");
            task.timeout_ms = LIMIT_MS;
            (server, task)
        };
        // curl trusts either the machine's authorities or those of an option
        let own = self.tls["ca"].as_str().unwrap_or_default();
        let trusted = format!("{}{own}", trusted.unwrap_or_default());
        let trusted = (!trusted.is_empty()).then_some(trusted.as_str());
        let watched = table.check(self.what, (prober, trusted), serve);
        self.compare(&watched);
    }

    /// Compares what a check says with what it should.
    fn compare(self, watched: &Watched) {
        let Watched { result, hops } = watched;
        let what = self.what;
        let (reason, seen) = match self.said {
            Some(_) => (Some(Reason::TlsCertificate), SHAKING),
            None => (None, TLS_ALL),
        };
        assert_eq!(result.reason, reason, "{what}: {result:?}");
        assert_eq!(phases(result), seen, "{what}: {result:?}");
        let said = self.said.map(|said| format!("tls: {said}"));
        assert!(
            detail(result).starts_with(&said.unwrap_or_default()),
            "{what}: {result:?}"
        );
        let ends = Some(second(self.chain_ends));
        assert_eq!(result.measured.certificate_expires_at_s, ends, "{what}");
        let tls = hops[0].tls.as_ref().unwrap();
        let certificate = tls.certificate.as_ref().unwrap();
        assert_eq!(certificate.not_after_s, second(self.ends), "{what}");
        assert_eq!(tls.version, Some("TLS 1.3"), "{what}");
    }
}

/// Makes the checks of a table, for a prober that trusts these authorities.
pub(crate) fn assert_table(
    name: &'static str,
    trusted: &[CertificateDer<'static>],
    rows: impl IntoIterator<Item = Row>,
) {
    let prober = prober(trusted);
    let pems: String = trusted.iter().map(pem).collect();
    let pems = (!pems.is_empty()).then_some(pems.as_str());
    let mut table = Table::new(name);
    for row in rows {
        row.assert(&mut table, &prober, pems);
    }
    table.finish();
}

#[test]
fn certificates_are_judged_by_dates_names_and_purpose() {
    let root = Authority::new("root");
    let leaf = |names: &[&str], years| root.leaf(names, years);
    let many = ["a.example", "b.example", "c.example", "d.example"];
    let trusted = [root.der()];
    let rows = [
        row("valid", leaf(HOST, VALID)),
        row("expired", leaf(HOST, EXPIRED))
            .refused("the certificate ended on 2021-01-01")
            .ends(2021),
        row("not yet valid", leaf(HOST, FUTURE))
            .refused("the certificate begins on 2039-01-01 only"),
        row("another name", leaf(&["a.example"], VALID))
            .refused("the certificate is for a.example, not 127.0.0.1"),
        row("many names", leaf(&many, VALID))
            .refused("the certificate is for a.example, b.example, c.example, …, not 127.0.0.1"),
        row("no name", leaf(&[], VALID))
            .refused("the certificate names no host (as subjectAltName), so not 127.0.0.1; its subject (CN=leaf) does"),
        row("a client's", root.client_leaf(HOST))
            .refused("the certificate is not meant for servers"),
        row(
            "another's key",
            leaf(HOST, VALID).with_key_of(&leaf(HOST, VALID)),
        )
        .refused("a signature does not fit"),
    ];
    assert_table("certificates", &trusted, rows);
}

#[test]
fn chains_lead_to_a_known_authority_without_a_gap() {
    let root = Authority::new("root");
    let middle = root.under("middle", VALID);
    let old = root.under("old", EXPIRED);
    let trusted = [root.der()];
    let rows = [
        row("whole", middle.leaf(HOST, VALID).with(&middle)),
        row("with a gap", middle.leaf(HOST, VALID))
            .refused("the certificate's issuer (CN=middle) is not known; the server must send"),
        row("old", old.leaf(HOST, VALID).with(&old))
            .refused(
                "a certificate between the server's and its authority (CN=old) ended on 2021-01-01",
            )
            .chain_ends(2021),
        row("beside another", root.leaf(HOST, VALID))
            .with(&json!({"ca": Authority::new("other").pem()})),
    ];
    assert_table("chains", &trusted, rows);
}

#[test]
fn a_site_may_bring_authorities_of_its_own() {
    let own = Authority::new("own");
    let middle = own.under("middle", VALID);
    let namesake = Authority::new("root");
    let ca = json!({"ca": own.pem()});
    let two = json!({"ca": format!("{}{}", namesake.pem(), own.pem())});
    let trusted = [Authority::new("root").der()];
    let rows = [
        row("unknown", own.leaf(HOST, VALID))
            .refused("the certificate's issuer (CN=own) is not known"),
        row("known", own.leaf(HOST, VALID)).with(&ca),
        row("the second", own.leaf(HOST, VALID)).with(&two),
        row("further down", middle.leaf(HOST, VALID).with(&middle)).with(&ca),
        row("a known one's namesake", namesake.leaf(HOST, VALID)).with(&two),
        row("expired", own.leaf(HOST, EXPIRED))
            .with(&ca)
            .refused("the certificate ended on 2021-01-01")
            .ends(2021),
        row("for another", own.leaf(&["a.example"], VALID))
            .with(&ca)
            .refused("the certificate is for a.example, not 127.0.0.1"),
    ];
    assert_table("authorities-of-sites", &trusted, rows);
}

#[test]
fn a_certificate_that_vouches_for_itself_is_trusted_where_the_site_says_so() {
    let alone = |years, authority| Shown::self_signed(HOST, years, authority);
    let other = Shown::self_signed(&["a.example"], VALID, true);
    let trusted = [Authority::new("root").der()];
    let rows = [
        row("unknown", alone(VALID, false))
            .refused("the certificate (CN=self) vouches for itself; to trust it, put it into"),
        row("an authority's", alone(VALID, true))
            .refused("the certificate (CN=self) vouches for itself; to trust it, put it into"),
        row("trusted", alone(VALID, false)).trusted(),
        row("an authority's, trusted", alone(VALID, true)).trusted(),
        row("expired", alone(EXPIRED, true))
            .trusted()
            .refused("the certificate ended on 2021-01-01")
            .ends(2021),
        row("not yet valid", alone(FUTURE, true))
            .trusted()
            .refused("the certificate begins on 2039-01-01 only"),
        row("for another", other)
            .trusted()
            .refused("the certificate is for a.example, not 127.0.0.1"),
    ];
    assert_table("certificates-alone", &trusted, rows);
}

#[test]
fn a_site_may_have_another_name_or_no_judge() {
    let root = Authority::new("root");
    let leaf = |names: &[&str]| root.leaf(names, VALID);
    let name = |name: &str| json!({"server_name": name});
    let unjudged = json!({"verify": false});
    let trusted = [root.der()];
    let rows = [
        row("another name", leaf(&["a.example"])).with(&name("a.example")),
        row("the URL's name", leaf(HOST))
            .with(&name("a.example"))
            .refused("the certificate is for 127.0.0.1, not a.example"),
        row("a wildcard", leaf(&["*.a.example"])).with(&name("x.a.example")),
        row("a wildcard for less", leaf(&["*.a.example"]))
            .with(&name("x.y.a.example"))
            .refused(
                "the certificate is for *.a.example, not x.y.a.example; a wildcard stands for one",
            ),
        row("another address", leaf(&["10.0.0.1"])).with(&name("10.0.0.1")),
        row("an address of IPv6", leaf(&["::1"])).with(&name("::1")),
        row("unjudged, expired", root.leaf(HOST, EXPIRED))
            .with(&unjudged)
            .ends(2021),
        row("unjudged, another name", leaf(&["a.example"])).with(&unjudged),
        row("unjudged, alone", Shown::self_signed(HOST, VALID, true)).with(&unjudged),
        row(
            "unjudged, another's key",
            leaf(HOST).with_key_of(&leaf(HOST)),
        )
        .with(&unjudged)
        .refused("a signature does not fit"),
    ];
    assert_table("certificates-by-name", &trusted, rows);
}

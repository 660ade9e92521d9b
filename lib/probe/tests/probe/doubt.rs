//! Is it me? Failures that may be this machine's own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Barrier;
use std::thread;

use contract::outcome::Reason;
use contract::result::CheckResult;
use probe::{Dns, ProbeOptions, Prober, Reference};

use crate::STARTED;
use crate::dns_server::{A, AAAA, DnsServer, SERVFAIL, Say};
use crate::{config, detail, runtime, task};

/// A site at one port of both loopback addresses, always up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    port: u16,
}

impl Site {
    /// Serves until the process ends.
    pub(crate) fn start() -> Self {
        let (v4, v6) = listeners();
        let port = v4.local_addr().unwrap().port();
        for listener in [v4, v6] {
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let mut stream = stream.unwrap();
                    // an error here is the client's leaving
                    drop(stream.read(&mut [0; 4_096]));
                    drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
                }
            });
        }
        Self { port }
    }

    /// The site's URL under a name.
    pub(crate) fn url(self, host: &str) -> String {
        format!("http://{host}:{}/", self.port)
    }

    /// The site as a reference.
    pub(crate) fn reference(self, host: &str) -> Reference {
        Reference {
            host: host.to_owned(),
            port: self.port,
        }
    }
}

/// Listeners at one port of both families.
fn listeners() -> (TcpListener, TcpListener) {
    loop {
        let v4 = TcpListener::bind("127.0.0.1:0").unwrap();
        if let Ok(v6) = TcpListener::bind(("::1", v4.local_addr().unwrap().port())) {
            return (v4, v6);
        }
    }
}

/// A name server that knows `good.test` and fails for `broken.test`, and a site.
fn world() -> (DnsServer, Site) {
    let server = DnsServer::start();
    server.says("good.test", A, &[loopback()]);
    server.says("broken.test", A, &[SERVFAIL]);
    server.says("broken.test", AAAA, &[SERVFAIL]);
    (server, Site::start())
}

fn loopback() -> Say {
    Say::Addresses(vec!["127.0.0.1".parse().unwrap()], 60)
}

fn prober(server: SocketAddr, reference: Option<Reference>) -> Prober {
    let config = ProbeOptions {
        dns: Dns {
            servers: vec![server.into()],
            ..Dns::default()
        },
        reference,
        ..config()
    };
    Prober::new(&config, runtime()).unwrap()
}

fn check(prober: &Prober, site: Site, host: &str) -> CheckResult {
    prober.check(&task(&site.url(host), "{}", "{}"), STARTED)
}

/// Asserts a reason and the end of its detail.
fn assert_said(result: &CheckResult, reason: Reason, end: &str) {
    assert_eq!(result.reason, Some(reason), "{result:?}");
    assert!(detail(result).ends_with(end), "{result:?}");
}

#[test]
fn while_the_reference_answers_it_is_the_site() {
    let (server, site) = world();
    for port in [site.port, refused()] {
        let reference = Reference {
            host: "good.test".to_owned(),
            port,
        };
        let prober = prober(server.address, Some(reference));
        let said = "answers \"Server Failure\"";
        assert_said(
            &check(&prober, site, "broken.test"),
            Reason::DnsFailed,
            said,
        );
    }
}

#[test]
fn when_the_reference_is_silent_too_it_is_this_machine() {
    let (server, site) = world();
    for kind in [A, AAAA] {
        server.says("silent.test", kind, &[Say::Silent]);
        server.says("broken-too.test", kind, &[SERVFAIL]);
    }
    server.says(
        "far.test",
        A,
        &[Say::Addresses(vec!["224.0.0.1".parse().unwrap()], 60)],
    );
    let port = site.port;
    for (host, end) in [
        (
            "broken-too.test",
            format!("; nor does the resolver answer for broken-too.test:{port}"),
        ),
        (
            "silent.test",
            format!("; nor does the resolver answer for silent.test:{port}"),
        ),
        (
            "missing.test",
            format!("; and missing.test:{port} has no address either"),
        ),
        ("far.test", format!("; nor can far.test:{port} be reached")),
    ] {
        let prober = prober(server.address, Some(site.reference(host)));
        // that something resolved before says nothing of now
        assert_eq!(check(&prober, site, "good.test").reason, None);
        let result = check(&prober, site, "broken.test");
        assert_said(&result, Reason::ResolverUnreachable, &end);
        let total_ms = result.measured.phases.total_us.unwrap() / 1_000;
        assert!(
            total_ms < 200,
            "the question counts as the site's: {result:?}"
        );
    }
}

#[test]
fn without_a_reference_another_name_is_asked() {
    let (server, site) = world();
    let prober = prober(server.address, None);
    let nobody = "`reference` is not set, and no other name has been found before";
    let unreachable = Reason::ResolverUnreachable;
    // neither an address nor the site itself is a witness
    assert_eq!(check(&prober, site, "localhost").reason, None);
    assert_said(&check(&prober, site, "broken.test"), unreachable, nobody);
    let other = prober_after(&server, site, &["broken-later.test"]);
    server.says("broken-later.test", A, &[SERVFAIL]);
    assert_said(
        &check(&other, site, "broken-later.test"),
        unreachable,
        nobody,
    );
    let other = prober_after(&server, site, &["good.test", "broken-later.test"]);
    server.says("broken-later.test", A, &[SERVFAIL]);
    assert_said(
        &check(&other, site, "broken-later.test"),
        Reason::DnsFailed,
        "Failure\"",
    );
    // it was in the cache, and was asked for again
    assert_eq!(server.asked("good.test", A), 2);
    // and when it fails as well
    server.says("good.test", A, &[SERVFAIL]);
    let other = prober_after(&server, site, &["broken-later.test"]);
    let end = format!(
        "; nor does the resolver answer for broken-later.test:{}",
        site.port
    );
    server.says("broken-later.test", A, &[SERVFAIL]);
    assert_said(&check(&other, site, "good.test"), unreachable, &end);
}

/// A prober that found these names in order, and forgets none of them soon except `broken-later.test`.
fn prober_after(server: &DnsServer, site: Site, names: &[&str]) -> Prober {
    let short = Say::Addresses(vec!["127.0.0.1".parse().unwrap()], 0);
    server.says("broken-later.test", A, &[short]);
    let prober = prober(server.address, None);
    for name in names {
        assert_eq!(check(&prober, site, name).reason, None, "{name}");
    }
    prober
}

#[test]
fn an_address_as_reference_says_nothing_about_the_resolver() {
    let (server, site) = world();
    let with = |host: &str| prober(server.address, Some(site.reference(host)));
    let nobody = "`reference` is found without the DNS, and no other name has been found before";
    let literal = with("127.0.0.1");
    assert_said(
        &check(&literal, site, "broken.test"),
        Reason::ResolverUnreachable,
        nobody,
    );
    let literal = with("127.0.0.1");
    assert_eq!(check(&literal, site, "good.test").reason, None);
    assert_said(
        &check(&literal, site, "broken.test"),
        Reason::DnsFailed,
        "Failure\"",
    );
    let far = with("224.0.0.1");
    assert_eq!(check(&far, site, "good.test").reason, None);
    let end = format!("; nor can 224.0.0.1:{} be reached", site.port);
    assert_said(
        &check(&far, site, "broken.test"),
        Reason::ResolverUnreachable,
        &end,
    );
}

#[test]
fn many_doubts_at_once_are_one_question() {
    const LANES: usize = 32;
    let (server, site) = world();
    let prober = prober(server.address, Some(site.reference("good.test")));
    let start = Barrier::new(LANES);
    thread::scope(|scope| {
        for _ in 0..LANES {
            let lane = prober.for_another_lane();
            let start = &start;
            scope.spawn(move || {
                start.wait();
                let result = check(&lane, site, "broken.test");
                assert_eq!(result.reason, Some(Reason::DnsFailed), "{result:?}");
            });
        }
    });
    assert_eq!(
        (
            server.asked("good.test", A),
            server.asked("good.test", AAAA)
        ),
        (1, 1)
    );
}

/// A port on which nothing listens any more.
fn refused() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

//! Names to addresses, and what is said of a site whose name leads to none.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use contract::outcome::Reason;
use contract::result::CheckResult;
use probe::{Dns, ProbeOptions, Prober};

use crate::STARTED;
use crate::dns_server::{A, AAAA, DnsServer, REFUSED, SERVFAIL, Say};
use crate::doubt::Site;
use crate::{TIMEOUT_MS, TOLERANCE_MS, config, detail, runtime, task};

/// A prober that asks these name servers, and in doubt the site's own port.
fn prober(servers: &[SocketAddr], site: Site) -> Prober {
    let dns = Dns {
        servers: servers.iter().copied().map(Into::into).collect(),
        // whatever this machine's own is
        search: Some(String::new()),
        options: Some("ndots:1".to_owned()),
    };
    let config = ProbeOptions {
        dns,
        reference: Some(site.reference("reference.test")),
        ..config()
    };
    Prober::new(&config, runtime()).unwrap()
}

/// A name server that knows the reference, and a site.
fn world() -> (DnsServer, Site) {
    let server = DnsServer::start();
    server.says("reference.test", A, &[v4(60)]);
    (server, Site::start())
}

/// The site's IPv4 address.
fn v4(ttl_s: u32) -> Say {
    Say::Addresses(vec!["127.0.0.1".parse().unwrap()], ttl_s)
}

/// The site's IPv6 address.
fn v6(ttl_s: u32) -> Say {
    Say::Addresses(vec!["::1".parse().unwrap()], ttl_s)
}

/// What is expected of a check: the address that was dialled, or the reason.
type Verdict = Result<&'static str, Reason>;

/// Asserts a verdict, and that the look-up took so many milliseconds.
fn assert_verdict(result: &CheckResult, verdict: Verdict, at_least_ms: u64, what: &str) {
    let measured = &result.measured;
    match verdict {
        Ok(address) => {
            assert_eq!(result.reason, None, "{what}: {result:?}");
            let dialled = measured.address.unwrap().to_string();
            assert_eq!(dialled, address, "{what}: {result:?}");
        }
        Err(reason) => {
            assert_eq!(result.reason, Some(reason), "{what}: {result:?}");
            assert_eq!(measured.address, None, "{what}: {result:?}");
            assert!(detail(result).starts_with("dns: "), "{what}: {result:?}");
        }
    }
    let took_ms = measured.phases.dns_us.unwrap() / 1_000;
    let allowed = at_least_ms..at_least_ms + TOLERANCE_MS;
    assert!(allowed.contains(&took_ms), "{what}: {took_ms} ms");
}

#[test]
fn two_questions_have_one_verdict_whatever_the_answers() {
    use Reason::{DnsFailed, DnsNotFound, DnsTimeout};
    const V4: Verdict = Ok("127.0.0.1");
    const V6: Verdict = Ok("::1");
    const NONE: Verdict = Err(DnsNotFound);
    const FAILED: Verdict = Err(DnsFailed);
    const LATE: Verdict = Err(DnsTimeout);
    const ALL: u64 = TIMEOUT_MS as u64;
    let answers = |addresses: Say| [addresses, Say::Empty, Say::Missing, SERVFAIL, Say::Silent];
    // a line for each answer to A, a column for each to AAAA: the verdict, and when it is there in ms
    let any = [
        [(V6, 0), (V4, 0), (V4, 0), (V4, 0), (V4, 50)],
        [(V6, 0), (NONE, 0), (NONE, 0), (FAILED, 0), (LATE, ALL)],
        [(V6, 0), (NONE, 0), (NONE, 0), (FAILED, 0), (LATE, ALL)],
        [
            (V6, 0),
            (FAILED, 0),
            (FAILED, 0),
            (FAILED, 0),
            (FAILED, ALL),
        ],
        [
            (V6, ALL / 2),
            (LATE, ALL),
            (LATE, ALL),
            (FAILED, ALL),
            (LATE, ALL),
        ],
    ];
    let only = [NONE, NONE, FAILED, LATE];
    let (server, site) = world();
    let prober = prober(&[server.address], site);
    let mut rows = Vec::new();
    for (a, to_a) in answers(v4(60)).iter().enumerate() {
        for (b, to_aaaa) in answers(v6(60)).iter().enumerate() {
            let name = format!("n{a}{b}.test");
            server.says(&name, A, std::slice::from_ref(to_a));
            server.says(&name, AAAA, std::slice::from_ref(to_aaaa));
            rows.push((name.clone(), "{}", any[a][b]));
            let wait = |n: usize| if n == 4 { ALL } else { 0 };
            let one = |n: usize, found| if n == 0 { found } else { only[n - 1] };
            rows.push((format!("{name}."), r#"{"ip": "4"}"#, (one(a, V4), wait(a))));
            rows.push((format!("{name}."), r#"{"ip": "6"}"#, (one(b, V6), wait(b))));
        }
    }
    let start = Barrier::new(rows.len());
    thread::scope(|scope| {
        for (name, request, (verdict, at_least_ms)) in &rows {
            let (lane, start) = (prober.for_another_lane(), &start);
            scope.spawn(move || {
                start.wait();
                let result = lane.check(&task(&site.url(name), request, "{}"), STARTED);
                let what = format!("{name} {request}");
                assert_verdict(&result, *verdict, *at_least_ms, &what);
            });
        }
    });
}

#[test]
fn only_the_question_that_is_wanted_is_asked() {
    let (server, site) = world();
    server.says("one.test", A, &[v4(60)]);
    let prober = prober(&[server.address], site);
    let check = |request| prober.check(&task(&site.url("one.test"), request, "{}"), STARTED);
    assert_eq!(check(r#"{"ip": 4}"#).reason, None);
    assert_eq!(
        (server.asked("one.test", A), server.asked("one.test", AAAA)),
        (1, 0)
    );
    let none = check(r#"{"ip": 6}"#);
    assert_eq!(detail(&none), "dns: the name has no IPv6 address");
    assert_eq!(
        (server.asked("one.test", A), server.asked("one.test", AAAA)),
        (1, 1)
    );
}

/// Says this to a question with EDNS, and the site's address to one without.
fn without_edns(refusal: Say) -> Say {
    refusal.unless_plain(v4(60))
}

#[test]
fn a_name_that_is_completed_costs_few_questions() {
    let (server, site) = world();
    server.says("shop.example", A, &[v4(0)]);
    server.says("shop.example", AAAA, &[Say::EmptyNow]);
    let domains = ["ns.svc.cluster.local", "svc.cluster.local", "cluster.local"];
    for (domain, kind) in domains
        .iter()
        .flat_map(|domain| [(domain, A), (domain, AAAA)])
    {
        server.says(&format!("shop.example.{domain}"), kind, &[Say::EmptyNow]);
    }
    let config = ProbeOptions {
        dns: Dns {
            servers: vec![server.address.into()],
            search: Some(domains.join(" ")),
            options: Some("ndots:5".to_owned()),
        },
        ..config()
    };
    let prober = Prober::new(&config, runtime()).unwrap();
    let questions = [(); 3].map(|()| {
        let before = server.asked_in_all();
        let result = prober.check(&task(&site.url("shop.example"), "{}", "{}"), STARTED);
        assert_verdict(&result, Ok("127.0.0.1"), 0, "shop.example");
        server.asked_in_all() - before
    });
    // no answer holds for any time: each form of each family is asked for once, then the one that was found
    assert_eq!(questions, [8, 2, 2]);
}

#[test]
fn odd_answers_have_their_verdicts() {
    use Reason::DnsFailed;
    let (server, site) = world();
    let prober = prober(&[server.address], site);
    let late = |ms| Say::Late(Duration::from_millis(ms), Box::new(v4(60)));
    server.says("late.test", A, &[late(50)]);
    for (name, says, verdict, at_least_ms) in [
        ("refused", vec![REFUSED], Err(DnsFailed), 0),
        ("referral", vec![Say::Referral], Err(DnsFailed), 0),
        ("garbage", vec![Say::Garbage], Err(DnsFailed), 0),
        (
            "truncated",
            vec![Say::Truncated(Box::new(v4(60)))],
            Ok("127.0.0.1"),
            0,
        ),
        ("late", vec![late(100)], Ok("127.0.0.1"), 100),
        ("lost", vec![Say::Silent, v4(60)], Ok("127.0.0.1"), 200),
        ("alias", vec![Say::Alias("late.test")], Ok("127.0.0.1"), 50),
        (
            "loop",
            vec![Say::Alias("loop")],
            Err(Reason::DnsNotFound),
            0,
        ),
        ("wrong-kind", vec![v6(60)], Err(Reason::DnsNotFound), 0),
        (
            "form-error",
            vec![without_edns(Say::Code(1))],
            Ok("127.0.0.1"),
            0,
        ),
        (
            "header",
            vec![without_edns(Say::Header(1))],
            Ok("127.0.0.1"),
            0,
        ),
        (
            "version",
            vec![without_edns(Say::BadVersion)],
            Ok("127.0.0.1"),
            0,
        ),
    ] {
        server.says(name, A, &says);
        // a name without a dot, and a machine without a search list, ask for the name itself
        let url = site.url(&format!("{name}."));
        let result = prober.check(&task(&url, r#"{"ip": 4}"#, "{}"), STARTED);
        assert_verdict(&result, verdict, at_least_ms, name);
    }
}

#[test]
fn what_may_help_stands_behind_a_name_that_is_not_found() {
    let (server, site) = world();
    let prober = prober(&[server.address], site);
    for (host, said) in [
        ("missing.test", "dns: the name has no address"),
        (
            "printer.local",
            "dns: the name has no address; webmon asks no machine by multicast DNS, where most names in .local are \
             known: put the name into the hosts file, or use a name that the DNS knows",
        ),
        (
            "printer",
            "dns: the name has no address; it has no dot, and resolv.conf has no `search` to complete it: write the \
             whole name",
        ),
    ] {
        let result = prober.check(&task(&site.url(host), "{}", "{}"), STARTED);
        assert_eq!(result.reason, Some(Reason::DnsNotFound), "{result:?}");
        assert_eq!(detail(&result), said);
    }
}

#[test]
fn names_that_cannot_be_asked_for_are_no_fault_of_the_site() {
    let (server, site) = world();
    let prober = prober(&[server.address], site);
    let long = "a".repeat(64);
    for host in [
        format!("{long}.test"),
        "a..test".to_owned(),
        "a!b.test".to_owned(),
    ] {
        let result = prober.check(&task(&site.url(&host), "{}", "{}"), STARTED);
        assert_eq!(result.reason, Some(Reason::InvalidSite), "{result:?}");
        assert!(detail(&result).starts_with("url: host \""), "{result:?}");
    }
}

#[test]
fn addresses_and_localhost_need_no_name_server() {
    let (server, site) = world();
    let prober = prober(&[server.address], site);
    for (host, request, verdict) in [
        ("127.0.0.1", "{}", Ok("127.0.0.1")),
        ("127.0.0.1", r#"{"ip": 4}"#, Ok("127.0.0.1")),
        ("127.0.0.1", r#"{"ip": 6}"#, Err(Reason::DnsNotFound)),
        ("[::1]", r#"{"ip": 6}"#, Ok("::1")),
        ("[::1]", r#"{"ip": 4}"#, Err(Reason::DnsNotFound)),
        ("localhost", r#"{"ip": 4}"#, Ok("127.0.0.1")),
        ("shop.localhost", r#"{"ip": 6}"#, Ok("::1")),
    ] {
        let result = prober.check(&task(&site.url(host), request, "{}"), STARTED);
        assert_verdict(&result, verdict, 0, &format!("{host} {request}"));
    }
    let result = prober.check(&task(&site.url("[::1]"), r#"{"ip": 4}"#, "{}"), STARTED);
    let said = "dns: the URL has the address ::1, and request.ip is 4";
    assert_eq!(detail(&result), said);
    assert_eq!(
        server.asked("localhost", A) + server.asked("localhost", AAAA),
        0
    );
}

#[test]
fn an_answer_holds_as_long_as_it_says() {
    let (server, site) = world();
    server.says("short.test", A, &[v4(1)]);
    server.says("none.test", A, &[v4(0)]);
    // asked with EDNS and without
    server.says("fixed.test", A, &[SERVFAIL, SERVFAIL, v4(60)]);
    let prober = prober(&[server.address], site);
    let check = |name: &str| {
        let request = r#"{"ip": 4}"#;
        prober
            .check(&task(&site.url(name), request, "{}"), STARTED)
            .reason
    };
    let first = Instant::now();
    while server.asked("short.test", A) < 2 {
        assert_eq!(check("short.test"), None);
        assert!(
            first.elapsed() < Duration::from_secs(3),
            "kept for too long"
        );
    }
    assert!(first.elapsed() > Duration::from_millis(990), "not kept");
    // one that holds for no time is asked for each time, and so is one after a failure
    assert_eq!((check("none.test"), check("none.test")), (None, None));
    assert_eq!(server.asked("none.test", A), 2);
    assert_eq!(check("fixed.test"), Some(Reason::DnsFailed));
    assert_eq!(check("fixed.test"), None);
    // what does not exist may soon, but not at once
    assert_eq!(check("missing.test"), Some(Reason::DnsNotFound));
    assert_eq!(check("missing.test"), Some(Reason::DnsNotFound));
    assert_eq!(server.asked("missing.test", A), 1);
}

#[test]
fn one_server_out_of_order_leaves_the_work_to_the_others() {
    let dead = UdpSocket::bind("127.0.0.1:0").unwrap();
    let failing = DnsServer::start();
    for (name, first, at_least_ms) in [
        ("dead.test", dead.local_addr().unwrap(), 100),
        ("gone.test", nobody(), 0),
        ("failing.test", failing.address, 0),
    ] {
        let (server, site) = world();
        failing.says(name, A, &[REFUSED]);
        server.says(name, A, &[v4(0)]);
        let prober = prober(&[first, server.address], site);
        let check = || {
            let request = r#"{"ip": 4}"#;
            prober.check(&task(&site.url(name), request, "{}"), STARTED)
        };
        assert_verdict(&check(), Ok("127.0.0.1"), at_least_ms, name);
        // the one that answered is asked first from now on
        assert_verdict(&check(), Ok("127.0.0.1"), 0, name);
    }
}

#[test]
fn without_any_name_server_nothing_is_said_about_the_site() {
    let prober = prober(&[nobody(), nobody()], Site::start());
    let result = prober.check(&task("http://shop.test/", "{}", "{}"), STARTED);
    assert_verdict(&result, Err(Reason::ResolverUnreachable), 0, "nobody");
    assert!(
        detail(&result).contains("cannot be reached: "),
        "{result:?}"
    );
}

/// A port on which no name server listens any more.
fn nobody() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap()
}

//! The probe against servers that misbehave.

mod hostile;

use checker::config::Addresses;
use checker::probe::{Policy, Prober};
use contract::outcome::Reason;
use contract::result::CheckResult;
use contract::task::Task;
use hostile::{Act, Server};

/// The checks' time, in milliseconds.
const TIMEOUT_MS: u32 = 400;
/// How much later than that a timeout may be, in milliseconds.
const TOLERANCE_MS: u64 = 150;
/// What the prober reads of a body.
const BODY_LIMIT: u64 = 64 * 1024;
/// The phases of a check that received something.
const ALL: &str = "dns connect wait receive";
/// The phases of a check that received nothing.
const WAITED: &str = "dns connect wait";

/// A prober that may dial loopback.
fn prober() -> Prober {
    let allow = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap());
    let addresses = Addresses {
        allow: allow.to_vec(),
        deny: vec![],
    };
    Prober::new(&Policy::new(&addresses), BODY_LIMIT).unwrap()
}

fn task(url: &str, request: &str, expect: &str) -> Task {
    let raw = |json: &str| serde_json::value::RawValue::from_string(json.to_owned()).unwrap();
    Task {
        v: 1,
        site_id: 7,
        name: "site".to_owned(),
        scheduled_at: 1_000,
        expires_at: 61_000,
        url: url.to_owned(),
        timeout_ms: TIMEOUT_MS,
        request: raw(request),
        expect: raw(expect),
    }
}

fn check(url: &str, request: &str, expect: &str) -> CheckResult {
    let result = prober().check(&task(url, request, expect), 5);
    assert_eq!((result.site_id, result.scheduled_at), (7, 1_000));
    assert_eq!(result.measured.started_at_us, Some(5));
    result
}

/// The phases that were measured, in order.
fn phases(result: &CheckResult) -> String {
    let p = result.measured.phases;
    let named = [
        ("dns", p.dns_us),
        ("connect", p.connect_us),
        ("tls", p.tls_us),
        ("wait", p.wait_us),
        ("receive", p.receive_us),
    ];
    let seen = named.iter().filter(|(_, us)| us.is_some());
    seen.map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
}

fn detail(result: &CheckResult) -> &str {
    result.detail.as_deref().unwrap_or_default()
}

/// Checks a server that plays `act`: the reason, the phases, and how the detail begins.
fn assert_verdict(act: &Act, reason: Option<Reason>, expected_phases: &str, said: &str) {
    let server = Server::start(vec![act.clone()]);
    let result = check(&server.url("/"), "{}", "{}");
    assert_eq!(result.reason, reason, "{act:?}: {result:?}");
    assert_eq!(phases(&result), expected_phases, "{act:?}: {result:?}");
    assert!(detail(&result).starts_with(said), "{act:?}: {result:?}");
    assert_eq!(result.measured.address, Some("127.0.0.1".parse().unwrap()));
}

#[test]
fn answers_are_up_or_down_by_their_status() {
    assert_verdict(&Act::ok("hello"), None, ALL, "");
    assert_verdict(
        &Act::send("HTTP/1.0 200 OK\r\n\r\nuntil the end"),
        None,
        ALL,
        "",
    );
    assert_verdict(&Act::Endless("HTTP/1.1 200 OK\r\n\r\n"), None, ALL, "");
    assert_verdict(
        &Act::send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        Some(Reason::Status),
        ALL,
        "expect: status 404, expected 2xx",
    );
}

#[test]
fn servers_that_stop_half_way_time_out_in_their_phase() {
    let head = Some(Reason::ResponseTimeout);
    for (sent, reason, phases, said) in [
        (
            "",
            head,
            WAITED,
            "wait: the response's head did not come within 400 ms",
        ),
        (
            "HTTP/1.1 200 OK\r\nX-A: ",
            head,
            ALL,
            "receive: the response's head did not come within 400 ms",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel",
            Some(Reason::BodyTimeout),
            ALL,
            "receive: the body did not end within 400 ms",
        ),
    ] {
        assert_verdict(&Act::HangAfter(sent), reason, phases, said);
    }
}

#[test]
fn connections_that_end_too_early_are_resets() {
    const CLOSED: &str = "wait: the server closed the connection before the response was complete";
    let reset = Some(Reason::Reset);
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel";
    assert_verdict(&Act::send(""), reset, WAITED, CLOSED);
    assert_verdict(&Act::send(half), reset, ALL, "receive: the server ");
    assert_verdict(
        &Act::ResetAfter(""),
        reset,
        WAITED,
        "wait: the server reset",
    );
    assert_verdict(&Act::ResetAfter(half), reset, ALL, "receive: the server ");
    let no_length = Act::ResetAfter("HTTP/1.1 200 OK\r\n\r\nno length");
    assert_verdict(&no_length, reset, ALL, "receive: the server reset");
}

#[test]
fn what_is_not_http_has_its_reasons() {
    let protocol = Some(Reason::Protocol);
    let smtp = Act::send("220 mail.example ESMTP\r\n\r\n");
    assert_verdict(&smtp, protocol, ALL, "receive: http parse fail");
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    assert_verdict(&Act::send(chunk), protocol, ALL, "receive: chunk");
    let encoding = Some(Reason::Encoding);
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ";
    let plain = format!("{head}5\r\n\r\nhello");
    assert_verdict(
        &Act::send(&plain),
        encoding,
        ALL,
        "receive: the body is no valid gzip",
    );
    let mut cut = format!("{head}15\r\n\r\n").into_bytes();
    cut.extend(&hostile::GZIP_HELLO[..15]);
    assert_verdict(
        &Act::Send(cut),
        encoding,
        ALL,
        "receive: the body is no valid gzip",
    );
    let mut lost = format!("{head}25\r\n\r\n").into_bytes();
    lost.extend(&hostile::GZIP_HELLO[..15]);
    assert_verdict(
        &Act::Send(lost),
        Some(Reason::Reset),
        ALL,
        "receive: the server closed",
    );
}

#[test]
fn heads_that_are_too_large_are_refused() {
    let large = Some(Reason::TooLarge);
    let long = format!("HTTP/1.1 200 OK\r\nX-A: {}\r\n\r\n", "a".repeat(17_000));
    let said = "receive: the response's head is longer than 16 KiB";
    assert_verdict(&Act::send(&long), large, ALL, said);
    assert_verdict(&Act::Endless("HTTP/1.1 200 OK\r\nX-A: "), large, ALL, said);
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(200));
    let said = "receive: the response has more than 128 header lines";
    assert_verdict(&Act::send(&many), large, ALL, said);
    let fits = format!("HTTP/1.1 200 OK\r\nX-A: {}\r\n\r\n", "a".repeat(16_000));
    assert_verdict(&Act::send(&fits), None, ALL, "");
}

#[test]
fn a_timeout_comes_when_the_time_is_up_whatever_the_server_trickles() {
    for act in [
        Act::HangAfter(""),
        Act::HangAfter("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel"),
        Act::Trickle("HTTP/1.1 200 OK\r\nX-A: "),
        Act::Trickle("HTTP/1.1 200 OK\r\n\r\n"),
    ] {
        let server = Server::start(vec![act.clone()]);
        let result = check(&server.url("/"), "{}", "{}");
        let took = result.measured.phases.total_us.unwrap() / 1_000;
        let limit = u64::from(TIMEOUT_MS);
        assert!(
            (limit..limit + TOLERANCE_MS).contains(&took),
            "{act:?}: {result:?}"
        );
        let reason = result.reason.unwrap();
        assert!(
            matches!(reason, Reason::ResponseTimeout | Reason::BodyTimeout),
            "{result:?}"
        );
    }
}

#[test]
fn the_phases_add_up_to_the_total() {
    let server = Server::start(vec![Act::ok("hello")]);
    let result = check(&server.url("/"), "{}", "{}");
    let p = result.measured.phases;
    let parts = [p.dns_us, p.connect_us, p.wait_us, p.receive_us];
    let sum = parts.into_iter().flatten().sum::<u64>();
    let total = p.total_us.unwrap();
    assert!(sum <= total && total - sum < 100_000, "{p:?}");
    assert_eq!(
        (result.measured.status, result.measured.body_bytes),
        (Some(200), Some(5))
    );
}

#[test]
fn expectations_are_judged_each_with_its_reason() {
    use Reason::{Body, Header, Size, Slow, Status};
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 5\r\n\r\nhello";
    for (expect, reason, said) in [
        (
            r#"{"status": [200], "headers": {"x-a": {"equals": "2"}}, "body": [{"contains": "ell"}], "max_time": "10s", "max_size": 5}"#,
            None,
            "",
        ),
        (
            r#"{"status": ["3xx", 204]}"#,
            Some(Status),
            "expect: status 200, expected 300-399, 204",
        ),
        (
            r#"{"headers": {"X-B": {"present": true}}}"#,
            Some(Header),
            "expect: header X-B is not there",
        ),
        (
            r#"{"headers": {"X-A": {"present": false}}}"#,
            Some(Header),
            "expect: header X-A is there; it is \"1\"",
        ),
        (
            r#"{"headers": {"X-A": {"equals": "3"}}}"#,
            Some(Header),
            "expect: header X-A is not \"3\"; it is \"1\"",
        ),
        (
            r#"{"headers": {"Content-Type": {"matches": "^json"}}}"#,
            Some(Header),
            "expect: header Content-Type does not match \"^json\"; it is \"text/html\"",
        ),
        (r#"{"headers": {"X-A": {"matches": "^2$"}}}"#, None, ""),
        (
            r#"{"body": [{"contains": "bye"}]}"#,
            Some(Body),
            "expect: the body does not contain \"bye\"; it begins with \"hello\"",
        ),
        (
            r#"{"body": [{"contains": "hell"}, {"not_contains": "ell"}]}"#,
            Some(Body),
            "expect: the body contains \"ell\"",
        ),
        (r#"{"body": [{"matches": "^h.+o$"}]}"#, None, ""),
        (
            r#"{"body": [{"not_matches": "h"}]}"#,
            Some(Body),
            "expect: the body matches \"h\"",
        ),
        (
            r#"{"max_size": 4}"#,
            Some(Size),
            "expect: the body has more than 4 bytes",
        ),
        (r#"{"max_time": "1us"}"#, Some(Slow), "expect: took "),
        (
            r#"{"status": [500], "body": [{"contains": "bye"}]}"#,
            Some(Status),
            "expect: status 200, expected 500",
        ),
    ] {
        let server = Server::start(vec![Act::send(answer)]);
        let result = check(&server.url("/"), "{}", expect);
        assert_eq!(result.reason, reason, "{expect}: {result:?}");
        assert!(detail(&result).starts_with(said), "{expect}: {result:?}");
        assert_eq!(result.measured.status, Some(200));
    }
}

#[test]
fn a_body_beyond_the_limit_is_not_read_and_judged_as_far_as_that_goes() {
    for (expect, reason) in [
        ("{}", None),
        (r#"{"body": [{"contains": "xxx"}]}"#, None),
        (r#"{"body": [{"contains": "end"}]}"#, Some(Reason::TooLarge)),
        (r#"{"max_size": 1000000}"#, Some(Reason::TooLarge)),
    ] {
        let server = Server::start(vec![Act::Endless("HTTP/1.1 200 OK\r\n\r\n")]);
        let result = check(&server.url("/"), "{}", expect);
        assert_eq!(result.reason, reason, "{expect}: {result:?}");
        assert_eq!(result.measured.body_bytes, Some(BODY_LIMIT), "{expect}");
    }
    let server = Server::start(vec![Act::Endless("HTTP/1.1 200 OK\r\n\r\n")]);
    let result = check(&server.url("/"), "{}", r#"{"max_size": 1000}"#);
    assert_eq!(result.reason, Some(Reason::Size), "{result:?}");
    let exact = "x".repeat(usize::try_from(BODY_LIMIT).unwrap());
    let server = Server::start(vec![Act::ok(&exact)]);
    let result = check(
        &server.url("/"),
        "{}",
        r#"{"body": [{"not_contains": "end"}]}"#,
    );
    assert_eq!(result.reason, None, "{result:?}");
}

#[test]
fn a_compressed_body_is_judged_and_counted_as_it_reads() {
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n".to_vec();
    answer.extend(hostile::GZIP_HELLO);
    let server = Server::start(vec![Act::Send(answer)]);
    let result = check(
        &server.url("/"),
        "{}",
        r#"{"body": [{"matches": "^hello$"}]}"#,
    );
    assert_eq!(result.reason, None, "{result:?}");
    assert_eq!(result.measured.body_bytes, Some(5));
    assert!(server.requests()[0].contains("accept-encoding: gzip\r\n"));
}

#[test]
fn compressed_nothing_does_not_keep_a_check_busy() {
    // a gzip header, then stored blocks without a byte in them
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n".to_vec();
    answer.extend([31, 139, 8, 0, 0, 0, 0, 0, 0, 255]);
    answer.extend([0, 0, 0, 255, 255].repeat(1_000_000));
    let server = Server::start(vec![Act::Send(answer)]);
    let result = check(&server.url("/"), "{}", "{}");
    assert_eq!(result.reason, Some(Reason::TooLarge), "{result:?}");
}

#[test]
fn what_the_site_says_is_what_is_sent() {
    let server = Server::start(vec![Act::ok("")]);
    let long = "v".repeat(8_000);
    let request = format!(
        r#"{{"method": "POST", "headers": {{"X-Y": "a b", "X-Long": "{long}"}}, "body": "hé",
            "basic": {{"username": "me", "password": "pw"}}}}"#
    );
    let result = check(&server.url("/p?q=1#f"), &request, "{}");
    assert_eq!(result.reason, None, "{result:?}");
    let sent = &server.requests()[0];
    assert!(sent.starts_with("POST /p?q=1 HTTP/1.1\r\n"), "{sent}");
    for line in [
        "connection: close\r\n",
        "x-y: a b\r\n",
        "authorization: Basic bWU6cHc=\r\n",
        "content-length: 3\r\n",
        "user-agent: webmon/",
        &format!("x-long: {long}\r\n"),
    ] {
        assert!(sent.contains(line), "{line}: {sent}");
    }
    assert!(sent.ends_with("\r\n\r\nhé"), "{sent}");
}

#[test]
fn methods_are_sent_as_they_are() {
    for (request, start, end) in [
        (r#"{"method": "HEAD"}"#, "HEAD / ", "\r\n\r\n"),
        (r#"{"method": "PURGE"}"#, "PURGE / ", "\r\n\r\n"),
        (r#"{"method": "POST"}"#, "POST / ", "\r\n\r\n"),
        (r#"{"method": "GET", "body": "q"}"#, "GET / ", "\r\n\r\nq"),
        (
            r#"{"method": "DELETE", "body": "q"}"#,
            "DELETE / ",
            "\r\n\r\nq",
        ),
    ] {
        let server = Server::start(vec![Act::ok("")]);
        let result = check(&server.url("/"), request, "{}");
        assert_eq!(result.reason, None, "{request}: {result:?}");
        let sent = &server.requests()[0];
        assert!(sent.starts_with(start) && sent.ends_with(end), "{sent}");
    }
}

#[test]
fn redirects_are_followed_to_the_end_and_what_leads_nowhere_is_down() {
    use Reason::{Redirects, Status};
    let ok = || Act::ok("hello");
    let endless = Act::Endless("HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n");
    let moved = Act::send("HTTP/1.1 301 Moved\r\n\r\n");
    let same = Act::send("HTTP/1.1 304 Not Modified\r\n\r\n");
    for (acts, request, reason, status, said) in [
        (vec![Act::to("/b"), Act::to("c"), ok()], "{}", None, 200, ""),
        (
            vec![Act::to("/b")],
            r#"{"redirects": 0}"#,
            Some(Status),
            302,
            "expect: status 302",
        ),
        (
            vec![Act::to("/b"), Act::to("/c")],
            r#"{"redirects": 1}"#,
            Some(Redirects),
            302,
            "hop 2: redirect: more than 1 redirects; the next is to ",
        ),
        (
            vec![Act::to("/")],
            "{}",
            Some(Redirects),
            302,
            "redirect: a loop: back to ",
        ),
        (
            vec![Act::to("/b"), Act::to("/")],
            "{}",
            Some(Redirects),
            302,
            "hop 2: redirect: a loop",
        ),
        (
            vec![Act::to("ftp://a.example/")],
            "{}",
            Some(Redirects),
            302,
            "redirect: Location \"ftp://a.example/\" scheme",
        ),
        (
            vec![Act::to("http://u:p@a.example/")],
            "{}",
            Some(Redirects),
            302,
            "redirect: Location",
        ),
        (
            vec![Act::to("http://[")],
            "{}",
            Some(Redirects),
            302,
            "redirect: Location \"http://[\" is unusable",
        ),
        (
            vec![moved],
            "{}",
            Some(Redirects),
            301,
            "redirect: no Location",
        ),
        (vec![same], "{}", Some(Status), 304, "expect: status 304"),
        (vec![endless, ok()], "{}", None, 200, ""),
    ] {
        let server = Server::start(acts.clone());
        let result = check(&server.url("/"), request, "{}");
        assert_eq!(result.reason, reason, "{acts:?}: {result:?}");
        assert_eq!(result.measured.status, Some(status), "{acts:?}: {result:?}");
        assert!(detail(&result).starts_with(said), "{acts:?}: {result:?}");
    }
}

#[test]
fn what_belongs_to_the_site_does_not_travel_to_another_origin() {
    let other = Server::start(vec![Act::ok("hello")]);
    let first = Server::start(vec![Act::to("/same"), Act::to(&other.url("/other"))]);
    let request = r#"{"headers": {"X-Key": "k", "Content-Type": "a/b"}, "bearer": "t", "body": "x", "method": "POST"}"#;
    let result = check(&first.url("/"), request, "{}");
    assert_eq!(result.reason, None, "{result:?}");
    let same = &first.requests()[1];
    assert!(same.starts_with("GET /same "), "{same}");
    assert!(
        same.contains("x-key: k") && same.contains("Bearer t"),
        "{same}"
    );
    assert!(!same.contains("content-type"), "{same}");
    let sent = &other.requests()[0];
    assert!(sent.starts_with("GET /other "), "{sent}");
    assert!(
        !sent.contains("x-key") && !sent.contains("authorization"),
        "{sent}"
    );
}

#[test]
fn a_failure_behind_a_redirect_names_the_hop_and_keeps_the_phases() {
    let server = Server::start(vec![Act::to(&Server::refused_url())]);
    let result = check(&server.url("/"), "{}", "{}");
    assert_eq!(result.reason, Some(Reason::ConnectRefused), "{result:?}");
    assert!(
        detail(&result).starts_with("hop 2: connect: 127.0.0.1:"),
        "{result:?}"
    );
    assert_eq!(phases(&result), ALL);
    assert_eq!(result.measured.status, None);
}

#[test]
fn a_refused_port_is_a_refused_connection() {
    let result = check(&Server::refused_url(), "{}", "{}");
    assert_eq!(result.reason, Some(Reason::ConnectRefused), "{result:?}");
    assert_eq!(phases(&result), "dns connect");
    assert!(detail(&result).ends_with(": refused"), "{result:?}");
}

#[test]
fn an_address_that_is_not_allowed_is_not_dialled() {
    let closed = Prober::new(&Policy::new(&Addresses::default()), BODY_LIMIT).unwrap();
    for host in ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]"] {
        let result = closed.check(&task(&format!("http://{host}:9/"), "{}", "{}"), 5);
        assert_eq!(result.reason, Some(Reason::AddressRefused), "{result:?}");
        assert_eq!(phases(&result), "dns connect");
        assert_eq!(result.measured.address, None);
        let said = "is not a public address; addresses.allow can admit it";
        assert!(detail(&result).ends_with(said), "{result:?}");
    }
}

#[test]
fn a_task_that_makes_no_sense_is_an_invalid_site() {
    let url = "http://a.example/";
    for (url, request, expect, said) in [
        (
            "ftp://a.example/",
            "{}",
            "{}",
            "url: scheme \"ftp\" is not probed",
        ),
        (url, r#"{"metod": 1}"#, "{}", "request.metod: unknown key"),
        (url, "{}", "[]", "expect: is an array"),
    ] {
        let result = check(url, request, expect);
        assert_eq!(result.reason, Some(Reason::InvalidSite));
        assert!(detail(&result).starts_with(said), "{result:?}");
        assert_eq!(phases(&result), "");
        assert_eq!(result.measured.phases.total_us, None);
    }
}

#[test]
fn one_check_leaves_no_trace_in_the_next() {
    let prober = prober();
    let other = prober.for_another_lane();
    let acts = vec![Act::ok("hello"), Act::HangAfter(""), Act::ok("hello")];
    let server = Server::start(acts);
    let task = task(&server.url("/"), "{}", "{}");
    let first = prober.check(&task, 5);
    let second = other.check(&task, 5);
    let third = prober.check(&task, 5);
    assert_eq!(first.reason, None);
    assert_eq!(second.reason, Some(Reason::ResponseTimeout));
    assert_eq!(second.measured.status, None);
    assert_eq!(third.reason, None);
    assert!(third.measured.phases.total_us < Some(200_000), "{third:?}");
}

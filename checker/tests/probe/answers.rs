//! Answers, and what is none.

use contract::outcome::Reason;

use crate::hostile::{self, Act, Server};
use crate::{ALL, TIMEOUT_MS, TOLERANCE_MS, WAITED, assert_verdict, check, prober, task};

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

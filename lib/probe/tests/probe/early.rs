//! Servers that answer before they have read the request, and do not read it to its end (RFC 9112, 9.5).

use contract::outcome::Reason;
use contract::result::CheckResult;
use serde_json::json;

use crate::authority::{Authority, VALID};
use crate::case::{Case, down, run, silent, table, up};
use crate::hostile::Act;
use crate::tables::Table;
use crate::task;
use crate::tls::{HOST, LIMIT_MS, TLS_ALL, prober};
use crate::tls_server::{TlsServer, Turn};

/// The answer of a server that wants no body.
const REFUSAL: &str =
    "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig";
/// The same, of a server that has no time.
const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
const UNTIL_THE_END: &str = "HTTP/1.1 200 OK\r\n\r\nhello";
const CONTINUED: &str =
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig";
/// A request with a body of a few bytes.
const SHORT: &str = r#"{"method": "POST", "body": "ping"}"#;
/// So often is each case tried: which of both is first, the reset or the request, is chance.
const TIMES: usize = 25;

/// A request whose body is longer than what fits between the two.
fn long() -> String {
    json!({"method": "POST", "body": "x".repeat(60_000)}).to_string()
}

/// A site that is up with this status.
fn answers(name: &'static str, act: Act, status: u16) -> Case {
    let case = up(name, act).request(SHORT);
    case.expect(r#"{"status": ["200-599"]}"#).status(status)
}

/// Servers that close at once, or reset what they have not read.
fn cases() -> Vec<Case> {
    let reset = "receive: the server reset the connection before the response was complete";
    vec![
        answers("413 at once", Act::AtOnce(REFUSAL), 413).body(3),
        answers("503 at once", Act::AtOnce(BUSY), 503).body(0),
        answers("200 at once", Act::AtOnce(OK), 200).body(5),
        answers("chunks at once", Act::AtOnce(CHUNKED), 200).body(5),
        answers(
            "a body without a length at once",
            Act::AtOnce(UNTIL_THE_END),
            200,
        )
        .body(5),
        answers("100 and 413 at once", Act::AtOnce(CONTINUED), 413).body(3),
        answers("413 and a reset", Act::ResetAfter(REFUSAL), 413).body(3),
        answers("503 and a reset", Act::ResetAfter(BUSY), 503).body(0),
        answers("200 and a reset", Act::ResetAfter(OK), 200).body(5),
        answers("chunks and a reset", Act::ResetAfter(CHUNKED), 200).body(5),
        answers("100, 413 and a reset", Act::ResetAfter(CONTINUED), 413).body(3),
        answers("413 at once to a long body", Act::AtOnce(REFUSAL), 413).request(&long()),
        answers(
            "413 and a reset of a long body",
            Act::ResetAfter(REFUSAL),
            413,
        )
        .request(&long()),
        answers("a GET is answered at once", Act::AtOnce(OK), 200).request("{}"),
        down(
            "a body without a length and a reset",
            Act::ResetAfter(UNTIL_THE_END),
            Reason::Reset,
            reset,
        )
        .request(SHORT),
    ]
}

#[test]
fn an_answer_counts_though_the_server_did_not_read_the_request() {
    table("early-answers", cases());
    for _ in 1..TIMES {
        run(cases());
    }
}

#[test]
fn an_answer_counts_though_there_is_no_room_for_the_request() {
    table(
        "unread-requests",
        vec![
            answers("413, and it reads nothing", Act::Deaf(REFUSAL), 413).request(&long()),
            answers("503, and it reads nothing", Act::Deaf(BUSY), 503).request(&long()),
            answers("200, and it reads nothing", Act::Deaf(OK), 200).request(&long()),
            answers("chunks, and it reads nothing", Act::Deaf(CHUNKED), 200).request(&long()),
            answers(
                "100 and 413, and it reads nothing",
                Act::Deaf(CONTINUED),
                413,
            )
            .request(&long()),
            silent(
                "it says nothing and reads nothing",
                Act::Deaf(""),
                Reason::ResponseTimeout,
                "wait: the response's head did not come within 400 ms",
            )
            .request(&long())
            .times_out(),
        ],
    );
}

/// Checks a server over TLS that does so.
fn checked(
    table: &mut Table,
    root: &Authority,
    (case, turn, request): (&str, Turn, &str),
) -> CheckResult {
    let prober = prober(&[root.der()]);
    let pem = root.pem();
    let serve = || {
        let server = TlsServer::start(root.leaf(HOST, VALID), vec![turn.clone()]);
        let mut task = task(&server.url(), request, r#"{"status": ["200-599"]}"#);
        task.timeout_ms = LIMIT_MS;
        (server, task)
    };
    table.check(case, (&prober, Some(&pem)), serve).result
}

#[test]
fn an_early_answer_counts_over_tls_too() {
    let root = Authority::new("root");
    let long = long();
    let long = long.as_str();
    let mut table = Table::new("early-answers-tls");
    for case in [
        ("413 at once", Turn::Early(REFUSAL), SHORT),
        ("200 at once", Turn::Early(OK), SHORT),
        ("413 at once to a long body", Turn::Early(REFUSAL), long),
        ("413, and it reads nothing", Turn::Deaf(REFUSAL), long),
        (
            "100 and 413, and it reads nothing",
            Turn::Deaf(CONTINUED),
            long,
        ),
        ("200, and it reads nothing", Turn::Deaf(OK), long),
    ] {
        let name = case.0;
        let result = checked(&mut table, &root, case);
        assert_eq!(result.reason, None, "{name}: {result:?}");
        assert_eq!(crate::phases(&result), TLS_ALL);
    }
    table.finish();
}

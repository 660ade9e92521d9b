//! Answers that are not HTTP, and heads that no reader takes.

use contract::outcome::Reason;

use crate::authority::{Authority, VALID};
use crate::case::{Case, down, headless, table};
use crate::hostile::Act;
use crate::tables::Table;
use crate::task;
use crate::tls::{HOST, LIMIT_MS, prober};
use crate::tls_server::{TlsServer, Turn};

#[test]
fn what_is_not_http_is_named_at_once() {
    let begins = "receive: the answer is not HTTP: it begins with ";
    let refused = |name, sent: &[u8], said: &str| -> Case {
        let said = format!("{begins}{said}");
        headless(name, Act::Send(sent.to_vec()), Reason::Protocol, &said)
    };
    let hanging = |name, sent: &'static str, said: &str| -> Case {
        let said = format!("{begins}{said}");
        headless(name, Act::HangAfter(sent), Reason::Protocol, &said)
    };
    table(
        "not-http",
        vec![
            refused(
                "SMTP",
                b"220 mail.example ESMTP\r\n",
                r#""220 mail.example ESMTP", which looks like an FTP, mail (SMTP) or news server"#,
            ),
            hanging(
                "SSH, which waits",
                "SSH-2.0-OpenSSH_9.9\r\n",
                r#""SSH-2.0-OpenSSH_9.9", which looks like an SSH server"#,
            ),
            refused(
                "HTTP/0.9",
                b"<html>hello</html>\r\n",
                r#""<html>hello</html>", which looks like a body without a head, as in HTTP/0.9"#,
            ),
            refused(
                "HTTP/2",
                b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01",
                "the bytes 00 00 00 04 00, which looks like HTTP/2 without TLS, and webmon speaks HTTP/1.1",
            ),
            hanging(
                "a TLS alert, and then nothing",
                "\x15\x03\x03\0\x02\x02\x46",
                "the bytes 15 03 03 00 02, which looks like TLS; begin the URL with https",
            ),
            refused("NUL alone", &[0; 16], "the bytes 00 00 00 00 00"),
            refused(
                "ICY",
                b"ICY 200 OK\r\n\r\n",
                r#""ICY 200 OK", which looks like a SHOUTcast stream"#,
            ),
            refused(
                "a request",
                b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
                r#""GET / HTTP/1.1", which looks like a request"#,
            ),
            refused(
                "a blank before the version",
                b" HTTP/1.1 200 OK\r\n\r\n",
                r#"" HTTP/1.1 200 OK""#,
            ),
        ],
    );
}

#[test]
fn heads_that_no_reader_takes_are_refused_with_their_status() {
    let refused = |name, sent: &[u8], said: &str| -> Case {
        let said = format!("receive: {said}");
        down(name, Act::Send(sent.to_vec()), Reason::Protocol, &said)
    };
    let no_status = |name, line: &str| -> Case {
        let said = format!("receive: the line \"{line}\" is no status line like HTTP/1.1 200");
        let sent = format!("{line}\r\n\r\n");
        headless(name, Act::send(&sent), Reason::Protocol, &said)
    };
    let zero = "a line of the response's head has a zero byte: ";
    table(
        "refused-heads",
        vec![
            no_status("status 099", "HTTP/1.1 099 Low"),
            no_status("status 99", "HTTP/1.1 99 Low"),
            no_status("status 000", "HTTP/1.1 000 Zero"),
            no_status("status 1000", "HTTP/1.1 1000 High"),
            no_status("status -20", "HTTP/1.1 -20 Low"),
            no_status("status 0x1", "HTTP/1.1 0x1 Hex"),
            no_status("no status", "HTTP/1.1"),
            no_status("no version", "HTTP 200 OK"),
            refused(
                "NUL in the reason phrase",
                b"HTTP/1.1 200 O\0K\r\n\r\n",
                &format!("{zero}\"HTTP/1.1 200 O·K\""),
            ),
            refused(
                "NUL in a name",
                b"HTTP/1.1 200 OK\r\nX\0A: b\r\n\r\n",
                &format!("{zero}\"X·A: b\""),
            ),
            refused(
                "NUL in a value",
                b"HTTP/1.1 200 OK\r\nX-A: b\0c\r\n\r\n",
                &format!("{zero}\"X-A: b·c\""),
            ),
        ],
    );
}

#[test]
fn over_tls_a_sloppy_head_is_read_and_what_is_not_http_is_named_too() {
    let root = Authority::new("root");
    let prober = prober(&[root.der()]);
    let mut table = Table::new("http-over-tls");
    for (name, answer) in [
        (
            "a sloppy head and chunks",
            "HTTP/2 200\r\nX-A :\r\n b\r\nTransfer-Encoding: chunked\r\n\r\n5;a\nhello\n0\n\n",
        ),
        ("SSH", "SSH-2.0-OpenSSH_9.9\r\n"),
        ("a TLS alert", "\x15\x03\x03\0\x02\x02\x46"),
    ] {
        table.check(name, (&prober, Some(&root.pem())), || {
            let turns = vec![Turn::Answer(answer.to_owned())];
            let server = TlsServer::start(root.leaf(HOST, VALID), turns);
            let mut task = task(&server.url(), "{}", "{}");
            task.timeout_ms = LIMIT_MS;
            (server, task)
        });
    }
    table.finish();
}

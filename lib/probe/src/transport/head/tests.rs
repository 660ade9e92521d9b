//! What is said of a head that is refused, and which status is kept.

use std::time::Duration;

use ureq::unversioned::transport::Buffers as _;

use super::*;

/// What is said of a head, and the status that is noted.
fn refused(head: &[u8]) -> (String, Option<u16>) {
    observed::begin(Duration::ZERO, 0);
    observed::begin_hop(&ureq::http::Method::GET, "http://a.example/", 0);
    let mut buffers = GrowingBuffers::default();
    buffers.input_append_buf()[..head.len()].copy_from_slice(head);
    buffers.input_appended(head.len());
    let fault = take(&mut Scan::default(), &mut buffers).unwrap_err();
    assert_eq!(fault.reason, Reason::Protocol);
    (fault.message, observed::with(|observed| observed.status()))
}

#[test]
fn a_refused_head_keeps_its_status_and_names_its_line() {
    for (lines, said) in [
        (
            "Content-Length: five",
            r#"the Content-Length "five" is no number of bytes"#,
        ),
        (
            "Content-Length: -5",
            r#"the Content-Length "-5" is no number of bytes"#,
        ),
        (
            "Content-Length: +5",
            r#"the Content-Length "+5" is no number of bytes"#,
        ),
        (
            "Content-Length:",
            r#"the Content-Length "" is no number of bytes"#,
        ),
        (
            "Content-Length: 5 5",
            r#"the Content-Length "5 5" is no number of bytes"#,
        ),
        (
            "Content-Length: 5\r\n 5",
            r#"the Content-Length "5 5" is no number of bytes"#,
        ),
        (
            "Content-Length: 5,",
            r#"the Content-Length "5," is no number of bytes"#,
        ),
        (
            "Content-Length: 5, 6",
            r#"the Content-Length "5, 6" contradicts another of 5"#,
        ),
        (
            "Content-Length: 5\r\nContent-Length: 6",
            r#"the Content-Length "6" contradicts another of 5"#,
        ),
        (
            "Content-Length: 5\r\ncontent-length :\r\n 6",
            r#"the Content-Length "6" contradicts another of 5"#,
        ),
        (
            "X\0A: b",
            r#"a line of the response's head has a zero byte: "X·A: b""#,
        ),
        (
            "X-A: b\0c",
            r#"a line of the response's head has a zero byte: "X-A: b·c""#,
        ),
    ] {
        let head = format!("HTTP/1.1 503 Busy\r\n{lines}\r\n\r\n");
        assert_eq!(refused(head.as_bytes()), (said.to_owned(), Some(503)));
    }
}

#[test]
fn the_status_that_is_kept_is_the_answers() {
    let (_, status) = refused(b"HTTP/1.1 404 Not\0Found\r\n");
    assert_eq!(status, Some(404));
    let interim = b"HTTP/1.1 103 Hints\r\n\r\n";
    let (_, status) = refused(&[interim, &b"HTTP/1.1 500 Oops\r\n\0\r\n"[..]].concat());
    assert_eq!(status, Some(500));
    let (_, status) = refused(b"HTTP/1.1 103 Hints\r\nX-A: b\0c\r\n");
    assert_eq!(status, None, "it is not the answer's");
}

#[test]
fn a_status_line_without_a_status_is_shown() {
    for line in [
        "HTTP/1.1",
        "HTTP/1.1 OK",
        "HTTP/1.1 20",
        "HTTP/1.1 099 Low",
        "HTTP/1.1 000 Zero",
        "HTTP/1.1 1000 High",
        "HTTP/1.1 -20 Low",
        "HTTP/1.1 0x1 Hex",
        "HTTP 200 OK",
        "HTTP/x.y 200 OK",
        "HTTPS/1.1 200 OK",
    ] {
        let said = format!("the line \"{line}\" is no status line like HTTP/1.1 200");
        let found = refused(format!("{line}\r\n\r\n").as_bytes());
        assert_eq!(found, (said, None));
    }
}

#[test]
fn what_is_not_http_is_shown_with_what_it_looks_like() {
    let begins = "the answer is not HTTP: it begins with";
    let looks = "which looks like";
    let http_2 = "HTTP/2 without TLS, and webmon speaks HTTP/1.1";
    for (bytes, said) in [
        (
            &b"\x15\x03\x03\0\x02\x02\x46"[..],
            "the bytes 15 03 03 00 02, which looks like TLS; begin the URL with https".to_owned(),
        ),
        (
            b"\0\0\x12\x04\0\0\0\0\0\0\x03",
            format!("the bytes 00 00 12 04 00, {looks} {http_2}"),
        ),
        (
            b"\0\0\x08\x07\0\0\0\0\0",
            format!("the bytes 00 00 08 07 00, {looks} {http_2}"),
        ),
        (
            b"PRI * HTTP/2.0\r\n",
            format!("\"PRI * HTTP/2.0\", {looks} {http_2}"),
        ),
        (
            b"220 mail.example ESMTP\r\n",
            format!("\"220 mail.example ESMTP\", {looks} an FTP, mail (SMTP) or news server"),
        ),
        (
            b"220-Welcome\r\n220 \r\n",
            format!("\"220-Welcome\", {looks} an FTP, mail (SMTP) or news server"),
        ),
        (
            b"SSH-2.0-OpenSSH_9.9\r\n",
            format!("\"SSH-2.0-OpenSSH_9.9\", {looks} an SSH server"),
        ),
        (
            b"-ERR wrong number\r\n",
            format!("\"-ERR wrong number\", {looks} a Redis or POP3 server"),
        ),
        (
            b"J\0\0\0\n8.0.36\0",
            format!("the bytes 4a 00 00 00 0a, {looks} a MySQL server"),
        ),
        (
            b"ICY 200 OK\r\n",
            format!("\"ICY 200 OK\", {looks} a SHOUTcast stream"),
        ),
        (
            b"\r\n<html>hello</html>\n",
            format!("\"<html>hello</html>\", {looks} a body without a head, as in HTTP/0.9"),
        ),
        (b"hello", "\"hello\"".to_owned()),
        (b"\0\0\0", "the bytes 00 00 00".to_owned()),
        ("h\u{e9}".as_bytes(), "\"h\u{e9}\"".to_owned()),
    ] {
        assert_eq!(refused(bytes), (format!("{begins} {said}"), None));
    }
}

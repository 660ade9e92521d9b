//! Which bytes are an answer, and where it ends.

use proptest::prelude::*;

use super::*;

/// Reads an answer out of these bytes: its status or what is wrong, and how many bytes are left.
fn read_from(bytes: &[u8]) -> (Result<u16, String>, usize) {
    let mut rest = bytes;
    let found = match read(&mut rest) {
        Ok(answer) => Ok(answer.status),
        Err(Trouble::Ended) => Err("ended".to_owned()),
        Err(Trouble::NotHttp(start)) => Err(format!("no HTTP {}", start.escape_ascii())),
        Err(Trouble::TooLong) => Err("too long".to_owned()),
        Err(Trouble::Failed(error)) => Err(error.to_string()),
    };
    (found, rest.len())
}

#[test]
fn what_follows_the_head_is_left_to_the_tunnel() {
    for (text, status, left) in [
        ("HTTP/1.1 200 OK\r\n\r\n", 200, 0),
        (
            "HTTP/1.0 200 Connection established\r\n\r\n\x16\x03",
            200,
            2,
        ),
        ("HTTP/1.1 200\r\n\r\nHTTP/1.1 500 no\r\n\r\n", 200, 19),
        ("HTTP/1.1 200 OK\n\nxyz", 200, 3),
        (
            "\r\n\r\nHTTP/1.1  204 \r\nContent-Length: 7\r\n\r\n1234567",
            204,
            7,
        ),
        (
            "HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            200,
            0,
        ),
        ("HTTP/2 200 \r\n\r\n", 200, 0),
        (
            "HTTP/1.1 200 OK\r\nX: a\r\n  folded\r\nno header\r\n\r\n!",
            200,
            1,
        ),
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
            403,
            2,
        ),
        // curl, too, keeps the status of a refusal that ends early
        ("HTTP/1.0 403 Forbidden\r\n", 403, 0),
    ] {
        assert_eq!(read_from(text.as_bytes()), (Ok(status), left), "{text:?}");
    }
}

#[test]
fn what_is_no_answer_is_told_apart() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(MOST_BYTES));
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(MOST_BYTES / 25 + 1);
    for (bytes, said) in [
        (&b""[..], "ended"),
        (b"HTT", "ended"),
        (b"HTTP/1.1 200 OK\r\n", "ended"),
        (b"HTTP/1.1 200 OK\r\nX: y\r\n", "ended"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "ended"),
        (b"\x15\x03\x01\x00\x02\x02\x16", r"no HTTP \x15"),
        (b"\x05\xff", r"no HTTP \x05"),
        (
            b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\nmore",
            "no HTTP SSH-2.0-OpenSSH_9.2p1 Debian-2",
        ),
        (b"HTTP/1.1\r\n\r\n", "no HTTP HTTP/1.1"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "no HTTP HTTP/1.1 2x0 OK"),
        (long.as_bytes(), "too long"),
        (interim.as_bytes(), "too long"),
    ] {
        let shown = bytes.escape_ascii().to_string();
        assert_eq!(read_from(bytes).0, Err(said.to_owned()), "{shown:.80}");
    }
}

#[test]
fn challenges_are_found_however_they_are_written() {
    let head = "HTTP/1.1 407 login\r\nproxy-authenticate: Basic realm=\"a\"\r\nProxy-Authenticate : Negotiate\r\nX: y\r\n\r\n";
    let answer = read(&mut head.as_bytes()).unwrap();
    assert_eq!(answer.line, b"HTTP/1.1 407 login");
    let challenges: [&[u8]; 2] = [b"Basic realm=\"a\"", b"Negotiate"];
    assert_eq!(answer.challenges, challenges);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_read_on(
        head in r"(HTTP/1\.[01] ?[0-9]{0,4} ?[a-z]{0,5}\r?\n)?([A-Za-z\-]{0,5}: ?\PC{0,5}\r?\n){0,3}(\r?\n)?",
        rest in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let bytes = [head.as_bytes(), &rest].concat();
        let (found, left) = read_from(&bytes);
        // an answer ends with its empty line, wherever that is
        if found.is_ok() && left > 0 {
            let taken = &bytes[..bytes.len() - left];
            prop_assert!(taken.ends_with(b"\n\r\n") || taken.ends_with(b"\n\n"));
        }
    }
}

//! Which lines of chunks are read, and which are none.

use super::*;

/// The data of a body, with what comes in pieces of so many bytes; whether its end came.
fn read(body: &[u8], piece: usize) -> Result<(Vec<u8>, bool), String> {
    let (mut chunks, mut data) = (Chunks::default(), Vec::new());
    let (mut start, mut end) = (0, 0);
    loop {
        match chunks
            .step(&body[start..end])
            .map_err(|fault| fault.message)?
        {
            Step::Skip(bytes) => start += bytes,
            Step::Data(bytes) => {
                data.extend_from_slice(&body[start..start + bytes]);
                start += bytes;
            }
            Step::More if end == body.len() => return Ok((data, chunks.is_whole())),
            Step::More => end = body.len().min(end + piece),
            Step::End => return Ok((data, true)),
        }
    }
}

#[test]
fn chunks_are_read_however_they_come() {
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(5_000));
    let zeros = format!("{}5\r\nhello\r\n0\r\n\r\n", "0".repeat(5_000));
    for body in [
        "5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "5\r\r\nhello\r\n0\r\n\r\r\n",
        "2\r\nhe\n3\nllo\r\n0\r\n\r\n",
        " \t5 \t\r\nhello\r\n0\r\n\r\n",
        "5;a=b;c=\"d e\"\r\nhello\r\n0;f\r\n\r\n",
        "5 ; a\r\nhello\r\n0\r\n\r\n",
        "05\r\nhello\r\n000\r\nX-A: b\r\nno header\r\n\r\n",
        "5\r\nhello\r\n0\r\n",
        "5\r\nhello\r\n0\r\nX-A",
        "5\r\nhello\r\n0\r\n\r\nHTTP/1.1 500",
        long.as_str(),
        zeros.as_str(),
    ] {
        for piece in [1, 2, 3, 7, body.len()] {
            let read = read(body.as_bytes(), piece);
            assert_eq!(read, Ok((b"hello".to_vec(), true)), "{body:?} by {piece}");
        }
    }
}

#[test]
fn what_did_not_come_is_no_end() {
    for body in [
        "",
        "\r",
        "5",
        "5\r\nhel",
        "5\r\nhello",
        "5\r\nhello\r",
        "5\r\nhello\r\n",
        "ffffffffffffffff\r\nhello",
    ] {
        for piece in [1, 100] {
            let (_, whole) = read(body.as_bytes(), piece).unwrap();
            assert!(!whole, "{body:?}");
        }
    }
}

#[test]
fn a_line_that_has_no_size_is_shown() {
    for (body, said) in [
        ("zz\r\n", "\"zz\""),
        ("\r\nhello", "\"\""),
        ("-5\r\nhello", "\"-5\""),
        ("+5\r\nhello", "\"+5\""),
        ("0x5\r\nhello", "\"0x5\""),
        (";a\r\nhello", "\";a\""),
        ("5 x\r\nhello", "\"5 x\""),
        ("5\u{e9}\r\nhello", "\"5é\""),
        ("10000000000000000\r\nhello", "\"10000000000000000\""),
        ("<html>no chunks", "\"<html>no chunks\""),
        ("5\r\nhello\r\n\r\n0\r\n", "\"\""),
    ] {
        let all = read(body.as_bytes(), body.len()).unwrap_err();
        assert_eq!(
            all,
            format!("a chunk of the body has no size: its line is {said}")
        );
        let refused = read(body.as_bytes(), 1).unwrap_err();
        assert!(
            refused.starts_with("a chunk of the body has no size"),
            "{refused}"
        );
    }
    let long = read(b"5\r\nhello!\r\n0\r\n\r\n", 100).unwrap_err();
    assert_eq!(
        long,
        "a chunk of the body has no line end behind it, but \"!\""
    );
}

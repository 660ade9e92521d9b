//! Where a body ends.

use contract::outcome::Reason;

use crate::case::{Case, down, run, table, up};
use crate::hostile::Act;

/// An answer with these header lines.
fn answer(lines: &str, body: &str) -> Act {
    Act::send(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n{body}"))
}

#[test]
fn a_length_is_one_number_of_digits() {
    let refused = |name, lines: &str| -> Case {
        let act = answer(lines, "hello");
        down(
            name,
            act,
            Reason::Protocol,
            "receive: the Content-Length \"",
        )
    };
    let length = |name, lines: &str| up(name, answer(lines, "hello")).body(5);
    table(
        "lengths",
        vec![
            length("a length", "Content-Length: 5"),
            length("leading zeros", "Content-Length: 0005"),
            length("twice the same", "Content-Length: 5\r\nContent-Length: 5"),
            length("twice the same in a list", "Content-Length: 5, 5"),
            length("blanks around it", "Content-Length: \t 5 \t"),
            refused("twice another", "Content-Length: 5\r\nContent-Length: 6"),
            refused("another in a list", "Content-Length: 5, 6"),
            refused("negative", "Content-Length: -5"),
            refused("a plus", "Content-Length: +5"),
            refused("hexadecimal", "Content-Length: 0x5"),
            refused("a fraction", "Content-Length: 5.0"),
            refused("empty", "Content-Length:"),
            refused("a word", "Content-Length: five"),
            refused("beyond 64 bits", "Content-Length: 18446744073709551616"),
            refused("a blank inside", "Content-Length: 5 5"),
        ],
    );
}

#[test]
fn a_body_is_as_long_as_the_server_says() {
    let closed = "receive: the server closed the connection before the response was complete";
    table(
        "body-ends",
        vec![
            up("more than the length", answer("Content-Length: 3", "hello")).body(3),
            down(
                "less than the length",
                answer("Content-Length: 9", "hello"),
                Reason::Reset,
                closed,
            )
            .body(5),
            down(
                "less than the longest length",
                answer("Content-Length: 18446744073709551615", "hello"),
                Reason::Reset,
                closed,
            )
            .body(5),
            up("a folded length", answer("Content-Length:\r\n 3", "hello")).body(3),
            up(
                "an unknown transfer encoding is until the end",
                answer("Transfer-Encoding: rot13", "hello"),
            )
            .body(5),
            up(
                "identity and a length",
                answer("Transfer-Encoding: identity\r\nContent-Length: 3", "hello"),
            )
            .body(3),
        ],
    );
}

#[test]
fn chunks_count_more_than_a_length() {
    let chunked = "Transfer-Encoding: chunked";
    table(
        "chunks-and-lengths",
        vec![
            up(
                "a length and chunks: the chunks count",
                answer(
                    &format!("Content-Length: 2\r\n{chunked}"),
                    "5\r\nhello\r\n0\r\n\r\n",
                ),
            )
            .body(5),
            up(
                "chunks in HTTP/1.0",
                Act::send(&format!(
                    "HTTP/1.0 200 OK\r\n{chunked}\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
                )),
            )
            .body(5),
            up(
                "a length that is none and chunks",
                answer(
                    &format!("Content-Length: five\r\n{chunked}\r\nContent-Length: 7"),
                    "5\r\nhello\r\n0\r\n\r\n",
                ),
            )
            .body(5),
            up(
                "chunks that are said twice",
                answer(
                    &format!("{chunked}\r\n{chunked}"),
                    "5\r\nhello\r\n0\r\n\r\n",
                ),
            )
            .body(5),
            up(
                "chunks behind a fold",
                answer("Transfer-Encoding :\r\n Chunked", "5\r\nhello\r\n0\r\n\r\n"),
            )
            .body(5),
        ],
    );
}

#[test]
fn what_has_no_body_has_none_whatever_is_sent() {
    let head = r#"{"method": "HEAD"}"#;
    let bodiless = |name, status: u16| {
        let sent = format!("HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\nhello");
        up(name, Act::send(&sent))
            .expect(&format!(r#"{{"status": [{status}]}}"#))
            .status(status)
            .body(0)
    };
    run(vec![
        up("HEAD with a length", answer("Content-Length: 5", ""))
            .request(head)
            .body(0),
        up("HEAD with a body", answer("Content-Length: 5", "hello"))
            .request(head)
            .body(0),
        up(
            "HEAD with chunks",
            answer("Transfer-Encoding: chunked", "zz"),
        )
        .request(head)
        .body(0),
        up(
            "HEAD and an endless body",
            Act::Endless("HTTP/1.1 200 OK\r\n\r\n"),
        )
        .request(head)
        .body(0),
        up(
            "HEAD with a length that is none",
            answer("Content-Length: five\r\nContent-Length: 6", ""),
        )
        .request(head)
        .body(0),
        up(
            "204 with a length that is none",
            Act::send("HTTP/1.1 204 X\r\nContent-Length: -1\r\n\r\n"),
        )
        .status(204)
        .body(0),
        bodiless("204 with a body", 204),
        bodiless("304 with a body", 304),
        up(
            "205 with a body",
            Act::send("HTTP/1.1 205 X\r\nContent-Length: 5\r\n\r\nhello"),
        )
        .status(205)
        .body(5),
        up(
            "204 with an endless body",
            Act::Endless("HTTP/1.1 204 No Content\r\n\r\n"),
        )
        .status(204)
        .body(0),
    ]);
}

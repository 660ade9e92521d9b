//! What answers instead of HTTP, by its first bytes.

use std::fmt::Write as _;

use contract::outcome::Reason;

use super::head::without_cr;
use crate::fault::Fault;
use crate::observed;
use crate::redact::quote;

/// What every response begins with, in letters of any case.
const HTTP: &[u8] = b"HTTP";
/// So many of the first bytes are looked at where they are no text, and shown in hexadecimal.
const SIGNATURE_BYTES: usize = 5;
/// How other protocols begin that answer in lines, and what to say of them.
const GREETINGS: [(&[u8], &str); 14] = [
    (b"SSH-", "an SSH server"),
    (b"+OK", "a POP3 server"),
    (b"* OK", "an IMAP server"),
    (b"-ERR", "a Redis or POP3 server"),
    (b"RTSP/", "an RTSP server"),
    (b"SIP/", "a SIP server"),
    (b"RFB ", "a VNC server"),
    (b"AMQP", "an AMQP server"),
    (b"ICY ", "a SHOUTcast stream"),
    (b"PRI * HTTP/2", HTTP_2),
    (b"<", NO_HEAD),
    (b"{", NO_HEAD),
    (b"[", NO_HEAD),
    (b"GET ", "a request"),
];
/// What is said of HTTP/2.
const HTTP_2: &str = "HTTP/2 without TLS, and webmon speaks HTTP/1.1";
/// What is said of an answer that is all body.
const NO_HEAD: &str = "a body without a head, as in HTTP/0.9";

/// Refuses bytes that can be no beginning of a response.
pub(super) fn refuse(bytes: &[u8]) -> Result<(), Fault> {
    let mut letters = bytes.iter().zip(HTTP);
    if letters.all(|(byte, letter)| byte.eq_ignore_ascii_case(letter)) {
        return Ok(());
    }
    Err(explain(bytes))
}

/// Says what they are.
#[inline(never)]
fn explain(bytes: &[u8]) -> Fault {
    let signature = bytes.get(..SIGNATURE_BYTES).unwrap_or(bytes);
    let line = bytes.split(|byte| *byte == b'\n').next();
    let line = without_cr(line.unwrap_or(bytes));
    let mut first = line.iter().take(SIGNATURE_BYTES);
    let mut message = "the answer is not HTTP: it begins with ".to_owned();
    if first.any(u8::is_ascii_control) {
        message.push_str("the bytes");
        for byte in signature {
            // writing to a String cannot fail
            let _infallible = write!(message, " {byte:02x}");
        }
    } else {
        message.push_str(&quote(line));
    }
    if let Some(looks) = looks_like(bytes) {
        message.push_str(", which looks like ");
        message.push_str(looks);
    }
    Fault::here(Reason::Protocol, message)
}

/// What they look like, and the remedy if there is one.
fn looks_like(bytes: &[u8]) -> Option<&'static str> {
    let over_tls = observed::with(|observed| observed.hop().is_some_and(|hop| hop.tls.is_some()));
    match bytes {
        // a record of TLS: an alert or a handshake (RFC 8446, 5.1)
        [0x15 | 0x16, 3, ..] if !over_tls => Some("TLS; begin the URL with https"),
        // a frame of HTTP/2 of less than 64 KiB: SETTINGS or GOAWAY (RFC 9113, 4.1)
        [0, _, _, 4 | 7, ..] => Some(HTTP_2),
        // a packet of MySQL and MariaDB that is the first, of version 10, or an error
        [_, _, 0, 0, 10 | 0xff, ..] => Some("a MySQL server"),
        // a command (RFC 854)
        [0xff, 0xfb..=0xfe, ..] => Some("a Telnet server"),
        [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..] => {
            Some("an FTP, mail (SMTP) or news server")
        }
        _ => {
            let greeting = GREETINGS.iter().find(|(begin, _)| bytes.starts_with(begin));
            greeting.map(|(_, looks)| *looks)
        }
    }
}

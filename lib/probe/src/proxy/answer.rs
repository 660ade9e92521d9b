//! What a proxy answers to CONNECT: the head of a response, and not a byte more.

use std::io::{self, ErrorKind, Read};

/// The most bytes of an answer, those of interim responses included.
const MOST_BYTES: usize = 16 * 1024;
/// So much of what is no HTTP is read, in bytes.
const QUOTED_BYTES: usize = 64;
/// How every answer begins.
const START: &[u8] = b"HTTP/";

/// An answer that is no interim one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Its status.
    pub(super) status: u16,
    /// Its first line.
    pub(super) line: Vec<u8>,
    /// The values of `Proxy-Authenticate`, or `WWW-Authenticate`.
    pub(super) challenges: Vec<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The connection ended before.
    Ended,
    /// What came is no HTTP: its first bytes.
    NotHttp(Vec<u8>),
    /// The answer does not end.
    TooLong,
    /// The connection failed.
    Failed(io::Error),
}

/// Reads an answer. It reads byte by byte, as what follows the head belongs to the tunnel.
pub(super) fn read(connection: &mut impl Read) -> Result<Answer, Trouble> {
    let mut read = 0;
    loop {
        let head = read_head(connection, &mut read)?;
        let answer = parse(&head).ok_or_else(|| Trouble::NotHttp(first_line(&head).to_vec()))?;
        // Interim responses come before the one that counts (RFC 9110, 15.2).
        if answer.status >= 200 {
            return Ok(answer);
        }
    }
}

/// Reads one head, up to the empty line or the end of the connection; `read` counts the bytes.
fn read_head(connection: &mut impl Read, read: &mut usize) -> Result<Vec<u8>, Trouble> {
    let mut head = Vec::new();
    while let Some(byte) = read_byte(connection)? {
        *read += 1;
        if *read > MOST_BYTES {
            return Err(Trouble::TooLong);
        }
        // empty lines before a head say nothing (RFC 9112, 2.2)
        if head.is_empty() && matches!(byte, b'\r' | b'\n') {
            continue;
        }
        head.push(byte);
        if !START.starts_with(head.get(..START.len()).unwrap_or(&head)) {
            return Err(not_http(head, connection));
        }
        if head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n") {
            return Ok(head);
        }
    }
    // A refusal of one line needs no more.
    match parse(&head) {
        Some(answer) if head.contains(&b'\n') && answer.status >= 300 => Ok(head),
        _ => Err(Trouble::Ended),
    }
}

/// The next byte; none at the end of the connection.
fn read_byte(connection: &mut impl Read) -> Result<Option<u8>, Trouble> {
    let mut byte = [0];
    match connection.read(&mut byte) {
        Ok(0) => Ok(None),
        Ok(_) => Ok(byte.first().copied()),
        Err(error) if is_end(error.kind()) => Ok(None),
        Err(error) => Err(Trouble::Failed(error)),
    }
}

/// Whether the proxy ended the connection.
fn is_end(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe
    )
}

/// What is no HTTP, with the rest of the line if it is a text.
fn not_http(mut start: Vec<u8>, connection: &mut impl Read) -> Trouble {
    while start.len() < QUOTED_BYTES && start.last().is_some_and(|b| (b' '..=b'~').contains(b)) {
        match read_byte(connection) {
            Ok(Some(byte)) => start.push(byte),
            _ => break,
        }
    }
    Trouble::NotHttp(start.trim_ascii_end().to_vec())
}

/// The first line of a head, without its end.
fn first_line(head: &[u8]) -> &[u8] {
    let line = head.split(|byte| *byte == b'\n').next();
    line.unwrap_or_default().trim_ascii_end()
}

/// Reads a head; one without a status is none.
fn parse(head: &[u8]) -> Option<Answer> {
    let line = first_line(head);
    let blank = line.iter().position(u8::is_ascii_whitespace)?;
    let rest = line.get(blank..)?.trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let status = std::str::from_utf8(rest.get(..digits)?).ok()?;
    if digits != 3 {
        return None;
    }
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    Some(Answer {
        status: status.parse().ok()?,
        line: line.to_vec(),
        challenges: lines.filter_map(challenge).map(<[u8]>::to_vec).collect(),
    })
}

/// The value of a line that asks for a login.
fn challenge(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let name = name.trim_ascii();
    let names = [&b"proxy-authenticate"[..], b"www-authenticate"];
    let known = names.iter().any(|known| name.eq_ignore_ascii_case(known));
    known.then(|| value.get(1..).unwrap_or_default().trim_ascii())
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;

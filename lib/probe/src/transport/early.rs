//! What a server says before the request was sent whole: the rest may not be wanted any more (RFC 9112, 9.5).
//!
//! It is looked at only where there is no room to send more: as long as the server takes the request, it is sent.

use std::io;
use std::time::Duration;

use ureq::unversioned::transport::Buffers;

use super::GrowingBuffers;
use super::socket::Socket;

/// The most bytes that are read while there is no room to send.
pub(super) const MOST_BYTES: usize = 4 * 1024;
/// A server that has begun to answer well and makes no room for so long has stopped to read.
const PATIENCE: Duration = Duration::from_secs(1);
/// What comes before the status.
const VERSION: &[u8] = b"HTTP/1.1 ";

/// What a server said too early, until it is used.
#[derive(Debug, Default)]
pub(crate) struct Early(Vec<u8>);

/// What one look at a server's words brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// So many bytes; none does not mean the end.
    Bytes(usize),
    /// There will be no more.
    End,
}

impl Early {
    /// Hears what the server says by `hear`, and decides whether the rest of the request is sent.
    #[cold]
    #[inline(never)]
    pub(crate) fn listen(
        &mut self,
        socket: &mut Socket,
        hear: impl FnOnce(&mut Socket, &mut [u8]) -> io::Result<Heard>,
    ) -> io::Result<()> {
        if self.status().is_none() {
            let known = self.0.len();
            self.0.resize(MOST_BYTES, 0);
            let heard = hear(socket, self.0.get_mut(known..).unwrap_or_default());
            let bytes = match heard {
                Ok(Heard::Bytes(bytes)) => bytes,
                Ok(Heard::End) | Err(_) => 0,
            };
            self.0.truncate(known + bytes);
            if heard? == Heard::End || self.0.len() == MOST_BYTES {
                socket.stop_sending();
            }
        }
        match self.status() {
            None => {}
            // It may read on while it answers.
            Some(200..300) if socket.makes_room_within(PATIENCE)? => {}
            Some(_) => socket.stop_sending(),
        }
        Ok(())
    }

    /// Moves what was heard to where the response is read; `false` if there is nothing.
    pub(crate) fn move_to(&mut self, buffers: &mut GrowingBuffers) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let room = buffers.input_append_buf();
        let bytes = room.len().min(self.0.len());
        for (place, byte) in room.iter_mut().zip(self.0.drain(..bytes)) {
            *place = byte;
        }
        buffers.input_appended(bytes);
        true
    }

    /// The status of the answer, past the interim ones; 0 if it is no answer of HTTP/1. `None` as long as it is not
    /// there.
    fn status(&self) -> Option<u16> {
        let mut said = self.0.as_slice();
        loop {
            let start = said.iter().position(|byte| !b"\r\n".contains(byte))?;
            let line = said.get(start..)?;
            let digits = line.get(VERSION.len()..VERSION.len() + 3)?;
            let status = digits.iter().fold(0, |number, digit| {
                10 * number + u16::from(digit.wrapping_sub(b'0'))
            });
            let is_http = line.starts_with(b"HTTP/1.") && digits.iter().all(u8::is_ascii_digit);
            if !is_http {
                return Some(0);
            }
            if !(100..200).contains(&status) || status == 101 {
                return Some(status);
            }
            said = after_head(line)?;
        }
    }
}

/// What follows a head, if that is whole.
fn after_head(said: &[u8]) -> Option<&[u8]> {
    let ends: [&[u8]; 2] = [b"\n\r\n", b"\n\n"];
    (0..said.len()).find_map(|at| {
        let rest = said.get(at..)?;
        ends.iter().find_map(|end| rest.strip_prefix(*end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_an_answer_is_found_past_the_interim_ones() {
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        let many = hints.repeat(3);
        let answered = format!("{hints}{hints}HTTP/1.1 200 OK");
        for (said, status) in [
            ("", None),
            ("HTTP/1.1 41", None),
            ("HTTP/1.1 413", Some(413)),
            ("\r\nHTTP/1.0 200 OK\r\n", Some(200)),
            ("HTTP/1.1 100 Continue\r\n\r\n", None),
            ("HTTP/1.1 100 Continue\n\nHTTP/1.1 503 Busy", Some(503)),
            (hints, None),
            (many.as_str(), None),
            (answered.as_str(), Some(200)),
            ("HTTP/1.1 101 Switching Protocols\r\n", Some(101)),
            ("HTTP/2.0 200 OK\r\n", Some(0)),
            ("HTTP/1.1 2x0 OK\r\n", Some(0)),
            ("220 mail.example ESMTP\r\n", Some(0)),
            ("\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}", Some(0)),
        ] {
            assert_eq!(Early(said.as_bytes().to_vec()).status(), status, "{said}");
        }
    }

    #[test]
    fn what_was_heard_is_used_piece_by_piece() {
        let mut early = Early(vec![b'x'; MOST_BYTES]);
        let mut buffers = GrowingBuffers::default();
        let mut bytes = 0;
        while early.move_to(&mut buffers) {
            bytes += buffers.input().len();
            buffers.input_consume(buffers.input().len());
        }
        assert_eq!(bytes, MOST_BYTES);
    }
}

//! A connection as the HTTP library sees it: [TCP](tcp) over a [socket] within the check's time and size, with
//! [buffers] that grow as they must and answers that may come [early], and above TLS a watch for the response's
//! [first byte](first_byte).

mod buffers;
mod early;
mod first_byte;
mod socket;
mod tcp;

pub(crate) use self::buffers::GrowingBuffers;
pub(crate) use self::early::{Early, Heard};
pub(crate) use self::first_byte::FirstByteConnector;
pub(crate) use self::socket::Socket;
pub(crate) use self::tcp::TcpTransport;

/// The most memory of a connection's bytes on their way.
pub(crate) const MOST_BYTES: usize = buffers::MOST_BYTES + early::MOST_BYTES;

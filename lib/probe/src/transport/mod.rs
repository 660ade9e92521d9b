//! A connection as the HTTP library sees it: [TCP](tcp) over a [socket] within the check's time and size, with
//! [buffers] that grow as they must and answers that may come [early], and above TLS the [exchange] of a request and
//! its response.
//!
//! The library reads HTTP more strictly than browsers do. So the exchange reads first, and shows the library only what
//! it can read: a response's [head] as the standard writes it, and the data of [chunks] without their sizes. What is
//! no HTTP at all is [named](strangers). Of the request it writes the [names](request_names) of its headers.

mod buffers;
mod chunks;
mod early;
mod exchange;
mod head;
mod request_names;
mod socket;
mod strangers;
mod tcp;

pub(crate) use self::buffers::GrowingBuffers;
pub(crate) use self::early::{Early, Heard};
pub(crate) use self::exchange::{Buffered, ExchangeConnector};
pub(crate) use self::head::framing::unhide;
pub(crate) use self::socket::Socket;
pub(crate) use self::tcp::TcpTransport;

/// The most memory of a connection's bytes on their way.
pub(crate) const MOST_BYTES: usize = buffers::MOST_BYTES + early::MOST_BYTES;

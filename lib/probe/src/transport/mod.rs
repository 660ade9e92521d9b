//! A connection as the HTTP library sees it: [TCP](tcp) within the check's time and size, with [buffers] that grow as
//! they must, and above TLS a watch for the response's [first byte](first_byte).

mod buffers;
mod first_byte;
mod tcp;

pub(crate) use self::buffers::{GrowingBuffers, MOST_BYTES};
pub(crate) use self::first_byte::FirstByteConnector;
pub(crate) use self::tcp::{Socket, TcpTransport};

//! One check of one site: from a task to a result. A site that is down is a value here, never an error.
//!
//! A [prober](Prober) makes the `check`: the task is read into a `plan`, which is `fill`ed with the site's
//! `secrets`. Then it `ask`s: [`dns`] finds addresses, [`dial`] vets each by the [policy](Policy) and
//! has them race, [`tls`] shakes hands and notes the server's certificate, and the `meter` sees the
//! first byte on the `wire`. A `redirect` asks again. The last response's `body` is read, and
//! [`judge`] compares all with what was expected.
//!
//! What was seen on the way is [`observed`], and what went wrong is a [`fault`]. Whose fault it is, the site's or
//! this machine's, is for [`blame`] to decide. What of it all people may see, [`redact`] says.

mod ask;
mod blame;
mod body;
mod budget;
mod check;
mod dial;
mod dns;
mod fault;
mod judge;
mod memory;
mod observed;
mod options;
mod parsed_task;
mod prober;
mod redact;
mod replaceable;
#[cfg(test)]
mod samples;
mod secrets;
pub mod show;
mod sockets;
mod tls;
mod transport;
mod waiting;

pub use self::check::Watched;
pub use self::observed::Hop;
pub use self::options::{
    Addresses, DEFAULT_BODY_LIMIT, DEFAULT_BODY_MEMORY, Dns, Origin, ProbeOptions, Reference,
    SECRET_VARIABLE_PREFIX, Secrets,
};
pub use self::prober::Prober;
pub use self::tls::{CertificateSeen, TlsSeen};

use std::iter;

use contract::site::Expect;
use ureq::http::response::Parts;

/// What rustls holds of a handshake at most, in bytes: a message of the longest kind.
const HANDSHAKE_BYTES: usize = 64 << 10;
/// What a decoder takes, in bytes: 32 KiB that may be repeated, tables, and a buffer.
const DECODER_BYTES: usize = 48 << 10;
/// What a check takes while it reads the answer, in bytes.
const ANSWER_BYTES: usize =
    transport::MOST_BYTES + body::PIECE_MOST + memory::SLOT_CHAIN_BYTES + DECODER_BYTES;
/// The most memory of a check beside its thread's and what it shares with others, in bytes.
pub const CHECK_BYTES: usize = memory::SLOT_BYTES
    + if HANDSHAKE_BYTES > ANSWER_BYTES {
        HANDSHAKE_BYTES
    } else {
        ANSWER_BYTES
    };

/// What all checks share, by name, and the most memory of each, in bytes.
pub fn shared_memory(options: &ProbeOptions) -> impl Iterator<Item = (&'static str, u64)> {
    let parts = [
        ("patterns", parsed_task::CACHE_BYTES),
        ("evaluation", bytes(judge::cores::BYTES)),
        ("options", memory::BYTES),
        (
            "tls",
            tls::clients::CACHE_BYTES + bytes(tls::authorities::CACHE_BYTES),
        ),
        ("names", bytes(dns::view::CACHE_BYTES)),
    ];
    iter::once(("bodies", options.body_memory)).chain(parts)
}

/// A number of bytes as all have it.
fn bytes(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Whether a response of this head and body is what was expected.
pub fn meets(expect: &Expect, head: &Parts, bytes: Vec<u8>) -> bool {
    let received = body::Received { bytes, cut: false };
    judge::judge_response(expect, head, Ok(received)).is_ok()
}

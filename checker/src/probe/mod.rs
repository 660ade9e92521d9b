//! One check of one site: from a task to a result. A site that is down is a value here, never an error.
//!
//! A [prober](Prober) makes the `check`: the task is read into a `plan`, which is `fill`ed with the site's
//! `secrets`. Then it `ask`s: [`dns`] finds addresses, [`dial`] vets each by the [policy](Policy) and
//! has them race, [`tls`] shakes hands and notes the server's certificate, and the `meter` sees the
//! first byte on the `wire`. A `redirect` asks again. The last response's `body` is read, and
//! [`judge`] compares all with what was expected.
//!
//! What was seen on the way is in the thread's `record`, and what went wrong is a `fault`; one that may be
//! this machine's own is in `doubt` until somebody else was asked: an error that came from the way there, or
//! general `silence`. A check that failed across a `stall` of this process blames nobody. What of it all people
//! may see, `redact` says.

mod ask;
mod body;
mod buffers;
mod check;
mod dial;
mod dns;
mod doubt;
mod fault;
mod fill;
mod judge;
mod live;
mod meter;
mod options;
mod patience;
mod plan;
mod prober;
mod recipient;
mod record;
mod redact;
mod redirect;
mod secrets;
mod silence;
mod stall;
mod tls;
mod wire;

pub use self::check::Watched;
pub use self::dial::Policy;
pub use self::prober::Prober;
pub(crate) use self::prober::USER_AGENT;
pub use self::record::Hop;
pub use self::tls::{CertificateSeen, TlsSeen};

use std::iter;

use contract::site::Expect;
use ureq::http::response::Parts;

use crate::config::ProbeConfig;

/// What rustls holds of a handshake at most, in bytes: a message of the longest kind.
const HANDSHAKE_BYTES: usize = 64 << 10;
/// What a decoder takes, in bytes: 32 KiB that may be repeated, tables, and a buffer.
const DECODER_BYTES: usize = 48 << 10;
/// What a check takes while it reads the answer, in bytes.
const ANSWER_BYTES: usize =
    buffers::MOST_BYTES + body::PIECE_MOST + options::SLOT_CHAIN_BYTES + DECODER_BYTES;
/// The most memory of a check beside its thread's and what it shares with others, in bytes.
pub(crate) const SLOT_BYTES: usize = options::SLOT_BYTES
    + if HANDSHAKE_BYTES > ANSWER_BYTES {
        HANDSHAKE_BYTES
    } else {
        ANSWER_BYTES
    };

/// What all checks share, by name, and the most memory of each, in bytes.
pub(crate) fn shared_memory(config: &ProbeConfig) -> impl Iterator<Item = (&'static str, u64)> {
    let parts = [
        ("patterns", plan::KEPT_BYTES),
        ("evaluation", bytes(judge::cores::BYTES)),
        ("options", options::BYTES),
        (
            "tls",
            tls::clients::CACHE_BYTES + bytes(tls::authorities::CACHE_BYTES),
        ),
        ("names", bytes(dns::view::CACHE_BYTES)),
    ];
    iter::once(("bodies", config.body_memory)).chain(parts)
}

/// A number of bytes as all have it.
fn bytes(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Whether a response of this head and body is what was expected; for the workbench.
pub(crate) fn meets(expect: &Expect, head: &Parts, bytes: Vec<u8>) -> bool {
    let received = body::Received { bytes, cut: false };
    judge::judge_response(expect, head, Ok(received)).is_ok()
}

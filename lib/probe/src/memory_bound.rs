//! The most memory that checks take, whatever sites and servers there are: the sum of the bounds of all rooms.

use std::iter;

use crate::options::ProbeOptions;
use crate::{body, check_memory, decode, dns, judge, parsed_task, tls, transport};

/// What rustls holds of a handshake at most, in bytes: a message of the longest kind.
const HANDSHAKE_BYTES: usize = 64 << 10;
/// What a check takes while it reads the answer, in bytes. A head that is tidied stands there twice, before there is a
/// decoder.
const ANSWER_BYTES: usize = transport::MOST_BYTES
    + body::PIECE_MOST
    + check_memory::SLOT_CHAIN_BYTES
    + decode::DECODER_BYTES;
/// The most memory of a check beside its thread's and what it shares with others, in bytes.
pub const CHECK_BYTES: usize = check_memory::SLOT_BYTES
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
        ("options", check_memory::BYTES),
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

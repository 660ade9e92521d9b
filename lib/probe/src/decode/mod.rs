//! From the bytes of a body to the text that rules are judged on.
//!
//! ```text
//! bytes of the message ──► codings (gzip, deflate, br, zstd) ──► bytes ──► charset ──► text in UTF-8
//! ```
//!
//! The [codings] that the head names are taken away while the body comes. Its [charset] counts only where a rule looks
//! at the text. A body in UTF-8, as most are, is not copied for that.

mod brotli;
mod charset;
mod codings;
mod declared;
mod input;
mod layer;
mod stream;
mod text;
mod zstd;
mod zstd_header;

pub(crate) use self::declared::media_type;
pub(crate) use self::stream::{DECODER_BYTES, Stream};
pub(crate) use self::text::{Cut, Text};

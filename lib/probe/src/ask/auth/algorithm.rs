//! How digests are made, and of what (RFC 7616, 3.3).

use std::fmt::Write as _;

use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512_256};

/// How digests are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Algorithm {
    /// By which function.
    pub(super) function: Function,
    /// Whether the password's digest is mixed with the two nonces.
    pub(super) session: bool,
}

/// The functions that make digests, from the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Function {
    /// MD5.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256.
    Sha512Trimmed,
}

/// What of a request is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Qop {
    /// Its method and URI.
    Auth,
    /// Its body too.
    AuthInt,
}

impl Algorithm {
    /// The algorithm of this name; case does not matter.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        let functions = [Function::Md5, Function::Sha256, Function::Sha512Trimmed];
        let both = |function| [false, true].map(|session| Self { function, session });
        let mut all = functions.into_iter().flat_map(both);
        all.find(|algorithm| name.eq_ignore_ascii_case(algorithm.name().as_bytes()))
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match (self.function, self.session) {
            (Function::Md5, false) => "MD5",
            (Function::Md5, true) => "MD5-sess",
            (Function::Sha256, false) => "SHA-256",
            (Function::Sha256, true) => "SHA-256-sess",
            (Function::Sha512Trimmed, false) => "SHA-512-256",
            (Function::Sha512Trimmed, true) => "SHA-512-256-sess",
        }
    }

    /// The digest of these parts with colons between them.
    pub(super) fn hash(self, parts: &[&[u8]]) -> String {
        let text = parts.join(&b':');
        match self.function {
            Function::Md5 => hex(&Md5::digest(&text)),
            Function::Sha256 => hex(&Sha256::digest(&text)),
            Function::Sha512Trimmed => hex(&Sha512_256::digest(&text)),
        }
    }
}

impl Qop {
    /// What is protected, of what a server allows.
    pub(super) fn choose(list: &[u8]) -> Option<Self> {
        let has = |qop: Self| {
            let mut names = list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            names.any(|name| name.eq_ignore_ascii_case(qop.name().as_bytes()))
        };
        [Self::Auth, Self::AuthInt]
            .into_iter()
            .find(|qop| has(*qop))
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // writing to a String cannot fail
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

//! Why a check did not end as `up`: the library's errors as reasons.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};

use contract::outcome::Reason;
use contract::result::MAX_DETAIL_CHARS;
use contract::site::SiteError;

use super::doubt::Doubt;
use super::observed::{self, ConnectionEnd, Phase};
use super::redact::printable;
use super::tls::refusal;

/// A reason and what people should know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The reason.
    pub(super) reason: Reason,
    /// Where it happened: a phase, or what was judged.
    pub(super) place: Cow<'static, str>,
    /// What happened.
    pub(super) message: String,
    /// What it may be the fault of on this side, until that is settled.
    pub(super) doubt: Option<Doubt>,
}

impl Fault {
    /// A fault in the phase that is running.
    pub(super) fn here(reason: Reason, message: impl Into<String>) -> Self {
        Self::at(observed::phase().as_str(), reason, message)
    }

    /// A fault at `place`.
    pub(super) fn at(
        place: impl Into<Cow<'static, str>>,
        reason: Reason,
        message: impl Into<String>,
    ) -> Self {
        Self {
            reason,
            place: place.into(),
            message: message.into(),
            doubt: None,
        }
    }

    /// The same, which may be this machine's own.
    pub(super) fn in_doubt(self, doubt: Doubt) -> Self {
        Self {
            doubt: Some(doubt),
            ..self
        }
    }

    /// The same, with what this check's last server was not given: it may have answered otherwise.
    pub(super) fn with_what_was_withheld(self) -> Self {
        let Some(why) = observed::with(|observed| observed.withheld.take()) else {
            return self;
        };
        let message = format!("{} (asked without the site's headers: {why})", self.message);
        Self { message, ..self }
    }

    /// The sentence for people; `hop` counts from 1.
    pub(super) fn detail(&self, hop: usize) -> String {
        let sentence = match hop {
            0 | 1 => format!("{}: {}", self.place, self.message),
            _ => format!("hop {hop}: {}: {}", self.place, self.message),
        };
        printable(&sentence, MAX_DETAIL_CHARS)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl Error for Fault {}

impl From<SiteError> for Fault {
    fn from(error: SiteError) -> Self {
        Self::at(error.key, Reason::InvalidSite, error.message)
    }
}

impl From<Fault> for ureq::Error {
    fn from(fault: Fault) -> Self {
        Self::Other(Box::new(fault))
    }
}

/// An error of the library as a fault.
pub(super) fn explain(error: ureq::Error) -> Fault {
    match error {
        ureq::Error::Other(inner) => match inner.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(other) => Fault::here(Reason::Internal, other.to_string()),
        },
        ureq::Error::Timeout(_) => timeout(),
        ureq::Error::Io(error) => explain_io(&error),
        ureq::Error::Rustls(error) => refusal::explain(&error),
        ureq::Error::Tls(message) => Fault::here(Reason::TlsHandshake, message),
        ureq::Error::Protocol(ureq_proto::Error::HttpParseTooManyHeaders) => Fault::here(
            Reason::TooLarge,
            "the response has more than 128 header lines",
        ),
        ureq::Error::Protocol(error) => Fault::here(Reason::Protocol, error.to_string()),
        ureq::Error::Decompress(encoding, error) => explain_encoding(encoding, &error),
        // an end between chunks
        ureq::Error::BodyStalled => explain_io(&ErrorKind::UnexpectedEof.into()),
        other => Fault::here(Reason::Internal, other.to_string()),
    }
}

/// The time is up: the reason follows from the phase.
pub(super) fn timeout() -> Fault {
    let (reason, message) = match observed::phase() {
        Phase::Dns => (Reason::DnsTimeout, "no answer"),
        Phase::Connect => (Reason::ConnectTimeout, "no answer"),
        Phase::Tls => (Reason::TlsTimeout, "the handshake did not end"),
        Phase::Receive if observed::with(|observed| observed.status().is_some()) => {
            (Reason::BodyTimeout, "the body did not end")
        }
        Phase::Wait | Phase::Receive => {
            (Reason::ResponseTimeout, "the response's head did not come")
        }
    };
    Fault::here(
        reason,
        format!("{message} within {} ms", observed::limit_ms()),
    )
}

/// An error of a connection that was made, or of rustls inside one.
pub(super) fn explain_io(error: &io::Error) -> Fault {
    if let Some(error) = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<rustls::Error>())
    {
        return refusal::explain(error);
    }
    let phase = observed::phase();
    if let Some(reason) = shortage(error) {
        return Fault::here(reason, format!("this machine says: {error}"));
    }
    let (reason, message) = match (phase, error.kind()) {
        (_, ErrorKind::TimedOut | ErrorKind::WouldBlock) => return timeout(),
        (Phase::Tls, kind) if is_cut(kind) => (
            Reason::TlsHandshake,
            "the server closed the connection".to_owned(),
        ),
        (Phase::Tls, _) => (Reason::TlsHandshake, error.to_string()),
        (_, kind) if is_cut(kind) => (Reason::Reset, cut_message(kind).to_owned()),
        (_, kind) if is_unreachable(kind) => (Reason::Reset, error.to_string()),
        _ => (Reason::Protocol, error.to_string()),
    };
    let fault = Fault::here(reason, message);
    if is_unreachable(error.kind()) {
        // The connection worked, then the way broke off: anywhere between here and there.
        return fault.in_doubt(Doubt::Network);
    }
    fault
}

/// Whether the connection ended before it should.
fn is_cut(kind: ErrorKind) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(
        kind,
        BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof
    )
}

/// How it ended, for people.
fn cut_message(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::UnexpectedEof => {
            "the server closed the connection before the response was complete"
        }
        _ => "the server reset the connection before the response was complete",
    }
}

/// Whether the way to the server is broken, as this machine or a router says; over IPv6 a router that
/// forbids a way is EACCES.
pub(super) fn is_unreachable(kind: ErrorKind) -> bool {
    use ErrorKind::{HostUnreachable, NetworkDown, NetworkUnreachable, PermissionDenied};
    matches!(
        kind,
        HostUnreachable | NetworkDown | NetworkUnreachable | PermissionDenied
    )
}

/// The reason, where this machine ran out of descriptors, ports or memory.
pub(super) fn shortage(error: &io::Error) -> Option<Reason> {
    let number = error.raw_os_error()?;
    let short = matches!(
        number,
        libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::EADDRNOTAVAIL
    );
    short.then_some(Reason::LocalResources)
}

/// A body that cannot be decoded, or a connection that broke under the decoder.
fn explain_encoding(encoding: &str, error: &io::Error) -> Fault {
    // Only the kernel's errors have a number: what broke is the connection.
    if error.raw_os_error().is_some() {
        return explain_io(error);
    }
    // The decoder too reports an unexpected end, of a body that the server sent whole.
    if is_cut(error.kind())
        && observed::with(|observed| observed.connection_end) != ConnectionEnd::Open
    {
        return explain_io(error);
    }
    Fault::here(Reason::Encoding, format!("the body is no valid {encoding}"))
}

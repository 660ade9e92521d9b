//! What the system's errors tell: a connection that was cut, a way that is broken, a machine that lacks something.

use std::io::{self, ErrorKind};

use contract::outcome::Reason;

/// Whether the connection ended before it should.
pub(crate) fn is_cut(kind: ErrorKind) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(
        kind,
        BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof
    )
}

/// Whether the way to the server is broken, as this machine or a router says; over IPv6 a router that
/// forbids a way is EACCES.
pub(crate) fn is_unreachable(kind: ErrorKind) -> bool {
    use ErrorKind::{HostUnreachable, NetworkDown, NetworkUnreachable, PermissionDenied};
    matches!(
        kind,
        HostUnreachable | NetworkDown | NetworkUnreachable | PermissionDenied
    )
}

/// The reason, where this machine ran out of descriptors, ports or memory.
pub(crate) fn shortage(error: &io::Error) -> Option<Reason> {
    let number = error.raw_os_error()?;
    let short = matches!(
        number,
        libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::EADDRNOTAVAIL
    );
    short.then_some(Reason::LocalResources)
}

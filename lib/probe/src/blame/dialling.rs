//! How far away an error of dialling came from, and which of several says most about the site.
//!
//! What `socket()` and `connect()` return at once comes from this machine's own system. What comes later was sent by a router or by the target.

use std::io::{self, ErrorKind};

use contract::outcome::Reason;

use super::kinds::{is_unreachable, shortage};
use crate::fault::{Fault, Suspect};

/// An error that `socket()` or `connect()` returned.
pub(crate) fn at_once(error: &io::Error) -> Fault {
    if error.kind() == ErrorKind::ConnectionRefused {
        return refused();
    }
    // No route, a forbidden or a blackholed one (EINVAL), a family that this machine lacks: whatever
    // it is, no packet has left.
    let reason = shortage(error).unwrap_or(Reason::LocalNetwork);
    Fault::here(reason, format!("this machine says: {error}"))
}

/// An error that the socket had later.
pub(crate) fn late(error: &io::Error) -> Fault {
    match error.kind() {
        ErrorKind::ConnectionRefused => refused(),
        // the system gave up before the check did
        ErrorKind::TimedOut => Fault::here(Reason::ConnectTimeout, "no answer"),
        kind => {
            let fault = Fault::here(Reason::ConnectFailed, error.to_string());
            if is_unreachable(kind) {
                fault.suspecting(Suspect::Network)
            } else {
                fault
            }
        }
    }
}

/// No program listens there.
fn refused() -> Fault {
    Fault::here(Reason::ConnectRefused, "refused")
}

/// How far away a fault came from, the site being farthest: it says the more about the site. Of two
/// from one place the one that is sure of it is farther.
pub(crate) fn distance(fault: &Fault) -> (u8, bool) {
    let place = match fault.reason {
        Reason::ConnectRefused => 3,
        Reason::ConnectFailed => 2,
        Reason::ConnectTimeout => 1,
        _ => 0,
    };
    (place, fault.suspect.is_none())
}

#[cfg(test)]
#[path = "dialling_tests.rs"]
mod tests;

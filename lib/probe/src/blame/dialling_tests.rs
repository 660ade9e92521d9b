//! What the errors of dialling say, and which of them counts.

use super::*;
use crate::blame::explain_io;
use crate::observed::{self, Phase};

/// What an error of the system becomes.
fn explained(explain: fn(&io::Error) -> Fault, number: i32) -> (Reason, Option<Suspect>) {
    observed::enter(Phase::Connect);
    let fault = explain(&io::Error::from_raw_os_error(number));
    assert_eq!(fault.place, "connect");
    (fault.reason, fault.suspect)
}

#[test]
fn what_comes_at_once_is_this_machines_own() {
    for (number, reason) in [
        (libc::ENETUNREACH, Reason::LocalNetwork),
        (libc::EHOSTUNREACH, Reason::LocalNetwork),
        (libc::ENETDOWN, Reason::LocalNetwork),
        (libc::EACCES, Reason::LocalNetwork),
        (libc::EPERM, Reason::LocalNetwork),
        (libc::EINVAL, Reason::LocalNetwork),
        (libc::EAFNOSUPPORT, Reason::LocalNetwork),
        (libc::EMFILE, Reason::LocalResources),
        (libc::ENFILE, Reason::LocalResources),
        (libc::ENOBUFS, Reason::LocalResources),
        (libc::ENOMEM, Reason::LocalResources),
        (libc::EADDRNOTAVAIL, Reason::LocalResources),
        (libc::ECONNREFUSED, Reason::ConnectRefused),
    ] {
        assert_eq!(explained(at_once, number), (reason, None), "{number}");
    }
}

#[test]
fn what_comes_later_is_the_sites_if_in_doubt() {
    let suspect = Some(Suspect::Network);
    for (number, reason, suspect) in [
        (libc::ENETUNREACH, Reason::ConnectFailed, suspect),
        (libc::EHOSTUNREACH, Reason::ConnectFailed, suspect),
        (libc::EACCES, Reason::ConnectFailed, suspect),
        (libc::ECONNREFUSED, Reason::ConnectRefused, None),
        (libc::ETIMEDOUT, Reason::ConnectTimeout, None),
        (libc::ECONNRESET, Reason::ConnectFailed, None),
        (libc::ENOPROTOOPT, Reason::ConnectFailed, None),
    ] {
        assert_eq!(explained(late, number), (reason, suspect), "{number}");
    }
}

#[test]
fn a_way_that_breaks_off_after_connecting_is_a_cut_in_doubt() {
    let suspect = Some(Suspect::Network);
    for (phase, number, expected) in [
        (
            Phase::Tls,
            libc::EHOSTUNREACH,
            (Reason::TlsHandshake, suspect),
        ),
        (Phase::Wait, libc::EHOSTUNREACH, (Reason::Reset, suspect)),
        (Phase::Receive, libc::ENETUNREACH, (Reason::Reset, suspect)),
        (Phase::Receive, libc::ECONNRESET, (Reason::Reset, None)),
        (
            Phase::Receive,
            libc::ENOBUFS,
            (Reason::LocalResources, None),
        ),
    ] {
        observed::enter(phase);
        let fault = explain_io(&io::Error::from_raw_os_error(number));
        assert_eq!(
            (fault.reason, fault.suspect),
            expected,
            "{phase:?} {number}"
        );
    }
}

#[test]
fn the_fault_from_farthest_away_counts() {
    let near_to_far = [
        at_once(&io::Error::from_raw_os_error(libc::ENETUNREACH)),
        late(&io::Error::from_raw_os_error(libc::ETIMEDOUT)),
        late(&io::Error::from_raw_os_error(libc::EHOSTUNREACH)),
        late(&io::Error::from_raw_os_error(libc::ECONNRESET)),
        late(&io::Error::from_raw_os_error(libc::ECONNREFUSED)),
    ];
    for pair in near_to_far.windows(2) {
        assert!(distance(&pair[0]) < distance(&pair[1]), "{pair:?}");
    }
}

//! Whose fault a failure is: the site's, or this machine's.
//!
//! First an error gets its reason, by where it came from: the HTTP [library], a [connection](io), [TLS](tls), the
//! end of the check's [time](timeout), [dialling] or a name's [look-up](lookup). Some errors may come of this machine
//! as well as of the site; their faults name a [suspect](crate::fault::Suspect).
//!
//! Then, once the check has ended, [`Blame`] decides:
//!
//! 1. a failure across a [stall](stalls) of this process is this machine's;
//! 2. whether a [proxy](proxies) answers is asked of the proxy;
//! 3. after a timeout while no host [answers] at all the network is suspected;
//! 4. whether another suspect works is [tried](connectivity) with a host that should be up.

mod answers;
mod connectivity;
pub(crate) mod dialling;
mod io;
mod kinds;
mod library;
mod lookup;
mod proxies;
mod stalls;
mod timeout;
mod tls;

use std::sync::Arc;
use std::time::Instant;

use contract::outcome::{Outcome, Reason};
use tokio_util::sync::CancellationToken;

pub(crate) use self::answers::Answers;
pub(crate) use self::connectivity::Connectivity;
pub(crate) use self::io::explain_io;
pub(crate) use self::kinds::shortage;
pub(crate) use self::library::{explain, explain_encoding};
pub(crate) use self::lookup::explain_lookup;
use self::proxies::Proxies;
use self::stalls::Stalls;
pub(crate) use self::timeout::timeout;
pub(crate) use self::tls::{explain_no_tls, explain_tls};
use crate::fault::{Fault, Suspect};

/// Decides whose fault a failure is, for all checks of a process.
#[derive(Debug)]
pub(crate) struct Blame {
    /// Whether this process stands still.
    stalls: Stalls,
    /// Whether any host answers.
    answers: Arc<Answers>,
    /// Whether proxies answer.
    proxies: Proxies,
    /// Whether network and resolver work.
    connectivity: Connectivity,
}

impl Blame {
    /// Goes by these answers, and tries `connectivity`.
    pub(crate) fn new(answers: Arc<Answers>, connectivity: Connectivity) -> Self {
        Self {
            stalls: Stalls::default(),
            proxies: Proxies::default(),
            answers,
            connectivity,
        }
    }

    /// Watches until `stop` whether this process stands still.
    pub(crate) fn watch_for_stalls(&self, stop: &CancellationToken) {
        self.stalls.watch(stop);
    }

    /// The fault of a check that began at `began` and has just ended, with no suspect left. It may wait for an
    /// answer. It is not inlined, or it took its share of the stack all the while that the check is made.
    #[inline(never)]
    pub(crate) fn decide(&self, fault: Fault, began: Instant) -> Fault {
        if fault.reason.outcome() == Outcome::Inconclusive {
            return fault;
        }
        let now = Instant::now();
        if let Some(still) = self.stalls.since(began, now) {
            let millis = still.as_millis();
            return Fault {
                reason: Reason::LocalResources,
                message: format!(
                    "{}; this process stood still for {millis} ms",
                    fault.message
                ),
                suspect: None,
                ..fault
            };
        }
        if fault.suspect == Some(Suspect::Proxy) {
            return self.proxies.decide(fault);
        }
        let unanswered = fault.suspect.is_none()
            && fault.reason.is_timeout()
            && self.answers.are_missing(now - began, now);
        let fault = if unanswered {
            fault.suspecting(Suspect::NoAnswers)
        } else {
            fault
        };
        self.connectivity.decide(fault)
    }
}

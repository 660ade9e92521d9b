//! The troubles of a look-up as reasons.

use contract::outcome::Reason;
use contract::site::request::Family;

use super::timeout::timeout;
use crate::dns::servers::Trouble;
use crate::fault::{Fault, Suspect};

/// Why there is no address. No answer, or one that is a failure, may come of the resolver or of this machine's
/// network.
pub(crate) fn explain_lookup(trouble: Trouble, family: Family) -> Fault {
    match trouble {
        Trouble::NotFound => Fault::here(
            Reason::DnsNotFound,
            match family {
                Family::Any => "the name has no address",
                Family::V4 => "the name has no IPv4 address",
                Family::V6 => "the name has no IPv6 address",
            },
        ),
        Trouble::Unreachable(why) => Fault::here(Reason::ResolverUnreachable, why),
        Trouble::Silent => timeout().suspecting(Suspect::Resolver),
        Trouble::Failed(how) => Fault::here(Reason::DnsFailed, how).suspecting(Suspect::Resolver),
        Trouble::Exhausted(why) => Fault::here(Reason::LocalResources, why),
        Trouble::Lost => Fault::here(Reason::Internal, "the look-up ended without an answer"),
        Trouble::Unaskable(why) => Fault::here(Reason::InvalidSite, why),
    }
}

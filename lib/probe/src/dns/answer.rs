//! What the library's answers say.

use std::time::Duration;

use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NoRecords;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use super::servers::{Known, MAX_ADDRESSES};

/// The longest that is remembered that a name has no address.
const MAX_NEGATIVE: Duration = Duration::from_secs(5);

/// An answer's addresses.
pub(super) fn known(lookup: &Lookup, kind: RecordType) -> Known {
    let records = lookup.answers().iter();
    let records = records.filter(|record| record.record_type() == kind);
    let addresses = records.filter_map(|record| record.data.ip_addr());
    Known {
        addresses: addresses.take(MAX_ADDRESSES).collect(),
        until: lookup.valid_until(),
    }
}

/// Whether an answer without a record says that there is none, as opposed to a reference to other
/// servers from one that does not look further itself.
pub(super) fn is_answer(nothing: &NoRecords) -> bool {
    let NoRecords {
        response_code,
        soa,
        ns,
        ..
    } = nothing;
    match response_code {
        ResponseCode::NXDomain => true,
        ResponseCode::NoError => soa.is_some() || ns.is_none(),
        _ => false,
    }
}

/// How long an answer without a record holds; without a word about it not at all (RFC 2308).
pub(super) fn negative(nothing: &NoRecords) -> Duration {
    let told = Duration::from_secs(nothing.negative_ttl.unwrap_or(0).into());
    told.min(MAX_NEGATIVE)
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::op::Query;

    use super::*;

    #[test]
    fn what_is_not_there_is_asked_for_again_soon() {
        let mut nothing = NoRecords::new(Query::new(), ResponseCode::NXDomain);
        for (told, held_s) in [(None, 0), (Some(3), 3), (Some(86_400), 5)] {
            nothing.negative_ttl = told;
            assert_eq!(negative(&nothing), Duration::from_secs(held_s), "{told:?}");
        }
    }
}

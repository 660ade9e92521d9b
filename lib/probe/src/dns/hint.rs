//! What may help where the DNS knows no address of a name.

use contract::site::request::Family;
use hickory_resolver::proto::rr::Name;

use super::resolv_conf::Families;
use super::view::View;

/// The end of names that machines on one network give themselves (RFC 6762, section 3).
const MULTICAST: &[u8] = b"local";

/// The remedy, as the end of a sentence; none where there is nothing but the name itself to look at.
pub(super) fn of(view: &View, name: &Name, family: Family) -> Option<String> {
    if family == Family::V6 && view.manner().families == Families::V4Only {
        let why = "`options no-aaaa` of resolv.conf forbids to ask for one";
        return Some(why.to_owned());
    }
    if is_multicast(name) {
        let why = "webmon asks no machine by multicast DNS, where most names in .local are known: put the name into \
                   the hosts file, or use a name that the DNS knows";
        return Some(why.to_owned());
    }
    let completion = view.completion();
    if completion.search_first(name) {
        let asked = completion.candidates(name);
        let asked = asked.map(|name| name.to_string().trim_end_matches('.').to_owned());
        return Some(format!(
            "asked for: {}",
            asked.collect::<Vec<_>>().join(", ")
        ));
    }
    let alone = name.iter().count() == 1 && !name.is_fqdn();
    alone.then(|| {
        "it has no dot, and resolv.conf has no `search` to complete it: write the whole name"
            .to_owned()
    })
}

/// Whether a name is one that multicast DNS knows.
fn is_multicast(name: &Name) -> bool {
    let last = name.iter().next_back();
    last.is_some_and(|label| label.eq_ignore_ascii_case(MULTICAST))
}

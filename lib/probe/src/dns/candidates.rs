//! The names that are asked for in place of one, as `resolv.conf` completes it.
//!
//! A name is asked for as it is, and with each domain of the search list behind it. One that ends with a dot is
//! asked for as it is only. `ndots` dots or more make a name one that is likely to be whole: then it is asked
//! for as it is first, else last (resolv.conf(5)).

use hickory_resolver::proto::rr::Name;

/// How names are completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Completion {
    /// What is appended, in this order.
    pub(crate) search: Vec<Name>,
    /// So many dots, and a name is asked for as it is first.
    pub(crate) ndots: usize,
    /// Whether a name without a dot is asked for as it is, where there is a search list.
    pub(crate) bare: bool,
}

impl Completion {
    /// The names, the first to be asked first; each is whole.
    pub(crate) fn candidates<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = Name> + 'a {
        let (first, last) = (self.as_is_first(name), self.as_is_last(name));
        let search = self.search.iter().filter(|_| !name.is_fqdn());
        // one that becomes too long is left out
        let longer = search.filter_map(|domain| name.clone().append_domain(domain).ok());
        let as_is = |wanted: bool| wanted.then(|| whole(name));
        as_is(first).into_iter().chain(longer).chain(as_is(last))
    }

    /// Whether the search list has its turn before the name as it is.
    pub(crate) fn search_first(&self, name: &Name) -> bool {
        !self.search.is_empty() && !self.as_is_first(name)
    }

    /// Whether the name is asked for as it is before all others.
    fn as_is_first(&self, name: &Name) -> bool {
        name.is_fqdn() || dots(name) >= self.ndots
    }

    /// Whether the name is asked for as it is after all others.
    fn as_is_last(&self, name: &Name) -> bool {
        let allowed = self.bare || dots(name) > 0 || self.search.is_empty();
        !self.as_is_first(name) && allowed
    }
}

/// The dots between a name's labels.
fn dots(name: &Name) -> usize {
    name.iter().count().saturating_sub(1)
}

/// A name that nothing completes.
fn whole(name: &Name) -> Name {
    let mut name = name.clone();
    name.set_fqdn(true);
    name
}

#[cfg(test)]
#[path = "candidates_tests.rs"]
mod tests;

//! Names to addresses, within the time that a check has.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use color_eyre::eyre::Result;
use contract::site::request::Family;
use hickory_resolver::proto::rr::Name;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::hint;
use super::search::{self, Search};
use super::servers::Trouble;
use super::system::{Files, System};
use super::view::View;
use crate::options::{Dns, Reference};

/// Looks names up, for all lanes.
#[derive(Debug)]
pub(crate) struct Names {
    /// Where the questions are asked.
    runtime: Handle,
    /// Name servers, search list and hosts file.
    system: System,
    /// The names that the DNS knew last, each with its port: the last, and the last other one.
    recent: Mutex<[Option<Reference>; 2]>,
}

/// The addresses of a name.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The families in turn; at least one.
    pub(crate) addresses: Vec<IpAddr>,
    /// Whether a name server knew them.
    pub(crate) by_dns: bool,
}

impl Names {
    /// Looks names up on `runtime`, as the system's files and `dns` say.
    pub(crate) fn new(dns: &Dns, files: Files, runtime: &Handle) -> Result<Self> {
        Ok(Self {
            runtime: runtime.clone(),
            system: System::new(files, dns.clone())?,
            recent: Mutex::default(),
        })
    }

    /// Where the questions are asked.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Looks a name up, on a thread that may wait.
    pub(crate) fn look_up(
        &self,
        host: &str,
        family: Family,
        left: Duration,
    ) -> Result<Found, Trouble> {
        let (view, name) = (self.system.view(), name_of(host)?);
        if let Some(found) = at_once(&view, &name, family) {
            return Ok(found);
        }
        if let Some(Ok(addresses)) = view
            .kept(&name, family)
            .map(|kept| search::addresses(&kept))
        {
            return Ok(Found::by_dns(addresses));
        }
        let search = Search {
            family,
            afresh: false,
            deadline: Instant::now() + left,
        };
        // In a box: the stack is deep already, and each function on the way would have room for a copy.
        let found = self
            .runtime
            .block_on(Box::pin(search::ask_all(&view, &name, search)));
        found.map(Found::by_dns)
    }

    /// Looks a name up.
    pub(crate) async fn find(&self, host: &str, search: Search) -> Result<Found, Trouble> {
        let (view, name) = (self.system.view(), name_of(host)?);
        match at_once(&view, &name, search.family) {
            Some(found) => Ok(found),
            None => search::ask_all(&view, &name, search)
                .await
                .map(Found::by_dns),
        }
    }

    /// What may help where a name has no address.
    #[inline(never)]
    pub(crate) fn hint(&self, host: &str, family: Family) -> Option<String> {
        let name = name_of(host).ok()?;
        hint::of(&self.system.view(), &name, family)
    }

    /// Notes that the DNS knows a name, whose port may be dialled.
    pub(crate) fn note(&self, host: &str, port: u16) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let [last, other] = &mut *recent;
        if last.as_ref().is_none_or(|last| last.host != host) {
            *other = last.take();
        }
        *last = Some(Reference {
            host: host.to_owned(),
            port,
        });
    }

    /// The name that the DNS knew last, other than `host`.
    pub(crate) fn other_than(&self, host: &str) -> Option<Reference> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut others = recent.iter().flatten();
        others.find(|name| name.host != host).cloned()
    }
}

impl Found {
    /// Addresses that a name server knew.
    fn by_dns(addresses: Vec<IpAddr>) -> Self {
        Self {
            addresses,
            by_dns: true,
        }
    }
}

/// A host as a name. The library knows no label that begins with a hyphen, but the DNS does.
fn name_of(host: &str) -> Result<Name, Trouble> {
    Name::from_ascii(host).or_else(|_| {
        let bare = host.strip_suffix('.').unwrap_or(host);
        let mut name = Name::from_labels(bare.split('.').map(str::as_bytes))
            .map_err(|error| Trouble::Unaskable(format!("no name for the DNS: {error}")))?;
        name.set_fqdn(bare.len() < host.len());
        Ok(name)
    })
}

/// Addresses that need no question.
fn at_once(view: &View, name: &Name, family: Family) -> Option<Found> {
    let addresses = view.listed(name, family);
    (!addresses.is_empty()).then_some(Found {
        addresses,
        by_dns: false,
    })
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;

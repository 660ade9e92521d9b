//! Names to addresses, by the system's resolver.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;

use contract::outcome::Reason;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::fault::{self, Fault};
use super::record;

/// The most addresses of a name: the library has places for no more.
const MAX_ADDRESSES: usize = 16;
/// The most look-ups at once, those included whose checks have given up: each has a thread.
const MAX_LOOKUPS: usize = 4_096;

/// Looks names up, each in a thread of its own, as `getaddrinfo` knows no time limit.
///
/// The check waits no longer than its own time. The thread stays behind until the system's resolver
/// gives up (`timeout` and `attempts` of resolv.conf, 10 s per server by default), which together
/// with [`MAX_LOOKUPS`] bounds them.
#[derive(Clone, Debug, Default)]
pub(super) struct SystemResolver {
    /// Look-ups that have not come back.
    lookups: Arc<AtomicUsize>,
}

/// What a look-up thread sends back.
type Answer = io::Result<Vec<SocketAddr>>;

/// Counts a look-up for as long as it lives.
struct Ticket(Arc<AtomicUsize>);

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Resolver for SystemResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let Some((host, port)) = target(uri) else {
            return Err(Fault::here(Reason::InvalidSite, "the URL names no host").into());
        };
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => self.look_up(host, port)?,
        };
        let mut addresses = self.empty();
        for address in found.into_iter().take(MAX_ADDRESSES) {
            addresses.push(address);
        }
        Ok(addresses)
    }
}

impl SystemResolver {
    /// Looks a name up within the time that is left.
    fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Fault> {
        let Some(left) = record::left() else {
            return Err(fault::timeout());
        };
        let (sender, receiver) = mpsc::sync_channel(1);
        self.start(host.to_owned(), port, sender)?;
        match receiver.recv_timeout(left) {
            Ok(Ok(found)) if found.is_empty() => Err(not_found()),
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => Err(explain(&error)),
            Err(RecvTimeoutError::Timeout) => Err(fault::timeout()),
            Err(RecvTimeoutError::Disconnected) => Err(Fault::here(
                Reason::Internal,
                "the look-up ended without an answer",
            )),
        }
    }

    /// Starts the thread of a look-up.
    fn start(&self, host: String, port: u16, answer: SyncSender<Answer>) -> Result<(), Fault> {
        let lookups = Arc::clone(&self.lookups);
        let busy = lookups.fetch_add(1, Ordering::Relaxed);
        let ticket = Ticket(lookups);
        if busy >= MAX_LOOKUPS {
            let message = format!("{MAX_LOOKUPS} look-ups have not come back yet");
            return Err(Fault::here(Reason::LocalResources, message));
        }
        let look_up = move || {
            let found = (host.as_str(), port).to_socket_addrs();
            drop(ticket);
            // nobody listens any more when the check has given up
            drop(answer.send(found.map(Iterator::collect)));
        };
        thread::Builder::new()
            .name("webmon-dns".to_owned())
            .spawn(look_up)
            .map(drop)
            .map_err(|error| {
                let message = format!("no thread for the look-up: {error}");
                Fault::here(Reason::LocalResources, message)
            })
    }
}

/// The host, without the brackets of IPv6, and the port of a URL.
pub(super) fn target(uri: &Uri) -> Option<(&str, u16)> {
    let host = uri.host()?;
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    let default = match uri.scheme_str() {
        Some("https") => 443,
        _ => 80,
    };
    Some((bare, uri.port_u16().unwrap_or(default)))
}

/// The name has no address.
fn not_found() -> Fault {
    Fault::here(Reason::DnsNotFound, "the name has no address")
}

/// A failure of `getaddrinfo`. The standard library keeps its text and drops its number, so the text
/// of glibc, musl and macOS must do; none of them translates it unless `setlocale` was called.
fn explain(error: &io::Error) -> Fault {
    if error.raw_os_error().is_some() {
        return Fault::here(
            Reason::LocalResources,
            format!("this machine says: {error}"),
        );
    }
    let text = error.to_string();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&[
        "Name or service not known",
        "No address associated",
        "Name does not resolve",
        "Name has no usable address",
        "nodename nor servname",
    ]) {
        return not_found();
    }
    if says(&["Temporary failure", "Try again"]) {
        // No answer, or SERVFAIL: the resolver's trouble and the site's look the same here.
        let message = "the resolver has no answer (its own failure or the domain's)";
        return Fault::here(Reason::ResolverUnreachable, message);
    }
    if says(&["Memory allocation", "Out of memory", "System error"]) {
        return Fault::here(Reason::LocalResources, text);
    }
    Fault::here(Reason::DnsFailed, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_getaddrinfo_become_reasons() {
        for (text, reason) in [
            ("Name or service not known", Reason::DnsNotFound),
            ("No address associated with hostname", Reason::DnsNotFound),
            ("Name does not resolve", Reason::DnsNotFound),
            (
                "Temporary failure in name resolution",
                Reason::ResolverUnreachable,
            ),
            ("Try again", Reason::ResolverUnreachable),
            ("Memory allocation failure", Reason::LocalResources),
            (
                "Non-recoverable failure in name resolution",
                Reason::DnsFailed,
            ),
        ] {
            let error = io::Error::other(format!("failed to lookup address information: {text}"));
            assert_eq!(explain(&error).reason, reason, "{text}");
        }
        assert_eq!(
            explain(&io::Error::from_raw_os_error(24)).reason,
            Reason::LocalResources
        );
    }

    #[test]
    fn hosts_and_ports_are_read_from_the_url() {
        for (url, expected) in [
            ("http://shop.example/", ("shop.example", 80)),
            ("https://shop.example/", ("shop.example", 443)),
            ("https://[::1]:8443/", ("::1", 8443)),
        ] {
            assert_eq!(target(&url.parse().unwrap()), Some(expected));
        }
    }

    #[test]
    fn a_name_is_looked_up_and_its_thread_leaves_no_trace() {
        let resolver = SystemResolver::default();
        record::begin(std::time::Duration::from_secs(10), 0);
        let found = resolver.look_up("localhost", 80).unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()));
        assert_eq!(resolver.lookups.load(Ordering::Relaxed), 0);
    }
}

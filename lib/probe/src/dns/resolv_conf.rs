//! What `resolv.conf` says (resolv.conf(5)), and what of it cannot be read.
//!
//! As in the GNU C library the last of `search` and `domain` counts, three name servers are asked, and without one
//! this machine's own is. A remark may stand behind anything. Options that change nothing of what is found here are
//! passed over: `edns0`, as webmon always asks so first; `single-request-reopen`, as each question has a socket of
//! its own.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use hickory_resolver::proto::rr::Name;

use super::candidates::Completion;
use crate::options::{NameServer, zoned};

/// So many name servers are asked (`MAXNS`).
const MAX_SERVERS: usize = 3;
/// The most dots that `ndots` may mean (`RES_MAXNDOTS`).
const MAX_NDOTS: usize = 15;
/// The longest that `timeout` may mean, in seconds (`RES_MAXRETRANS`).
const MAX_TIMEOUT_S: u64 = 30;
/// The most that `attempts` may mean (`RES_MAXRETRY`).
const MAX_ATTEMPTS: usize = 5;
/// Keywords that are nothing to webmon: the order of IPv4 addresses, and other systems'.
const PASSED_OVER: &[&str] = &["sortlist", "lookup", "family"];
/// Options that change nothing of what webmon finds.
const OPTIONS_PASSED_OVER: &[&str] = &[
    "debug",
    "edns0",
    "inet6",
    "insecure1",
    "insecure2",
    "ip6-bytestring",
    "ip6-dotint",
    "no-check-names",
    "no-ip6-dotint",
    "no-reload",
    "single-request-reopen",
    "trust-ad",
];

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResolvConf {
    /// The name servers.
    pub(super) servers: Vec<NameServer>,
    /// How names are completed; without a list it is still to be found.
    pub(super) completion: Completion,
    /// How the servers are asked.
    pub(super) manner: Manner,
    /// What cannot be read, each with its line.
    pub(super) faults: Vec<String>,
}

/// How name servers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manner {
    /// How long to wait for a server before the next one is asked as well.
    pub(crate) timeout: Option<Duration>,
    /// How often each is asked.
    pub(crate) attempts: usize,
    /// Whether each question begins with another server.
    pub(crate) rotate: bool,
    /// Whether questions go over TCP.
    pub(crate) over_tcp: bool,
    /// How both families of addresses are asked for.
    pub(crate) families: Families,
}

/// How both families of addresses are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Families {
    /// Both at once.
    Together,
    /// IPv6 addresses when the question for IPv4 addresses has its answer.
    OneByOne,
    /// IPv4 addresses only.
    V4Only,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            timeout: None,
            attempts: 2,
            rotate: false,
            over_tcp: false,
            families: Families::Together,
        }
    }
}

impl Default for ResolvConf {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            completion: Completion {
                search: Vec::new(),
                ndots: 1,
                bare: true,
            },
            manner: Manner::default(),
            faults: Vec::new(),
        }
    }
}

impl ResolvConf {
    /// Reads the file's text; the name servers are at `port`.
    pub(super) fn parse(text: &str, port: u16) -> Self {
        let mut conf = Self::default();
        for line in text.lines() {
            let comment = |word: &&str| word.starts_with(['#', ';']);
            let mut words = line.split_whitespace().take_while(|word| !comment(word));
            let Some(keyword) = words.next() else {
                continue;
            };
            match keyword {
                "nameserver" => conf.take_server(words.next().unwrap_or_default(), port, line),
                "search" | "domain" => conf.take_search(words, line),
                "options" => conf.take_options(words, line),
                keyword if PASSED_OVER.contains(&keyword) => {}
                _ => conf.fault(line, "no known keyword"),
            }
        }
        conf
    }

    /// Takes a name server.
    fn take_server(&mut self, word: &str, port: u16, line: &str) {
        let Some((address, zone)) = zoned(word) else {
            return self.fault(line, "no address like 192.0.2.53 or fe80::1%eth0");
        };
        let server = NameServer {
            address: SocketAddr::new(address, port),
            zone: zone.map(Into::into),
        };
        if self.servers.len() == MAX_SERVERS {
            return self.fault(
                line,
                "a fourth name server is never asked: dns.servers may name more",
            );
        }
        if server.lacks_zone() {
            self.fault(
                line,
                "the address of one link lacks its interface, as in fe80::1%eth0",
            );
        }
        self.servers.push(server);
    }

    /// Takes the domains that names are completed with, instead of those before.
    pub(super) fn take_search<'a>(&mut self, words: impl Iterator<Item = &'a str>, line: &str) {
        self.completion.search.clear();
        for word in words {
            match Name::from_ascii(word) {
                Ok(domain) => self.completion.search.push(domain),
                Err(_) => self.fault(line, &format!("{word:?} is no domain")),
            }
        }
    }

    /// Takes options.
    pub(super) fn take_options<'a>(&mut self, words: impl Iterator<Item = &'a str>, line: &str) {
        for word in words {
            if !self.take_option(word) && !OPTIONS_PASSED_OVER.contains(&word) {
                self.fault(line, &format!("{word:?} is no known option"));
            }
        }
    }

    /// Takes an option; `false` if it is none that changes what is found.
    fn take_option(&mut self, word: &str) -> bool {
        let (name, value) = word.split_once(':').unwrap_or((word, ""));
        let manner = &mut self.manner;
        match (name, value) {
            ("ndots", _) => set(&mut self.completion.ndots, number(value, MAX_NDOTS)),
            ("attempts", _) => set(&mut manner.attempts, number(value, MAX_ATTEMPTS)),
            ("timeout", _) => {
                // no time at all is a second, as there
                let timeout = number(value, MAX_TIMEOUT_S);
                let timeout = timeout.map(|seconds| Some(Duration::from_secs(seconds.max(1))));
                set(&mut manner.timeout, timeout)
            }
            ("rotate", "") => set(&mut manner.rotate, Some(true)),
            ("use-vc" | "usevc" | "tcp", "") => set(&mut manner.over_tcp, Some(true)),
            // where one family is not wanted, there is nothing to ask for behind the other
            ("single-request", "") if manner.families == Families::V4Only => true,
            ("single-request", "") => set(&mut manner.families, Some(Families::OneByOne)),
            ("no-aaaa", "") => set(&mut manner.families, Some(Families::V4Only)),
            ("no-tld-query" | "no_tld_query", "") => set(&mut self.completion.bare, Some(false)),
            _ => false,
        }
    }

    /// Notes what cannot be read.
    fn fault(&mut self, line: &str, why: &str) {
        self.faults.push(format!("`{}`: {why}", line.trim()));
    }
}

/// A number; a greater one than `most` means that.
fn number<T: Ord + FromStr>(text: &str, most: T) -> Option<T> {
    text.parse().ok().map(|number: T| number.min(most))
}

/// Sets a value if there is one; whether there is.
fn set<T>(place: &mut T, value: Option<T>) -> bool {
    let known = value.is_some();
    if let Some(value) = value {
        *place = value;
    }
    known
}

#[cfg(test)]
#[path = "resolv_conf_tests.rs"]
mod tests;

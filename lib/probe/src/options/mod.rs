//! What a prober is told by the program that uses it; the programs read it from their configuration.

mod name_server;
mod origin;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use ipnet::IpNet;
use runtime::config::Secret;

pub use self::name_server::NameServer;
pub(crate) use self::name_server::zoned;
pub use self::origin::Origin;

/// How the environment variables of secrets begin.
pub const SECRET_VARIABLE_PREFIX: &str = "WEBMON_SECRET_";
/// The most bytes of a body that are read, unless the options say otherwise.
pub const DEFAULT_BODY_LIMIT: u64 = 1 << 20;
/// The most bytes of all bodies that are kept at once, unless the options say otherwise.
pub const DEFAULT_BODY_MEMORY: u64 = 64 << 20;

/// How sites are probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeOptions {
    /// Which addresses may be dialled.
    pub addresses: Addresses,
    /// The most bytes of a body that are read.
    pub body_limit: u64,
    /// The most bytes of all bodies that are kept at once, for expectations to be judged on.
    pub body_memory: u64,
    /// Where names are looked up.
    pub dns: Dns,
    /// The host that is asked whether a failure is this machine's own.
    pub reference: Option<Reference>,
    /// What sites name as `${secret:NAME}`.
    pub secrets: Secrets,
}

/// Exceptions from "public addresses only".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Dialled although they are not public.
    pub allow: Vec<IpNet>,
    /// Not dialled, whatever else says so.
    pub deny: Vec<IpNet>,
}

/// Where and how names are looked up: what replaces parts of the system's `resolv.conf`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// The name servers; empty means those of the system.
    pub servers: Vec<NameServer>,
    /// The search list, as the environment variable `LOCALDOMAIN` has it; none means the system's.
    pub search: Option<String>,
    /// Options besides those of the system, as the environment variable `RES_OPTIONS` has them.
    pub options: Option<String>,
}

/// A host that is up whenever this machine's own network is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its name, or its address.
    pub host: String,
    /// A port on which it accepts connections.
    pub port: u16,
}

/// Where the values of `${secret:NAME}` come from, and which servers may get them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// A directory in which each file is a secret; it may change while checks are made.
    pub dir: Option<PathBuf>,
    /// The only origins that get a secret. One that is not named here may go anywhere, unless `strict`
    /// forbids it.
    pub hosts: BTreeMap<String, Vec<Origin>>,
    /// Whether a secret that `hosts` does not name goes nowhere.
    pub strict: bool,
    /// The secrets of the environment, by name.
    pub variables: BTreeMap<String, Secret>,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        Self {
            addresses: Addresses::default(),
            body_limit: DEFAULT_BODY_LIMIT,
            body_memory: DEFAULT_BODY_MEMORY,
            dns: Dns::default(),
            reference: None,
            secrets: Secrets::default(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (&self.host, self.port);
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

//! How a site is probed: the keys that `probe` needs, whoever calls it.

use runtime::config::{ConfigError, Document, Limits, LogConfig, ProcessEnvironment};

use super::{Addresses, Dns, Reference, Secrets};

/// `body_limit`; a slot may read that much.
const BODY_LIMIT: Limits<u64> = Limits {
    default: 1 << 20,
    allowed: (1 << 10)..=(64 << 20),
};
/// `body_memory`; at least one body of the longest kind fits.
const BODY_MEMORY: Limits<u64> = Limits {
    default: 64 << 20,
    allowed: (1 << 20)..=(64 << 30),
};

/// How a site is probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeConfig {
    /// Which addresses may be dialled.
    pub addresses: Addresses,
    /// The most bytes of a body that are read.
    pub body_limit: u64,
    /// The most bytes of all bodies that are kept at once, for expectations to be judged on.
    pub body_memory: u64,
    /// Where names are looked up.
    pub dns: Dns,
    /// Whom to ask whether a failure is this machine's own.
    pub reference: Option<Reference>,
    /// What sites name as `${secret:NAME}`.
    pub secrets: Secrets,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self {
            addresses: Addresses::default(),
            body_limit: BODY_LIMIT.default,
            body_memory: BODY_MEMORY.default,
            dns: Dns::default(),
            reference: None,
            secrets: Secrets::default(),
        }
    }
}

impl ProbeConfig {
    /// Where there is no file: the defaults, and the secrets of this process's environment.
    pub(crate) fn of_process() -> Result<(Self, LogConfig), ConfigError> {
        let mut document = Document::empty(ProcessEnvironment::of_process());
        let config = Self::take(&mut document, Addresses::default());
        let log = LogConfig::take(&mut document);
        document.finish(config.zip(log))
    }

    /// Takes the probe's keys; `addresses` are those of a file that says nothing about them.
    pub(super) fn take(document: &mut Document, addresses: Addresses) -> Option<Self> {
        let addresses = addresses.take(document);
        let body_limit = document.take("body_limit");
        let body_limit =
            body_limit.and_then(|raw| document.check("body_limit", BODY_LIMIT.bytes(raw)));
        let body_memory = document.take("body_memory");
        let body_memory =
            body_memory.and_then(|raw| document.check("body_memory", BODY_MEMORY.bytes(raw)));
        let dns = Dns::take(document);
        let reference = Reference::take(document);
        let secrets = Secrets::take(document);
        let (body_limit, body_memory) = (body_limit?, body_memory?);
        if body_memory < body_limit {
            document.fault(
                "body_memory",
                "must hold at least one body: no less than body_limit",
            );
            return None;
        }
        Some(Self {
            addresses: addresses?,
            body_limit,
            body_memory,
            dns: dns?,
            reference: reference?,
            secrets: secrets?,
        })
    }
}

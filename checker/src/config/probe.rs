//! How a site is probed: the keys that become the options of the probe.

use probe::{Addresses, DEFAULT_BODY_LIMIT, DEFAULT_BODY_MEMORY, ProbeOptions};
use runtime::config::{ConfigError, Document, Limits, LogConfig, ProcessEnvironment};

use super::{addresses, dns, secrets};

/// `body_limit`; a slot may read that much.
const BODY_LIMIT: Limits<u64> = Limits {
    default: DEFAULT_BODY_LIMIT,
    allowed: (1 << 10)..=(64 << 20),
};
/// `body_memory`; at least one body of the longest kind fits.
const BODY_MEMORY: Limits<u64> = Limits {
    default: DEFAULT_BODY_MEMORY,
    allowed: (1 << 20)..=(64 << 30),
};

/// Where there is no file: the defaults, and the secrets of this process's environment.
pub(crate) fn of_process() -> Result<(ProbeOptions, LogConfig), ConfigError> {
    let mut document = Document::empty(ProcessEnvironment::of_process());
    let options = take(&mut document, Addresses::default());
    let log = LogConfig::take(&mut document);
    document.finish(options.zip(log))
}

/// Takes the probe's keys; `addresses` are those of a file that says nothing about them.
pub(super) fn take(document: &mut Document, addresses: Addresses) -> Option<ProbeOptions> {
    let addresses = addresses::take(document, addresses);
    let body_limit = document.take("body_limit");
    let body_limit = body_limit.and_then(|raw| document.check("body_limit", BODY_LIMIT.bytes(raw)));
    let body_memory = document.take("body_memory");
    let body_memory =
        body_memory.and_then(|raw| document.check("body_memory", BODY_MEMORY.bytes(raw)));
    let dns = dns::take(document);
    let reference = dns::take_reference(document);
    let secrets = secrets::take(document);
    let (body_limit, body_memory) = (body_limit?, body_memory?);
    if body_memory < body_limit {
        document.fault(
            "body_memory",
            "must hold at least one body: no less than body_limit",
        );
        return None;
    }
    Some(ProbeOptions {
        addresses: addresses?,
        body_limit,
        body_memory,
        dns: dns?,
        reference: reference?,
        secrets: secrets?,
    })
}

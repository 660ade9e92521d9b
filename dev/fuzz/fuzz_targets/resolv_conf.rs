//! A `resolv.conf`: whatever it says, it is read within its bounds, and completes any name to names.
//!
//! The input is the file, and its last line also a name that is looked up. Its reader is no part of the probe's
//! interface, so it is compiled in here from its files.

#![no_main]

#[path = "../../../lib/probe/src/dns/candidates.rs"]
mod candidates;
#[path = "../../../lib/probe/src/options/name_server.rs"]
mod options;
#[path = "../../../lib/probe/src/dns/resolv_conf.rs"]
mod resolv_conf;

use std::time::Duration;

use hickory_resolver::proto::rr::Name;
use libfuzzer_sys::{Corpus, fuzz_target};

use self::resolv_conf::ResolvConf;

/// The longest name of the DNS, in bytes.
const NAME_BYTES: usize = 255;

fuzz_target!(|file: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(file) else {
        return Corpus::Reject;
    };
    let ResolvConf {
        servers,
        completion,
        manner,
        faults,
    } = ResolvConf::parse(text, 53);
    assert!(servers.len() <= 3 && completion.ndots <= 15);
    assert!(manner.attempts <= 5);
    let seconds = Duration::from_secs(1)..=Duration::from_secs(30);
    assert!(manner.timeout.is_none_or(|timeout| seconds.contains(&timeout)));
    assert!(faults.iter().all(|fault| !fault.is_empty()));
    let Ok(name) = Name::from_ascii(text.lines().last().unwrap_or_default()) else {
        return Corpus::Keep;
    };
    let names: Vec<Name> = completion.candidates(&name).collect();
    assert!(names.len() <= completion.search.len() + 1);
    assert!(names.iter().all(|name| name.is_fqdn() && name.len() <= NAME_BYTES));
    Corpus::Keep
});

//! What the tests of this crate check.

use contract::check::SiteId;
use contract::installation::Installation;
use contract::instant::UnixMs;
use contract::site::DEFAULT_TIMEOUT_MS;
use contract::task::{Task, VERSION};
use serde_json::value::RawValue;

/// The task of a plain site at this URL.
pub(crate) fn task(url: &str) -> Task {
    let nothing = || RawValue::from_string("{}".to_owned()).unwrap();
    Task {
        v: VERSION,
        installation: Installation::default(),
        site_id: SiteId(7),
        name: url.to_owned(),
        scheduled_at: UnixMs(0),
        expires_at: UnixMs::MAX,
        url: url.to_owned(),
        timeout_ms: DEFAULT_TIMEOUT_MS.unsigned_abs(),
        request: nothing(),
        expect: nothing(),
    }
}

//! Results as checks bring them: in the order of their instants, many sites side by side.

use std::net::{IpAddr, Ipv4Addr};

use clap::Args;
use contract::check::{CheckKey, SiteId};
use contract::instant::{UnixMs, UnixUs};
use contract::result::{CheckResult, Measured, Phases};

/// Results of sites that are up.
#[derive(Args, Clone, Debug)]
pub(crate) struct Results {
    /// The database
    #[arg(long)]
    pub(super) database: String,
    /// How many sites
    #[arg(long)]
    sites: i64,
    /// How many checks of each
    #[arg(long)]
    checks: i64,
    /// The first due instant, in milliseconds since the Unix epoch
    #[arg(long)]
    from: i64,
}

impl Results {
    /// The results.
    pub(super) fn make(&self) -> Vec<CheckResult> {
        let checks = (0..self.checks).flat_map(|n| (1..=self.sites).map(move |site| (n, site)));
        checks.map(|(n, site)| self.result(n, site)).collect()
    }

    /// The nth check of a site, which is checked every second.
    fn result(&self, n: i64, site_id: i64) -> CheckResult {
        let scheduled_at = self.from + n * 1_000 + site_id % 1_000;
        let jitter = (site_id * 7 + n * 13).unsigned_abs() % 1_000;
        let last = u8::try_from(site_id % 8 + 1).unwrap_or(1);
        CheckResult {
            check: CheckKey::new(SiteId(site_id), UnixMs(scheduled_at)),
            reason: None,
            measured: Measured {
                started_at_us: Some(UnixUs(scheduled_at * 1_000 + 500)),
                status: Some(200),
                phases: Phases {
                    dns_us: Some(0),
                    connect_us: Some(80 + jitter),
                    tls_us: None,
                    wait_us: Some(100_300 + jitter),
                    receive_us: Some(40 + jitter % 100),
                    total_us: Some(100_500 + 2 * jitter),
                },
                body_bytes: Some(1_024),
                address: Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))),
                certificate_expires_at_s: None,
            },
            detail: None,
        }
    }
}

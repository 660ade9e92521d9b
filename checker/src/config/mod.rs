//! The checker's configuration.

mod addresses;
mod dns;
mod probe;
mod proxies;
mod review;
mod secrets;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ::probe::{Addresses, ProbeOptions};
use runtime::config::{
    Configuration, Document, HttpConfig, Limits, LogConfig, TracesConfig, copy_the_example,
};
use runtime::reload::Changes;
use store::config::DatabaseConfig;
use stream::config::KafkaConfig;

pub(crate) use self::probe::of_process;
pub use self::proxies::warn_of_proxies;
pub use self::review::Review;

/// `http.listen`, unless the file says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9362);
/// The threads of a lane: `slots` is made of whole lanes.
pub const LANE_THREADS: usize = 32;
/// `slots`; each is a thread.
const SLOTS: Limits<usize> = Limits {
    default: 1_024,
    allowed: LANE_THREADS..=65_536,
};
/// `drain`; what stops a service, such as systemd, kills it sooner than after the most.
const DRAIN: Limits<Duration> = Limits {
    default: Duration::from_secs(25),
    allowed: Duration::from_secs(1)..=Duration::from_mins(10),
};

/// What a checker needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the results go.
    pub database: DatabaseConfig,
    /// Where the tasks come from.
    pub kafka: KafkaConfig,
    /// Metrics and health.
    pub http: HttpConfig,
    /// What is said on standard error.
    pub log: LogConfig,
    /// Where traces go; none means that there are none.
    pub traces: Option<TracesConfig>,
    /// The checker's own keys.
    pub settings: Settings,
}

/// The keys that only a checker has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many checks run at once; a multiple of [`LANE_THREADS`].
    pub slots: usize,
    /// How a site is probed.
    pub probe: ProbeOptions,
    /// The time for a stop.
    pub drain: Duration,
}

impl Config {
    /// Notes what differs of the sections that hold from the start to the end.
    pub(crate) fn compare_fixed(&self, new: &Self, changes: &mut Changes) {
        changes.fixed(&self.database, &new.database);
        changes.fixed(&self.kafka, &new.kafka);
        changes.fixed(&self.http, &new.http);
        let (old, new) = (self.traces.as_ref(), new.traces.as_ref());
        changes.optional("traces.endpoint", old, new);
    }
}

impl Configuration for Config {
    fn remedy(file: &Path) -> String {
        copy_the_example("checker", file)
    }

    fn take(document: &mut Document) -> Option<Self> {
        let database = DatabaseConfig::take(document);
        let kafka = KafkaConfig::take(document);
        let http = HttpConfig::take(document, LISTEN);
        let log = LogConfig::take(document);
        let traces = TracesConfig::take(document);
        let settings = Settings::take(document, Addresses::default());
        Some(Self {
            database: database?,
            kafka: kafka?,
            http: http?,
            log: log?,
            traces: traces?,
            settings: settings?,
        })
    }

    fn log(&self) -> &LogConfig {
        &self.log
    }

    fn warning(&self) -> Option<String> {
        self.database.open_way()
    }
}

impl Settings {
    /// Takes the checker's own keys; `addresses` are those of a file that says nothing about them.
    pub fn take(document: &mut Document, addresses: Addresses) -> Option<Self> {
        let slots = document.take("slots");
        let slots = slots.and_then(|raw| document.check("slots", valid_slots(raw)));
        let probe = probe::take(document, addresses);
        let drain = document.take("drain");
        let drain = drain.and_then(|raw| document.check("drain", DRAIN.duration(raw)));
        Some(Self {
            slots: slots?,
            probe: probe?,
            drain: drain?,
        })
    }
}

/// Whole lanes.
fn valid_slots(raw: Option<i64>) -> Result<usize, String> {
    let slots = SLOTS.number(raw)?;
    if !slots.is_multiple_of(LANE_THREADS) {
        return Err(format!(
            "must be a multiple of {LANE_THREADS}, the threads of a lane"
        ));
    }
    Ok(slots)
}

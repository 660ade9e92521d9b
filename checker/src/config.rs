//! The checker's configuration.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use runtime::config::{
    ConfigError, DatabaseConfig, Document, HttpConfig, KafkaConfig, Limits, LogConfig, Surroundings,
};
use serde::Deserialize;

/// `http.listen`, unless the file says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9362);
/// The threads of a lane: `slots` is made of whole lanes.
const LANE_SLOTS: usize = 32;
/// `slots`; each is a thread.
const SLOTS: Limits<usize> = Limits {
    default: 1_024,
    allowed: LANE_SLOTS..=65_536,
};
/// `body_limit`; a slot may hold that much.
const BODY_LIMIT: Limits<u64> = Limits {
    default: 1 << 20,
    allowed: (1 << 10)..=(64 << 20),
};
/// `drain`; whoever stops a service kills it sooner than after the most.
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
    /// How many checks run at once; a multiple of 32.
    pub slots: usize,
    /// Which addresses may be dialled.
    pub addresses: Addresses,
    /// The most bytes of a body that are read.
    pub body_limit: u64,
    /// The time for a stop.
    pub drain: Duration,
}

/// `addresses`: exceptions from "public addresses only".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Dialled although they are not public.
    pub allow: Vec<IpNet>,
    /// Not dialled, whatever else says so.
    pub deny: Vec<IpNet>,
}

/// The section `addresses` as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAddresses {
    /// `addresses.allow`.
    allow: Option<Vec<String>>,
    /// `addresses.deny`.
    deny: Option<Vec<String>>,
}

/// The keys that only a checker has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `slots`.
    pub slots: usize,
    /// `addresses`.
    pub addresses: Addresses,
    /// `body_limit`, in bytes.
    pub body_limit: u64,
    /// `drain`.
    pub drain: Duration,
}

impl Config {
    /// Reads and checks a file as this process sees it.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        Self::load_in(file, Surroundings::of_process())
    }

    /// Reads and checks a file.
    pub fn load_in(file: &Path, surroundings: Surroundings) -> Result<Self, ConfigError> {
        let remedy = format!(
            "copy checker/config-example.yaml to {} and adjust it",
            file.display()
        );
        let mut document = Document::read(file, &remedy, surroundings)?;
        let config = Self::take(&mut document);
        document.finish(config)
    }

    /// Takes everything; all sections are looked at before the first fault counts.
    fn take(document: &mut Document) -> Option<Self> {
        let database = DatabaseConfig::take(document);
        let kafka = KafkaConfig::take(document);
        let http = HttpConfig::take(document, LISTEN);
        let log = LogConfig::take(document);
        let settings = Settings::take(document, Addresses::default());
        Some(settings?.into_config(database?, kafka?, http?, log?))
    }
}

impl Settings {
    /// Takes the checker's own keys; `addresses` are those of a file that says nothing about them.
    pub fn take(document: &mut Document, addresses: Addresses) -> Option<Self> {
        let slots = document.take("slots");
        let slots = slots.and_then(|raw| document.check("slots", valid_slots(raw)));
        let addresses = addresses.take(document);
        let body_limit = document.take("body_limit");
        let body_limit =
            body_limit.and_then(|raw| document.check("body_limit", BODY_LIMIT.bytes(raw)));
        let drain = document.take("drain");
        let drain = drain.and_then(|raw| document.check("drain", DRAIN.duration(raw)));
        Some(Self {
            slots: slots?,
            addresses: addresses?,
            body_limit: body_limit?,
            drain: drain?,
        })
    }

    /// Together with what every service has, a checker's configuration.
    pub fn into_config(
        self,
        database: DatabaseConfig,
        kafka: KafkaConfig,
        http: HttpConfig,
        log: LogConfig,
    ) -> Config {
        let Self {
            slots,
            addresses,
            body_limit,
            drain,
        } = self;
        Config {
            database,
            kafka,
            http,
            log,
            slots,
            addresses,
            body_limit,
            drain,
        }
    }
}

impl Addresses {
    /// Takes the section `addresses`; what it does not name stays as it is.
    fn take(self, document: &mut Document) -> Option<Self> {
        let RawAddresses { allow, deny } = document.take("addresses")?;
        let allow = valid_list(document, "addresses.allow", allow, self.allow);
        let deny = valid_list(document, "addresses.deny", deny, self.deny);
        Some(Self {
            allow: allow?,
            deny: deny?,
        })
    }
}

/// Whole lanes.
fn valid_slots(raw: Option<i64>) -> Result<usize, String> {
    let slots = SLOTS.number(raw)?;
    if !slots.is_multiple_of(LANE_SLOTS) {
        return Err(format!(
            "must be a multiple of {LANE_SLOTS}, the threads of a lane"
        ));
    }
    Ok(slots)
}

/// A list of networks; every wrong one is named.
fn valid_list(
    document: &mut Document,
    key: &str,
    raw: Option<Vec<String>>,
    default: Vec<IpNet>,
) -> Option<Vec<IpNet>> {
    let Some(raw) = raw else { return Some(default) };
    let read = |(index, text): (usize, &String)| {
        document.check(&format!("{key}[{index}]"), valid_network(text))
    };
    let networks: Vec<Option<IpNet>> = raw.iter().enumerate().map(read).collect();
    networks.into_iter().collect()
}

/// `10.0.0.0/8`, or a single address.
fn valid_network(text: &str) -> Result<IpNet, String> {
    let network: IpNet = text
        .parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "must be an address or a network like `10.0.0.0/8` or `fc00::/7`")?;
    if network != network.trunc() {
        return Err(format!(
            "has bits beyond its prefix: write `{}`",
            network.trunc()
        ));
    }
    match as_v4(network) {
        // Addresses are judged by the IPv4 address inside, so this entry would never count.
        Some(inside) => Err(format!("is IPv4 written as IPv6: write `{inside}`")),
        None => Ok(network),
    }
}

/// The IPv4 network inside a v4-mapped one (`::ffff:10.0.0.0/104`).
fn as_v4(network: IpNet) -> Option<Ipv4Net> {
    let IpNet::V6(network) = network else {
        return None;
    };
    let inside = network.addr().to_ipv4_mapped()?;
    Ipv4Net::new(inside, network.prefix_len().checked_sub(96)?).ok()
}

//! The configuration of `webmon up`: the keys of both services, and none of them required.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use probe::Addresses;
use runtime::config::{
    ConfigError, Configuration, Document, HttpConfig, LogConfig, ProcessEnvironment, TracesConfig,
};
use store::config::DatabaseConfig;
use stream::config::KafkaConfig;

/// `http.listen`, unless the file says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9360);
/// `addresses.allow`, unless the file says otherwise: the person who starts `webmon up`
/// also names the sites, so private and loopback addresses are allowed.
const ALLOW: [&str; 6] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "::1/128",
    "fc00::/7",
];

/// What `webmon up` needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where `PostgreSQL` is; none means one of its own.
    pub database: Option<DatabaseConfig>,
    /// Where Kafka is; none means the embedded broker.
    pub kafka: Option<KafkaConfig>,
    /// Metrics and health, of both services.
    pub http: HttpConfig,
    /// What is said on standard error.
    pub log: LogConfig,
    /// Where traces go; none means that there are none.
    pub traces: Option<TracesConfig>,
    /// The scheduler's own keys.
    pub scheduler: scheduler::config::Settings,
    /// The checker's own keys.
    pub checker: checker::config::Settings,
}

impl Config {
    /// Reads and checks a file as this process sees it; without one, everything is as by default.
    pub fn load_or_default(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::load_or_default_in(file, ProcessEnvironment::of_process())
    }

    /// Reads and checks a file, if one is named.
    pub fn load_or_default_in(
        file: Option<&Path>,
        environment: ProcessEnvironment,
    ) -> Result<Self, ConfigError> {
        match file {
            Some(file) => Self::load_in(file, environment),
            None => Self::of(Document::empty(environment)),
        }
    }

    /// What the scheduler inside is told, once database and broker are known.
    pub fn scheduler_config(
        &self,
        database: DatabaseConfig,
        kafka: KafkaConfig,
    ) -> scheduler::config::Config {
        scheduler::config::Config {
            database,
            kafka,
            http: self.http.clone(),
            log: self.log.clone(),
            traces: self.traces.clone(),
            settings: self.scheduler.clone(),
        }
    }

    /// What the checker inside is told, once database and broker are known.
    pub fn checker_config(
        &self,
        database: DatabaseConfig,
        kafka: KafkaConfig,
    ) -> checker::config::Config {
        checker::config::Config {
            database,
            kafka,
            http: self.http.clone(),
            log: self.log.clone(),
            traces: self.traces.clone(),
            settings: self.checker.clone(),
        }
    }
}

impl Configuration for Config {
    fn remedy(_: &Path) -> String {
        "name a file that exists, or leave out --config: webmon up needs none".to_owned()
    }

    fn take(document: &mut Document) -> Option<Self> {
        let database = optional(document, "database", DatabaseConfig::take);
        let kafka = optional(document, "kafka", KafkaConfig::take);
        let http = HttpConfig::take(document, LISTEN);
        let log = LogConfig::take(document);
        let traces = TracesConfig::take(document);
        let scheduler = scheduler::config::Settings::take(document);
        let checker = checker::config::Settings::take(document, own_addresses());
        Some(Self {
            database,
            kafka,
            http: http?,
            log: log?,
            traces: traces?,
            scheduler: scheduler?,
            checker: checker?,
        })
    }

    fn log(&self) -> &LogConfig {
        &self.log
    }

    fn warning(&self) -> Option<String> {
        self.database.as_ref()?.open_way()
    }
}

/// A section that may say nothing. One that says something must be complete (a topic without
/// brokers would be a setting without an effect); where it is not, the fault ends up in `finish`.
fn optional<T>(
    document: &mut Document,
    key: &'static str,
    take: impl FnOnce(&mut Document) -> Option<T>,
) -> Option<T> {
    if document.lacks(key) {
        None
    } else {
        take(document)
    }
}

/// Private and loopback addresses.
fn own_addresses() -> Addresses {
    Addresses {
        allow: ALLOW
            .iter()
            .filter_map(|network| network.parse().ok())
            .collect(),
        deny: Vec::new(),
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;

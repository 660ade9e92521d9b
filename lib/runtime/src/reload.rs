//! SIGHUP to a service: its configuration is read again, and what can change without a restart does.
//!
//! A file with a fault changes nothing. What needs a restart keeps its old value, and is named each time until
//! the service was restarted or the file has the old value again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use color_eyre::eyre;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::config::{
    ClientCertificate, ConfigError, DatabaseConfig, HttpConfig, KafkaConfig, KafkaSsl, LogConfig,
    TracesConfig,
};
use crate::telemetry::Logs;

/// A request to read the configuration again. What comes while it is being read, or before
/// the service works, counts once.
#[derive(Clone, Debug, Default)]
pub struct HangUps(Arc<Notify>);

/// Where a process has its configuration from, and the logs that it has set up by it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file.
    pub file: PathBuf,
    /// The logs of this process.
    pub logs: Logs,
}

/// What a service reads its configuration again with.
#[derive(Clone, Debug)]
pub struct Reloads {
    /// When to.
    hang_ups: HangUps,
    /// Whence.
    source: Source,
}

/// Which keys of a new configuration differ from the one in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those that hold from now on.
    pub made: Vec<&'static str>,
    /// Those that hold from the next start on.
    pub restart: Vec<&'static str>,
}

/// The sections that every service has, and that hold from the start to the end of a process.
#[derive(Clone, Copy, Debug)]
pub struct Fixed<'a> {
    /// `database`.
    pub database: &'a DatabaseConfig,
    /// `kafka`.
    pub kafka: &'a KafkaConfig,
    /// `http`.
    pub http: &'a HttpConfig,
    /// `traces`.
    pub traces: Option<&'a TracesConfig>,
}

impl HangUps {
    /// Asks for the configuration to be read again.
    pub fn ask(&self) {
        self.0.notify_one();
    }

    /// Waits until it was asked for.
    async fn asked(&self) {
        self.0.notified().await;
    }
}

impl Reloads {
    /// Whenever `hang_ups` say so, from `source`.
    pub fn new(hang_ups: HangUps, source: Source) -> Self {
        Self { hang_ups, source }
    }

    /// A stage of a service: until `stop` it reads the file by `load` whenever that was asked for, and has a
    /// right one adopted. `adopt` changes what is in force, and says what it did.
    pub async fn keep<C: Send + 'static>(
        self,
        load: fn(&Path) -> Result<C, ConfigError>,
        mut adopt: impl FnMut(&Logs, C) -> Changes,
        stop: CancellationToken,
    ) -> eyre::Result<()> {
        let Source { file, logs } = &self.source;
        let reloads = async {
            loop {
                self.hang_ups.asked().await;
                info!(signal = "SIGHUP", file = %file.display(), "reading the configuration again");
                let path = file.clone();
                match spawn_blocking(move || load(&path)).await {
                    Ok(Ok(config)) => adopt(logs, config).tell(),
                    Ok(Err(error)) => refuse(&error.to_string()),
                    Err(error) => refuse(&error.to_string()),
                }
            }
        };
        stop.run_until_cancelled(reloads).await;
        Ok(())
    }
}

/// Says all that is wrong with a file; nothing has changed.
fn refuse(faults: &str) {
    for fault in faults.lines() {
        error!("the configuration is wrong, the one before stays in force: {fault}");
    }
}

impl Changes {
    /// Notes a key that needs a restart, if it differs.
    pub fn needs_restart<T: PartialEq + ?Sized>(&mut self, key: &'static str, old: &T, new: &T) {
        if old != new {
            self.restart.push(key);
        }
    }

    /// Takes over a key's new value, and says whether it differs. The caller makes it hold.
    pub fn adopt<T: PartialEq>(&mut self, key: &'static str, old: &mut T, new: T) -> bool {
        if *old == new {
            return false;
        }
        *old = new;
        self.made.push(key);
        true
    }

    /// Compares `log`, whose filter changes at once.
    pub fn log(&mut self, logs: &Logs, old: &mut LogConfig, new: LogConfig) {
        let LogConfig { format, filter } = new;
        self.needs_restart("log.format", &old.format, &format);
        if self.adopt("log.filter", &mut old.filter, filter)
            && let Err(error) = logs.filter_by(&old.filter)
        {
            error!("the log keeps its filter: {error}");
        }
    }

    /// Compares the sections that hold to the end of a process.
    pub fn fixed(&mut self, old: Fixed<'_>, new: Fixed<'_>) {
        let Fixed {
            database,
            kafka,
            http,
            traces,
        } = new;
        let DatabaseConfig { url } = database;
        self.needs_restart("database.url", &old.database.url, url);
        self.kafka(old.kafka, kafka);
        let HttpConfig { listen } = http;
        self.needs_restart("http.listen", &old.http.listen, listen);
        self.traces(old.traces, traces);
    }

    /// Compares `kafka`.
    fn kafka(&mut self, old: &KafkaConfig, new: &KafkaConfig) {
        let KafkaConfig {
            brokers,
            topic,
            partitions,
            replication,
            retention,
            group,
            key,
            previous_key,
            ssl,
            sasl,
            compression,
        } = new;
        self.needs_restart("kafka.brokers", &old.brokers, brokers);
        self.needs_restart("kafka.topic", &old.topic, topic);
        self.needs_restart("kafka.partitions", &old.partitions, partitions);
        self.needs_restart("kafka.replication", &old.replication, replication);
        self.needs_restart("kafka.retention", &old.retention, retention);
        self.needs_restart("kafka.group", &old.group, group);
        self.needs_restart("kafka.key", &old.key, key);
        self.needs_restart("kafka.previous_key", &old.previous_key, previous_key);
        self.needs_restart("kafka.sasl", &old.sasl, sasl);
        self.needs_restart("kafka.compression", &old.compression, compression);
        match (&old.ssl, ssl) {
            (Some(old), Some(new)) => self.ssl(old, new),
            (old, new) => self.needs_restart("kafka.ssl", old, new),
        }
    }

    /// Compares `kafka.ssl`.
    fn ssl(&mut self, old: &KafkaSsl, new: &KafkaSsl) {
        let KafkaSsl { ca, client } = new;
        self.needs_restart("kafka.ssl.ca", &old.ca, ca);
        match (&old.client, client) {
            (Some(old), Some(new)) => self.client_certificate(old, new),
            (old, new) => self.needs_restart("kafka.ssl.certificate", old, new),
        }
    }

    /// Compares what `kafka.ssl` says of the client's certificate.
    fn client_certificate(&mut self, old: &ClientCertificate, new: &ClientCertificate) {
        let ClientCertificate {
            certificate,
            key,
            key_password,
        } = new;
        self.needs_restart("kafka.ssl.certificate", &old.certificate, certificate);
        self.needs_restart("kafka.ssl.key", &old.key, key);
        self.needs_restart("kafka.ssl.key_password", &old.key_password, key_password);
    }

    /// Compares `traces`.
    fn traces(&mut self, old: Option<&TracesConfig>, new: Option<&TracesConfig>) {
        match (old, new) {
            (Some(old), Some(new)) => {
                let TracesConfig { url, share } = new;
                self.needs_restart("traces.endpoint", &old.url, url);
                self.needs_restart("traces.ratio", &old.share, share);
            }
            (old, new) => self.needs_restart("traces.endpoint", &old, &new),
        }
    }

    /// Says what has changed, and in one line what has not.
    fn tell(&self) {
        let Self { made, restart } = self;
        match made.as_slice() {
            [] => info!("the configuration was read again, and nothing has changed"),
            made => info!(keys = made.join(", "), "the configuration has changed"),
        }
        if !restart.is_empty() {
            warn!("needs a restart: {}", restart.join(", "));
        }
    }
}

#[cfg(test)]
#[path = "reload_tests.rs"]
mod tests;

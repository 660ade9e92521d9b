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

use crate::config::{ConfigError, HttpConfig, LogConfig, TracesConfig};
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
    /// When.
    hang_ups: HangUps,
    /// From where.
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

/// A section that holds from the start to the end of a process.
pub trait Fixed: PartialEq {
    /// Notes each key of the section that differs.
    fn compare(&self, new: &Self, changes: &mut Changes);
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

    /// Compares a section that holds to the end of a process.
    pub fn fixed<S: Fixed>(&mut self, old: &S, new: &S) {
        old.compare(new, self);
    }

    /// The same of a section that may be missing; `key` is named when it comes or goes.
    pub fn optional<S: Fixed>(&mut self, key: &'static str, old: Option<&S>, new: Option<&S>) {
        match (old, new) {
            (Some(old), Some(new)) => self.fixed(old, new),
            (old, new) => self.needs_restart(key, &old, &new),
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

impl Fixed for HttpConfig {
    fn compare(&self, new: &Self, changes: &mut Changes) {
        let Self { listen } = new;
        changes.needs_restart("http.listen", &self.listen, listen);
    }
}

impl Fixed for TracesConfig {
    fn compare(&self, new: &Self, changes: &mut Changes) {
        let Self { url, share } = new;
        changes.needs_restart("traces.endpoint", &self.url, url);
        changes.needs_restart("traces.ratio", &self.share, share);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_that_needs_a_restart_is_named_by_itself() {
        let old = HttpConfig {
            listen: "127.0.0.1:1".parse().unwrap(),
        };
        let mut new = old.clone();
        let mut changes = Changes::default();
        changes.fixed(&old, &new);
        assert_eq!(changes, Changes::default());
        new.listen.set_port(2);
        changes.fixed(&old, &new);
        assert!(changes.made.is_empty());
        assert_eq!(changes.restart, ["http.listen"]);
    }

    #[test]
    fn what_was_adopted_is_no_change_the_next_time_and_what_was_not_is() {
        let mut changes = Changes::default();
        let mut slots = 32;
        assert!(changes.adopt("slots", &mut slots, 64));
        assert!(!changes.adopt("slots", &mut slots, 64));
        for _ in 0..2 {
            changes.needs_restart("drain", &1, &2);
        }
        assert_eq!(
            (changes.made, changes.restart),
            (vec!["slots"], vec!["drain", "drain"])
        );
    }

    #[tokio::test]
    async fn hang_ups_before_and_during_a_reload_are_one_more_reload() {
        let (asked, ended) = (HangUps::default(), CancellationToken::new());
        // nothing listens yet: a service that starts
        asked.ask();
        asked.ask();
        let source = Source {
            file: "none".into(),
            logs: Logs::default(),
        };
        let reloads = Reloads::new(asked.clone(), source);
        let (count, stop) = (std::cell::Cell::new(0), ended.clone());
        let adopt = |_: &Logs, ()| {
            count.set(count.get() + 1);
            match count.get() {
                // while the first is adopted two more come
                1 => (asked.ask(), asked.ask()),
                _ => (ended.cancel(), ()),
            };
            Changes::default()
        };
        reloads.keep(|_| Ok(()), adopt, stop).await.unwrap();
        assert_eq!(count.get(), 2);
    }
}

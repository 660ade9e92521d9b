//! What a checker does with a new configuration: which addresses and secrets its probes may use, how many run at
//! once and what it logs change without a restart.

use probe::{Addresses, ProbeOptions, Prober, Secrets};
use runtime::{
    config::Configuration as _,
    reload::{Changes, Reloads},
    shutdown::Stages,
    telemetry::Logs,
};

use crate::{
    config::{Config, Settings},
    lanes::Slots,
    slots,
};

/// What changes without a restart, and what is in force now.
pub(crate) struct Adopter {
    /// What is in force.
    config: Config,
    /// What probes.
    prober: Prober,
    /// How many probes run at once.
    slots: Slots,
}

impl Adopter {
    /// A checker runs with this configuration.
    pub(crate) fn new(config: Config, prober: Prober, slots: Slots) -> Self {
        Self {
            config,
            prober,
            slots,
        }
    }

    /// Starts the stage that reads configurations, if this process does.
    pub(crate) fn start(mut self, stages: &mut Stages, reloads: Option<Reloads>) {
        if let Some(reloads) = reloads {
            let adopt = move |logs: &Logs, new| self.adopt(logs, new);
            stages.spawn("reload", reloads.keep(Config::load, adopt, stages.stop()));
        }
    }

    /// Brings what is in force in line with a new configuration, as far as that can be done.
    fn adopt(&mut self, logs: &Logs, new: Config) -> Changes {
        let mut changes = Changes::default();
        self.config.compare_fixed(&new, &mut changes);
        let Config {
            database: _,
            kafka: _,
            http: _,
            log,
            traces: _,
            settings,
        } = new;
        let Settings {
            slots,
            probe,
            drain,
        } = settings;
        changes.needs_restart("drain", &self.config.settings.drain, &drain);
        changes.log(logs, &mut self.config.log, log);
        if changes.adopt("slots", &mut self.config.settings.slots, slots) {
            self.slots.set(slots::usable(&self.config));
        }
        self.adopt_probe(&mut changes, probe);
        changes
    }

    /// The same of what the probes know.
    fn adopt_probe(&mut self, changes: &mut Changes, new: ProbeOptions) {
        let ProbeOptions {
            addresses,
            body_limit,
            body_memory,
            dns,
            reference,
            secrets,
        } = new;
        let Addresses { allow, deny } = addresses;
        let Secrets {
            dir,
            hosts,
            strict,
            // Those of this process, which no file changes.
            variables: _,
        } = secrets;
        let old = &mut self.config.settings.probe;
        changes.adopt("addresses.allow", &mut old.addresses.allow, allow);
        changes.adopt("addresses.deny", &mut old.addresses.deny, deny);
        changes.adopt("secrets.dir", &mut old.secrets.dir, dir);
        changes.adopt("secrets.hosts", &mut old.secrets.hosts, hosts);
        changes.adopt("secrets.strict", &mut old.secrets.strict, strict);
        self.prober.reconfigure(&old.addresses, &old.secrets);
        changes.needs_restart("body_limit", &old.body_limit, &body_limit);
        changes.needs_restart("body_memory", &old.body_memory, &body_memory);
        changes.needs_restart("dns.servers", &old.dns, &dns);
        changes.needs_restart("reference", &old.reference, &reference);
    }
}

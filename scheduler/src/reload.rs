//! What a scheduler does with a new configuration: only what it logs changes without a restart.

use runtime::{reload::Changes, telemetry::Logs};

use crate::config::{Config, Settings};

/// Brings what is in force, `old`, in line with a new configuration, as far as that can be done.
pub(crate) fn adopt(logs: &Logs, old: &mut Config, new: Config) -> Changes {
    let Config {
        database: _,
        kafka: _,
        http: _,
        log: _,
        traces: _,
        settings,
    } = &new;
    let Settings {
        horizon,
        turn,
        retention,
    } = settings;
    let mut changes = Changes::default();
    changes.needs_restart("horizon", &old.settings.horizon, horizon);
    changes.needs_restart("turn", &old.settings.turn, turn);
    changes.needs_restart("retention", &old.settings.retention, retention);
    old.compare_fixed(&new, &mut changes);
    changes.log(logs, &mut old.log, new.log);
    changes
}

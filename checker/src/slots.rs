//! Slots: how many of those that are configured are used.

use tracing::warn;

use crate::{config::Config, descriptors, memory};

/// How many slots are used: those that have files for their sockets. Logs what memory they may take, and whether
/// files are lacking.
pub(crate) fn usable(config: &Config) -> usize {
    memory::Bound::of(config).say();
    if let Some(fault) = descriptors::fault(config.settings.slots) {
        warn!("{fault}");
    }
    descriptors::slots_that_fit(config.settings.slots)
}

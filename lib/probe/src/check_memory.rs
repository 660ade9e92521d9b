//! The memory of what a check has to hold beside the body: the site's `request` and `expect`, with what is made
//! of them, and the server's certificates.
//!
//! A row may have 128 KiB of options, and secrets of many times that; a server may show 64 KiB of certificates.
//! Most have hardly any, so each slot has room for a few, and what is longer comes out of one budget for all
//! checks.

use contract::outcome::Reason;
use contract::task::Task;

use crate::budget::Budget;
use crate::fault::Fault;
use crate::observed;

/// The memory for long options and certificates, of all checks together, in bytes.
pub(super) const BYTES: u64 = 24 << 20;
/// What is said to a check that finds too little.
const SPENT: &str =
    "the long options and certificates of other checks take all of the checker's memory for them";
/// Options of so many bytes a slot has room for.
const SHORT_BYTES: usize = 1 << 10;
/// The values of a check's secrets that a slot has room for, in bytes.
pub(super) const SHORT_SECRETS_BYTES: usize = 1 << 10;
/// A byte of options stands in so many forms at once at most: as it was read, parsed, as headers or certificates,
/// and in a configuration of TLS.
const FORMS: usize = 6;
/// Certificates of so many bytes a slot has room for.
const SHORT_CHAIN_BYTES: usize = 8 << 10;
/// A certificate stands in so many forms at once at most: as it was read, and as what was observed.
const CHAIN_FORMS: usize = 2;
/// What a slot has for short options, in bytes.
pub(super) const SLOT_BYTES: usize = FORMS * (SHORT_BYTES + SHORT_SECRETS_BYTES);
/// What a slot has for a short chain of certificates, in bytes.
pub(super) const SLOT_CHAIN_BYTES: usize = CHAIN_FORMS * SHORT_CHAIN_BYTES;

/// The memory for long options and certificates.
pub(super) fn budget() -> Budget {
    Budget::new(BYTES, SPENT)
}

/// Takes what the running check needs for its task beyond the slot's own room.
pub(super) fn take_for_task(task: &Task) -> Result<(), Fault> {
    let bytes = task.request.get().len() + task.expect.get().len();
    take(FORMS * bytes.saturating_sub(SHORT_BYTES))
}

/// Takes what it needs for values of secrets beyond that.
pub(super) fn take_for_secrets(bytes: usize) -> Result<(), Fault> {
    take(FORMS * bytes)
}

/// Takes what it needs for a server's certificates beyond that.
pub(super) fn take_for_chain(bytes: usize) -> Result<(), Fault> {
    take(CHAIN_FORMS * bytes.saturating_sub(SHORT_CHAIN_BYTES))
}

/// Takes what it needs for what a server has the next request say: a long address, cookies, or the answer to a
/// challenge.
pub(super) fn take_for_hops(bytes: usize) -> Result<(), Fault> {
    take(FORMS * bytes)
}

/// Takes so many bytes, which go back when the check ends.
fn take(bytes: usize) -> Result<(), Fault> {
    if bytes == 0 {
        return Ok(());
    }
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    let taken = observed::with(|observed| match &mut observed.options {
        Some(share) => share.take(bytes),
        None => Ok(()),
    });
    taken.map_err(|spent| Fault::here(Reason::LocalResources, spent))
}

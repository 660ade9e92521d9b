//! When sites are due, computed once more from their names alone.

use std::collections::BTreeSet;

use md5::{Digest as _, Md5};

/// `length` bits of a name's MD5, from the bit `first` on.
fn bits(name: &str, first: u32, length: u32) -> i64 {
    let hash = u128::from_be_bytes(Md5::digest(name.as_bytes()).into());
    i64::try_from(hash << first >> (128 - length)).unwrap()
}

/// The shard of a name.
pub(crate) fn shard(name: &str) -> i64 {
    bits(name, 0, 32) % 64
}

/// The due instants of a name in `(since, until]`: all that are `phase` after a whole interval.
pub(crate) fn instants(name: &str, interval_ms: i64, (since, until): (i64, i64)) -> BTreeSet<i64> {
    let phase = bits(name, 32, 60) % interval_ms;
    let intervals = since / interval_ms - 1..=until / interval_ms;
    intervals
        .map(|interval| interval * interval_ms + phase)
        .filter(|at| since < *at && *at <= until)
        .collect()
}

/// A name that begins with `prefix` and falls into a shard.
pub(crate) fn name_in(wanted: i64, prefix: &str) -> String {
    let mut names = (0..).map(|number| format!("{prefix}-{number}"));
    names.find(|name| shard(name) == wanted).unwrap()
}

//! When sites are due, computed once more from their names alone.

use std::collections::BTreeSet;

use md5::{Digest as _, Md5};

/// `length` hexadecimal digits of a name's MD5, from the digit `first` on.
fn digits(name: &str, first: usize, length: usize) -> i64 {
    let hex: String = Md5::digest(name.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    i64::from_str_radix(&hex[first..first + length], 16).unwrap()
}

/// The shard of a name.
pub(crate) fn shard(name: &str) -> i64 {
    digits(name, 0, 8) % 64
}

/// The due instants of a name in `(since, until]`: all that are `phase` after a whole interval.
pub(crate) fn instants(name: &str, interval_ms: i64, (since, until): (i64, i64)) -> BTreeSet<i64> {
    let phase = digits(name, 8, 15) % interval_ms;
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

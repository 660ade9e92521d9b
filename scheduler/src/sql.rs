//! How the scheduler's connections are set.

pub(crate) use store::sql::{POSTGRES, millis, statement};

/// Session settings of the connections that schedule. The statements are written for range scans of
/// indexes and small nested loops; the planner, which guesses the sizes of arrays, is not asked.
/// (JIT compilation cost 270 ms on a statement of 70 ms.) A scheduler that is stopped or cut off
/// loses its shards after ten seconds.
pub(crate) const TURN_SETTINGS: &[(&str, &str)] = &[
    ("jit", "off"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("idle_in_transaction_session_timeout", "10s"),
    ("tcp_user_timeout", "10s"),
];

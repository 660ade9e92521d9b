//! The database connections of a scheduler: what each is for, and how its sessions are set.

use store::Pool;

/// The connection of a turn. The statements are written for range scans of indexes and small nested loops; the
/// planner, which guesses the sizes of arrays, is not asked. (JIT compilation cost 270 ms on a statement of 70 ms.)
/// A scheduler that is stopped or cut off loses its shards after ten seconds.
pub(crate) const TURN: Pool = Pool {
    name: "webmon-scheduler turns",
    connections: 1,
    settings: &[
        ("jit", "off"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("tcp_user_timeout", "10s"),
    ],
};

/// The connection of `days`, and that of `pack`.
pub(crate) const UPKEEP: Pool = Pool {
    name: "webmon-scheduler",
    connections: 1,
    settings: &[("jit", "off")],
};

/// The connection of `reconcile`. Its statement ends with the tick that asked, or soon after the scheduler.
/// It reads rows of many sites that lie side by side, each page once, by a bitmap; the planner, which
/// guesses the sizes of arrays, would go from site to site and meet each page dozens of times.
pub(crate) const RECONCILER: Pool = Pool {
    name: "webmon-scheduler reconciler",
    connections: 1,
    settings: &[
        ("jit", "off"),
        ("enable_indexscan", "off"),
        ("enable_indexonlyscan", "off"),
        ("statement_timeout", "590s"),
        ("client_connection_check_interval", "1s"),
    ],
};

//! Which role may do what: one table for all services.
//!
//! A service that is added gets its role here. `migration grant` makes the rights of each role exactly these.

/// A role, for logins to be members of.
#[derive(Debug)]
pub(crate) struct Role {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it may do with which table or function.
    pub(crate) rights: &'static [(&'static str, &'static str)],
    /// Whether it may make temporary tables.
    pub(crate) makes_temporary: bool,
}

/// The role of schedulers, and of `apply`. It becomes the tables' owner for what needs that: the days of
/// `check_result` are dropped and packed.
pub(crate) const SCHEDULER: &str = "webmon_scheduler";

/// What tells that this is the right database. The key stays with the owner.
const IDENTITY: (&str, &str) = (
    "SELECT (id, system_identifier, database_oid)",
    "TABLE installation",
);

/// How far the schema has come.
const STEPS: (&str, &str) = ("SELECT", "TABLE seaql_migrations");

/// Having a day made. The function itself says which.
const MAKE_DAY: (&str, &str) = ("EXECUTE", "FUNCTION webmon_make_day(date)");

/// A check that was made after all replaces all of a result but its key. A statement that inserts or updates reads
/// what it writes, so it needs to read these columns, too.
const REPLACE: &str = "SELECT, INSERT, \
    UPDATE (started_at, certificate_expires_at, body_bytes, outcome, reason, dns_us, connect_us, tls_us, wait_us, \
    receive_us, total_us, status, address, detail)";

/// Every role.
pub(crate) const ROLES: &[Role] = &[
    Role {
        name: SCHEDULER,
        rights: &[
            ("SELECT, INSERT, UPDATE, DELETE", "TABLE site"),
            (
                "SELECT, UPDATE (scheduled_until, reconciled_until)",
                "TABLE schedule_shard",
            ),
            (
                "SELECT, INSERT, UPDATE (until), DELETE",
                "TABLE schedule_gap",
            ),
            ("SELECT, INSERT", "TABLE check_result"),
            IDENTITY,
            STEPS,
            MAKE_DAY,
        ],
        makes_temporary: true,
    },
    Role {
        name: "webmon_checker",
        rights: &[
            (
                "SELECT (id, name, url, timeout_ms, request, expect)",
                "TABLE site",
            ),
            (REPLACE, "TABLE check_result"),
            IDENTITY,
            STEPS,
            MAKE_DAY,
        ],
        makes_temporary: false,
    },
    Role {
        name: "webmon_reader",
        rights: &[
            ("SELECT", "TABLE site"),
            ("SELECT", "TABLE schedule_shard"),
            ("SELECT", "TABLE schedule_gap"),
            ("SELECT", "TABLE check_result"),
            IDENTITY,
            STEPS,
        ],
        makes_temporary: false,
    },
];

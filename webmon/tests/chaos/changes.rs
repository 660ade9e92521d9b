//! What people do to the sites, by SQL and with a file.

use testbed::{Crowd, Website, sites_file};

/// The sites there are at first: some 350 checks a second, a tenth of which do not end well.
pub(crate) const SITES: &[Crowd] = &[
    Crowd::new("quarter", "/ok", 250, 16),
    Crowd::new("second", "/ok", 1_000, 110),
    Crowd::new("failing", "/fail", 1_000, 15),
    Crowd::new("resetting", "/reset", 1_000, 15),
    Crowd::new("two-seconds", "/ok", 2_000, 160),
    Crowd::new("slow", "/slow/300", 2_000, 30),
    Crowd::new("five-seconds", "/ok", 5_000, 130),
    Crowd::new("ten-seconds", "/ok", 10_000, 200),
];
/// The sites of a file that is applied meanwhile.
const APPLIED: &[Crowd] = &[Crowd::new("applied", "/ok", 1_000, 20)];

/// The statements of a round, each for some sites; half of the sites are left alone.
pub(crate) fn statements(round: u64) -> Vec<String> {
    let some = |shift: u64| format!("id % 100 = {}", (round + shift) % 50);
    vec![
        format!(
            "UPDATE site SET name = 'renamed-{round}-' || id WHERE {} AND id % 3 = 0",
            some(0)
        ),
        format!(
            "UPDATE site SET interval_ms = {OTHER_INTERVAL}, timeout_ms = least(timeout_ms, {OTHER_INTERVAL})
             WHERE {} AND id % 3 = 1",
            some(0)
        ),
        format!(
            "UPDATE site SET enabled = false WHERE {} AND id % 3 = 2",
            some(0)
        ),
        format!(
            "UPDATE site SET enabled = true WHERE {} AND NOT enabled",
            some(46)
        ),
        format!("UPDATE site SET check_at = now() WHERE {}", some(20)),
        format!(
            "DELETE FROM site WHERE {} AND id / 100 % 4 = {}",
            some(30),
            round % 4
        ),
        format!(
            "INSERT INTO site (name, url, interval_ms, timeout_ms)
             SELECT 'added-{round}-' || id, url, interval_ms, timeout_ms FROM site
             WHERE {} AND id / 100 % 2 = {}",
            some(40),
            round % 2
        ),
    ]
}

/// Shorter intervals doubled, longer ones halved.
const OTHER_INTERVAL: &str =
    "CASE WHEN interval_ms < 2000 THEN interval_ms * 2 ELSE interval_ms / 2 END";

/// The statements of a transaction that stays open.
pub(crate) fn slow_statements(round: u64) -> Vec<String> {
    let some = |shift: u64| format!("id % 100 = {}", 50 + (round + shift) % 20);
    vec![
        format!(
            "UPDATE site SET interval_ms = {OTHER_INTERVAL}, timeout_ms = least(timeout_ms, {OTHER_INTERVAL})
             WHERE {}",
            some(0)
        ),
        format!(
            "UPDATE site SET name = 'slowly-{round}-' || id WHERE {}",
            some(1)
        ),
        format!("UPDATE site SET enabled = NOT enabled WHERE {}", some(2)),
        format!(
            "INSERT INTO site (name, url, interval_ms, timeout_ms)
             SELECT 'slowly-added-{round}-' || id, url, interval_ms, timeout_ms FROM site WHERE {} AND id / 100 % 2 = 0",
            some(3)
        ),
    ]
}

/// A sites file with new sites, and some of the last one's with another interval.
pub(crate) fn file(round: u64, website: &Website) -> String {
    let file = sites_file(APPLIED, website);
    file.replacen(
        "interval: 1000ms",
        &format!("interval: {}s", 1 + round % 5),
        7,
    )
}

/// Days of `check_result` are made that are too old to stay, and one ahead is dropped: the
/// schedulers put both right.
pub(crate) const DAYS: [&str; 3] = [
    "SELECT webmon_attach_day((now() AT TIME ZONE 'UTC')::date - 40)",
    "SELECT webmon_attach_day((now() AT TIME ZONE 'UTC')::date - 41)",
    "DO $$ BEGIN
        SET LOCAL lock_timeout = '200ms';
        EXECUTE 'DROP TABLE IF EXISTS check_result_' || to_char((now() AT TIME ZONE 'UTC')::date + 2, 'YYYYMMDD');
     END $$",
];

/// All results, and a lock on each of their days, for as long as the transaction is open.
pub(crate) const READ_ALL: [&str; 2] = [
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SELECT count(detail) FROM check_result",
];

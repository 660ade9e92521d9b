//! The statements of apply and export: the file's sites compared with the table `site`.
//!
//! An apply sends the sites to a temporary table first.

use sea_orm::{FromQueryResult, Statement, Value};

use crate::sql::statement;

/// A site as the database shall have it, in the columns that a sites file sets.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Site {
    /// What people call it; unique.
    pub name: String,
    /// What to probe, as written.
    pub url: String,
    /// The time between two checks, in milliseconds.
    pub interval_ms: i32,
    /// The time for one check, in milliseconds.
    pub timeout_ms: i32,
    /// Whether it is checked at all.
    pub enabled: bool,
    /// Words for people to sort sites by, as JSON text.
    pub labels: String,
    /// How to ask, as JSON text.
    pub request: String,
    /// What a healthy site answers, as JSON text.
    pub expect: String,
}

/// The advisory lock of an apply: two at once would wait for each other's rows in different orders.
const LOCK: i64 = i64::from_be_bytes(*b"wm-apply");

/// The temporary table of the file's sites. Compiling the statements that follow costs more than they do.
pub const PREPARE: &str = "
    SET LOCAL jit = off;
    CREATE TEMPORARY TABLE webmon_apply (
        name text NOT NULL, url text NOT NULL, interval_ms int NOT NULL, timeout_ms int NOT NULL,
        enabled bool NOT NULL, labels jsonb NOT NULL, request jsonb NOT NULL, expect jsonb NOT NULL
    ) ON COMMIT DROP";

/// One chunk of them.
const STAGE: &str = "
    INSERT INTO webmon_apply
    SELECT name, url, interval_ms, timeout_ms, enabled, labels::jsonb, request::jsonb, expect::jsonb
    FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::bool[], $6::text[], $7::text[], $8::text[])
         AS file (name, url, interval_ms, timeout_ms, enabled, labels, request, expect)";

/// Sites that are new; they are checked at once.
pub const CREATE: &str = "
    INSERT INTO site (name, url, interval_ms, timeout_ms, enabled, labels, request, expect, check_at)
    SELECT name, url, interval_ms, timeout_ms, enabled, labels, request, expect, now()
    FROM webmon_apply file
    WHERE NOT EXISTS (SELECT FROM site WHERE site.name = file.name)
    RETURNING site.name";

/// Sites that differ. A change of what is checked, or when, is checked at once; one of words is not.
pub const CHANGE: &str = "
    UPDATE site
    SET url = file.url, interval_ms = file.interval_ms, timeout_ms = file.timeout_ms,
        enabled = file.enabled, labels = file.labels, request = file.request, expect = file.expect,
        check_at = CASE
            WHEN (site.url, site.interval_ms, site.timeout_ms, site.enabled, site.request, site.expect)
                IS DISTINCT FROM
                (file.url, file.interval_ms, file.timeout_ms, file.enabled, file.request, file.expect)
            THEN now() ELSE site.check_at END
    FROM webmon_apply file
    WHERE file.name = site.name
      AND (site.url, site.interval_ms, site.timeout_ms, site.enabled, site.labels, site.request, site.expect)
          IS DISTINCT FROM
          (file.url, file.interval_ms, file.timeout_ms, file.enabled, file.labels, file.request, file.expect)
    RETURNING site.name";

/// Sites that the file does not name.
pub const REMOVE: &str = "
    DELETE FROM site
    WHERE NOT EXISTS (SELECT FROM webmon_apply file WHERE file.name = site.name)
    RETURNING site.name";

/// How many the file does not name.
const COUNT_OTHERS: &str = "
    SELECT count(*) FROM site
    WHERE NOT EXISTS (SELECT FROM webmon_apply file WHERE file.name = site.name)";

/// How many of a chunk are new or differ, and the first of their names. Compiling it costs more than it does.
const COMPARE: &str = "
    WITH compared AS (
        SELECT file.name, CASE
            WHEN site.name IS NULL THEN 'created'
            WHEN (site.url, site.interval_ms, site.timeout_ms, site.enabled, site.labels, site.request, site.expect)
                IS DISTINCT FROM (file.url, file.interval_ms, file.timeout_ms, file.enabled,
                    file.labels::jsonb, file.request::jsonb, file.expect::jsonb)
            THEN 'changed' END AS change
        FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::bool[], $6::text[], $7::text[], $8::text[])
            AS file (name, url, interval_ms, timeout_ms, enabled, labels, request, expect)
        LEFT JOIN site ON site.name = file.name
    )
    SELECT change, count(*), (array_agg(name ORDER BY name))[:$9] FROM compared
    WHERE change IS NOT NULL GROUP BY change";

/// Every site of the table.
const NAMES: &str = "SELECT name FROM site ORDER BY name";

/// All sites. JSON is read as text and passed through, so that numbers keep all their digits.
const ALL: &str = "
    SELECT name, url, interval_ms, timeout_ms, enabled,
           labels::text AS labels, request::text AS request, expect::text AS expect
    FROM site ORDER BY name";

/// Takes the lock of an apply until the end of the transaction, if it is free: returns whether it was.
pub fn try_lock() -> Statement {
    statement("SELECT pg_try_advisory_xact_lock($1)", [LOCK.into()])
}

/// Waits for the lock of an apply.
pub fn lock() -> Statement {
    statement("SELECT pg_advisory_xact_lock($1)", [LOCK.into()])
}

/// Lets the planner know the temporary table.
pub const ANALYZE: &str = "ANALYZE webmon_apply";

/// Sends a chunk of the file's sites to the temporary table.
pub fn stage(sites: &[Site]) -> Statement {
    statement(STAGE, columns(sites))
}

/// Runs [`CREATE`], [`CHANGE`] or [`REMOVE`]. Returns one row: how many sites it touched, and their names, if they
/// are at most `listed`.
pub fn touch(sql: &str, listed: u64) -> Statement {
    let sql = format!(
        "WITH touched AS ({sql})
         SELECT count(*), CASE WHEN count(*) <= {listed} THEN array_agg(name ORDER BY name) END
         FROM touched"
    );
    statement(&sql, [])
}

/// Counts the sites of the table that the file does not name.
pub fn count_others() -> Statement {
    statement(COUNT_OTHERS, [])
}

/// Compares a chunk with the table. Returns a row for `created` and one for `changed`: how many, and at most `most` of
/// their names.
pub fn compare(sites: &[Site], most: i32) -> Statement {
    let [
        name,
        url,
        interval_ms,
        timeout_ms,
        enabled,
        labels,
        request,
        expect,
    ] = columns(sites);
    let values = [
        name,
        url,
        interval_ms,
        timeout_ms,
        enabled,
        labels,
        request,
        expect,
        most.into(),
    ];
    statement(COMPARE, values)
}

/// Reads the name of every site.
pub fn names() -> Statement {
    statement(NAMES, [])
}

/// Reads every site, as a [`Site`].
pub fn all() -> Statement {
    statement(ALL, [])
}

/// The sites as one array per column, in the order of [`STAGE`].
fn columns(sites: &[Site]) -> [Value; 8] {
    let texts = |of: fn(&Site) -> &String| -> Value {
        sites.iter().map(of).cloned().collect::<Vec<_>>().into()
    };
    let numbers =
        |of: fn(&Site) -> i32| -> Value { sites.iter().map(of).collect::<Vec<_>>().into() };
    [
        texts(|site| &site.name),
        texts(|site| &site.url),
        numbers(|site| site.interval_ms),
        numbers(|site| site.timeout_ms),
        sites
            .iter()
            .map(|site| site.enabled)
            .collect::<Vec<_>>()
            .into(),
        texts(|site| &site.labels),
        texts(|site| &site.request),
        texts(|site| &site.expect),
    ]
}

//! The plans of the two statements of a turn: whatever is known of the table, it is never scanned.

use std::{collections::BTreeSet, fmt::Display, time::Duration};

use runtime::config::Secret;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use serde_json::Value;
use store::config::DatabaseConfig;
use store::{
    schedule_shard::Shard,
    site::{DUE, INTERVALS},
};

use super::*;
use crate::connections::TURN;

/// An instant in November 2026.
const NOW: i64 = 1_795_449_610_000;
/// What the sites of a full table are checked at.
const MANY_INTERVALS: &str =
    "(ARRAY[1000, 5000, 10000, 30000, 60000, 300000, 86400000])[1 + n % 7]";

/// A database with so many sites, of which nothing was told to the planner yet; every hundredth is to
/// be checked once more.
async fn sites(count: u32) -> (testbed::Database, DatabaseConnection) {
    let bed = testbed::Database::migrated().await;
    let url = Secret::new(bed.url());
    let database = store::connect(&DatabaseConfig { url }, TURN).await.unwrap();
    let insert = format!(
        "ALTER TABLE site SET (autovacuum_enabled = off);
         INSERT INTO site (name, url, interval_ms, timeout_ms, check_at)
         SELECT 'site-' || n, 'http://127.0.0.1/' || n, {MANY_INTERVALS}, 1000,
             CASE WHEN n % 100 = 0 THEN now() END
         FROM generate_series(1, {count}) AS n"
    );
    database.execute_unprepared(&insert).await.unwrap();
    (bed, database)
}

/// Windows of these shards that start so many milliseconds ago and end two seconds ahead.
async fn windows(database: &DatabaseConnection, shards: i16, behind: i64) -> Windows {
    let shards = (0..shards).map(|id| Shard {
        id,
        scheduled_until: UnixMs(NOW - behind),
    });
    let claim = Claim {
        shards: shards.collect(),
        now: UnixMs(NOW),
        until: UnixMs(NOW) + Duration::from_secs(2),
    };
    Windows::read(database, &claim).await.unwrap()
}

/// An array as SQL writes it.
fn array<T: Display>(kind: &str, items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    format!("'{{{}}}'::{kind}[]", items.join(","))
}

/// The arguments of [`DUE`] for these windows.
fn due_arguments(windows: &Windows) -> String {
    let ranges = windows.phase_ranges();
    [
        array("smallint", ranges.iter().map(|range| range.shard)),
        array("int", ranges.iter().map(|range| range.interval_ms)),
        array("int", ranges.iter().map(|range| range.first)),
        array("int", ranges.iter().map(|range| range.last)),
        array("smallint", windows.since.keys()),
        array("bigint", windows.since.values()),
        windows.until.to_string(),
    ]
    .join(", ")
}

/// The plan of a prepared statement: with its arguments known, and as it is once it is kept.
async fn plans(
    database: &DatabaseConnection,
    sql: &str,
    types: &str,
    arguments: &str,
) -> [Value; 2] {
    let prepare = format!("PREPARE planned ({types}) AS {sql}");
    database.execute_unprepared(&prepare).await.unwrap();
    let mut plans = [Value::Null, Value::Null];
    for (mode, plan) in ["force_custom_plan", "force_generic_plan"]
        .iter()
        .zip(&mut plans)
    {
        let mode = format!("SET plan_cache_mode = {mode}");
        database.execute_unprepared(&mode).await.unwrap();
        let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE planned ({arguments})");
        let explain = Statement::from_string(DbBackend::Postgres, explain);
        let row = database.query_one_raw(explain).await.unwrap().unwrap();
        *plan = row.try_get_by_index(0).unwrap();
    }
    let end = "DEALLOCATE planned; RESET plan_cache_mode";
    database.execute_unprepared(end).await.unwrap();
    plans
}

/// Every node of a plan.
fn nodes(plan: &Value) -> Vec<&Value> {
    let own = plan.get("Node Type").map(|_| plan);
    let inner: Vec<&Value> = match plan {
        Value::Array(items) => items.iter().collect(),
        Value::Object(entries) => entries.values().collect(),
        _ => Vec::new(),
    };
    own.into_iter()
        .chain(inner.into_iter().flat_map(nodes))
        .collect()
}

/// The indexes of a plan, with the columns by which it looks for rows there: by these, within one
/// shard each, and by nothing else it must read `site`.
fn lookups(plan: &Value) -> BTreeSet<(&str, Vec<&'static str>)> {
    let text = |node: &&'_ Value, key| node.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut lookups = BTreeSet::new();
    for node in nodes(plan) {
        let kind = text(&node, "Node Type").unwrap();
        let by_index = ["Index Scan", "Index Only Scan", "Bitmap Heap Scan"].contains(&&*kind);
        let is_table = node.get("Relation Name").is_some();
        assert!(by_index || !is_table, "{kind} of a table in\n{plan:#}");
        if let Some(index) = node.get("Index Name").and_then(Value::as_str) {
            let condition = text(&node, "Index Cond").unwrap_or_default();
            assert!(
                condition.contains("shard"),
                "all of {index} is read in\n{plan:#}"
            );
            let columns = ["interval_ms", "phase_ms", "check_at"];
            let columns = columns
                .into_iter()
                .filter(|column| condition.contains(column));
            lookups.insert((index, columns.collect()));
        }
    }
    lookups
}

/// Looks at both statements for narrow and for full windows.
async fn assert_read_by_indexes(database: &DatabaseConnection, count: u32) {
    // From a turn of a lone shard on time to one of all shards after a week.
    for (shards, behind) in [
        (1, -1_000),
        (8, -1_000),
        (64, -1_000),
        (64, 60_000),
        (64, 604_800_000),
    ] {
        let windows = windows(database, shards, behind).await;
        let claimed = array("smallint", 0..shards);
        for plan in plans(database, INTERVALS, "smallint[]", &claimed).await {
            let hops = [("site_due", vec!["interval_ms"])].into();
            assert_eq!(lookups(&plan), hops, "{plan:#}");
        }
        let types = "smallint[], int[], int[], int[], smallint[], bigint[], bigint";
        for plan in plans(database, DUE, types, &due_arguments(&windows)).await {
            let found = lookups(&plan);
            let regular = ("site_due", vec!["interval_ms", "phase_ms"]);
            assert!(found.contains(&regular), "{found:?} in\n{plan:#}");
            // Of a handful of sites any index of the shard is as good.
            let extra = ("site_check_at", vec!["check_at"]);
            assert!(
                count < 1_000 || found == [extra, regular].into(),
                "{found:?} in\n{plan:#}"
            );
        }
    }
}

/// Whatever the planner knows: nothing, or what is true.
async fn assert_never_scanned(count: u32) {
    let (_bed, database) = sites(count).await;
    assert_read_by_indexes(&database, count).await;
    database.execute_unprepared("ANALYZE site").await.unwrap();
    assert_read_by_indexes(&database, count).await;
}

#[tokio::test]
async fn a_hundred_sites_are_never_scanned() {
    assert_never_scanned(100).await;
}

#[tokio::test]
async fn two_hundred_thousand_sites_are_never_scanned() {
    assert_never_scanned(200_000).await;
}

//! Each SQL query runs, and gives its panel what it shows.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, JsonValue, QueryResult,
    Statement, TransactionTrait as _,
};
use testbed::Database;

use crate::{dashboard, panels, targets, text};

/// The first id that PostgreSQL gives to a type that is not its own.
const FIRST_OTHER_TYPE: i64 = 16_384;

/// A site that went down four minutes ago, one that is up, one that was never checked, and one that is
/// disabled; and a shard that was not scheduled for a while.
const HISTORY: &str = "
SELECT webmon_make_day((now() AT TIME ZONE 'UTC')::date - days) FROM generate_series(0, 1) AS days;
INSERT INTO site (name, url, interval_ms, timeout_ms, enabled) VALUES
    ('O''Brien', 'https://a.example/', 60000, 10000, true),
    ('up', 'https://b.example/', 60000, 10000, true),
    ('new', 'https://c.example/', 60000, 10000, true),
    ('disabled', 'https://d.example/', 60000, 10000, false);
INSERT INTO check_result (site_id, scheduled_at, outcome, reason, dns_us, connect_us, tls_us, wait_us,
    receive_us, total_us, certificate_expires_at)
SELECT site.id, now() - minutes * interval '1 minute', verdict.outcome, verdict.reason, 1, 2, 3, 4, 5, 15,
    now() + interval '10 days'
FROM site, generate_series(1, 9) AS minutes, LATERAL (SELECT
    CASE WHEN name = 'O''Brien' AND minutes < 5 THEN 'down' ELSE 'up' END::check_outcome AS outcome,
    CASE WHEN name = 'O''Brien' AND minutes < 5 THEN 'status' END::check_reason AS reason) AS verdict
WHERE name <> 'new';
INSERT INTO check_result (site_id, scheduled_at, outcome, reason)
SELECT id, now() - interval '30 seconds', 'missed', 'late' FROM site WHERE name <> 'new';
INSERT INTO schedule_gap (shard, since, until)
VALUES (1, now() - interval '3 minutes', now() - interval '2 minutes');
";

#[tokio::test]
async fn every_query_gives_its_panel_what_it_shows_also_to_a_role_that_only_reads() {
    let database = Database::granted().await;
    let connection = sea_orm::Database::connect(database.superuser())
        .await
        .unwrap();
    connection.execute_unprepared(HISTORY).await.unwrap();
    let dashboard = dashboard();
    let mut rows = BTreeMap::new();
    for panel in panels(&dashboard) {
        let title = text(&panel["title"]);
        for target in sql_targets(panel) {
            let shown = Shown::by(&connection, text(&target["rawSql"])).await;
            assert!(shown.rows > 0, "{title}: no rows");
            let own = shown
                .columns
                .values()
                .all(|type_of| *type_of < FIRST_OTHER_TYPE);
            assert!(
                own,
                "{title}: a type that Grafana does not know; cast it to text"
            );
            for column in columns_named(panel, target) {
                assert!(
                    shown.columns.contains_key(column),
                    "{title}: no column {column}"
                );
            }
            rows.insert(title, shown.first);
        }
    }
    let first = |title: &str| rows.get(title).unwrap().clone();
    let verdicts = r#"{"down":1,"degraded":0,"inconclusive":0,"not checked":1,"up":1}"#;
    assert_eq!(
        first("Sites by verdict"),
        verdicts.parse::<JsonValue>().unwrap()
    );
    let worst = first("Sites, the worst first");
    assert_eq!([&worst["site"], &worst["verdict"]], ["O'Brien", "down"]);
    assert_eq!(worst["since"], first("Changes of verdict")["time"]);
    assert_eq!(first("Not scheduled")["longest"], 60.0);

    let variable = &dashboard["templating"]["list"][0];
    let names = Shown::by(&connection, text(&variable["query"])).await;
    assert_eq!((names.rows, names.columns.len()), (4, 1));
}

/// What a query gives.
struct Shown {
    /// The ids of the columns' types, by name.
    columns: BTreeMap<String, i64>,
    /// How many rows.
    rows: i64,
    /// The first one, by column.
    first: JsonValue,
}

impl Shown {
    /// Asks as Grafana does, in the role that compose gives it.
    async fn by(connection: &DatabaseConnection, sql: &str) -> Self {
        let transaction = connection.begin().await.unwrap();
        let view = format!(
            "SET LOCAL ROLE webmon_reader; CREATE TEMPORARY VIEW shown AS {}",
            as_grafana_sends(sql)
        );
        transaction.execute_unprepared(&view).await.expect(&view);
        let columns = "SELECT attname::text, atttypid::bigint FROM pg_attribute
            WHERE attrelid = 'shown'::regclass AND attnum > 0";
        let columns = ask(&transaction, columns).await;
        let columns = columns.iter().map(|row| {
            let name = row.try_get_by_index(0).unwrap();
            (name, row.try_get_by_index(1).unwrap())
        });
        let rows = "SELECT count(*) OVER (), to_jsonb(shown) FROM shown LIMIT 1";
        let rows = ask(&transaction, rows).await;
        Self {
            columns: columns.collect(),
            rows: rows
                .first()
                .map_or(0, |row| row.try_get_by_index(0).unwrap()),
            first: rows
                .first()
                .map_or(JsonValue::Null, |row| row.try_get_by_index(1).unwrap()),
        }
    }
}

/// The rows of a statement.
async fn ask(transaction: &DatabaseTransaction, sql: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(transaction.get_database_backend(), sql);
    transaction.query_all_raw(statement).await.expect(sql)
}

/// A query with Grafana's macros and variables replaced, for a time range of the last hour.
fn as_grafana_sends(sql: &str) -> String {
    let now = Utc::now();
    let edge = |at: DateTime<Utc>| format!("'{}'", at.to_rfc3339_opts(SecondsFormat::Nanos, true));
    let (from, to) = (edge(now - TimeDelta::hours(1)), edge(now));
    let mut sent = sql
        .replace("$__timeFrom()", &from)
        .replace("$__timeTo()", &to)
        .replace("$__interval", "10s")
        .replace("$__searchFilter", "%")
        .replace("$site", "O''Brien");
    while let Some((before, rest)) = sent.split_once("$__timeFilter(") {
        let (column, after) = rest.split_once(')').unwrap();
        sent = format!("{before}{column} BETWEEN {from} AND {to}{after}");
    }
    assert!(!sent.contains('$'), "an unknown macro or variable: {sent}");
    sent
}

/// The columns that a panel counts on.
fn columns_named<'a>(panel: &'a JsonValue, target: &'a JsonValue) -> Vec<&'a str> {
    let overrides = panel["fieldConfig"]["overrides"].as_array().unwrap().iter();
    let matchers = overrides.map(|entry| &entry["matcher"]);
    let mut columns: Vec<_> = matchers
        .flat_map(|matcher| {
            let options = text(&matcher["options"]);
            match text(&matcher["id"]) {
                "byName" => vec![options],
                // Of the form /^(one|other)$/.
                _ => options
                    .trim_matches(['/', '^', '(', ')', '$'])
                    .split('|')
                    .collect(),
            }
        })
        .collect();
    let over_time = target["format"] == "time_series" || panel["type"] == "state-timeline";
    columns.extend(over_time.then_some("time"));
    columns
}

/// Those that go to PostgreSQL.
fn sql_targets(panel: &JsonValue) -> impl Iterator<Item = &JsonValue> {
    targets(panel).filter(|target| target["rawSql"].is_string())
}

//! What `apply` and `export` do to a real database.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::io::Write as _;

use color_eyre::eyre;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, Statement, TransactionTrait as _,
};
use sites::{BadFile, Options, Progress, Summary, apply, export};

/// A file of two sites, `a` and `b`.
const TWO: &str = "sites:\n- {name: a, url: 'http://a/'}\n- {name: b, url: 'http://b/'}\n";
/// Applied for real, and nothing removed.
const PLAIN: Options = Options {
    prune: false,
    dry_run: false,
};
/// Applied for real, and what is not in the file removed.
const PRUNE: Options = Options {
    prune: true,
    dry_run: false,
};
/// Everything, and all of it taken back.
const DRY_RUN: Options = Options {
    prune: true,
    dry_run: true,
};

/// Applies a file that holds `yaml`.
async fn apply_yaml(
    database: &DatabaseConnection,
    yaml: impl AsRef<[u8]>,
    options: Options,
) -> eyre::Result<Summary> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(yaml.as_ref()).unwrap();
    apply(database, file.path(), options, |_| {}).await
}

/// The first column of every row, as text.
async fn column(database: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = database
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

/// Every row as it is, the columns that never stay the same included.
async fn rows(database: &DatabaseConnection) -> Vec<String> {
    column(
        database,
        "SELECT site::text || xmin FROM site ORDER BY name",
    )
    .await
}

/// Makes rows look as if they had been there, and scheduled, for long.
async fn age(database: &DatabaseConnection) {
    let sql = "UPDATE site SET check_at = NULL, scheduled_from = NULL;
               UPDATE site SET scheduled_from = '2026-01-01', updated_at = '2026-01-01'";
    database.execute_unprepared(sql).await.unwrap();
}

/// What an export of the database holds.
async fn exported(database: &DatabaseConnection) -> String {
    let mut file = Vec::new();
    export(database, &mut file).await.unwrap();
    String::from_utf8(file).unwrap()
}

#[tokio::test]
async fn a_new_site_is_stored_as_written_and_checked_at_once() {
    let testbed = testbed::Database::migrated().await;
    let database = &testbed.connect().await;
    let yaml = r"
defaults: {labels: {team: web}}
sites:
  - name: shop
    url: https://SHOP.example/$${PATH}
    interval: 5s
    enabled: false
    request: {method: HEAD}
    expect: {status: [200]}
";
    let summary = apply_yaml(database, yaml, PLAIN).await.unwrap();
    assert_eq!(
        summary.to_string(),
        "created 1, changed 0, left alone 0, removed 0\n  created: shop"
    );
    let stored =
        "SELECT concat_ws(' ', name, url, interval_ms, timeout_ms, enabled, labels, request,
                         expect, now() - check_at < '10 s', scheduled_from IS NULL) FROM site";
    assert_eq!(
        column(database, stored).await,
        [
            r#"shop https://SHOP.example/${PATH} 5000 5000 f {"team": "web"} {"method": "HEAD"} {"status": [200]} t t"#
        ]
    );
}

#[tokio::test]
async fn the_same_file_again_changes_nothing_and_says_so() {
    let testbed = testbed::Database::migrated().await;
    let database = &testbed.connect().await;
    apply_yaml(database, TWO, PLAIN).await.unwrap();
    let before = rows(database).await;
    for options in [PLAIN, PRUNE, DRY_RUN] {
        let summary = apply_yaml(database, TWO, options).await.unwrap();
        assert_eq!(
            summary.to_string(),
            "nothing to change: created 0, changed 0, left alone 2, removed 0"
        );
    }
    assert_eq!(rows(database).await, before);
}

#[tokio::test]
async fn a_change_of_the_check_is_checked_at_once_and_one_of_labels_is_not() {
    let testbed = testbed::Database::migrated().await;
    let database = &testbed.connect().await;
    for (key, at_once) in [
        ("url: 'http://b/'", true),
        ("interval: 2m", true),
        ("timeout: 3s", true),
        ("enabled: false", true),
        ("request: {method: HEAD}", true),
        ("expect: {status: [204]}", true),
        ("labels: {team: web}", false),
    ] {
        let own = if key.starts_with("url") {
            ""
        } else {
            ", url: 'http://a/'"
        };
        apply_yaml(database, TWO, PRUNE).await.unwrap();
        age(database).await;
        let b = column(
            database,
            "SELECT site::text || xmin FROM site WHERE name = 'b'",
        )
        .await;
        let yaml = format!("sites:\n- {{name: a, {key}{own}}}\n- {{name: b, url: 'http://b/'}}\n");
        let summary = apply_yaml(database, yaml, PLAIN).await.unwrap();
        assert_eq!(
            summary.to_string(),
            "created 0, changed 1, left alone 1, removed 0\n  changed: a",
            "{key}"
        );
        let checked = "SELECT name FROM site WHERE check_at IS NOT NULL AND scheduled_from IS NULL";
        let changed = "SELECT name FROM site WHERE updated_at > '2026-01-01'";
        let expected: &[&str] = if at_once { &["a"] } else { &[] };
        assert_eq!(column(database, checked).await, expected, "{key}");
        assert_eq!(column(database, changed).await, ["a"], "{key}");
        let after = column(
            database,
            "SELECT site::text || xmin FROM site WHERE name = 'b'",
        )
        .await;
        assert_eq!(after, b, "{key}");
    }
}

#[tokio::test]
async fn what_the_file_does_not_name_stays_until_it_is_pruned() {
    let testbed = testbed::Database::migrated().await;
    let database = &testbed.connect().await;
    apply_yaml(database, TWO, PLAIN).await.unwrap();
    let one = "sites: [{name: a, url: 'http://a/'}]";
    assert_eq!(
        apply_yaml(database, one, PLAIN).await.unwrap().to_string(),
        "nothing to change: created 0, changed 0, left alone 1, removed 0\n  \
         1 site is not in the file and stays; --prune removes it"
    );
    assert_eq!(
        apply_yaml(database, one, PRUNE).await.unwrap().to_string(),
        "created 0, changed 0, left alone 1, removed 1\n  removed: b"
    );
    assert_eq!(column(database, "SELECT name FROM site").await, ["a"]);
}

#[tokio::test]
async fn a_bad_file_changes_nothing() {
    let testbed = testbed::Database::migrated().await;
    let database = &testbed.connect().await;
    apply_yaml(database, TWO, PLAIN).await.unwrap();
    let before = rows(database).await;
    for yaml in [
        "sites: [{name: c, url: 'http://c/'}, {name: d}]",
        "sites: [",
        "sites: [{name: c, url: 'http://c/'}, {name: c, url: 'http://d/'}]",
    ] {
        let error = apply_yaml(database, yaml, PRUNE).await.unwrap_err();
        assert!(error.downcast_ref::<BadFile>().is_some(), "{error:?}");
    }
    assert_eq!(rows(database).await, before);
}

#[tokio::test]
async fn a_dry_run_tells_all_and_changes_nothing() {
    let testbed = testbed::Database::migrated().await;
    let database = &testbed.connect().await;
    apply_yaml(database, TWO, PLAIN).await.unwrap();
    let before = rows(database).await;
    let yaml = "sites: [{name: a, url: 'http://z/'}, {name: c, url: 'http://c/'}]";
    assert_eq!(
        apply_yaml(database, yaml, DRY_RUN)
            .await
            .unwrap()
            .to_string(),
        "dry run, nothing was written: created 1, changed 1, left alone 0, removed 1\n  \
         created: c\n  changed: a\n  removed: b"
    );
    assert_eq!(rows(database).await, before);
}

#[tokio::test]
async fn a_row_that_the_database_refuses_is_named_and_nothing_is_half_applied() {
    let testbed = testbed::Database::migrated().await;
    let database = &testbed.connect().await;
    let rule = "ALTER TABLE site ADD CONSTRAINT no_b CHECK (url <> 'http://b/')";
    database.execute_unprepared(rule).await.unwrap();
    let error = apply_yaml(database, TWO, PLAIN).await.unwrap_err();
    assert!(error.downcast_ref::<BadFile>().is_none());
    let text = format!("{error:#}");
    assert!(text.starts_with("cannot create sites: "), "{text}");
    assert!(
        text.contains("no_b") && text.contains(", b, http://b/, "),
        "{text}"
    );
    assert!(rows(database).await.is_empty());
}

#[tokio::test]
async fn two_applies_at_once_follow_one_another() {
    let testbed = testbed::Database::migrated().await;
    let database = &testbed.connect().await;
    let yaml = |path: &str, order: &mut dyn Iterator<Item = u32>| {
        order.fold("sites:\n".to_owned(), |yaml, n| {
            yaml + &format!("- {{name: s{n}, url: 'http://a/{path}'}}\n")
        })
    };
    let (up, down) = (
        yaml("up", &mut (0..1_000)),
        yaml("down", &mut (0..1_000).rev()),
    );
    apply_yaml(database, "sites: []", PLAIN).await.unwrap();
    let (up, down) = tokio::join!(
        apply_yaml(database, &up, PLAIN),
        apply_yaml(database, &down, PLAIN)
    );
    let (up, down) = (up.unwrap(), down.unwrap());
    assert_eq!(up.created.count + down.created.count, 1_000);
    assert_eq!(up.changed.count + down.changed.count, 1_000);
    let urls = "SELECT DISTINCT url FROM site";
    assert_eq!(column(database, urls).await.len(), 1);
}

#[tokio::test]
async fn an_apply_that_waits_for_another_says_so() {
    let testbed = testbed::Database::migrated().await;
    let database = &testbed.connect().await;
    let other = database.begin().await.unwrap();
    let lock = format!(
        "SELECT pg_advisory_xact_lock({})",
        i64::from_be_bytes(*b"wm-apply")
    );
    other.execute_unprepared(&lock).await.unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(TWO.as_bytes()).unwrap();
    let (say, mut said) = tokio::sync::mpsc::channel(8);
    let (summary, ()) = tokio::join!(
        apply(database, file.path(), PLAIN, |progress| say
            .try_send(progress)
            .unwrap()),
        async {
            assert_eq!(said.recv().await, Some(Progress::Reading));
            assert_eq!(said.recv().await, Some(Progress::Read { sites: 2 }));
            assert_eq!(said.recv().await, Some(Progress::Waiting));
            other.rollback().await.unwrap();
        }
    );
    assert_eq!(summary.unwrap().created.count, 2);
}

#[tokio::test]
async fn an_export_applies_to_the_same_sites() {
    let testbed = testbed::Database::migrated().await;
    let database = &testbed.connect().await;
    assert_eq!(exported(database).await.lines().last(), Some("sites: []"));
    let odd = r#"INSERT INTO site (name, url, interval_ms, timeout_ms, enabled, labels, request, expect) VALUES
        ('plain', 'https://plain.example/', 60000, 10000, true, '{}', '{}', '{}'),
        ('quick', 'https://a.example/?q=1&r=%20#f', 100, 100, true, '{}', '{}', '{}'),
        (E'no: "b"\n \t\u007f\u0085\u2028\ufeff é🦀', 'http://a/', 86400000, 600000, false,
         E'{"a": null, "b": [1, 1.5, -0.001, 1e300, 0.10, 12345678901234567890123, true], "": {"x: y": "\u007f \u2028 \\u0001 \\\\ é"}}',
         '{"method": "HEAD", "headers": {"accept": "*/*"}}', '{"status": [200, "3xx"], "max_time": "2s"}'),
        ('true', 'http://a/', 90000, 1, true, '{"on": "yes", "1": "2", "~": "~"}', '{}', '{}')"#;
    database.execute_unprepared(odd).await.unwrap();
    let before = rows(database).await;
    let file = exported(database).await;
    assert_eq!(
        apply_yaml(database, &file, PRUNE)
            .await
            .unwrap()
            .to_string(),
        "nothing to change: created 0, changed 0, left alone 4, removed 0",
        "{file}"
    );
    assert_eq!(rows(database).await, before);

    let all = "SELECT concat_ws('|', name, url, interval_ms, timeout_ms, enabled, labels, request, expect)
               FROM site ORDER BY name";
    let before = column(database, all).await;
    apply_yaml(database, "sites: []", PRUNE).await.unwrap();
    assert!(rows(database).await.is_empty());
    apply_yaml(database, &file, PLAIN).await.unwrap();
    assert_eq!(column(database, all).await, before);
    assert_eq!(exported(database).await, file);
}

#[tokio::test]
async fn five_thousand_sites_and_more_go_in_chunks() {
    let testbed = testbed::Database::migrated().await;
    let database = &testbed.connect().await;
    let yaml = (0..5_001).fold("sites:\n".to_owned(), |yaml, n| {
        yaml + &format!("- {{name: site {n}, url: 'https://{n}.example/', interval: 30s}}\n")
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(yaml.as_bytes()).unwrap();
    let mut said = Vec::new();
    let summary = apply(database, file.path(), PLAIN, |progress| {
        said.push(progress.to_string());
    })
    .await
    .unwrap();
    assert_eq!(
        summary.to_string(),
        "created 5001, changed 0, left alone 0, removed 0"
    );
    assert_eq!(
        said,
        [
            "reading the sites file",
            "read 5001 sites",
            "sent 5000 of 5001 sites",
            "sent 5001 of 5001 sites",
            "comparing with the sites of the database"
        ]
    );
    let again = apply_yaml(database, yaml, PLAIN).await.unwrap();
    assert!(again.is_empty() && again.unchanged == 5_001, "{again}");
}

#[tokio::test]
async fn one_odd_row_does_not_make_the_export_useless() {
    let testbed = testbed::Database::migrated().await;
    let database = &testbed.connect().await;
    let deep = |levels: usize| format!("[{}{}]", "[".repeat(levels), "]".repeat(levels));
    let odd = format!(
        r#"INSERT INTO site (name, url, interval_ms, timeout_ms, labels, request, expect) VALUES
        ('a', 'http://a/', 60000, 10000, '{{"a": {fine}}}', '{{}}', '{{}}'),
        ('deep', 'http://a/', 60000, 10000, '{{"a": {deep}}}', '{{}}', '{{}}'),
        ('deeper', 'http://a/', 60000, 10000, '{{}}', '{{}}', '{{"a": {deeper}}}'),
        (E'odd\u202e', 'http://a/', 60000, 10000, '{{}}', '{{"metod": "GET"}}', '{{}}'),
        ('number', 'http://a/', 60000, 10000, '{{"a": {long}}}', '{{}}', '{{}}'),
        ('scheme', 'ftp://a/', 60000, 10000, '{{}}', '{{}}', '{{}}'),
        ('z', 'http://a/${{HOME}}', 60000, 10000, '{{"a": "${{A}}"}}', '{{"headers": {{"x-a": "$${{secret:A}}${{B}}"}}}}', '{{}}')"#,
        fine = deep(40),
        deep = deep(100),
        deeper = deep(5_000),
        long = "9".repeat(500),
    );
    database.execute_unprepared(&odd).await.unwrap();
    let mut file = Vec::new();
    let exported = export(database, &mut file).await.unwrap();
    assert_eq!((exported.sites, exported.more), (2, 0));
    let named: Vec<_> = exported
        .left_out
        .iter()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(
        named,
        ["deep", "deeper", "number", "\"odd\\u{202e}\"", "scheme"]
    );
    let summary = apply_yaml(database, &file, PLAIN).await.unwrap();
    assert_eq!(
        summary.to_string(),
        "nothing to change: created 0, changed 0, left alone 2, removed 0\n  \
         5 sites are not in the file and stay; --prune removes them"
    );
}

#[tokio::test]
async fn sites_that_say_much_go_in_smaller_chunks() {
    let testbed = testbed::Database::migrated().await;
    let database = &testbed.connect().await;
    let long = "x".repeat(60_000);
    let yaml = (0..200).fold("sites:\n".to_owned(), |yaml, n| {
        yaml + &format!("- {{name: s{n}, url: 'http://a/', labels: {{a: {long}}}}}\n")
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(yaml.as_bytes()).unwrap();
    let mut chunks = 0;
    let summary = apply(database, file.path(), PLAIN, |progress| {
        chunks += usize::from(matches!(progress, Progress::Sent { .. }));
    });
    assert_eq!(summary.await.unwrap().created.count, 200);
    assert_eq!(chunks, 3);
}

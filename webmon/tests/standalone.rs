//! `webmon up`: everything in one process, which may be killed like any other.

mod support;

use std::time::Duration;

use sea_orm::ConnectionTrait as _;
use testbed::audit::Report;
use testbed::{Crowd, Process, THREE_HUNDRED, Terminal, Website, eventually, sites_file, tables};

use support::Standalone;

/// How long there is load before webmon is killed, and afterwards.
const LOAD_MS: i64 = 8_000;
/// How long a change of verdict may take to be told.
const TOLD: Duration = Duration::from_secs(15);
/// How long webmon may take to stop: checks end, and `PostgreSQL` writes a checkpoint.
const STOP: Duration = Duration::from_secs(45);
/// How long an audit may take.
const AUDIT: Duration = Duration::from_secs(15);
/// How long a refusal may take.
const REFUSAL: Duration = Duration::from_secs(15);
/// Ten times what 64 slots can do.
const TOO_MANY: &[Crowd] = &[
    Crowd::new("second", "/slow/500", 1_000, 640),
    Crowd::new("ten-seconds", "/slow/500", 10_000, 6_400),
];
/// How long a start may take until the first verdicts: a `PostgreSQL` is made.
const START: Duration = Duration::from_mins(1);
/// Sites whose checks are under way for a while.
const SLOW: &[Crowd] = &[Crowd::new("slow", "/slow/500", 1_000, 20)];
/// One site, which can be switched off.
const SHOP: &[Crowd] = &[Crowd::new("shop", "/switch", 500, 1)];

/// Lets it work, kills it, lets it work again, and audits all of it: what works then, the report, and how many
/// seconds it is of.
async fn killed_under_load(standalone: &Standalone) -> (Process, Report, usize) {
    let up = standalone.up("webmon-1").await;
    let database = standalone.connect().await;
    let start = tables::now(&database).await;
    tables::scheduled_until(&database, start + LOAD_MS).await;
    up.kill();

    let up = standalone.up("webmon-2").await;
    let database = standalone.connect().await;
    let again = tables::now(&database).await;
    let report = tables::audit(&database, again + LOAD_MS).await;
    report.show();
    report.assert_clean();
    let seconds = (again - start + LOAD_MS).unsigned_abs() / 1_000;
    (up, report, usize::try_from(seconds).unwrap_or(usize::MAX))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_kill_under_load_interrupts_is_a_row_or_inside_a_gap() {
    let website = Website::start();
    let standalone = Standalone::with(&sites_file(THREE_HUNDRED, &website));
    let (mut up, report, seconds) = killed_under_load(&standalone).await;
    assert!(
        report.due > seconds * 200,
        "the sites were not all judged\n{report}"
    );
    assert!(
        report.rows("up") * 2 > report.due,
        "most checks were made\n{report}"
    );
    assert_audited(&standalone).await;

    up.terminate();
    assert_eq!(up.wait(STOP).await, 0);
}

/// `webmon audit` finds that the ledger balances, and then what was taken from it and put into it.
#[expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]
async fn assert_audited(standalone: &Standalone) {
    let clean = standalone.audit(AUDIT).await;
    assert_eq!(clean.code, 0, "{}{}", clean.stdout, clean.stderr);
    assert!(
        clean.stdout.contains("the ledger balances"),
        "{}",
        clean.stdout
    );
    let spoil = "
        UPDATE schedule_shard SET reconciled_until = date_trunc('milliseconds', now());
        DELETE FROM check_result WHERE (site_id, scheduled_at) IN (
            SELECT site_id, scheduled_at FROM check_result JOIN site ON site.id = site_id
            WHERE scheduled_at > scheduled_from + interval '1 s' ORDER BY scheduled_at LIMIT 2);
        INSERT INTO check_result (site_id, scheduled_at, outcome)
        SELECT site_id, max(scheduled_at) + interval '1 ms', 'up' FROM check_result
        WHERE scheduled_at < now() - interval '1 s' GROUP BY site_id LIMIT 3";
    let database = standalone.connect().await;
    database.execute_unprepared(spoil).await.unwrap();
    let spoilt = standalone.audit(AUDIT).await;
    assert_eq!(spoilt.code, 1, "{}{}", spoilt.stdout, spoilt.stderr);
    let faults = [
        "2 checks left neither a row nor a gap",
        "3 rows are of instants",
    ];
    for fault in faults {
        assert!(
            spoilt.stderr.contains(fault),
            "{}{}",
            spoilt.stdout,
            spoilt.stderr
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_an_overload_loses_nothing_either() {
    let website = Website::start();
    let sites = sites_file(TOO_MANY, &website);
    let standalone = Standalone::configured(&sites, "slots: 64\n");
    let (mut up, report, seconds) = killed_under_load(&standalone).await;
    assert!(report.due > seconds * 1_000, "{report}");
    assert!(report.rows("up") > seconds * 50, "{report}");
    up.assert_running();
}

#[tokio::test(flavor = "multi_thread")]
async fn verdict_changes_are_told_and_signals_end_it_in_good_order() {
    let website = Website::start();
    let standalone = Standalone::with(&sites_file(SHOP, &website));
    let mut up = standalone.up("webmon-1").await;
    up.line_seen("shop-1 up", TOLD).await;
    website.switch(false);
    up.line_seen("shop-1 up → down (status", TOLD).await;
    website.switch(true);
    up.line_seen("shop-1 down → up", TOLD).await;
    let summary = up.line_seen("checks in 10 s", TOLD).await;
    assert!(summary.contains("1 up"), "{summary}");

    let second = standalone.up_again(REFUSAL).await;
    let data = standalone.data().to_str().unwrap();
    assert_eq!(second.code, 1, "{}", second.stderr);
    assert!(
        second.stderr.contains(data),
        "{data} is not named: {}",
        second.stderr
    );

    up.terminate();
    assert_eq!(up.wait(STOP).await, 0);
    assert!(!standalone.postgres_runs(), "PostgreSQL was left behind");

    let mut up = standalone.up("webmon-2").await;
    up.interrupt();
    assert_eq!(up.wait(STOP).await, 0);
    assert!(!standalone.postgres_runs(), "PostgreSQL was left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_follows_the_table_of_sites() {
    let website = Website::start();
    let standalone = Standalone::with(&sites_file(SHOP, &website));
    let mut up = standalone.up("webmon").await;
    up.line_seen("shop-1 up", TOLD).await;
    up.line_seen("1 sites: 1 up", TOLD).await;
    let database = standalone.connect().await;
    let closed = testbed::free_address();
    let change =
        format!("UPDATE site SET name = 'store', url = 'http://{closed}/', interval_ms = 600");
    database.execute_unprepared(&change).await.unwrap();
    let told = format!("store up → down (connect_refused, {closed})");
    up.line_seen(&told, TOLD).await;

    let (none, one) = ("0 sites: no verdicts yet", "1 sites: 1 down");
    for (change, shown) in [
        ("UPDATE site SET enabled = false", none),
        ("UPDATE site SET enabled = true", one),
        ("DELETE FROM site", none),
    ] {
        let before = up.said().matches(shown).count();
        database.execute_unprepared(change).await.unwrap();
        eventually(TOLD, change, async || {
            (up.said().matches(shown).count() > before).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_terminal_stops_webmon_up_and_its_postgres_in_good_order() {
    let website = Website::start();
    let standalone = Standalone::with(&sites_file(SLOW, &website));
    let mut terminal = Terminal::start("webmon", standalone.arguments());
    terminal.shown().line_seen("slow-1 up", START).await;
    assert!(standalone.postgres_runs());
    assert_eq!(terminal.close(STOP).await, 0);
    assert!(!standalone.postgres_runs(), "PostgreSQL was left behind");
    // all that was seen by the site is recorded, as after any stop
    let mut up = standalone.up("webmon-2").await;
    assert!(!up.said().contains("were in flight"), "{}", up.said());
    up.terminate();
    assert_eq!(up.wait(STOP).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn hang_ups_without_a_terminal_stop_it_once_and_never_at_once() {
    let standalone = Standalone::with("sites: []\n");
    let mut up = standalone.up("webmon-1").await;
    // as a shell and the kernel do
    for _ in 0..3 {
        up.hang_up();
    }
    assert_eq!(up.wait(STOP).await, 0);
    assert!(up.said().contains("asked to stop"), "{}", up.said());
    assert!(!standalone.postgres_runs(), "PostgreSQL was left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nohup_started_goes_on_after_a_hang_up() {
    let standalone = Standalone::with("sites: []\n");
    let mut up = standalone.up_by("nohup").await;
    up.hang_up();
    up.line_seen("checks in 10 s", START).await;
    up.terminate();
    assert_eq!(up.wait(STOP).await, 0);
}

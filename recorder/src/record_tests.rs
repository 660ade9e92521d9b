//! What the recorder promises, on a database of its own.

use std::{net::IpAddr, thread};

use contract::{
    check::{CheckKey, SiteId},
    instant::{UnixMs, UnixUs},
    outcome::Outcome,
    result::{Measured, Phases},
};
use prometheus_client::{encoding::text, registry::Registry};
use runtime::config::Secret;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, EntityTrait as _, QueryOrder as _};
use store::{
    Named, Pool,
    check_result::{self, Entity as CheckResults},
    config::DatabaseConfig,
};
use testbed::{Database, eventually, tables};
use url::Url;

use crate::{finished::Times, results::MOST_WAITING};

use super::*;

/// What the clock of a test shows, in milliseconds since the Unix epoch.
const NOW: i64 = 1_795_449_600_000;
/// The check of a site so many milliseconds after `NOW`.
fn key(number: i64) -> CheckKey {
    CheckKey::new(SiteId(number), UnixMs(NOW + number))
}

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a test looks for what must not come.
const GLIMPSE: Duration = Duration::from_millis(50);

/// A recorder and what is around it.
struct Bed {
    /// Where the rows go.
    database: Database,
    /// A pool on it.
    connection: DatabaseConnection,
    /// Where the results come from.
    results: Arc<Results<i64>>,
    /// Where the positions of durable results come.
    durable: mpsc::Receiver<Vec<i64>>,
    /// What is counted.
    registry: Registry,
}

impl Bed {
    /// A recorder that has nothing to do yet.
    async fn new() -> (Self, Recorder<i64>) {
        let database = Database::migrated().await;
        let config = DatabaseConfig {
            url: Secret::new(database.url()),
        };
        let (done, durable) = mpsc::channel(64);
        let results = Arc::new(Results::default());
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let connection = database.connect().await;
        // The results of these tests are of a day that is over for long: no recorder may have it made.
        let day = format!(
            "SELECT webmon_attach_day((to_timestamp({NOW} / 1000) AT TIME ZONE 'UTC')::date)"
        );
        connection.execute_unprepared(&day).await.unwrap();
        let pool = Pool {
            name: "a test's recorder",
            connections: 1,
            settings: rows::SETTINGS,
        };
        let link = Link::new(config, pool);
        let recorder = Recorder::new(link, Arc::clone(&results), done, None, metrics);
        let bed = Self {
            database,
            connection,
            results,
            durable,
            registry,
        };
        (bed, recorder)
    }

    /// All rows, by their key.
    async fn rows(&self) -> Vec<check_result::Model> {
        CheckResults::find()
            .order_by_asc(check_result::Column::SiteId)
            .order_by_asc(check_result::Column::ScheduledAt)
            .all(&self.connection)
            .await
            .unwrap()
    }

    /// How many rows there are.
    async fn count(&self) -> i64 {
        tables::number(&self.connection, "SELECT count(*) FROM check_result").await
    }

    /// How many rows the metrics say were written.
    fn counted(&self) -> i64 {
        let mut page = String::new();
        text::encode(&mut page, &self.registry).unwrap();
        let values = page
            .lines()
            .filter(|line| line.starts_with("webmon_checks_total"));
        values
            .map(|line| line.rsplit(' ').next().unwrap().parse::<i64>().unwrap())
            .sum()
    }

    /// Refuses connections to the database and ends those that there are, or allows them again.
    async fn allow(&self, everybody: bool) {
        let mut server: Url = self.database.url().parse().unwrap();
        let name = server.path().trim_start_matches('/').to_owned();
        server.set_path("postgres");
        let server = sea_orm::Database::connect(server.as_str()).await.unwrap();
        let allow = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {everybody}");
        server.execute_unprepared(&allow).await.unwrap();
        if !everybody {
            let end = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            );
            server.execute_unprepared(&end).await.unwrap();
        }
        server.close().await.unwrap();
    }
}

/// Results with positions, as they are put into the queue.
fn finished(results: impl IntoIterator<Item = CheckResult>) -> Vec<Finished<i64>> {
    let finish = |(position, result)| Finished {
        result,
        position,
        times: Times::default(),
    };
    (0..).zip(results).map(finish).collect()
}

/// A result with everything that can be measured, different for each number.
fn complete(number: i64) -> CheckResult {
    let micros = |part: i64| Some((number * 7 + part).unsigned_abs());
    let phases = Phases {
        dns_us: micros(1),
        connect_us: micros(2),
        tls_us: micros(3),
        wait_us: micros(4),
        receive_us: micros(5),
        total_us: micros(15),
    };
    let address: IpAddr = if number % 2 == 0 {
        "192.0.2.7".parse().unwrap()
    } else {
        "2001:db8::7".parse().unwrap()
    };
    CheckResult {
        check: key(number),
        reason: Some(Reason::Status),
        measured: Measured {
            started_at_us: Some(UnixUs((NOW + number) * 1_000 + 321)),
            status: Some(503),
            phases,
            body_bytes: Some(number.unsigned_abs()),
            address: Some(address),
            certificate_expires_at_s: Some(NOW / 1_000 + number),
        },
        detail: Some(format!("expect: status 503, number {number}")),
    }
}

/// Results of all kinds: complete ones, some with half of the columns, some with none.
fn mixed(number: i64) -> CheckResult {
    let reason = Reason::ALL[usize::try_from(number).unwrap() % Reason::ALL.len()];
    let mut result = complete(number);
    match number % 4 {
        0 => result.reason = None,
        1 => return CheckResult::unmeasured(key(number), reason),
        2 => {
            result.reason = Some(reason);
            result.detail = None;
            result.measured.status = None;
            result.measured.phases.tls_us = None;
            result.measured.certificate_expires_at_s = None;
        }
        _ => result.reason = Some(reason),
    }
    result
}

/// What a row says, as the result that it came from.
fn read_back(row: check_result::Model) -> CheckResult {
    let micros = |column: Option<i32>| column.map(|value| u64::try_from(value).unwrap());
    let phases = Phases {
        dns_us: micros(row.dns_us),
        connect_us: micros(row.connect_us),
        tls_us: micros(row.tls_us),
        wait_us: micros(row.wait_us),
        receive_us: micros(row.receive_us),
        total_us: micros(row.total_us),
    };
    let result = CheckResult {
        check: CheckKey::new(
            SiteId(row.site_id),
            UnixMs(row.scheduled_at.timestamp_millis()),
        ),
        reason: row.reason.map(|Named(reason)| reason),
        measured: Measured {
            started_at_us: row.started_at.map(|at| UnixUs(at.timestamp_micros())),
            status: row.status.map(|status| u16::try_from(status).unwrap()),
            phases,
            body_bytes: row.body_bytes.map(|bytes| u64::try_from(bytes).unwrap()),
            address: row.address.map(|address| address.ip()),
            certificate_expires_at_s: row.certificate_expires_at.map(|at| at.timestamp()),
        },
        detail: row.detail,
    };
    assert_eq!(row.outcome, result.outcome());
    result
}

#[tokio::test]
async fn every_column_of_a_full_batch_comes_back_as_it_was() {
    let (mut bed, mut recorder) = Bed::new().await;
    let results: Vec<_> = (0..2_000).map(mixed).collect();
    let finished = finished(results.iter().rev().cloned());
    recorder.record(finished).await;
    let rows: Vec<_> = bed.rows().await.into_iter().map(read_back).collect();
    for (row, result) in rows.iter().zip(&results) {
        assert_eq!(row, result);
    }
    assert_eq!(rows.len(), results.len());
    assert_eq!(bed.counted(), 2_000);
    assert_eq!(bed.durable.recv().await.unwrap().len(), 2_000);
}

#[tokio::test]
async fn the_first_row_stays_but_a_check_that_was_made_replaces_a_missed_one() {
    /// A result of one instant, told apart by its bytes.
    fn result(site_id: i64, reason: Option<Reason>, bytes: u64) -> CheckResult {
        let mut result = complete(site_id);
        result.reason = reason;
        result.measured.body_bytes = Some(bytes);
        result
    }
    let (up, down) = (None, Some(Reason::Status));
    let (late, lost) = (Some(Reason::Late), Some(Reason::Lost));
    let inconclusive = Some(Reason::Internal);
    let cases = [
        (up, down, 1),
        (down, up, 1),
        (late, up, 2),
        (lost, down, 2),
        (late, inconclusive, 2),
        (up, late, 1),
        (inconclusive, lost, 1),
        (late, lost, 1),
    ];
    for together in [false, true] {
        let (bed, mut recorder) = Bed::new().await;
        let first = (1..).zip(cases).map(|(id, case)| result(id, case.0, 1));
        let second = (1..).zip(cases).map(|(id, case)| result(id, case.1, 2));
        let batches: Vec<Vec<_>> = if together {
            vec![first.chain(second).collect()]
        } else {
            vec![first.collect(), second.collect()]
        };
        for batch in batches {
            let finished = finished(batch);
            recorder.record(finished).await;
        }
        let kept: Vec<_> = bed.rows().await.iter().map(|row| row.body_bytes).collect();
        let expected: Vec<_> = cases.iter().map(|case| Some(case.2)).collect();
        assert_eq!(kept, expected, "in one batch: {together}");
    }
}

#[tokio::test]
async fn days_that_are_missing_are_made() {
    const DAY_MS: i64 = 86_400_000;
    let (mut bed, mut recorder) = Bed::new().await;
    let now = tables::now(&bed.connection).await;
    // Those of the first and the last site are too far away for a day to be made.
    let results = (0..).zip([-40, -1, 0, 1, 40]).map(|(site_id, day)| {
        let mut result = complete(site_id);
        result.check.scheduled_at = UnixMs(now + day * DAY_MS);
        result
    });
    let finished = finished(results);
    recorder.record(finished).await;
    let sites: Vec<_> = bed.rows().await.iter().map(|row| row.site_id).collect();
    assert_eq!(sites, [1, 2, 3]);
    let days = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'check_result'::regclass";
    assert_eq!(tables::number(&bed.connection, days).await, 1 + 3);
    assert_eq!(bed.durable.recv().await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_row_that_is_refused_is_inconclusive_and_spoils_no_other() {
    let (bed, mut recorder) = Bed::new().await;
    let no_teapots = "ALTER TABLE check_result ADD CHECK (status IS DISTINCT FROM 418)";
    bed.connection.execute_unprepared(no_teapots).await.unwrap();
    let mut results: Vec<_> = (0..2_000).map(complete).collect();
    for teapot in [0, 1_234, 1_999] {
        results[teapot].measured.status = Some(418);
    }
    let finished = finished(results.clone());
    recorder.record(finished).await;
    let rows: Vec<_> = bed.rows().await.into_iter().map(read_back).collect();
    assert_eq!(rows.len(), 2_000);
    for (row, result) in rows.into_iter().zip(results) {
        if result.measured.status == Some(418) {
            assert_eq!(row.reason, Some(Reason::Internal));
            assert_eq!(row.outcome(), Outcome::Inconclusive);
            assert_eq!(row.measured, Measured::default());
            assert!(row.detail.unwrap().contains("refused"));
        } else {
            assert_eq!(row, result);
        }
    }
    assert_eq!(bed.counted(), 2_000);
}

#[tokio::test]
async fn an_instant_that_postgresql_does_not_know_spoils_no_other_row() {
    for impossible in [i64::MIN, -NOW * 100, NOW * 1_000, i64::MAX] {
        let (mut bed, mut recorder) = Bed::new().await;
        let mut results: Vec<_> = (0..100).map(complete).collect();
        results[50].check.scheduled_at = UnixMs(impossible);
        let finished = finished(results);
        tokio::time::timeout(PATIENCE, recorder.record(finished))
            .await
            .unwrap();
        assert_eq!(bed.count().await, 99, "{impossible}");
        assert_eq!(bed.durable.recv().await.unwrap().len(), 100);
    }
}

#[tokio::test]
async fn text_loses_its_nuls_and_numbers_saturate() {
    let (bed, mut recorder) = Bed::new().await;
    let mut result = complete(1);
    result.detail = Some(format!("a\0b{}", "ü".repeat(5_000)));
    result.measured.body_bytes = Some(u64::MAX);
    result.measured.status = Some(u16::MAX);
    result.measured.phases.total_us = Some(u64::MAX);
    let finished = finished([result]);
    recorder.record(finished).await;
    let rows = bed.rows().await;
    let detail = rows[0].detail.as_deref().unwrap();
    assert!(detail.starts_with("abüü"), "{detail}");
    assert_eq!(detail.chars().count(), 1_000);
    assert_eq!(rows[0].body_bytes, Some(i64::MAX));
    assert_eq!(rows[0].status, Some(i16::MAX));
    assert_eq!(rows[0].total_us, Some(i32::MAX));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgresql_is_away_lanes_wait_and_nothing_is_lost() {
    let (mut bed, recorder) = Bed::new().await;
    let (alive, mut ended) = mpsc::channel::<()>(1);
    let recording = tokio::spawn(recorder.run(async move {
        ended.recv().await;
    }));

    bed.allow(false).await;
    let many = i64::try_from(MOST_WAITING).unwrap();
    let mut finished = finished((0..many + 2).map(complete));
    let (last, first) = (finished.pop().unwrap(), finished.pop().unwrap());
    let results = Arc::clone(&bed.results);
    results.put(first);
    eventually(PATIENCE, "the recorder takes the first", async || {
        (results.len() == 0).then_some(())
    })
    .await;
    for result in finished {
        results.put(result);
    }
    assert!(results.is_full());
    let (ended, end) = std::sync::mpsc::sync_channel(1);
    let lane = Arc::clone(&bed.results);
    thread::spawn(move || {
        lane.put(last);
        ended.send(()).unwrap();
    });
    assert!(end.recv_timeout(GLIMPSE).is_err());

    bed.allow(true).await;
    tokio::task::spawn_blocking(move || end.recv_timeout(PATIENCE).unwrap())
        .await
        .unwrap();
    drop(alive);
    timeout(PATIENCE, recording).await.unwrap().unwrap();
    assert_eq!(bed.count().await, many + 2);
    assert_eq!(bed.counted(), many + 2);
    let mut durable = 0;
    while let Some(positions) = bed.durable.recv().await {
        durable += i64::try_from(positions.len()).unwrap();
    }
    assert_eq!(durable, many + 2);
}

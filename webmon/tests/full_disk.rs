//! A disk that is full, for a `PostgreSQL` of the test's own: nothing is lost, little is said, and once
//! there is room everything goes on.
//!
//! On a system that does not let a test have a small disk of its own the test is not made, and says so.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait as _;
use testbed::{Cluster, Server, THREE_HUNDRED, eventually, free_ports, lacks_disks, show};
use tokio::time::{sleep, timeout};

/// The size of the disk, a third of which a new `PostgreSQL` takes.
const DISK_MIB: u32 = 96;
/// How long there is load before the disk is full, and after that.
const AROUND_MS: i64 = 5_000;
/// How long it is full.
const FULL: Duration = Duration::from_secs(8);
/// What `PostgreSQL` says of it: of rows, of WAL, of its own start.
const NO_ROW: &str = "ERROR:  could not extend file";
/// Likewise.
const NO_WAL: &str = "PANIC:  could not write to file";
/// Likewise.
const NO_START: &str = "due to startup process failure";
/// How often something is done meanwhile.
const STEP: Duration = Duration::from_millis(200);
/// How long it may take to be there again.
const PATIENCE: Duration = Duration::from_secs(30);
/// The lines that a service may say meanwhile: that a thing fails, in a few ways, and that it goes on, for
/// each of the handful of things that a service does with a database.
const MOST_LINES: usize = 24;

/// How many checks that were due up to (or from) this instant found their site up.
async fn up(cluster: &Cluster, due: &str, instant: i64) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM check_result WHERE outcome = 'up'
         AND scheduled_at {due} timestamptz 'epoch' + {instant} * interval '1 millisecond'"
    );
    cluster.number(&sql).await
}

/// Lets the disk be full for a while. First no row finds room, then no WAL, and in the end `PostgreSQL`
/// cannot even start, which is tried all the time, as systemd would do it.
async fn full_for_a_while(cluster: &Cluster, postgres: &mut Server) {
    let end = Instant::now() + FULL;
    postgres.fill();
    while Instant::now() < end {
        sleep(STEP).await;
        // Each takes a file of its own for what follows.
        let switch = "SELECT pg_switch_wal()";
        let switching = cluster.connection().execute_unprepared(switch);
        drop(timeout(STEP, switching).await);
        postgres.start();
    }
    postgres.free();
    eventually(PATIENCE, "PostgreSQL answers again", async || {
        postgres.start();
        postgres.answers().await.then_some(())
    })
    .await;
    let log = std::fs::read(postgres.log()).unwrap();
    let log = String::from_utf8_lossy(&log);
    for effect in [NO_ROW, NO_WAL, NO_START] {
        assert!(log.contains(effect), "not {effect:?}:\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_checked_while_the_disk_is_full_is_recorded_when_there_is_room() {
    if let Some(why) = lacks_disks() {
        return show(format_args!(
            "the test of a full disk NOT MADE HERE ({why})"
        ));
    }
    // The user of PostgreSQL must get through.
    let folder = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o711))
        .tempdir()
        .unwrap();
    let mut postgres = Server::postgres_on(DISK_MIB, folder.path(), free_ports(1)).await;
    postgres.start();
    postgres.ready().await;
    let cluster = Cluster::in_database("full", &postgres.url()).await;
    cluster.add(THREE_HUNDRED).await;
    let mut services = cluster.services([&cluster.settings; 2]).await;
    let start = cluster.now().await;
    cluster.scheduled_until(start + AROUND_MS).await;
    let before = [services[0].lines(), services[1].lines()];

    let filled = cluster.now().await;
    full_for_a_while(&cluster, &mut postgres).await;
    let freed = cluster.now().await;
    for service in &mut services {
        service.ready().await;
    }

    let report = cluster.audit(freed + AROUND_MS).await;
    report.show();
    report.assert_clean();
    assert_eq!(report.rows("missed/lost"), 0, "{report}");
    assert!(up(&cluster, "<=", filled).await > 0, "{report}");
    assert!(up(&cluster, ">", freed).await > 0, "{report}");
    for (service, before) in services.iter().zip(before) {
        let said = service.process.said();
        let lines: Vec<_> = said.lines().skip(before).collect();
        assert!(
            (1..=MOST_LINES).contains(&lines.len()),
            "{}",
            lines.join("\n")
        );
    }
    cluster.stop_and_count(services).await;
}

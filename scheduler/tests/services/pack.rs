//! Finished days are packed: their index has full pages, and nothing else changes or waits.

use std::time::{Duration, Instant};

use runtime::config::Secret;
use scheduler::upkeep::pack::{Days, pack};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, TransactionTrait as _};
use store::Pool;
use testbed::eventually;

use crate::bed::{Bed, PATIENCE};

/// Days that are finished.
const FINISHED: Days = Days::Finished {
    retention: Duration::from_hours(30 * 24),
};
/// A pool like the scheduler's.
const POOL: Pool = Pool {
    name: "pack",
    connections: 1,
    settings: &[],
};
/// Rows of a day, made as checkers make them: site after site, again and again.
const ROWS: i64 = 20_000;
/// The sessions that pack.
const REINDEX: &str =
    "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'REINDEX%'";
/// What `REINDEX CONCURRENTLY` leaves behind when it is interrupted.
const LEFTOVERS: &str = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";

/// The name of a day so many days ago.
async fn day(bed: &Bed, days_ago: i64) -> String {
    let rows = bed
        .rows(&format!(
            "SELECT 'check_result_' || to_char((now() AT TIME ZONE 'UTC')::date - {days_ago}, 'YYYYMMDD')"
        ))
        .await;
    rows[0].try_get_by_index(0).unwrap()
}

/// Makes a day with rows, so many days ago; returns its name.
async fn filled(bed: &Bed, days_ago: i64) -> String {
    let date = format!("((now() AT TIME ZONE 'UTC')::date - {days_ago})");
    bed.execute(&format!("SELECT webmon_attach_day({date})"))
        .await;
    let rows = bed
        .execute(&format!(
            "INSERT INTO check_result (site_id, scheduled_at, outcome)
             SELECT site, {date}::timestamp AT TIME ZONE 'UTC' + n * interval '10 seconds', 'up'
             FROM generate_series(1, {ROWS} / 200) AS n, generate_series(1, 200) AS site
             ORDER BY n, site"
        ))
        .await;
    assert_eq!(i64::try_from(rows).unwrap(), ROWS);
    day(bed, days_ago).await
}

/// Bytes of a day's index.
async fn bytes(bed: &Bed, day: &str) -> i64 {
    bed.number(&format!("SELECT pg_relation_size('{day}_pkey')"))
        .await
}

/// The file of a day's index: another one when the index was written anew.
async fn file(bed: &Bed, day: &str) -> i64 {
    bed.number(&format!(
        "SELECT pg_relation_filenode('{day}_pkey')::bigint"
    ))
    .await
}

/// Waits until a day is packed.
async fn packed(bed: &Bed, day: &str) {
    let comment = format!("SELECT count(obj_description('{day}_pkey'::regclass, 'pg_class'))");
    eventually(PATIENCE, "the day is packed", async || {
        (bed.number(&comment).await == 1).then_some(())
    })
    .await;
}

/// Asserts that a day is packed, has all its rows once, and its only index serves the whole table.
async fn assert_packed(bed: &Bed, day: &str) {
    let size = bytes(bed, day).await;
    assert!(size < ROWS * 30, "{size} bytes");
    assert_eq!(
        bed.number(&format!("SELECT count(*) FROM {day}")).await,
        ROWS
    );
    let again = format!(
        "INSERT INTO check_result (site_id, scheduled_at, outcome)
         SELECT site_id, scheduled_at, 'down' FROM {day} ON CONFLICT (site_id, scheduled_at) DO NOTHING"
    );
    assert_eq!(bed.execute(&again).await, 0);
    let attached = format!(
        "SELECT count(*) FROM pg_index JOIN pg_inherits ON inhrelid = indexrelid
         WHERE indrelid = '{day}'::regclass AND inhparent = 'check_result_pkey'::regclass
             AND indisprimary AND indisvalid AND indisready AND indislive"
    );
    assert_eq!(bed.number(&attached).await, 1);
    let indexes = format!("SELECT count(*) FROM pg_index WHERE indrelid = '{day}'::regclass");
    assert_eq!(bed.number(&indexes).await, 1);
}

/// A reader of a day, which packing waits for.
async fn reader(bed: &Bed, day: &str) -> DatabaseTransaction {
    let reader = bed.connect().await.begin().await.unwrap();
    reader
        .execute_unprepared(&format!("DECLARE reading CURSOR FOR SELECT * FROM {day}"))
        .await
        .unwrap();
    reader
}

/// Waits until a scheduler packs, and waits for a reader with an index half made.
async fn in_a_pack(bed: &Bed) {
    let waiting = format!("SELECT count(*) {REINDEX} AND wait_event_type = 'Lock'");
    eventually(PATIENCE, "a day is being packed", async || {
        let waits = bed.number(&waiting).await == 1 && bed.number(LEFTOVERS).await == 1;
        waits.then_some(())
    })
    .await;
}

/// Waits until no session packs any more: a client that is gone does not say when its session is.
async fn nobody_packs(bed: &Bed) {
    let locks = "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
                 WHERE locktype = 'advisory' AND datname = current_database()";
    eventually(PATIENCE, "nobody packs", async || {
        (bed.number(locks).await == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_day_is_packed_and_others_are_left_alone() {
    let bed = Bed::new("pack").await;
    let finished = filled(&bed, 3).await;
    let mut others = Vec::new();
    // of 30 days' retention
    for days_ago in [30, 1, 0] {
        let other = filled(&bed, days_ago).await;
        others.push((file(&bed, &other).await, other));
    }
    let before = bytes(&bed, &finished).await;
    assert!(before > ROWS * 33, "{before} bytes");
    let scheduler = bed.start();
    packed(&bed, &finished).await;
    scheduler.stop().await;
    assert_packed(&bed, &finished).await;
    for (before, other) in others {
        assert_eq!(file(&bed, &other).await, before, "{other}");
    }
    nobody_packs(&bed).await;
    let once = file(&bed, &finished).await;
    pack(&bed.database, FINISHED).await.unwrap();
    assert_eq!(file(&bed, &finished).await, once);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stopped_scheduler_left_half_packed_is_packed_by_the_next() {
    let bed = Bed::new("pack-stopped").await;
    let day = filled(&bed, 3).await;
    let reader = reader(&bed, &day).await;
    let scheduler = bed.start();
    in_a_pack(&bed).await;
    let stopping = Instant::now();
    scheduler.stop().await;
    let stopped = stopping.elapsed();
    assert!(stopped < Duration::from_secs(5), "a stop took {stopped:?}");
    nobody_packs(&bed).await;
    assert_eq!(bed.number(LEFTOVERS).await, 1);
    reader.commit().await.unwrap();
    let scheduler = bed.start();
    packed(&bed, &day).await;
    scheduler.stop().await;
    assert_packed(&bed, &day).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_whose_session_is_killed_fails_and_the_next_mends_it() {
    let bed = Bed::new("pack-killed").await;
    let day = filled(&bed, 3).await;
    let reader = reader(&bed, &day).await;
    let kill = async {
        in_a_pack(&bed).await;
        bed.number(&format!(
            "SELECT count(pg_terminate_backend(pid)) {REINDEX}"
        ))
        .await;
    };
    let (killed, ()) = tokio::join!(pack(&bed.database, FINISHED), kill);
    let error = format!("{:#}", killed.unwrap_err());
    assert!(
        error.starts_with(&format!("pack {day}_pkey: REINDEX")),
        "{error}"
    );
    nobody_packs(&bed).await;
    assert_eq!(bed.number(LEFTOVERS).await, 1);
    reader.commit().await.unwrap();
    pack(&bed.database, FINISHED).await.unwrap();
    assert_packed(&bed, &day).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_day_is_packed_nobody_waits_and_nobody_else_packs() {
    let bed = Bed::new("pack-meanwhile").await;
    let (day, aged) = (filled(&bed, 3).await, filled(&bed, 40).await);
    let reader = reader(&bed, &day).await;
    let others = async {
        in_a_pack(&bed).await;
        let second = tokio::time::timeout(PATIENCE, pack(&bed.database, FINISHED)).await;
        second.expect("a second one does not wait").unwrap();
        // A new row, and one that is there; a new day; and one that goes.
        let insert = format!(
            "INSERT INTO check_result (site_id, scheduled_at, outcome)
             SELECT * FROM (SELECT 0, scheduled_at, outcome FROM {day} LIMIT 1) AS new
             UNION ALL (SELECT site_id, scheduled_at, outcome FROM {day} LIMIT 1) ON CONFLICT DO NOTHING"
        );
        assert_eq!(bed.execute(&insert).await, 1);
        bed.execute("SELECT webmon_attach_day(((now() AT TIME ZONE 'UTC')::date - 4))")
            .await;
        bed.execute(&format!("DROP TABLE {aged}")).await;
        assert_eq!(
            bed.number(LEFTOVERS).await,
            1,
            "all of it while the day is packed"
        );
        bed.execute(&format!("DELETE FROM {day} WHERE site_id = 0"))
            .await;
        reader.commit().await.unwrap();
    };
    let (first, ()) = tokio::join!(pack(&bed.database, FINISHED), others);
    first.unwrap();
    assert_packed(&bed, &day).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_another_owner_is_an_error_and_does_not_hold_up_the_rest() {
    let mut bed = Bed::new("pack-owner").await;
    let (foreign, own) = (filled(&bed, 3).await, filled(&bed, 4).await);
    // A role that every server has, which can do nothing else here.
    bed.execute(&format!("ALTER TABLE {own} OWNER TO pg_monitor"))
        .await;
    let url = bed.config.database.url.expose();
    bed.config.database.url = Secret::new(format!("{url}?options=-c%20role%3Dpg_monitor"));
    let scheduler = store::connect(&bed.config.database, POOL).await.unwrap();
    let error = pack(&scheduler, FINISHED).await.unwrap_err();
    let error = format!("{error:#}");
    assert!(
        error.contains(&format!("must be owner of index {foreign}_pkey")),
        "{error}"
    );
    assert_packed(&bed, &own).await;
}

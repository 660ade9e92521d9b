//! What the entities of `store` promise: they read and write every column of every table.

#![expect(
    clippy::expect_used,
    reason = "a helper that fails here fails its test"
)]

use chrono::{DateTime, Utc};
use contract::outcome::{Outcome, Reason};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::prelude::IpNetwork;
use sea_orm::{
    ActiveModelTrait as _, ConnectionTrait as _, EntityTrait as _, IntoActiveModel as _,
};
use serde_json::json;
use store::{check_result, schedule_gap, schedule_shard, site};
use testbed::Database;

/// An instant of the test's day, to the millisecond.
fn instant(text: &str) -> DateTime<Utc> {
    format!("2026-11-23T{text}Z").parse().expect("an instant")
}

/// A site as a person would give it.
fn new_site(name: &str) -> site::ActiveModel {
    site::ActiveModel {
        name: Set(name.to_owned()),
        url: Set("http://127.0.0.1/".to_owned()),
        interval_ms: Set(60_000),
        timeout_ms: Set(1_000),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_site_is_written_and_read_back() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let mut new = new_site("shop");
    new.request = Set(json!({"method": "HEAD"}));
    new.expect = Set(json!({"status": [200, "301-303"]}));
    new.labels = Set(json!({"team": "shop"}));
    new.enabled = Set(false);
    new.check_at = Set(Some(instant("12:00:00.123")));
    let made = new.insert(&db).await.unwrap();
    assert_eq!(made.request, json!({"method": "HEAD"}));
    assert_eq!(made.check_at, Some(instant("12:00:00.123")));
    assert_eq!(
        site::Entity::find_by_id(made.id).one(&db).await.unwrap(),
        Some(made)
    );
}

#[tokio::test]
async fn many_sites_are_written_at_once() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let sites = ["a", "b", "c"].map(new_site);
    site::Entity::insert_many(sites).exec(&db).await.unwrap();
    assert_eq!(site::Entity::find().all(&db).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_site_that_was_read_is_written_without_its_generated_columns() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let made = new_site("old").insert(&db).await.unwrap();

    let mut changed = made.clone().into_active_model().reset_all();
    changed.name = Set("new".to_owned());
    let changed = changed.update(&db).await.unwrap();
    assert_eq!(changed.name, "new");
    assert_ne!(
        (changed.shard, changed.phase_ms),
        (made.shard, made.phase_ms)
    );

    let mut copy = changed.clone().into_active_model();
    copy.id = NotSet;
    copy.name = Set("old".to_owned());
    let copy = copy.insert(&db).await.unwrap();
    assert_eq!((copy.shard, copy.phase_ms), (made.shard, made.phase_ms));
}

#[tokio::test]
async fn shards_and_gaps_are_written_and_read_back() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    let shard = schedule_shard::Entity::find_by_id(63_i16)
        .one(&db)
        .await
        .unwrap()
        .unwrap();
    let mut shard = shard.into_active_model();
    shard.scheduled_until = Set(instant("12:00:00.001"));
    let shard = shard.update(&db).await.unwrap();
    let found = schedule_shard::Entity::find_by_id(63_i16)
        .one(&db)
        .await
        .unwrap();
    assert_eq!(found, Some(shard));

    let gap = schedule_gap::ActiveModel {
        shard: Set(63),
        since: Set(instant("12:00:00.001")),
        until: Set(instant("12:00:07.002")),
        ..Default::default()
    };
    let gap = gap.insert(&db).await.unwrap();
    assert_eq!(
        (gap.since, gap.until),
        (instant("12:00:00.001"), instant("12:00:07.002"))
    );
    assert_eq!(
        schedule_gap::Entity::find_by_id(gap.id)
            .one(&db)
            .await
            .unwrap(),
        Some(gap)
    );
}

/// A result with nothing in it but the verdict.
fn bare(scheduled_at: DateTime<Utc>) -> check_result::Model {
    check_result::Model {
        site_id: i64::MAX,
        scheduled_at,
        started_at: None,
        certificate_expires_at: None,
        body_bytes: None,
        outcome: Outcome::Missed.into(),
        reason: Some(Reason::Lost.into()),
        dns_us: None,
        connect_us: None,
        tls_us: None,
        wait_us: None,
        receive_us: None,
        total_us: None,
        status: None,
        address: None,
        detail: None,
    }
}

/// A result with every column but the reason.
fn full(scheduled_at: DateTime<Utc>, address: &str) -> check_result::Model {
    let address: IpNetwork = address.parse().expect("an address");
    check_result::Model {
        started_at: Some(instant("12:00:00.123456")),
        certificate_expires_at: Some(instant("13:00:00")),
        body_bytes: Some(i64::MAX),
        outcome: Outcome::Up.into(),
        reason: None,
        dns_us: Some(0),
        connect_us: Some(1),
        tls_us: Some(2),
        wait_us: Some(3),
        receive_us: Some(4),
        total_us: Some(i32::MAX),
        status: Some(599),
        address: Some(address),
        detail: Some("connect: größer".to_owned()),
        ..bare(scheduled_at)
    }
}

#[tokio::test]
async fn results_are_written_and_read_back() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    db.execute_unprepared("SELECT webmon_attach_day('2026-11-23')")
        .await
        .unwrap();
    let results = [
        bare(instant("12:00:00.001")),
        full(instant("12:00:00.002"), "127.0.0.1"),
        full(instant("12:00:00.003"), "2001:db8::1"),
    ];
    for result in results {
        let key = (result.site_id, result.scheduled_at);
        result
            .clone()
            .into_active_model()
            .reset_all()
            .insert(&db)
            .await
            .unwrap();
        let found = check_result::Entity::find_by_id(key)
            .one(&db)
            .await
            .unwrap();
        assert_eq!(found, Some(result));
    }
}

#[tokio::test]
async fn every_verdict_is_written_and_read_back() {
    let database = Database::migrated().await;
    let db = database.connect().await;
    db.execute_unprepared("SELECT webmon_attach_day('2026-11-23')")
        .await
        .unwrap();
    for (site_id, reason) in (1_i64..).zip(Reason::ALL) {
        let result = check_result::Model {
            site_id,
            outcome: reason.outcome().into(),
            reason: Some((*reason).into()),
            ..bare(instant("12:00:00"))
        };
        let made = result
            .clone()
            .into_active_model()
            .reset_all()
            .insert(&db)
            .await
            .unwrap();
        assert_eq!(made, result);
    }
}

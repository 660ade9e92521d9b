//! What `store` and the clock promise, on a real `PostgreSQL`.

#[cfg(test)]
mod support;

use std::time::{Duration, Instant};

use contract::instant::UnixUs;
use runtime::clock::Clock;
use runtime::periodic::Statuses;
use store::writable::{check_writable, wait_until_writable};
use store::{DatabaseError, DatabaseTime, Link, Pool, check_schema, connect, connect_patiently};
use support::{POOL, Scratch, closed_port, config, record_migrations, scalar, server_url};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_pool_has_its_name_and_settings() {
    let database = connect(&config(&server_url()), POOL).await.unwrap();
    let name: String = scalar(&database, "SELECT current_setting('application_name')").await;
    let jit: String = scalar(&database, "SELECT current_setting('jit')").await;
    assert_eq!((name.as_str(), jit.as_str()), ("webmon-test", "off"));
}

#[tokio::test]
async fn a_pool_opens_once_the_database_answers() {
    let config = config(&server_url());
    let stop = CancellationToken::new();
    let patience = Duration::from_secs(10);
    let database = connect_patiently(&config, POOL, patience, &stop)
        .await
        .unwrap();
    assert_eq!(scalar::<i32>(&database, "SELECT 7").await, 7);
}

#[tokio::test]
async fn an_unreachable_server_is_named_without_the_password() {
    let port = closed_port().await.port();
    let config = config(&format!(
        "postgres://webmon:hush-hush@127.0.0.1:{port}/shop"
    ));
    let stop = CancellationToken::new();
    let started = Instant::now();
    let error = connect_patiently(&config, POOL, Duration::from_millis(300), &stop)
        .await
        .unwrap_err();
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(
        error.to_string(),
        format!(
            "cannot reach PostgreSQL at 127.0.0.1:{port}/shop within 300ms: Connection refused \
             (os error 111); check database.url and that the server runs"
        )
    );
    assert!(!format!("{error:?}").contains("hush-hush"));
}

#[tokio::test]
async fn a_server_that_says_nothing_uses_up_the_patience_and_no_more() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let config = config(&format!("postgres://webmon@{address}/shop"));
    let stop = CancellationToken::new();
    let error = connect_patiently(&config, POOL, Duration::from_millis(300), &stop)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot reach PostgreSQL at {address}/shop within 300ms: no answer; \
             check database.url and that the server runs"
        )
    );
}

#[tokio::test]
async fn a_missing_database_is_said_in_the_servers_own_words() {
    let (root, _) = server_url()
        .rsplit_once('/')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let error = connect(&config(&format!("{root}/webmon_nowhere")), POOL)
        .await
        .unwrap_err();
    assert!(
        error.to_string().ends_with(
            "/webmon_nowhere: database \"webmon_nowhere\" does not exist; \
             create it (`createdb webmon_nowhere`), or correct the name in database.url"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_being_quoted() {
    let error = connect(&config("postgres://webmon:hush-hush@db:port/shop"), POOL)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "database.url: the port must be a number from 1 to 65535: percent-encode special characters of the \
         password: `/` is %2F, `?` %3F, `#` %23, `@` %40, `:` %3A, `%` %25"
    );
}

#[tokio::test]
async fn stopping_ends_the_wait_for_the_database() {
    let port = closed_port().await.port();
    let config = config(&format!("postgres://webmon@127.0.0.1:{port}/shop"));
    let stop = CancellationToken::new();
    stop.cancel();
    let waiting = connect_patiently(&config, POOL, Duration::from_secs(30), &stop);
    let error = tokio::time::timeout(Duration::from_secs(5), waiting)
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, DatabaseError::Stopped { .. }), "{error}");
}

#[tokio::test]
async fn only_the_schema_of_this_build_is_accepted() {
    let needed = store::SCHEMA_VERSION;
    let scratch = Scratch::create("schema").await;
    let database = &scratch.database;
    let refusal = async || check_schema(database).await.unwrap_err().to_string();

    let missing =
        format!("the database's schema is missing, this build needs {needed}; run `migration up`");
    assert_eq!(refusal().await, missing);
    record_migrations(database, &[]).await;
    assert_eq!(refusal().await, missing);

    record_migrations(database, &["m20200101_000001_create_site"]).await;
    assert_eq!(
        refusal().await,
        format!(
            "the database's schema is m20200101_000001_create_site, this build needs {needed}; \
             run `migration up`"
        )
    );

    record_migrations(database, &[needed]).await;
    check_schema(database).await.unwrap();

    record_migrations(database, &["m99990101_000001_from_the_future"]).await;
    assert_eq!(
        refusal().await,
        format!(
            "the database's schema is m99990101_000001_from_the_future, this build knows only \
             {needed}; upgrade webmon"
        )
    );
    scratch.remove().await;
}

#[tokio::test]
async fn the_clock_shows_the_databases_time() {
    let database = connect(&config(&server_url()), POOL).await.unwrap();
    let clock = Clock::measure(DatabaseTime(&database)).await.unwrap();
    clock.remeasure(&mut DatabaseTime(&database)).await.unwrap();
    let UnixUs(before) = clock.now_us();
    let shown: i64 = scalar(
        &database,
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
    )
    .await;
    let UnixUs(after) = clock.now_us();
    let slack = 20_000;
    assert!(
        (before - slack..=after + slack).contains(&shown),
        "{before} {shown} {after}"
    );
    assert!(
        clock.offset_seconds().abs() < 60.0,
        "{}",
        clock.offset_seconds()
    );
}

#[tokio::test]
async fn the_clock_keeps_its_offset_while_the_database_is_away() {
    let database = connect(&config(&server_url()), POOL).await.unwrap();
    let clock = Clock::measure(DatabaseTime(&database)).await.unwrap();
    let UnixUs(before) = clock.now_us();
    database.close_by_ref().await.unwrap();
    clock
        .remeasure(&mut DatabaseTime(&database))
        .await
        .unwrap_err();
    let UnixUs(after) = clock.now_us();
    assert!(
        (before..before + 60_000_000).contains(&after),
        "{before} {after}"
    );
}

#[tokio::test]
async fn keeping_the_clock_ends_with_the_service() {
    let database = connect(&config(&server_url()), POOL).await.unwrap();
    let clock = Clock::measure(DatabaseTime(&database)).await.unwrap();
    let stop = CancellationToken::new();
    let link = Link::new(config(&server_url()), POOL);
    let keeping = tokio::spawn(clock.keep(link, Statuses::default(), stop.clone()));
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), keeping)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_database_that_takes_no_changes_is_told_and_waited_for() {
    use sea_orm::ConnectionTrait as _;
    let pool = Pool {
        connections: 1,
        ..POOL
    };
    let database = connect(&config(&server_url()), pool).await.unwrap();
    check_writable(&database).await.unwrap();
    let set = async |value: &str| {
        let sql = format!("SET default_transaction_read_only = {value}");
        database.execute_unprepared(&sql).await.unwrap();
    };
    set("on").await;
    let told = "the database takes no changes: it is read-only; turn default_transaction_read_only off, \
                or name the primary in database.url";
    let error = check_writable(&database).await.unwrap_err();
    assert_eq!(error.to_string(), told);
    let stop = CancellationToken::new();
    let waited = wait_until_writable(&database, Duration::from_millis(300), &stop).await;
    assert_eq!(waited.unwrap_err().to_string(), told);
    stop.cancel();
    let stopped = wait_until_writable(&database, Duration::from_mins(1), &stop).await;
    assert!(matches!(stopped, Err(DatabaseError::Stopped { .. })));
    set("off").await;
    wait_until_writable(&database, Duration::ZERO, &CancellationToken::new())
        .await
        .unwrap();
}

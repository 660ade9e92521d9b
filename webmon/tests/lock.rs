//! The lock on the database: of two `webmon up` one works, whatever becomes of the lock's session.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::net::SocketAddr;
use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use tempfile::TempDir;
use testbed::{Database, Finished, Mode, Process, Proxy, eventually, free_address, get};

/// How long a start, a stop, or a refusal may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long it may take to notice a lost lock, and to take it again.
const NOTICED: Duration = Duration::from_secs(20);

/// The session that holds the lock of `webmon up`.
const HOLDER: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'webmon-lock'";
/// Ends it.
const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'webmon-lock'";
/// Waits for the lock, and takes it.
const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended('webmon up', 0))";

/// A `webmon up` on a configured database.
struct Up {
    /// Its data folder and its configuration.
    folder: TempDir,
    /// `http.listen`.
    listen: SocketAddr,
}

impl Up {
    /// One that is configured, on the database at `url`.
    fn on(url: &str) -> Self {
        let (folder, listen) = (TempDir::new().unwrap(), free_address());
        let config = format!(
            "database: {{url: \"{url}\"}}\nhttp: {{listen: \"{listen}\"}}\nlog: {{format: text}}\n"
        );
        std::fs::write(folder.path().join("config.yaml"), config).unwrap();
        Self { folder, listen }
    }

    /// Starts it.
    fn start(&self, name: &str) -> Process {
        let path = |name| self.folder.path().join(name).into_os_string();
        let arguments = ["up", "--config", "--data"].map(Into::into);
        let [up, config, data] = arguments;
        let arguments = [up, config, path("config.yaml"), data, path("data")];
        Process::start(name, "webmon", arguments)
    }

    /// Starts it and waits until it is ready.
    async fn ready(&self, name: &str) -> Process {
        let mut process = self.start(name);
        eventually(PATIENCE, "webmon up is ready", async || {
            process.assert_running();
            self.says("HTTP/1.1 200").await
        })
        .await;
        process
    }

    /// `/readyz`, if that contains `words`.
    async fn says(&self, words: &str) -> Option<String> {
        let answer = get(self.listen, "/readyz").await?;
        answer.contains(words).then_some(answer)
    }
}

/// A second `webmon up` on this database is refused.
async fn assert_refused(url: &str) {
    let second: Finished = Up::on(url).start("second").finish(PATIENCE).await;
    assert_eq!(second.code, 1, "{}", second.stderr);
    let refusal = "webmon: another webmon up runs on this database (process ";
    assert!(second.stderr.contains(refusal), "{}", second.stderr);
}

/// The first column of the first row.
async fn number(database: &DatabaseConnection, query: &str) -> Option<i32> {
    let statement = Statement::from_string(DbBackend::Postgres, query);
    let row = database.query_one_raw(statement).await.unwrap();
    row.map(|row| row.try_get_by_index(0).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_time_limit_of_the_server_ends_the_lock() {
    let database = Database::migrated().await;
    let connection = database.connect().await;
    let mut first = Up::on(database.url()).ready("first").await;
    let name = database.url().rsplit('/').next().unwrap();
    for limit in [
        "idle_in_transaction_session_timeout",
        "idle_session_timeout",
    ] {
        let limit = format!("ALTER DATABASE {name} SET {limit} = '500ms'");
        connection.execute_unprepared(&limit).await.unwrap();
    }
    // The limits are those of a session that begins now.
    connection.execute_unprepared(TERMINATE).await.unwrap();
    first.line_seen("is taken again", NOTICED).await;
    let old = format!("{HOLDER} AND now() - backend_start > interval '4 s'");
    eventually(NOTICED, "the lock is older than the limits", async || {
        first.assert_running();
        number(&connection, &old).await
    })
    .await;
    assert_eq!(
        first
            .said()
            .matches("the lock on the database is lost")
            .count(),
        1
    );
    assert_refused(database.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_whose_session_was_ended_is_taken_again() {
    let database = Database::migrated().await;
    let connection = database.connect().await;
    let up = Up::on(database.url());
    let mut first = up.ready("first").await;
    let before = number(&connection, HOLDER).await.unwrap();
    connection.execute_unprepared(TERMINATE).await.unwrap();
    let lost = first
        .line_seen("the lock on the database is lost", NOTICED)
        .await;
    assert!(lost.contains("terminating connection"), "{lost}");
    first
        .line_seen("the lock on the database is taken again", NOTICED)
        .await;
    assert_ne!(number(&connection, HOLDER).await.unwrap(), before);
    assert_refused(database.url()).await;
    eventually(NOTICED, "it is ready again", async || {
        up.says("HTTP/1.1 200").await
    })
    .await;

    first.terminate();
    assert_eq!(first.wait(PATIENCE).await, 0);
    eventually(NOTICED, "the lock is free", async || {
        let holder = number(&connection, HOLDER).await;
        holder.is_none().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webmon_whose_lock_another_has_taken_stops_and_says_so() {
    let database = Database::migrated().await;
    let connection = database.connect().await;
    let first = Up::on(database.url()).ready("first").await;
    // Whatever waits for the lock has it at once when its session ends.
    let mut options = ConnectOptions::new(database.url());
    options.sqlx_logging(false).max_connections(1);
    let other = sea_orm::Database::connect(options).await.unwrap();
    let taking = tokio::spawn(async move {
        other.execute_unprepared(LOCK).await.unwrap();
        other
    });
    let waiting = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    eventually(NOTICED, "another waits for the lock", async || {
        number(&connection, waiting).await
    })
    .await;
    connection.execute_unprepared(TERMINATE).await.unwrap();

    let ended = first.finish(PATIENCE).await;
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let said = "webmon: another webmon up has taken the lock on the database (process ";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    drop(taking.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_behind_a_cut_network_is_missed_and_taken_from_the_lost_session() {
    let database = Database::migrated().await;
    let connection = database.connect().await;
    let server: SocketAddr = {
        let (_, host) = database.url().split_once('@').unwrap();
        host.split('/').next().unwrap().parse().unwrap()
    };
    let proxy = Proxy::start(server).await;
    let url = database
        .url()
        .replace(&server.to_string(), &proxy.address().to_string());
    let up = Up::on(&url);
    let mut first = up.ready("first").await;
    let before = number(&connection, HOLDER).await.unwrap();

    proxy.set(Mode::Stall);
    eventually(NOTICED, "the lock is missed", async || {
        up.says("lock").await
    })
    .await;
    // The server still has the first session: nothing told it that the session is lost.
    assert_eq!(number(&connection, HOLDER).await, Some(before));
    proxy.set(Mode::Forget);
    first
        .line_seen("the lock on the database is taken again", NOTICED)
        .await;
    assert_ne!(number(&connection, HOLDER).await.unwrap(), before);
    assert_refused(database.url()).await;
}

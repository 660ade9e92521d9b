//! The `PostgreSQL` that webmon runs for itself, on the `PostgreSQL` that is installed on this machine.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a helper that fails here fails its test"
)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, geteuid, getpgid, getpgrp, kill_process};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use tempfile::TempDir;
use webmon::postgres::OwnPostgres;

/// A folder that the server's user can pass through.
fn folder() -> TempDir {
    folder_with_mode(0o755)
}

/// A folder with these permissions.
fn folder_with_mode(mode: u32) -> TempDir {
    tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(mode))
        .tempdir()
        .unwrap()
}

/// Connects as the services do.
async fn connect(server: &OwnPostgres) -> DatabaseConnection {
    Database::connect(server.url()).await.unwrap()
}

/// The one text that `query` gives.
async fn text(database: &DatabaseConnection, query: &str) -> String {
    let statement = Statement::from_string(DbBackend::Postgres, query.to_owned());
    let row = database.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Why a start on `data` failed.
async fn refusal(data: &Path, places: Option<&[PathBuf]>) -> String {
    let started = match places {
        Some(places) => OwnPostgres::start_from(data, places).await,
        None => OwnPostgres::start(data).await,
    };
    format!(
        "{:#}",
        started.expect_err("PostgreSQL should not have started")
    )
}

/// Whether there is such a process.
fn exists(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Folders of attempts at `initdb` that did not end.
fn unfinished(data: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(data.join("postgres")) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.to_string_lossy().contains("unfinished-"))
        .collect()
}

/// Writes programs. Another process does: a child that another test forks while we have the file
/// open for writing would make it impossible to run (`ETXTBSY`).
fn programs(folder: &Path, version: &str, initdb: &str) {
    for (name, script) in [
        ("postgres", &*format!("echo '{version}'")),
        ("initdb", initdb),
    ] {
        let write = format!("cat > {name} && chmod 755 {name}");
        let mut shell = Command::new("sh")
            .args(["-c", &write])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        write!(shell.stdin.take().unwrap(), "#!/bin/sh\n{script}\n").unwrap();
        assert!(shell.wait().unwrap().success());
    }
}

#[tokio::test]
async fn a_server_is_made_keeps_its_data_and_leaves_no_process() {
    let data = folder();
    let data = data.path().join("new");

    let server = OwnPostgres::start(&data).await.unwrap();
    let database = connect(&server).await;
    let whose = "SELECT concat_ws(' ', current_user, current_database(), \
                 current_setting('server_encoding'), '<' || current_setting('listen_addresses') || '>', \
                 current_setting('fsync'), current_setting('synchronous_commit'))";
    assert_eq!(text(&database, whose).await, "webmon webmon UTF8 <> on on");
    database
        .execute_unprepared("CREATE TABLE kept AS SELECT 'ä' AS word")
        .await
        .unwrap();
    let first = server.pid();
    // The session is still open: a stop does not wait for it.
    server.stop().await.unwrap();
    assert!(!exists(first));
    assert!(!data.join("postgres/cluster/postmaster.pid").exists());

    let server = OwnPostgres::start(&data).await.unwrap();
    assert_ne!(server.pid(), first);
    assert_eq!(
        text(&connect(&server).await, "SELECT word FROM kept").await,
        "ä"
    );
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_was_left_running_is_adopted_and_stopped() {
    let data = folder();
    let server = OwnPostgres::start(data.path()).await.unwrap();
    let (pid, url) = (server.pid(), server.url());
    let group = getpgid(Pid::from_raw(pid)).unwrap();
    assert_ne!(
        group,
        getpgrp(),
        "a Ctrl-C on the terminal must not reach it"
    );
    drop(server);

    // No PostgreSQL need be found to use one that runs.
    let server = OwnPostgres::start_from(data.path(), &[]).await.unwrap();
    assert_eq!((server.pid(), server.url()), (pid, url));
    assert_eq!(text(&connect(&server).await, "SELECT 'here'").await, "here");
    server.stop().await.unwrap();
    assert!(!data.path().join("postgres/cluster/postmaster.pid").exists());

    // It may start again at once.
    let server = OwnPostgres::start(data.path()).await.unwrap();
    assert_ne!(server.pid(), pid);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_file_with_the_process_id_of_a_stranger_is_no_obstacle_and_no_stranger_is_stopped() {
    let data = folder();
    OwnPostgres::start(data.path())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    let cluster = data.path().join("postgres/cluster");
    let file = format!(
        "{}\n{}\n1700000000\n5432\n/nowhere\n",
        stranger.id(),
        cluster.display()
    );
    fs::write(cluster.join("postmaster.pid"), file).unwrap();

    let started = OwnPostgres::start(data.path()).await;
    let stopped = match started {
        Ok(server) => server.stop().await,
        Err(report) => Err(report),
    };
    let survived = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    stopped.unwrap();
    assert!(survived);
}

#[tokio::test]
async fn a_copy_of_a_data_folder_never_takes_the_server_of_the_original() {
    let (original, copy) = (folder(), folder());
    let server = OwnPostgres::start(original.path()).await.unwrap();
    let mut copying = Command::new("cp");
    copying
        .arg("-a")
        .arg(original.path().join("postgres"))
        .arg(copy.path());
    assert!(
        copying
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
            .wait()
            .is_ok()
    );

    let message = refusal(copy.path(), None).await;
    let named = format!(
        "a PostgreSQL that is not process {} here listens on",
        server.pid()
    );
    assert!(message.starts_with(&named), "{message}");
    assert_eq!(
        text(&connect(&server).await, "SELECT 'alive'").await,
        "alive"
    );
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_data_folder_with_a_long_path_works_and_is_adopted() {
    let top = folder();
    let data = top.path().join("long ".repeat(20)).join("and longer");
    let server = OwnPostgres::start(&data).await.unwrap();
    let (pid, url) = (server.pid(), server.url());
    let socket = text(&connect(&server).await, "SHOW unix_socket_directories").await;
    let socket = PathBuf::from(socket.trim_matches('"'));
    assert!(!socket.starts_with(top.path()));
    assert_eq!(
        socket.metadata().unwrap().permissions().mode() & 0o777,
        0o700
    );
    drop(server);

    let server = OwnPostgres::start(&data).await.unwrap();
    assert_eq!((server.pid(), server.url()), (pid, url));
    server.stop().await.unwrap();
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_data_folder_whose_name_needs_quotes_works() {
    let top = folder();
    let data = top.path().join("a, \"b\" %c'd");
    let server = OwnPostgres::start(&data).await.unwrap();
    assert_eq!(text(&connect(&server).await, "SELECT 'here'").await, "here");
    let socket = text(&connect(&server).await, "SHOW unix_socket_directories").await;
    assert!(socket.contains("%c'd/postgres/socket"), "{socket}");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_was_interrupted_is_begun_again() {
    let data = folder();
    let begun = async {
        while !unfinished(data.path())
            .iter()
            .any(|each| each.join("PG_VERSION").exists())
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        started = OwnPostgres::start(data.path()) => panic!("not interrupted: {started:?}"),
        () = begun => {}
    }
    assert!(!data.path().join("postgres/cluster").exists());
    assert_eq!(unfinished(data.path()).len(), 1);

    let server = OwnPostgres::start(data.path()).await.unwrap();
    assert_eq!(unfinished(data.path()), Vec::<PathBuf>::new());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_machine_without_postgresql_is_told_what_to_install() {
    let (data, empty) = (folder(), folder());
    let message = refusal(data.path(), Some(&[empty.path().to_owned()])).await;
    assert_eq!(
        message,
        format!(
            "no PostgreSQL 15 or newer: this machine has none (looked in {}): install one, e.g. \
             `apt-get install postgresql`, or set database.url",
            empty.path().display()
        )
    );
}

#[tokio::test]
async fn a_postgresql_that_is_too_old_is_named() {
    let (data, old) = (folder(), folder());
    let bin = old.path().join("14/bin");
    fs::create_dir_all(&bin).unwrap();
    programs(&bin, "postgres (PostgreSQL) 14.9", "exit 1");
    let message = refusal(data.path(), Some(&[old.path().join("*/bin")])).await;
    assert!(
        message.contains(&format!("has 14 in {} (", bin.display())),
        "{message}"
    );
}

#[tokio::test]
async fn files_of_another_version_name_both_and_the_remedy() {
    let data = folder();
    let cluster = data.path().join("postgres/cluster");
    fs::create_dir_all(&cluster).unwrap();
    fs::write(cluster.join("PG_VERSION"), "9\n").unwrap();
    let message = refusal(data.path(), None).await;
    assert!(
        message.starts_with("the data folder was made by PostgreSQL 9, and this machine has 1"),
        "{message}"
    );
    assert!(
        message.ends_with(
            "install PostgreSQL 9 beside it, and move the data with `webmon upgrade`, or set database.url"
        ),
        "{message}"
    );
}

#[tokio::test]
async fn a_failing_initdb_is_quoted_and_leaves_nothing() {
    let (data, broken) = (folder(), folder());
    let script = "echo 'creating files'; echo 'no space left on device' >&2; exit 1";
    programs(broken.path(), "postgres (PostgreSQL) 15.1", script);
    let message = refusal(data.path(), Some(&[broken.path().to_owned()])).await;
    assert!(
        message.ends_with("(exit status: 1):\n    creating files\n    no space left on device"),
        "{message}"
    );
    assert_eq!(unfinished(data.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_server_that_does_not_start_is_quoted() {
    let data = folder();
    OwnPostgres::start(data.path())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    fs::remove_file(data.path().join("postgres/cluster/global/pg_control")).unwrap();
    let message = refusal(data.path(), None).await;
    assert!(
        message.starts_with("PostgreSQL did not start in "),
        "{message}"
    );
    assert!(message.contains("global/pg_control"), "{message}");
}

#[tokio::test]
async fn a_folder_closed_to_the_servers_user_is_named() {
    let closed = folder_with_mode(0o700);
    let data = closed.path().join("data");
    if geteuid().is_root() {
        let message = refusal(&data, None).await;
        let named = format!(
            "which may not enter {}: choose another",
            closed.path().display()
        );
        assert!(message.contains(&named), "{message}");
    } else {
        // The server runs as the user of the test, who may enter the folder.
        OwnPostgres::start(&data)
            .await
            .unwrap()
            .stop()
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_server_that_was_killed_recovers_what_was_committed() {
    let data = folder();
    let server = OwnPostgres::start(data.path()).await.unwrap();
    let database = connect(&server).await;
    database
        .execute_unprepared("CREATE TABLE kept AS SELECT 'ä' AS word")
        .await
        .unwrap();
    let killed = server.pid();
    kill_process(Pid::from_raw(killed).unwrap(), Signal::KILL).unwrap();
    drop(server);

    let server = OwnPostgres::start(data.path()).await.unwrap();
    assert_ne!(server.pid(), killed);
    assert_eq!(
        text(&connect(&server).await, "SELECT word FROM kept").await,
        "ä"
    );
    server.stop().await.unwrap();
}

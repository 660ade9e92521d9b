//! Backups of webmon's own `PostgreSQL`: taken while checks go on, restored elsewhere, never over anything.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

#[expect(dead_code, reason = "not all of it is needed here")]
mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, Database};
use testbed::{Crowd, Finished, Process, Website, eventually, sites_file, tables};
use webmon::commands::upgrade::upgrade_from;
use webmon::postgres::{self, OwnPostgres};

use support::Standalone;

/// How long a command may take: it makes a `PostgreSQL` first.
const COMMAND: Duration = Duration::from_mins(2);
/// How long webmon may take to stop.
const STOP: Duration = Duration::from_secs(45);
/// Sites that are checked often.
const FEW: &[Crowd] = &[Crowd::new("half-second", "/ok", 500, 20)];

/// Runs `webmon --data DIR COMMAND…`.
async fn run(data: &Path, arguments: &[&OsStr]) -> Finished {
    let data: [&OsStr; 2] = ["--data".as_ref(), data.as_os_str()];
    let arguments = data.into_iter().chain(arguments.iter().copied());
    Process::run("webmon", arguments.collect::<Vec<_>>(), COMMAND).await
}

/// The same, which must do its work.
async fn done(data: &Path, arguments: &[&OsStr]) -> Finished {
    let finished = run(data, arguments).await;
    assert_eq!(finished.code, 0, "{}{}", finished.stdout, finished.stderr);
    finished
}

/// The same, which must be refused, with these words.
async fn refused(data: &Path, arguments: &[&OsStr], code: i32, words: &str) {
    let finished = run(data, arguments).await;
    assert_eq!(
        finished.code, code,
        "{}{}",
        finished.stdout, finished.stderr
    );
    assert!(finished.stderr.contains(words), "{}", finished.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_webmon_goes_on_elsewhere_and_its_ledger_balances() {
    let website = Website::start();
    let original = Standalone::with(&sites_file(FEW, &website));
    let mut up = original.up("original").await;
    let database = original.connect().await;
    let start = tables::now(&database).await;
    tables::scheduled_until(&database, start + 5_000).await;
    let file = original.data().parent().unwrap().join("webmon.backup");
    let (backup, restore) = (OsStr::new("backup"), OsStr::new("restore"));
    done(original.data(), &[backup, file.as_os_str()]).await;
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    up.assert_running();
    let identity = "SELECT ('x' || substr(id::text, 1, 8))::bit(32)::bigint FROM installation";
    let id = tables::number(&database, identity).await;
    let in_use = "stop it, or name another folder with --data";
    refused(original.data(), &[restore, file.as_os_str()], 1, in_use).await;
    up.terminate();
    assert_eq!(up.wait(STOP).await, 0);
    let rows = "the database in";
    refused(original.data(), &[restore, file.as_os_str()], 1, rows).await;

    let copy = Standalone::with("sites: []\n");
    done(copy.data(), &[restore, file.as_os_str()]).await;
    let mut up = copy.up("copy").await;
    let database = copy.connect().await;
    assert_eq!(tables::number(&database, identity).await, id);
    assert_eq!(
        tables::number(&database, "SELECT count(*) FROM site").await,
        20
    );
    let restored = "SELECT count(*) FROM check_result WHERE scheduled_at < now() - interval '20 s'";
    eventually(COMMAND, "the results are there", async || {
        (tables::number(&database, restored).await > 0).then_some(())
    })
    .await;
    let now = tables::now(&database).await;
    let report = tables::audit(&database, now + 5_000).await;
    report.assert_clean();
    let audit = copy.audit(COMMAND).await;
    assert_eq!(audit.code, 0, "{}{}", audit.stdout, audit.stderr);
    up.terminate();
    assert_eq!(up.wait(STOP).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_replaces_nothing_unasked_and_what_is_none_is_not_restored() {
    let standalone = Standalone::with("sites: []\n");
    let data = standalone.data();
    let folder = data.parent().unwrap();
    let (backup, restore) = (OsStr::new("backup"), OsStr::new("restore"));
    let file = folder.join("webmon.backup");
    let file = file.as_os_str();
    refused(data, &[backup, file], 1, "has no database yet").await;
    assert!(!data.exists());
    prepared(data).await;
    done(data, &[backup, file]).await;
    refused(data, &[backup, file], 2, "is there already").await;
    done(data, &[backup, file, "--force".as_ref()]).await;
    let link = folder.join("link");
    symlink("/dev/null", &link).unwrap();
    for other in [folder, Path::new("/dev/null"), &link] {
        let arguments = [backup, other.as_os_str(), "--force".as_ref()];
        refused(data, &arguments, 2, "is no file").await;
    }
    let nowhere = folder.join("not/there");
    refused(
        data,
        &[backup, nowhere.as_os_str()],
        1,
        "not/there: No such file",
    )
    .await;

    let (text, part) = (folder.join("text"), folder.join("part"));
    fs::write(&text, "sites: []\n").unwrap();
    let whole = fs::read(file).unwrap();
    let new = folder.join("new");
    refused(&new, &[restore, text.as_os_str()], 1, "is no backup").await;
    refused(
        &new,
        &[restore, nowhere.as_os_str()],
        1,
        "not/there: No such file",
    )
    .await;
    assert!(!new.exists(), "nothing is made for what is no backup");
    for bytes in [whole.len() / 50, whole.len() - 20] {
        fs::write(&part, &whole[..bytes]).unwrap();
        refused(&new, &[restore, part.as_os_str()], 1, "nothing is changed").await;
    }
    // What was refused has left an empty database, and the whole backup is still welcome.
    done(&new, &[restore, file]).await;
    done(&new, &[OsStr::new("status")]).await;
    let left = fs::read_dir(folder).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().starts_with('.')),
        "{left:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_database_is_backed_up_by_its_own_tools() {
    let folder = tempfile::TempDir::new().unwrap();
    let (data, config) = (
        folder.path().join("data"),
        folder.path().join("config.yaml"),
    );
    let url = "postgres://webmon@127.0.0.1/webmon";
    fs::write(&config, format!("database: {{url: \"{url}\"}}\n")).unwrap();
    for (command, tool) in [("backup", "`pg_dump`"), ("restore", "`pg_restore`")] {
        let arguments = [command, "file", "--config"].map(OsStr::new);
        let arguments = arguments.into_iter().chain([config.as_os_str()]);
        let arguments: Vec<_> = arguments.collect();
        refused(
            &data,
            &arguments,
            2,
            &format!("use PostgreSQL's own {tool}"),
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_newer_webmon_is_refused_and_one_of_an_older_is_migrated() {
    let standalone = Standalone::with("sites: []\n");
    let folder = standalone.data().parent().unwrap();
    let (backup, restore) = (OsStr::new("backup"), OsStr::new("restore"));
    let (newer, older) = (folder.join("newer"), folder.join("older"));
    let file = |data: &Path| data.with_extension("backup");
    let future =
        "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_future', 0)";
    prepared_with(&newer, None, future).await;
    prepared_with(&older, Some(4), "SELECT 1").await;
    for data in [&newer, &older] {
        done(data, &[backup, file(data).as_os_str()]).await;
    }
    let new = folder.join("new");
    let arguments = [restore, &file(&newer).into_os_string()];
    let refusal = run(&new, &arguments).await;
    assert_eq!(refusal.code, 1, "{}", refusal.stderr);
    for words in [
        "cannot restore",
        "m29990101_000001_future",
        store::SCHEMA_VERSION,
        "upgrade webmon",
    ] {
        assert!(
            refusal.stderr.contains(words),
            "{words}: {}",
            refusal.stderr
        );
    }
    done(standalone.data(), &[restore, file(&older).as_os_str()]).await;
    let mut up = standalone.up("webmon").await;
    let database = standalone.connect().await;
    assert_eq!(
        tables::number(&database, "SELECT count(*) FROM site").await,
        1
    );
    up.assert_running();
}

/// Makes a data folder with a site.
async fn prepared(data: &Path) {
    prepared_with(data, None, "SELECT 1").await;
}

/// The same, after so many migrations, and with this done to it.
async fn prepared_with(data: &Path, migrations: Option<u32>, more: &str) {
    let server = OwnPostgres::start(data).await.unwrap();
    let database = Database::connect(server.url()).await.unwrap();
    Migrator::up(&database, migrations).await.unwrap();
    let site = "INSERT INTO site (name, url, interval_ms, timeout_ms) VALUES ('shop', 'http://127.0.0.1/', 60000, 1000)";
    for statement in [site, more] {
        database.execute_unprepared(statement).await.unwrap();
    }
    database.close().await.unwrap();
    server.stop().await.unwrap();
}

/// Programs of a newer version: those that are installed, which say of themselves that they are newer.
fn newer(folder: &Path) {
    let installed = postgres::usual_places();
    let bin = installed.iter().flat_map(|place| {
        let text = place.to_string_lossy().into_owned();
        let (before, after) = text.split_once('*').unwrap_or((&text, ""));
        let parent = Path::new(before).to_owned();
        let entries = fs::read_dir(&parent).into_iter().flatten().flatten();
        let below = entries
            .map(|entry| Path::new(&format!("{}{after}", entry.path().display())).to_owned());
        below.chain([parent]).collect::<Vec<_>>()
    });
    let bin = bin
        .into_iter()
        .find(|bin| bin.join("initdb").is_file() && bin.join("pg_dump").is_file());
    let bin = bin.unwrap();
    for name in ["postgres", "initdb", "pg_dump", "pg_restore"] {
        let real = bin.join(name);
        let script = format!(
            "#!/bin/sh\n[ \"$1\" != --version ] || {{ echo '{name} (PostgreSQL) 99.1'; exit; }}\nexec {} \"$@\"\n",
            real.display()
        );
        let path = folder.join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_moves_everything_and_keeps_the_old_files() {
    let standalone = Standalone::with("sites: []\n");
    let data = standalone.data();
    prepared(data).await;
    let nothing = done(data, &[OsStr::new("upgrade")]).await;
    assert!(
        nothing.stdout.contains("nothing to do"),
        "{}",
        nothing.stdout
    );

    let programs = data.parent().unwrap().join("newer");
    fs::create_dir(&programs).unwrap();
    newer(&programs);
    let mut places = vec![programs];
    places.extend(postgres::usual_places());
    // What an upgrade left that was killed, its server included.
    drop(OwnPostgres::start(&data.join("upgrading")).await.unwrap());
    upgrade_from(data, &places).await.unwrap();

    let kept = fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let kept: Vec<_> = kept
        .filter(|name| name.to_string_lossy().contains('-'))
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(!data.join("upgrading").exists());
    let status = done(data, &[OsStr::new("status")]).await;
    assert!(status.stdout.contains("shop"), "{}", status.stdout);
    done(data, &[OsStr::new("identity")]).await;

    // An upgrade that was killed between its two renames is finished by the next start.
    let upgrading = data.join("upgrading");
    fs::create_dir(&upgrading).unwrap();
    fs::rename(data.join("postgres"), upgrading.join("postgres")).unwrap();
    let status = done(data, &[OsStr::new("status")]).await;
    assert!(status.stdout.contains("shop"), "{}", status.stdout);
}

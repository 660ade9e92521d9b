//! The server's files: how they are made, and how a server is started on them.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use color_eyre::eyre::{self, WrapErr as _, bail};
use tokio::process::Command;
use tokio::time::Instant;

use super::folders::ServerFolders;
use super::installation::Installation;
use super::{location, logs};
use crate::data_folder;

/// How the names of unfinished data folders begin.
const UNFINISHED: &str = "unfinished-";

/// What `initdb` says of a user without an entry in the system's list of users.
const NAMELESS: &str = "could not look up effective user ID";

/// How long the removal of one may take.
const REMOVE_DEADLINE: Duration = Duration::from_secs(10);

/// How long to wait before trying again.
const REMOVE_AGAIN: Duration = Duration::from_millis(50);

/// Settings for a small machine, on the command line: the command line wins over the files, and we
/// write no file in a folder that another user may write. Durability is `PostgreSQL`'s default, named
/// to say that it is meant. One log for each day of the week, so that logs do not grow for ever.
const SETTINGS: [&str; 16] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=50",
    "shared_buffers=128MB",
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    "logging_collector=on",
    "log_destination=stderr",
    "log_filename=postgresql-%a.log",
    "log_rotation_age=1d",
    "log_rotation_size=0",
    "log_truncate_on_rotation=on",
    "log_checkpoints=off",
    "log_autovacuum_min_duration=-1",
    "cluster_name=webmon",
];

/// Makes the server's files. They appear whole or not at all: an interrupted attempt leaves a folder
/// of another name, which the next one removes.
pub(super) async fn create(
    folders: &ServerFolders,
    installation: &Installation,
) -> eyre::Result<()> {
    remove_unfinished(&folders.root).await?;
    // A name of this process's own: an `initdb` whose webmon was killed may still be writing.
    let unfinished = folders
        .root
        .join(format!("{UNFINISHED}{}", std::process::id()));
    tracing::info!(
        postgres.version = installation.major,
        "creating a PostgreSQL database in {}",
        folders.cluster.display()
    );
    let made = initdb(folders, installation, &unfinished)
        .await
        .and_then(|()| {
            fs::rename(&unfinished, &folders.cluster)
                .and_then(|()| File::open(&folders.root)?.sync_all())
                .wrap_err_with(|| format!("cannot create {}", folders.cluster.display()))
        });
    if made.is_err() {
        // The reason is worth more than that its remains could not be removed.
        drop(fs::remove_dir_all(&unfinished));
    }
    made
}

/// Runs `initdb` on `folder`.
async fn initdb(
    folders: &ServerFolders,
    installation: &Installation,
    folder: &Path,
) -> eyre::Result<()> {
    fs::create_dir(folder).wrap_err_with(|| format!("cannot create {}", folder.display()))?;
    folders.account.give(folder)?;
    let program = installation.initdb();
    let mut command = Command::new(&program);
    command
        .arg("--pgdata")
        .arg(folder)
        .args(["--username", location::USER])
        .args(["--auth-local=trust", "--auth-host=reject"])
        // Not a locale of the system: those change their order with the system, under the indexes.
        .args(["--encoding=UTF8", "--locale=C"])
        .args(["--data-checksums", "--no-instructions"])
        .env("LC_ALL", "C")
        .current_dir(&folders.root)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    folders.account.run(&mut command);
    let output = command
        .output()
        .await
        .wrap_err_with(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        if String::from_utf8_lossy(&said).contains(NAMELESS) {
            bail!(
                "the user with id {} has no name, and PostgreSQL's initdb needs one: give the id an entry in \
                 /etc/passwd, run webmon as a user who has one (`useradd --system webmon`), or set database.url",
                folders.account.uid
            );
        }
        bail!(
            "{} failed in {} ({}):{}",
            program.display(),
            folders.root.display(),
            output.status,
            logs::last_lines(&said)
        );
    }
    Ok(())
}

/// Removes what interrupted attempts left.
async fn remove_unfinished(root: &Path) -> eyre::Result<()> {
    let entries = fs::read_dir(root).wrap_err_with(|| format!("cannot read {}", root.display()))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let path = entry.path();
            remove(&path)
                .await
                .wrap_err_with(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Removes a folder in which an `initdb` that was left alone may still be writing. It fails soon, for
/// want of its files.
async fn remove(folder: &Path) -> std::io::Result<()> {
    let deadline = Instant::now() + REMOVE_DEADLINE;
    loop {
        match fs::remove_dir_all(folder) {
            Err(error)
                if error.kind() == ErrorKind::DirectoryNotEmpty && Instant::now() < deadline =>
            {
                tokio::time::sleep(REMOVE_AGAIN).await;
            }
            end => return end,
        }
    }
}

/// The command that starts a server on the files: in a process group of its own, so that a Ctrl-C on
/// the terminal reaches webmon alone, which stops it after everything else.
pub(super) fn command(
    folders: &ServerFolders,
    installation: &Installation,
) -> eyre::Result<Command> {
    let log = data_folder::open(&folders.start_log())?;
    log.set_len(0)
        .wrap_err_with(|| format!("cannot write {}", folders.start_log().display()))?;
    let errors = log
        .try_clone()
        .wrap_err("cannot open the log of PostgreSQL twice")?;
    let socket = folders.socket.to_string_lossy().replace('"', "\"\"");
    let mut command = Command::new(installation.postgres());
    command
        .arg("-D")
        .arg(&folders.cluster)
        .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
        .args(["-c", &format!("port={}", location::PORT)])
        // A list, whose items are quoted with double quotes.
        .args(["-c", &format!("unix_socket_directories=\"{socket}\"")])
        .args(["-c", &format!("log_directory={}", folders.log.display())])
        .env("LC_ALL", "C")
        .current_dir(&folders.root)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0)
        .kill_on_drop(false);
    folders.account.run(&mut command);
    Ok(command)
}

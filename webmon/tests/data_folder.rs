//! The data folder: closed to other users, whatever they put in its place beforehand.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::Path;

use rustix::process::geteuid;
use tempfile::TempDir;
use webmon::data_folder::FolderLock;
use webmon::postgres::OwnPostgres;

/// A user that is not this one.
const STRANGER: u32 = 54_321;

/// A folder that every user can pass through.
fn folder() -> TempDir {
    let through = Permissions::from_mode(0o711);
    tempfile::Builder::new()
        .permissions(through)
        .tempdir()
        .unwrap()
}

/// The permissions of a file or folder.
fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// The permissions of a folder that the server's user passes through, which is another one for root.
fn closed() -> u32 {
    if geteuid().is_root() { 0o710 } else { 0o700 }
}

/// Changes permissions.
fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Why the lock on `data` was not taken.
fn refusal(data: &Path) -> String {
    let taken = FolderLock::insist(data).expect_err("the lock should not have been taken");
    format!("{taken:#}")
}

#[tokio::test]
async fn what_is_made_is_closed_to_other_users_and_open_to_the_server() {
    let top = folder();
    let data = top.path().join("not/there/yet");
    let lock = FolderLock::insist(&data).unwrap();
    assert_eq!(mode(&data), 0o700);
    let server = OwnPostgres::start(&data).await.unwrap();
    for folder in [data.clone(), data.join("postgres")] {
        assert_eq!(mode(&folder), closed(), "{}", folder.display());
    }
    for folder in ["cluster", "socket", "log"] {
        assert_eq!(mode(&data.join("postgres").join(folder)), 0o700, "{folder}");
    }
    for file in ["lock", "postgres/start.log"] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
    server.stop().await.unwrap();
    drop(lock);
}

#[tokio::test]
async fn what_an_earlier_webmon_left_open_is_closed() {
    let top = folder();
    let data = top.path().join("data");
    OwnPostgres::start(&data)
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    fs::write(data.join("lock"), "").unwrap();
    for folder in [data.clone(), data.join("postgres")] {
        chmod(&folder, 0o755);
    }
    chmod(&data.join("lock"), 0o644);
    let lock = FolderLock::insist(&data).unwrap();
    OwnPostgres::start(&data)
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    assert_eq!(mode(&data.join("lock")), 0o600);
    for folder in [data.clone(), data.join("postgres")] {
        assert_eq!(mode(&folder), closed(), "{}", folder.display());
    }
    drop(lock);
}

#[test]
fn a_folder_with_other_things_keeps_its_permissions_and_its_lock_is_closed() {
    let top = folder();
    fs::write(top.path().join("letters"), "mine").unwrap();
    for open in [0o755, 0o775, 0o1777] {
        chmod(top.path(), open);
        drop(FolderLock::insist(top.path()).unwrap());
        assert_eq!(mode(top.path()), open);
        assert_eq!(mode(&top.path().join("lock")), 0o600);
    }
    chmod(top.path(), 0o777);
    let message = refusal(top.path());
    assert!(message.contains("`chmod o-w "), "{message}");
}

#[test]
fn a_lock_that_is_a_link_is_refused_and_the_file_behind_it_stays_as_it_is() {
    let top = folder();
    let (victim, lock) = (top.path().join("victim"), top.path().join("data/lock"));
    fs::create_dir(top.path().join("data")).unwrap();
    fs::write(&victim, "precious").unwrap();
    chmod(&victim, 0o644);
    for make in [symlink::<&Path, &Path>, fs::hard_link] {
        make(&victim, &lock).unwrap();
        let message = refusal(lock.parent().unwrap());
        assert!(message.contains("data/lock is "), "{message}");
        assert!(
            message.contains("or choose another folder with --data"),
            "{message}"
        );
        fs::remove_file(&lock).unwrap();
    }
    symlink(top.path().join("nothing"), &lock).unwrap();
    refusal(lock.parent().unwrap());
    assert!(!top.path().join("nothing").exists());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(mode(&victim), 0o644);
}

#[test]
fn what_another_user_put_in_place_of_a_data_folder_is_refused() {
    if !geteuid().is_root() {
        // Without root's rights there is one thing of another user in every system: it is root's, and trusted.
        return assert_eq!(fs::metadata("/").unwrap().uid(), 0);
    }
    let top = folder();
    let (data, link) = (top.path().join("data"), top.path().join("link"));
    fs::create_dir(&data).unwrap();
    symlink(&data, &link).unwrap();
    drop(FolderLock::insist(&link).unwrap());

    lchown(&link, Some(STRANGER), None).unwrap();
    let named = |path: &Path| format!("{} belongs to the user with id {STRANGER}", path.display());
    assert!(
        refusal(&link).starts_with(&named(&link)),
        "{}",
        refusal(&link)
    );

    let lock = data.join("lock");
    chown(&lock, Some(STRANGER), None).unwrap();
    assert!(
        refusal(&data).starts_with(&named(&lock)),
        "{}",
        refusal(&data)
    );
    fs::remove_file(&lock).unwrap();

    chown(&data, Some(STRANGER), None).unwrap();
    assert!(
        refusal(&data).starts_with(&named(&data)),
        "{}",
        refusal(&data)
    );
    assert!(!lock.exists());
}

//! Folders and files that only their owner may enter: the data folder and its lock.
//!
//! The data folder may be in a place where other users can write, such as `/tmp`. What another user has put
//! there beforehand is refused: a folder, a link, or a lock. What is webmon's own and was open to others is
//! closed.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::Path;

use color_eyre::eyre::{Result, WrapErr as _, bail, ensure, eyre};
use tracing::info;

/// The folder in which an upgrade makes the new server's files.
pub(crate) const UPGRADING: &str = "upgrading";

/// A folder for its owner alone.
const FOLDER: u32 = 0o700;
/// A file for its owner alone.
const FILE: u32 = 0o600;
/// What no other user may do in a folder.
const OTHERS: u32 = 0o077;
/// But root's may be passed through by its group, as the server's user does.
const GROUP_PASSES: u32 = 0o010;
/// Every user may put something into the folder.
const ALL_WRITE: u32 = 0o002;
/// But no user may remove what belongs to another.
const STICKY: u32 = 0o1000;

/// The lock on a data folder: one `webmon up` at a time.
#[derive(Debug)]
pub struct FolderLock {
    /// Locked as long as it is open.
    _file: File,
}

impl FolderLock {
    /// Takes the lock for `webmon up`; an error if another webmon has it.
    pub fn insist(data: &Path) -> Result<Self> {
        Self::take(data)?.ok_or_else(|| {
            eyre!(
                "another webmon runs on the data folder {}: stop it, or name another folder with --data",
                data.display()
            )
        })
    }

    /// Takes the lock; `None` if another webmon has it.
    pub fn take(data: &Path) -> Result<Option<Self>> {
        close(data, is_own)?;
        let path = data.join("lock");
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).wrap_err_with(|| format!("lock {}", path.display()))
            }
        }
    }
}

/// Whether webmon keeps something of this name in its data folder.
pub(crate) fn is_own(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let server = name
        .strip_prefix("postgres")
        .is_some_and(|version| version.is_empty() || version.starts_with('-'));
    server || name == "lock" || name == UPGRADING
}

/// Makes the folder `path`, closed to others, or has it be a folder of ours. One that holds nothing but what is
/// `ours` is closed; in a folder with other things as well the permissions are left alone.
pub(crate) fn close(path: &Path, ours: impl Fn(&OsStr) -> bool) -> Result<()> {
    let parents = path.parent().map_or(Ok(()), fs::create_dir_all);
    let made = parents.and_then(|()| DirBuilder::new().mode(FOLDER).create(path));
    match made {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(error).wrap_err_with(|| format!("create the folder {}", path.display()));
        }
    }
    let look = || format!("look at {}", path.display());
    must_be_ours(path, &fs::symlink_metadata(path).wrap_err_with(look)?)?;
    let found = fs::metadata(path).wrap_err_with(look)?;
    ensure!(
        found.is_dir(),
        "{} is no folder: name another with --data",
        path.display()
    );
    must_be_ours(path, &found)?;
    let passed = if our_id() == 0 { GROUP_PASSES } else { 0 };
    if found.mode() & OTHERS & !passed == 0 {
        return Ok(());
    }
    let entries = fs::read_dir(path).wrap_err_with(|| format!("read {}", path.display()))?;
    let all_ours = entries
        .collect::<io::Result<Vec<_>>>()
        .wrap_err_with(|| format!("read {}", path.display()))?
        .iter()
        .all(|entry| ours(&entry.file_name()));
    let sticky = found.mode() & STICKY != 0;
    if all_ours && !sticky && found.uid() == our_id() {
        fs::set_permissions(path, Permissions::from_mode(FOLDER))
            .wrap_err_with(|| format!("close {} to other users", path.display()))?;
        info!("closed {} to other users", path.display());
        return Ok(());
    }
    ensure!(
        sticky || found.mode() & ALL_WRITE == 0,
        "every user may change what is in {}: `chmod o-w {}`, or choose another folder with --data",
        path.display(),
        path.display()
    );
    Ok(())
}

/// Opens the file `path` for its owner alone; it is made if it is not there, and nothing in it is changed. A
/// link to another file is refused.
pub(crate) fn open(path: &Path) -> Result<File> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let file = match opened {
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => bail!(
            "{} is a symbolic link, and webmon makes none: remove it, or choose another folder with --data",
            path.display()
        ),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => bail!(
            "{} cannot be opened by user id {}: run webmon as the user that owns the folder, or choose another \
             folder with --data",
            path.display(),
            our_id()
        ),
        opened => opened.wrap_err_with(|| format!("open {}", path.display()))?,
    };
    let found = file
        .metadata()
        .wrap_err_with(|| format!("look at {}", path.display()))?;
    ensure!(
        found.is_file() && found.nlink() == 1,
        "{} is not a file of webmon's own: move it away, or choose another folder with --data",
        path.display()
    );
    must_be_ours(path, &found)?;
    if found.mode() & 0o777 != FILE && found.uid() == our_id() {
        file.set_permissions(Permissions::from_mode(FILE))
            .wrap_err_with(|| format!("close {} to other users", path.display()))?;
    }
    Ok(file)
}

/// Fails if what was found at `path` is another user's. What is root's may be used by all.
fn must_be_ours(path: &Path, found: &Metadata) -> Result<()> {
    let (owner, ours) = (found.uid(), our_id());
    ensure!(
        owner == ours || owner == 0,
        "{} belongs to the user with id {owner}, and webmon runs with id {ours}: run webmon as that user, `chown` it, \
         or choose another folder with --data",
        path.display()
    );
    Ok(())
}

/// The id of the user that this process runs as.
fn our_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

//! The folders of the server.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use color_eyre::eyre::{self, WrapErr as _, bail, eyre};

use super::account::Account;
use super::location;
use crate::data_folder;

/// The longest path of a socket on Linux, without the NUL at its end (unix(7)); macOS has 103.
const MAX_SOCKET_PATH_BYTES: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// What belongs to the server under the data folder.
#[derive(Clone, Debug)]
pub(super) struct ServerFolders {
    /// The folder of the others: ours, so that `account` cannot change what we write in it.
    pub(super) root: PathBuf,
    /// The server's files, its data directory.
    pub(super) cluster: PathBuf,
    /// The folder of the socket, for a server started now. An adopted one says itself where it is.
    pub(super) socket: PathBuf,
    /// The server's logs.
    pub(super) log: PathBuf,
    /// Whose process and files.
    pub(super) account: Account,
}

impl ServerFolders {
    /// Where the server's files are under a data folder.
    pub(super) fn cluster_in(data: &Path) -> PathBuf {
        data.join("postgres").join("cluster")
    }

    /// Creates what is missing of the folders, except the server's files.
    pub(super) fn prepare(data: &Path) -> eyre::Result<ServerFolders> {
        data_folder::close(data, data_folder::is_own)?;
        let data = fs::canonicalize(data)
            .wrap_err_with(|| format!("cannot look at {}", data.display()))?;
        if data.to_str().is_none() {
            bail!(
                "the path of the data folder {} is not UTF-8: rename it",
                data.display()
            );
        }
        ServerFolders::inside(&data)
    }

    /// The same, of a data folder that exists and whose path is absolute.
    fn inside(data: &Path) -> eyre::Result<ServerFolders> {
        let root = data.join("postgres");
        let cluster = root.join("cluster");
        finish_upgrade(data, &root)?;
        let account = Account::choose(&cluster)?;
        data_folder::close(&root, |_| true)?;
        for folder in [data, &root] {
            account.let_through(folder)?;
        }
        account.must_reach(&root)?;
        let folders = ServerFolders {
            cluster,
            socket: socket_folder(&root),
            log: root.join("log"),
            root,
            account,
        };
        for folder in [&folders.log, &folders.socket] {
            own_folder(folder, account)?;
        }
        if !folders.socket.starts_with(&folders.root) {
            account.must_reach(&folders.socket)?;
        }
        Ok(folders)
    }

    /// What a starting server says until its log is open.
    pub(super) fn start_log(&self) -> PathBuf {
        self.root.join("start.log")
    }

    /// The major version of `PostgreSQL` that made the server's files, if there are any.
    pub(super) fn version(&self) -> eyre::Result<Option<u32>> {
        let path = self.cluster.join("PG_VERSION");
        if !self.cluster.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).wrap_err_with(|| {
            format!(
                "{} is not a data folder of PostgreSQL: move it away",
                self.cluster.display()
            )
        })?;
        let major = text
            .trim()
            .parse()
            .map_err(|_| eyre!("{} has no version: {:?}", path.display(), text.trim()))?;
        Ok(Some(major))
    }
}

/// Puts the new server's files in their place, if an upgrade was interrupted after it had moved the old ones away.
fn finish_upgrade(data: &Path, root: &Path) -> eyre::Result<()> {
    let upgraded = data.join(data_folder::UPGRADING).join("postgres");
    if root.exists() || !upgraded.exists() {
        return Ok(());
    }
    fs::rename(&upgraded, root).wrap_err_with(|| {
        format!(
            "cannot put {} in the place of {}",
            upgraded.display(),
            root.display()
        )
    })
}

/// Where the socket goes: beside the server's files, unless that path is too long for a socket. Then
/// into the folder for temporary files, under a name that belongs to the server's files.
fn socket_folder(root: &Path) -> PathBuf {
    let beside = root.join("socket");
    if fits(&beside) {
        return beside;
    }
    let mut hash = DefaultHasher::new();
    root.hash(&mut hash);
    let name = format!("webmon-{:016x}", hash.finish());
    let temporary = std::env::temp_dir().join(&name);
    if fits(&temporary) {
        temporary
    } else {
        Path::new("/tmp").join(name)
    }
}

/// Whether a socket in `folder` has a path that the system accepts.
fn fits(folder: &Path) -> bool {
    location::socket_file(folder).as_os_str().len() <= MAX_SOCKET_PATH_BYTES
}

/// Has `path` be a folder of `account`, closed to others.
///
/// In a folder for temporary files any user may have put something of that name: what is there and is
/// not ours is refused.
fn own_folder(path: &Path, account: Account) -> eyre::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => account.give(path),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(path)
                .wrap_err_with(|| format!("cannot look at {}", path.display()))?;
            if !found.is_dir() || found.mode() & 0o077 != 0 {
                bail!(
                    "{} is not a folder closed to others: move it away",
                    path.display()
                );
            }
            match found.uid() {
                uid if uid == account.uid => Ok(()),
                // Left by root between making it and giving it away.
                0 => account.give(path),
                uid => bail!(
                    "{} belongs to user id {uid} and not to {}: move it away",
                    path.display(),
                    account.uid
                ),
            }
        }
        Err(error) => Err(error).wrap_err_with(|| format!("cannot create {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{MAX_SOCKET_PATH_BYTES, fits, socket_folder};

    #[test]
    fn a_socket_never_has_a_path_that_is_too_long() {
        let long = format!("/{}", "d".repeat(MAX_SOCKET_PATH_BYTES));
        let folder = socket_folder(Path::new(&long));
        assert!(!folder.starts_with(&long));
        assert!(fits(&folder));
        assert_eq!(folder, socket_folder(Path::new(&long)));
        assert_ne!(folder, socket_folder(Path::new(&format!("{long}d"))));
    }

    #[test]
    fn a_socket_is_beside_the_files_when_its_path_fits() {
        assert_eq!(
            socket_folder(Path::new("/d/postgres")),
            Path::new("/d/postgres/socket")
        );
    }
}

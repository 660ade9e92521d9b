//! The file of a backup: it appears whole or not at all, and what is none is not read.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal as _, Read as _, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use color_eyre::eyre::{Result, WrapErr as _, ensure};
use runtime::program::{say, usage};

use crate::postgres::{OwnPostgres, Tools, is_backup};

/// Standard output, or standard input.
const STANDARD: &str = "-";

/// Where a backup goes.
pub(super) enum Target {
    /// Standard output.
    Standard,
    /// A file, which appears when it is whole.
    File {
        /// Its name.
        path: PathBuf,
        /// The name until then.
        unfinished: Unfinished,
    },
}

/// A file that is removed unless it gets its name.
pub(super) struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It is gone if it got its name.
        drop(fs::remove_file(&self.0));
    }
}

impl Target {
    /// Fails where a backup cannot go.
    pub(super) fn new(file: &Path, force: bool) -> Result<Self> {
        if file == Path::new(STANDARD) {
            if io::stdout().is_terminal() {
                return Err(usage(
                    "a backup is no text for a terminal: name a file, or send it on with `>` or `|`",
                ));
            }
            return Ok(Self::Standard);
        }
        match fs::symlink_metadata(file) {
            Ok(found) if !found.is_file() => {
                return Err(usage(format!(
                    "{} is no file: name another",
                    file.display()
                )));
            }
            Ok(_) if !force => {
                return Err(usage(format!(
                    "{} is there already: name another file, or replace it with --force",
                    file.display()
                )));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).wrap_err_with(|| format!("look at {}", file.display()));
            }
        }
        let Some(name) = file.file_name() else {
            return Err(usage(format!("{} names no file", file.display())));
        };
        let mut unfinished = OsString::from(".");
        unfinished.push(name);
        unfinished.push(format!(".{}", std::process::id()));
        Ok(Self::File {
            path: file.to_owned(),
            unfinished: Unfinished(file.with_file_name(unfinished)),
        })
    }

    /// Writes the backup. It has the key of the installation in it, so no other user may read it.
    pub(super) async fn write(self, tools: &Tools, server: &OwnPostgres) -> Result<()> {
        let (path, unfinished) = match self {
            Self::Standard => return tools.dump(server, Stdio::inherit()).await,
            Self::File { path, unfinished } => (path, unfinished),
        };
        let context = || format!("write {}", path.display());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished.0)
            .wrap_err_with(context)?;
        let output = file.try_clone().wrap_err_with(context)?;
        tools
            .dump(server, output.into())
            .await
            .wrap_err_with(context)?;
        let mut written = file.try_clone().wrap_err_with(context)?;
        written.rewind().wrap_err_with(context)?;
        tools
            .look_at(server, written)
            .await
            .wrap_err_with(context)?;
        file.sync_all().wrap_err_with(context)?;
        fs::rename(&unfinished.0, &path).wrap_err_with(context)?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .wrap_err_with(context)?;
        let bytes = file.metadata().wrap_err_with(context)?.len();
        say(format_args!("wrote {}: {bytes} bytes", path.display()))
            .wrap_err("write to standard output")
    }
}

/// Where a backup comes from.
pub(super) enum Source {
    /// Standard input.
    Standard,
    /// A file.
    File(File),
}

impl Source {
    /// Opens it; a file that is no backup is refused.
    pub(super) fn open(path: &Path) -> Result<Self> {
        if path == Path::new(STANDARD) {
            return Ok(Self::Standard);
        }
        let context = || format!("read {}", path.display());
        let mut file = File::open(path).wrap_err_with(context)?;
        let mut first = Vec::new();
        file.by_ref()
            .take(16)
            .read_to_end(&mut first)
            .wrap_err_with(context)?;
        file.rewind().wrap_err_with(context)?;
        ensure!(
            is_backup(&first),
            "{} is no backup: name a file that `webmon backup` wrote",
            path.display()
        );
        Ok(Self::File(file))
    }

    /// Has its table of contents read, where that can be done twice.
    pub(super) async fn look(&self, tools: &Tools, server: &OwnPostgres) -> Result<()> {
        let Self::File(file) = self else {
            return Ok(());
        };
        let again = file.try_clone().wrap_err("open the backup twice")?;
        tools.look_at(server, again).await?;
        (&mut &*file).rewind().wrap_err("read the backup again")
    }

    /// The input of the program that reads it.
    pub(super) fn stdin(&self) -> Result<Stdio> {
        Ok(match self {
            Self::Standard => Stdio::inherit(),
            Self::File(file) => file.try_clone().wrap_err("open the backup twice")?.into(),
        })
    }
}

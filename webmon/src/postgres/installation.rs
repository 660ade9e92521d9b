//! The programs of `PostgreSQL` on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use color_eyre::eyre::{self, bail};
use tokio::process::Command;

/// The oldest major version that webmon's schema works with.
const OLDEST_MAJOR: u32 = 15;

/// Where packages put `PostgreSQL`'s server, which is often not on PATH: Debian, Red Hat, SUSE, Alpine,
/// Homebrew on both kinds of Mac, Postgres.app, and a build from source.
const USUAL_PLACES: [&str; 8] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",
];

/// PATH, and then the places where packages put `PostgreSQL`.
pub fn usual_places() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(USUAL_PLACES.map(PathBuf::from))
        .collect()
}

/// One version of `PostgreSQL`'s programs.
#[derive(Debug)]
pub(super) struct Installation {
    /// The folder of the programs.
    folder: PathBuf,
    /// The major version.
    pub(super) major: u32,
    /// The newest one on this machine, if that is newer than the server's files.
    pub(super) newer: Option<u32>,
}

impl Installation {
    /// The installation of the version that made the server's files, or if there are none yet, the
    /// newest.
    pub(super) async fn find(places: &[PathBuf], made_by: Option<u32>) -> eyre::Result<Self> {
        let mut found = Self::all(places).await;
        // Of equal ones the first: what is on PATH before what a package put elsewhere.
        found.sort_by_key(|installation| std::cmp::Reverse(installation.major));
        let seen = list(&found);
        let suits = |major| made_by.map_or(major >= OLDEST_MAJOR, |wanted| major == wanted);
        let newest = found.first().map(|newest| newest.major);
        if let Some(suitable) = found.into_iter().find(|each| suits(each.major)) {
            let newer = newest.filter(|newest| *newest > suitable.major);
            return Ok(Installation { newer, ..suitable });
        }
        let places: Vec<_> = places
            .iter()
            .map(|place| place.display().to_string())
            .collect();
        let places = places.join(", ");
        match made_by {
            Some(wanted) => bail!(
                "the data folder was made by PostgreSQL {wanted}, and this machine has {seen} \
                 (looked in {places}): install PostgreSQL {wanted} beside it, and move the data with \
                 `webmon upgrade`, or set database.url"
            ),
            None => bail!(
                "no PostgreSQL {OLDEST_MAJOR} or newer: this machine has {seen} (looked in \
                 {places}): install one, e.g. `apt-get install postgresql`, or set database.url"
            ),
        }
    }

    /// The programs of these names that come with version `major`, all in one folder. The server's
    /// own program may be a link to where the others are.
    pub(super) async fn programs<const N: usize>(
        places: &[PathBuf],
        major: u32,
        names: [&str; N],
    ) -> eyre::Result<[PathBuf; N]> {
        let found = Self::all(places).await;
        let suitable = found.iter().filter(|one| one.major == major);
        let mut folders = Vec::new();
        for one in suitable {
            folders.push(one.folder.clone());
            let behind = fs::canonicalize(one.postgres()).ok();
            folders.extend(behind.as_deref().and_then(Path::parent).map(Path::to_owned));
        }
        let complete = |folder: &&PathBuf| names.iter().all(|name| folder.join(name).is_file());
        let Some(folder) = folders.iter().find(complete) else {
            let looked: Vec<_> = folders
                .iter()
                .map(|folder| folder.display().to_string())
                .collect();
            bail!(
                "no {} of PostgreSQL {major} (looked in {}): install its client programs, e.g. \
                 `apt-get install postgresql-client-{major}`",
                names.join(" and "),
                looked.join(", ")
            );
        };
        Ok(names.map(|name| folder.join(name)))
    }

    /// All that are in `places`.
    async fn all(places: &[PathBuf]) -> Vec<Self> {
        let mut found = Vec::new();
        for folder in places.iter().flat_map(|place| expand(place)) {
            found.extend(Self::in_folder(folder).await);
        }
        found
    }

    /// The installation whose programs are in `folder`, if they are, and can be run.
    async fn in_folder(folder: PathBuf) -> Option<Self> {
        let postgres = folder.join("postgres");
        if !postgres.is_file() || !folder.join("initdb").is_file() {
            return None;
        }
        let answer = Command::new(&postgres)
            .arg("--version")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await;
        let major = match &answer {
            Ok(answer) => major_of(&String::from_utf8_lossy(&answer.stdout)),
            Err(_) => None,
        };
        if major.is_none() {
            tracing::warn!("{} does not say its version: not used", postgres.display());
        }
        Some(Installation {
            folder,
            major: major?,
            newer: None,
        })
    }

    /// The server's program.
    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    /// The program that makes a server's files.
    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }
}

/// What was found, for a message.
fn list(found: &[Installation]) -> String {
    if found.is_empty() {
        return "none".to_owned();
    }
    let each: Vec<_> = found
        .iter()
        .map(|one| format!("{} in {}", one.major, one.folder.display()))
        .collect();
    each.join(", ")
}

/// The folders that `place` stands for: itself, or with a `*`, those that exist.
fn expand(place: &Path) -> Vec<PathBuf> {
    let text = place.to_string_lossy();
    let Some((before, after)) = text.split_once('*') else {
        return vec![place.to_owned()];
    };
    let (parent, start) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = fs::read_dir(format!("{parent}/")) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(start))
        .map(|name| PathBuf::from(format!("{parent}/{name}{after}")))
        .filter(|folder| folder.is_dir())
        .collect()
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major_of(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL) ")?.1;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major_of;

    #[test]
    fn the_major_version_is_read_whatever_follows_it() {
        assert_eq!(
            major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major_of("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(major_of("postgres (PostgreSQL) 9.6.24\n"), Some(9));
        assert_eq!(major_of("postgres of another kind\n"), None);
    }
}

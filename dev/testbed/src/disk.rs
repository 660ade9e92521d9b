//! A small disk for a server's data, which a test may fill: in a mount namespace of its own, so that
//! nothing outside changes. That takes root, or a system that lets users have namespaces.

use std::fs::{File, remove_file};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{getegid, geteuid};

use crate::process::Process;
use crate::wait::eventually;

/// How long it may take to make one.
const START: Duration = Duration::from_secs(10);
/// What is written at once.
const CHUNK_BYTES: usize = 8 * 1024;

/// A disk, as long as the process lives that keeps its namespace.
#[derive(Debug)]
pub(crate) struct Disk {
    /// That process.
    keeper: Process,
    /// Where the disk is, for who is in the namespace.
    place: PathBuf,
}

/// Why this system does not let a test have a disk of its own; `None` if it does.
pub fn lacks_disks() -> Option<String> {
    let root_inside: &[&str] = if geteuid().is_root() {
        &[]
    } else {
        &["--user", "--map-root-user"]
    };
    let tried = Command::new("unshare")
        .args(root_inside)
        .args(["--mount", "mount", "-t", "tmpfs", "webmon", "/tmp"])
        .output()
        .expect("unshare is part of util-linux");
    let why = String::from_utf8_lossy(&tried.stderr);
    (!tried.status.success()).then(|| why.trim().to_owned())
}

impl Disk {
    /// A disk of so many MiB at `folder/data`; `script` is `ci/server`.
    pub(crate) async fn make(script: &Path, folder: &Path, mib: u32) -> Self {
        let mut command = Command::new("bash");
        command.arg(script).arg("disk").arg(folder);
        command.arg(mib.to_string());
        let mut keeper = Process::launch("disk", &command);
        let place = folder.join("data");
        let mounts = format!("/proc/{}/mounts", keeper.id());
        let mounted = format!("webmon {} tmpfs", place.display());
        eventually(START, "a disk of one's own", async || {
            keeper.assert_running();
            let mounts = std::fs::read_to_string(&mounts).unwrap_or_default();
            mounts.contains(&mounted).then_some(())
        })
        .await;
        Self { keeper, place }
    }

    /// What begins the command of a process that has the disk: it goes on as the user that we are.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.keeper.id().to_string(), "--mount"]);
        if !geteuid().is_root() {
            let user = format!("--map-user={}", geteuid().as_raw());
            let group = format!("--map-group={}", getegid().as_raw());
            command.args(["--user", "--preserve-credentials"]);
            command.args(["unshare", "--user", &user, &group]);
        }
        command
    }

    /// Leaves not a byte free.
    pub(crate) fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("a disk that can be reached");
        let full = loop {
            if let Err(error) = ballast.write_all(&[0; CHUNK_BYTES]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
    }

    /// Frees what [`Self::fill`] has taken, if it has.
    pub(crate) fn free(&self) {
        drop(remove_file(self.ballast()));
    }

    /// Copies what is on it to where it is for who is in the namespace: from then on it is there for everybody.
    pub(crate) fn keep(&self) {
        self.free();
        let mut copying = Command::new("cp");
        copying
            .arg("-a")
            .arg(self.seen().join("."))
            .arg(&self.place);
        let copied = copying.status().expect("cp is part of every system");
        assert!(copied.success(), "{copying:?}: {copied}");
    }

    /// What it is filled with.
    fn ballast(&self) -> PathBuf {
        self.seen().join("ballast")
    }

    /// Where it is for those outside.
    fn seen(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.keeper.id()));
        root.join(self.place.strip_prefix("/").unwrap_or(&self.place))
    }
}

//! The server's main process: our child, or one that another webmon started.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use color_eyre::eyre::{self, WrapErr as _, bail, eyre};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::process::Child;

use super::location;

/// How often a process that is not our child is looked at while it stops.
const LOOK: Duration = Duration::from_millis(50);

/// The main process of a server.
#[derive(Debug)]
pub(super) struct Postmaster {
    /// Its process id.
    pid: Pid,
    /// The data folder on which it runs, absolute and without links.
    cluster: PathBuf,
    /// Its handle, if we started it.
    child: Option<Child>,
}

impl Postmaster {
    /// A server that we started on `cluster`.
    pub(super) fn of_child(cluster: &Path, child: Child) -> eyre::Result<Self> {
        let pid = child
            .id()
            .and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
        let pid = pid.ok_or_else(|| eyre!("PostgreSQL ended as soon as it was started"))?;
        Ok(Postmaster {
            pid,
            cluster: cluster.to_owned(),
            child: Some(child),
        })
    }

    /// The server that runs on `cluster`, if there is one.
    ///
    /// `PostgreSQL` itself removes the file of a server that is gone, except where its process id is another
    /// process's by now: it would refuse to start then, and webmon removes the file.
    pub(super) fn running_on(cluster: &Path) -> eyre::Result<Option<Self>> {
        let Some(PidFile { pid, socket }) = PidFile::read(cluster)? else {
            return Ok(None);
        };
        if runs_on(pid, cluster) {
            return Ok(Some(Postmaster {
                pid,
                cluster: cluster.to_owned(),
                child: None,
            }));
        }
        let socket = socket.map(|folder| location::socket_file(&folder));
        if let Some(socket) = socket.filter(|socket| UnixStream::connect(socket).is_ok()) {
            bail!(
                "a PostgreSQL that is not process {} here listens on {}, though {} names it: stop \
                 it (does it run in another container?), or choose another folder with --data",
                pid.as_raw_pid(),
                socket.display(),
                PidFile::path(cluster).display()
            );
        }
        if test_kill_process(pid).is_ok() {
            let path = PidFile::path(cluster);
            tracing::warn!(
                "{} names a process of something else: removed",
                path.display()
            );
            fs::remove_file(&path).wrap_err_with(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(None)
    }

    /// The process id.
    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw_pid()
    }

    /// The data folder.
    pub(super) fn cluster(&self) -> &Path {
        &self.cluster
    }

    /// The folder in which the data folder is.
    pub(super) fn root(&self) -> &Path {
        self.cluster.parent().unwrap_or(&self.cluster)
    }

    /// Whether another webmon started it.
    pub(super) fn is_adopted(&self) -> bool {
        self.child.is_none()
    }

    /// The folder of its socket, once it has named one.
    pub(super) fn socket(&self) -> eyre::Result<Option<PathBuf>> {
        let file = PidFile::read(&self.cluster)?.filter(|file| file.pid == self.pid);
        Ok(file.and_then(|file| file.socket))
    }

    /// Whether the process has ended, or of one that is not our child, whether it has nothing left
    /// to do: the file with its id goes last.
    pub(super) fn has_ended(&mut self) -> eyre::Result<bool> {
        if let Some(child) = &mut self.child {
            let status = child
                .try_wait()
                .wrap_err("cannot ask after PostgreSQL's process")?;
            return Ok(status.is_some());
        }
        let named = PidFile::read(&self.cluster)?.is_some_and(|file| file.pid == self.pid);
        Ok(!named || !runs_on(self.pid, &self.cluster))
    }

    /// Waits until the process has ended.
    pub(super) async fn ended(&mut self) -> eyre::Result<()> {
        if let Some(child) = &mut self.child {
            child
                .wait()
                .await
                .wrap_err("cannot wait for PostgreSQL's process")?;
        }
        while !self.has_ended()? {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Asks for a fast shutdown, which SIGINT is to a postmaster. The caller has made sure that the
    /// process is still there.
    pub(super) fn interrupt(&self) -> eyre::Result<()> {
        kill_process(self.pid, Signal::INT)
            .wrap_err_with(|| format!("cannot stop PostgreSQL, process {}", self.pid()))
    }
}

/// Whether `pid` is a process of ours whose current folder is `cluster`, as a postmaster's always is.
///
/// Where the system does not tell (no `/proc`), whether there is such a process; the server's own
/// answer decides then.
fn runs_on(pid: Pid, cluster: &Path) -> bool {
    match fs::read_link(format!("/proc/{}/cwd", pid.as_raw_pid())) {
        Ok(folder) => folder == cluster,
        // Gone, or a zombie.
        Err(error) if error.kind() == ErrorKind::NotFound && Path::new("/proc/self").exists() => {
            false
        }
        Err(_) => test_kill_process(pid).is_ok(),
    }
}

/// What a server writes about itself into its data folder (`miscadmin.h`, `LOCK_FILE_LINE_*`).
#[derive(Debug)]
struct PidFile {
    /// The process id of the postmaster.
    pid: Pid,
    /// The folder of its socket; a server that has just started has not written it yet.
    socket: Option<PathBuf>,
}

impl PidFile {
    /// Where it is.
    fn path(cluster: &Path) -> PathBuf {
        cluster.join("postmaster.pid")
    }

    /// Reads it; `None` if there is none, or none that names a postmaster.
    fn read(cluster: &Path) -> eyre::Result<Option<Self>> {
        let path = Self::path(cluster);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).wrap_err_with(|| format!("cannot read {}", path.display())),
        }
    }

    /// Takes it apart. A negative id is that of a server without clients, started by hand.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let pid = lines
            .next()?
            .trim()
            .parse()
            .ok()
            .filter(|pid: &i32| *pid > 0)?;
        let socket = lines
            .nth(3)
            .filter(|line| !line.is_empty())
            .map(PathBuf::from);
        Some(PidFile {
            pid: Pid::from_raw(pid)?,
            socket,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::PidFile;

    #[test]
    fn the_file_of_a_server_is_read_whether_it_has_just_started_or_not() {
        let ready = "4711\n/d/cluster\n1700000000\n5432\n/d/socket\n\n  123  4\nready   \n";
        let file = PidFile::parse(ready).unwrap();
        assert_eq!(file.pid.as_raw_pid(), 4711);
        assert_eq!(file.socket.as_deref(), Some(Path::new("/d/socket")));

        let starting = PidFile::parse("4711\n/d/cluster\n1700000000\n5432\n\n").unwrap();
        assert_eq!(starting.socket, None);

        assert!(PidFile::parse("-4711\n/d/cluster\n").is_none());
        assert!(PidFile::parse("").is_none());
    }
}

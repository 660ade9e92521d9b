//! A real `PgBouncer` between a test and the server of `WEBMON_TEST_DATABASE_URL`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use url::Url;

use crate::process::Process;
use crate::settings::free_address;
use crate::wait::eventually;

/// How long it may take to listen.
const START: Duration = Duration::from_secs(20);
/// Who runs it: it refuses to be root.
const ACCOUNT: &str = "nobody";

/// A running `PgBouncer`.
#[derive(Debug)]
pub struct Pooler {
    /// Where it leads.
    url: Url,
    /// It.
    _process: Process,
    /// Its files.
    _folder: TempDir,
}

impl Pooler {
    /// Starts one before the database at `url`, with `pool_mode` and all else as installed.
    ///
    /// # Panics
    ///
    /// If `pgbouncer` is not installed, or does not listen.
    pub async fn start(url: &str, pool_mode: &str) -> Self {
        let mut url: Url = url.parse().expect("an address");
        let folder = TempDir::new().expect("a temporary folder");
        let listen = free_address();
        let (host, port) = (url.host_str().expect("a host"), url.port().unwrap_or(5432));
        let users = folder.path().join("users");
        std::fs::write(&users, format!("\"{}\" \"\"\n", url.username())).expect("a file");
        let settings = format!(
            "[databases]\n* = host={host} port={port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\n\
             auth_type = trust\nauth_file = {}\nunix_socket_dir =\npool_mode = {pool_mode}\n",
            listen.port(),
            users.display()
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).expect("a file");
        let mut process = Process::launch("pgbouncer", &command(&file, folder.path()));
        let what = format!("PgBouncer listens on {listen}");
        eventually(START, &what, async || {
            process.assert_running();
            TcpStream::connect(listen).await.ok()
        })
        .await;
        url.set_port(Some(listen.port())).expect("a port");
        Self {
            url,
            _process: process,
            _folder: folder,
        }
    }

    /// The address of the database through it.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }
}

/// What starts it: as another user, when the test is root's.
fn command(file: &Path, folder: &Path) -> Command {
    let root = rustix::process::geteuid().is_root();
    // Debian keeps it where only root looks.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = format!("{}:/usr/sbin", path.to_string_lossy());
    let mut command = Command::new("pgbouncer");
    if root {
        let open = Command::new("chmod")
            .args(["-R", "a+rX"])
            .arg(folder)
            .status();
        assert!(
            open.expect("chmod").success(),
            "its files cannot be opened to it"
        );
        command.args(["-u", ACCOUNT]);
    }
    command.arg(file).env("PATH", path);
    command
}

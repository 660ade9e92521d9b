//! Checks by way of a proxy that webmon's authors did not write: tinyproxy.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use contract::outcome::Reason;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::authority::{Authority, VALID};
use crate::hostile::{Act, Server};
use crate::tls::{HOST, LIMIT_MS};
use crate::tls_server::{TlsServer, Turn};
use crate::{STARTED, detail, prober, task};

/// How long it may take to listen.
const START: Duration = Duration::from_secs(10);

/// A running tinyproxy.
struct Tinyproxy {
    address: SocketAddr,
    process: Child,
    _folder: TempDir,
}

impl Tinyproxy {
    /// Starts one with these lines beside the necessary ones.
    fn start(lines: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let file = folder.path().join("tinyproxy.conf");
        let port = address.port();
        let settings =
            format!("Listen 127.0.0.1\nPort {port}\nTimeout 60\nMaxClients 9\n{lines}\n");
        std::fs::write(&file, settings).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        // see ci/install
        let process = Command::new("tinyproxy")
            .arg("-d")
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self {
            address,
            process,
            _folder: folder,
        };
        server.await_listening();
        server
    }

    fn await_listening(&mut self) {
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            assert_eq!(self.process.try_wait().unwrap(), None, "tinyproxy ended");
            assert!(began.elapsed() < START, "tinyproxy does not listen");
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Tinyproxy {
    fn drop(&mut self) {
        // an error here is that it has ended
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The reason and the detail of a check.
fn check(url: &str, request: &Value) -> (Option<Reason>, String) {
    let mut task = task(url, &request.to_string(), "{}");
    task.timeout_ms = LIMIT_MS;
    let result = prober().check(&task, STARTED);
    (result.reason, detail(&result).to_owned())
}

#[test]
fn sites_are_reached_through_it_and_their_failures_are_theirs() {
    let proxy = Tinyproxy::start("");
    let root = Authority::new("root");
    let secure = TlsServer::start(root.leaf(HOST, VALID), vec![Turn::ok()]);
    let plain = Server::start(vec![Act::ok("hello")]);
    let request = json!({"proxy": proxy.url(), "tls": {"ca": root.pem()}});
    for url in [secure.url(), plain.url("/a?b")] {
        assert_eq!(check(&url, &request), (None, String::new()), "{url}");
    }
    assert!(plain.requests()[0].starts_with("GET /a?b HTTP/1."));
    for host in [
        Server::refused_url()
            .trim_start_matches("http://")
            .trim_end_matches('/'),
        "shop.invalid:443",
    ] {
        let (reason, said) = check(&format!("https://{host}/"), &request);
        assert_eq!(reason, Some(Reason::ConnectFailed), "{said}");
        let expected = format!(
            "proxy: {} could not reach {host}: it answers \"HTTP/1.1 500 Unable to connect\"",
            proxy.url()
        );
        assert_eq!(said, expected);
    }
}

#[test]
fn it_wants_a_login_and_forbids_ports() {
    let proxy = Tinyproxy::start("BasicAuth me s3cret\nConnectPort 443");
    let root = Authority::new("root");
    let secure = TlsServer::start(root.leaf(HOST, VALID), vec![]);
    let plain = Server::start(vec![Act::ok("hello")]);
    let login = |password| json!({"url": proxy.url(), "username": "me", "password": password});
    for (url, proxy, reason, said) in [
        (
            plain.url("/"),
            json!(proxy.url()),
            Some(Reason::ProxyRefused),
            "write username and password into request.proxy",
        ),
        (
            secure.url(),
            login("wrong"),
            Some(Reason::ProxyRefused),
            "refuses the username and password of request.proxy",
        ),
        // without a tunnel it looks like the site's own
        (
            plain.url("/"),
            login("wrong"),
            Some(Reason::Status),
            "status 401",
        ),
        (
            secure.url(),
            login("s3cret"),
            Some(Reason::ProxyRefused),
            "403 Access violation\"; let it allow this host and port",
        ),
        (plain.url("/"), login("s3cret"), None, ""),
    ] {
        let (found, detail) = check(&url, &json!({ "proxy": proxy }));
        assert_eq!(found, reason, "{detail}");
        assert!(detail.contains(said), "{detail}");
    }
}

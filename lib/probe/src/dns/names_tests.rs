//! Names as the system's files lead to their addresses.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use tempfile::TempDir;
use tokio::runtime::Runtime;

use self::dns_server::{A, AAAA, DnsServer, REFUSED, SERVFAIL, Say};
use super::*;

#[expect(dead_code, reason = "the tests of whole checks use the rest")]
#[path = "../../tests/probe/dns_server.rs"]
mod dns_server;
#[path = "edns_tests.rs"]
mod edns_tests;
#[path = "search_tests.rs"]
mod search_tests;
#[path = "servers_tests.rs"]
mod servers_tests;

/// How long a look-up may take.
const LEFT: Duration = Duration::from_secs(1);

/// Files that are looked at each time, with a fake server's port.
fn files(folder: &Path, server: &DnsServer) -> Files {
    Files {
        resolv_conf: folder.join("resolv.conf"),
        hosts: folder.join("hosts"),
        host_name: folder.join("hostname"),
        port: server.address.port(),
        every: Duration::ZERO,
    }
}

/// What a machine with such files knows of names.
struct Machine {
    folder: TempDir,
    server: DnsServer,
    names: Names,
    // ends after the names
    _runtime: Runtime,
}

impl Machine {
    /// A machine without files, whose `dns.servers` are these.
    fn new(servers: &[SocketAddr]) -> Self {
        Self::with(&Dns {
            servers: servers.iter().copied().map(Into::into).collect(),
            ..Dns::default()
        })
    }

    /// A machine without files, with these settings.
    fn with(dns: &Dns) -> Self {
        let (folder, server) = (tempfile::tempdir().unwrap(), DnsServer::start());
        let runtime = Runtime::new().unwrap();
        let names = Names::new(dns, files(folder.path(), &server), runtime.handle()).unwrap();
        Self {
            folder,
            server,
            names,
            _runtime: runtime,
        }
    }

    /// A machine whose `resolv.conf` has its name server and these lines.
    fn of(lines: &str) -> Self {
        let machine = Self::new(&[]);
        machine.write("resolv.conf", &format!("nameserver 127.0.0.1\n{lines}\n"));
        machine
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.path().join(file), text).unwrap();
    }

    /// Makes the name server say that a name is at 127.0.0.`last`.
    fn says(&self, name: &str, last: u8) {
        self.server.says(name, A, &[at(last)]);
    }

    /// The IPv4 addresses of a name.
    fn find(&self, name: &str) -> Result<String, Trouble> {
        self.find_any(name, Family::V4)
    }

    /// The addresses of a name.
    fn find_any(&self, name: &str, family: Family) -> Result<String, Trouble> {
        let found = self.names.look_up(name, family, LEFT)?;
        let addresses = found.addresses.iter().map(ToString::to_string);
        Ok(addresses.collect::<Vec<_>>().join(" "))
    }
}

/// An answer for a minute.
fn at(last: u8) -> Say {
    Say::Addresses(vec![[127, 0, 0, last].into()], 60)
}

/// An answer for no time.
fn at_once(last: u8) -> Say {
    Say::Addresses(vec![[127, 0, 0, last].into()], 0)
}

/// An answer that comes so many milliseconds late.
fn late(ms: u64, say: Say) -> Say {
    Say::Late(Duration::from_millis(ms), Box::new(say))
}

#[test]
fn resolv_conf_may_come_late_change_and_go() {
    let machine = Machine::new(&[]);
    machine.says("shop.test", 1);
    // without the file this machine's own server is asked
    assert_eq!(machine.find("shop.test").unwrap(), "127.0.0.1");
    // other servers may know something else
    machine.says("shop.test", 2);
    assert_eq!(machine.find("shop.test").unwrap(), "127.0.0.1");
    machine.write("resolv.conf", "nameserver 127.0.0.1\n");
    assert_eq!(machine.find("shop.test").unwrap(), "127.0.0.2");
    machine.says("shop.test", 3);
    machine.write("resolv.conf", "search a.test\n");
    assert_eq!(machine.find("shop.test").unwrap(), "127.0.0.3");
}

#[test]
fn where_no_file_names_a_server_and_none_is_here_it_is_said() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = gone.local_addr().unwrap().port();
    drop(gone);
    let machine = Machine::new(&[]);
    let mut files = files(machine.folder.path(), &machine.server);
    files.port = port;
    let names = Names::new(&Dns::default(), files, machine.names.runtime()).unwrap();
    for (text, said) in [
        (
            None,
            "resolv.conf: No such file or directory (os error 2), and name server",
        ),
        (
            Some("search a.test\n"),
            "resolv.conf names no name server, and name server",
        ),
    ] {
        if let Some(text) = text {
            machine.write("resolv.conf", text);
        }
        match names.look_up("shop.test", Family::V4, LEFT) {
            Err(Trouble::Unreachable(why)) => assert!(why.contains(said), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn files_are_not_looked_at_all_the_time() {
    let machine = Machine::new(&[]);
    let mut files = files(machine.folder.path(), &machine.server);
    files.every = Duration::from_hours(1);
    let patient = System::new(files, Dns::default()).unwrap();
    let before = patient.view();
    machine.write("hosts", "127.0.0.1 shop\n");
    assert!(std::sync::Arc::ptr_eq(&before, &patient.view()));
    assert_eq!(machine.find("shop").unwrap(), "127.0.0.1");
}

#[test]
fn configured_servers_replace_those_of_the_system_but_not_its_search_list() {
    let other = DnsServer::start();
    other.says("shop.a.test", A, &[at(9)]);
    let machine = Machine::new(&[other.address]);
    machine.write("resolv.conf", "nameserver 127.0.0.1\nsearch a.test\n");
    machine.says("shop.a.test", 1);
    assert_eq!(machine.find("shop").unwrap(), "127.0.0.9");
}

#[test]
fn the_hosts_file_comes_first() {
    let machine = Machine::new(&[]);
    machine.write(
        "hosts",
        "127.0.0.7 Shop.test shop # ours\n::7 six.test\n127.0.0.8 localhost\n\
         fe80::1%eth0 zoned.test\n127.0.0.9 later.test\n",
    );
    for (name, address) in [
        ("shop.test", "127.0.0.7"),
        ("shop", "127.0.0.7"),
        ("localhost", "127.0.0.8"),
        ("x.localhost", "127.0.0.1"),
        ("x.localhost.", "127.0.0.1"),
        ("later.test", "127.0.0.9"),
    ] {
        assert_eq!(machine.find(name).as_deref(), Ok(address), "{name}");
    }
    // without an address of the family it is asked for
    machine.write("resolv.conf", "nameserver 127.0.0.1\n");
    machine.says("six.test", 6);
    assert_eq!(machine.find("six.test").unwrap(), "127.0.0.6");
    machine.write("hosts", "");
    machine.says("shop.test", 2);
    assert_eq!(machine.find("shop.test").unwrap(), "127.0.0.2");
}

#[test]
fn names_that_no_host_should_have_are_asked_for_too() {
    let machine = Machine::of("");
    for name in ["-shop.test", "shop-.test", "_shop.test", "a_b.test"] {
        machine.says(name, 1);
        assert_eq!(machine.find(name).as_deref(), Ok("127.0.0.1"), "{name}");
        assert_eq!(
            machine.find(&format!("{name}.")).as_deref(),
            Ok("127.0.0.1")
        );
    }
}

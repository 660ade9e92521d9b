//! Names as the system's files lead to their addresses.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use tempfile::TempDir;
use tokio::runtime::Runtime;

use self::dns_server::{A, DnsServer, SERVFAIL, Say};
use super::super::servers::Known;
use super::*;

#[expect(dead_code, reason = "the tests of whole checks use the rest")]
#[path = "../../tests/probe/dns_server.rs"]
mod dns_server;

/// Files that are looked at each time, with a fake server's port.
fn files(folder: &Path, server: &DnsServer) -> Files {
    Files {
        resolv_conf: folder.join("resolv.conf"),
        hosts: folder.join("hosts"),
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
        let (folder, server) = (tempfile::tempdir().unwrap(), DnsServer::start());
        let runtime = Runtime::new().unwrap();
        let dns = Dns {
            servers: servers.to_vec(),
        };
        let names = Names::new(&dns, files(folder.path(), &server), runtime.handle()).unwrap();
        Self {
            folder,
            server,
            names,
            _runtime: runtime,
        }
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
        let found = self
            .names
            .look_up(name, Family::V4, Duration::from_secs(1))?;
        let addresses = found.addresses.iter().map(ToString::to_string);
        Ok(addresses.collect::<Vec<_>>().join(" "))
    }
}

/// An answer for a minute.
fn at(last: u8) -> Say {
    Say::Addresses(vec![[127, 0, 0, last].into()], 60)
}

#[test]
fn resolv_conf_may_come_late_change_and_go() {
    let machine = Machine::new(&[]);
    machine.says("shop.test", 1);
    let unreachable = |said: &str| match machine.find("shop.test") {
        Err(Trouble::Unreachable(why)) => assert!(why.contains(said), "{why}"),
        other => panic!("{other:?}"),
    };
    unreachable("resolv.conf: No such file");
    machine.write("resolv.conf", "nameserver 127.0.0.1\n");
    assert_eq!(machine.find("shop.test").unwrap(), "127.0.0.1");
    // other servers may know something else
    machine.says("shop.test", 2);
    assert_eq!(machine.find("shop.test").unwrap(), "127.0.0.1");
    machine.write("resolv.conf", "# the same\nnameserver 127.0.0.1\n");
    assert_eq!(machine.find("shop.test").unwrap(), "127.0.0.2");
    machine.write("resolv.conf", "search a.test\n");
    unreachable("resolv.conf names no name server");
}

#[test]
fn files_are_not_looked_at_all_the_time() {
    let machine = Machine::new(&[]);
    let mut files = files(machine.folder.path(), &machine.server);
    files.every = Duration::from_hours(1);
    let patient = System::new(files, vec![]).unwrap();
    let before = patient.view();
    machine.write("hosts", "127.0.0.1 shop\n");
    assert!(std::sync::Arc::ptr_eq(&before, &patient.view()));
    assert_eq!(machine.find("shop").unwrap(), "127.0.0.1");
}

#[test]
fn names_without_a_dot_are_searched_for() {
    let machine = Machine::new(&[]);
    machine.write(
        "resolv.conf",
        "nameserver 127.0.0.1\nsearch a.test b.test\n",
    );
    machine.says("shop.b.test", 1);
    machine.says("tld", 2);
    machine.says("shop.test.b.test", 3);
    assert_eq!(machine.find("shop").unwrap(), "127.0.0.1");
    assert_eq!(machine.server.asked("shop.a.test", A), 1);
    assert_eq!(machine.find("tld").unwrap(), "127.0.0.2");
    // with a dot, also at the end, it is what it says
    assert_eq!(machine.find("shop."), Err(Trouble::NotFound));
    assert_eq!(machine.find("shop.test"), Err(Trouble::NotFound));
    // whether the first has an address is not known, so the second is not meant
    machine.server.says("mail.a.test", A, &[SERVFAIL]);
    machine.says("mail.b.test", 4);
    assert!(matches!(machine.find("mail"), Err(Trouble::Failed(_))));
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
        "127.0.0.7 Shop.test shop # ours\n::7 six.test\n127.0.0.8 localhost\n",
    );
    for (name, address) in [
        ("shop.test", "127.0.0.7"),
        ("shop", "127.0.0.7"),
        ("localhost", "127.0.0.8"),
        ("x.localhost", "127.0.0.1"),
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
fn both_families_have_their_turn() {
    let known = |addresses: &[&str]| {
        let addresses = addresses.iter().map(|address| address.parse().unwrap());
        Ok(Known {
            addresses: addresses.collect(),
            until: std::time::Instant::now(),
        })
    };
    let found = addresses(&[known(&["::1"]), known(&["127.0.0.1", "127.0.0.2"])]).unwrap();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["::1", "127.0.0.1", "127.0.0.2"]);
}

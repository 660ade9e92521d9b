//! Configuration files for the services of a test.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::kafka::{brokers, certificate, tls_brokers};
use crate::process::Process;
use crate::wall_clock::WallClock;

/// The first port that is tried: below those that outgoing connections take.
const FIRST_PORT: u16 = 11_000;
/// How many ports are tried.
const PORTS: u16 = 9_000;

/// What scheduler and checker have in common.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `database.url`.
    pub database_url: String,
    /// `kafka.brokers`, the only one.
    pub brokers: String,
    /// `kafka.topic`.
    pub topic: String,
    /// `kafka.ssl.ca`; with it the other keys of the section are there too.
    pub ca: Option<PathBuf>,
    /// Further lines of the section `kafka`.
    pub kafka: String,
    /// `log.filter`.
    pub filter: &'static str,
    /// Further lines of a checker's file.
    pub checker: String,
}

/// A configuration file.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its `http.listen`.
    pub listen: SocketAddr,
}

impl ConfigFile {
    /// Starts a service with it.
    pub fn start(&self, name: &str, program: &str) -> Process {
        Process::start(name, program, self.run())
    }

    /// The same, and it goes by this wall clock.
    pub fn start_by(&self, clock: &WallClock, name: &str, program: &str) -> Process {
        Process::start_by(clock, name, program, self.run())
    }

    /// The arguments that run a service with it.
    pub fn run(&self) -> [&OsStr; 3] {
        ["run".as_ref(), "--config".as_ref(), self.path.as_os_str()]
    }
}

impl Settings {
    /// With the plain listener of the broker.
    pub fn plain(database_url: &str, topic: &str) -> Self {
        Self {
            database_url: database_url.to_owned(),
            brokers: brokers(),
            topic: topic.to_owned(),
            ca: None,
            kafka: String::new(),
            filter: "info",
            checker: String::new(),
        }
    }

    /// With the TLS listener of the broker.
    pub fn tls(database_url: &str, topic: &str) -> Self {
        Self {
            brokers: tls_brokers(),
            ca: Some(certificate("ca.pem")),
            ..Self::plain(database_url, topic)
        }
    }

    /// With few slots, for a checker that a test runs in its own process.
    #[must_use]
    pub fn with_few_slots(self) -> Self {
        Self {
            checker: self.checker + "slots: 64\ndrain: 20s\n",
            ..self
        }
    }

    /// A scheduler's file, in `folder`.
    pub fn scheduler(&self, folder: &Path, name: &str) -> ConfigFile {
        self.write(folder, name, "")
    }

    /// A checker's file, in `folder`: it may dial loopback.
    pub fn checker(&self, folder: &Path, name: &str) -> ConfigFile {
        let allow = "addresses: {allow: [127.0.0.0/8]}\n";
        self.write(folder, name, &format!("{allow}{}", self.checker))
    }

    /// Writes a file, whose http.listen is a free port.
    fn write(&self, folder: &Path, name: &str, extra: &str) -> ConfigFile {
        let Self {
            database_url,
            brokers,
            topic,
            ca,
            kafka,
            filter,
            checker: _,
        } = self;
        let listen = free_address();
        let mut yaml = format!(
            "database: {{url: {database_url:?}}}\n\
             kafka:\n  brokers: [{brokers:?}]\n  topic: {topic}\n  partitions: 8\n  retention: 1h\n"
        );
        if let Some(ca) = ca {
            let (certificate, key) = (certificate("service.cert"), certificate("service.key"));
            yaml += "  ssl:\n";
            for (name, file) in [("ca", ca), ("certificate", &certificate), ("key", &key)] {
                writeln!(yaml, "    {name}: {}", file.display()).expect("a String takes all");
            }
        }
        yaml += kafka;
        let listening =
            format!("http: {{listen: \"{listen}\"}}\nlog: {{format: text, filter: {filter}}}\n");
        let path = folder.join(format!("{name}.yaml"));
        std::fs::write(&path, yaml + &listening + extra).expect("a configuration file");
        ConfigFile { path, listen }
    }
}

/// An address of loopback on which nothing listens.
pub fn free_address() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_ports(1)))
}

/// The first of so many neighbouring ports of loopback on which nothing listens.
pub fn free_ports(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let process = u16::try_from(std::process::id() % u32::from(PORTS)).unwrap_or_default();
    for _ in 0..PORTS {
        let step = NEXT.fetch_add(count, Ordering::Relaxed);
        // Tests that run side by side start far from each other.
        let first = FIRST_PORT + process.wrapping_mul(307).wrapping_add(step) % PORTS;
        let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if (first..first + count).all(free) {
            return first;
        }
    }
    panic!(
        "no free port between {FIRST_PORT} and {}",
        FIRST_PORT + PORTS
    );
}

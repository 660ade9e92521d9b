//! What this machine says about names: `resolv.conf` and the hosts file, read again when they change.

use std::fs::{self, Metadata};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use color_eyre::eyre::{Result, WrapErr};
use hickory_resolver::Hosts;
use hickory_resolver::proto::rr::Name;

use super::servers::Servers;
use super::view::View;

/// Where the system's settings are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// `resolv.conf`.
    pub(crate) resolv_conf: PathBuf,
    /// The hosts file.
    pub(crate) hosts: PathBuf,
    /// The port of the name servers in `resolv.conf`, which has no word for it.
    pub(crate) port: u16,
    /// How often to look whether a file has changed.
    pub(crate) every: Duration,
}

/// The system's settings, and the name servers that replace the system's if there are any.
#[derive(Debug)]
pub(crate) struct System {
    /// Where the settings are.
    files: Files,
    /// `dns.servers`.
    servers: Vec<SocketAddr>,
    /// What was seen last.
    seen: Mutex<Seen>,
}

/// What was seen when the files were looked at last.
#[derive(Debug)]
struct Seen {
    /// When that was.
    at: Instant,
    /// How to tell that a file has changed.
    stamps: [Option<Stamp>; 2],
    /// What they say.
    view: Arc<View>,
    /// Why they cannot be read any more, as it was said.
    fault: Option<String>,
}

/// A file's time of change, number and length.
type Stamp = (Option<SystemTime>, u64, u64);

impl Default for Files {
    fn default() -> Self {
        Self {
            resolv_conf: "/etc/resolv.conf".into(),
            hosts: "/etc/hosts".into(),
            port: 53,
            every: Duration::from_secs(1),
        }
    }
}

impl Files {
    /// How to tell later that a file has changed.
    fn stamps(&self) -> [Option<Stamp>; 2] {
        let stamp = |data: Metadata| (data.modified().ok(), data.ino(), data.len());
        [&self.resolv_conf, &self.hosts].map(|path| fs::metadata(path).ok().map(stamp))
    }
}

impl System {
    /// The system's settings in `files`, with `servers` instead of its own if there are any.
    pub(crate) fn new(files: Files, servers: Vec<SocketAddr>) -> Result<Self> {
        let seen = Seen::look(&files, &servers)?;
        Ok(Self {
            files,
            servers,
            seen: Mutex::new(seen),
        })
    }

    /// What the settings say now.
    pub(crate) fn view(&self) -> Arc<View> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.at.elapsed() >= self.files.every {
            seen.at = Instant::now();
            if self.files.stamps() != seen.stamps {
                match Seen::look(&self.files, &self.servers) {
                    Ok(new) => *seen = new,
                    Err(error) => seen.keep(&format!("{error:#}")),
                }
            }
        }
        Arc::clone(&seen.view)
    }
}

impl Seen {
    /// The files have changed and cannot be read: said once, though they are tried again.
    fn keep(&mut self, fault: &str) {
        if self.fault.as_deref() != Some(fault) {
            tracing::warn!("keeping the name servers as they were: {fault}");
            self.fault = Some(fault.to_owned());
        }
    }

    /// Reads the files. One that is not there says nothing; this is no error, it may come later.
    fn look(files: &Files, servers: &[SocketAddr]) -> Result<Self> {
        // before the reading: a change in between is then seen at the next look
        let stamps = files.stamps();
        let conf = fs::read(&files.resolv_conf);
        let why_none = match &conf {
            Ok(_) => format!("{} names no name server", files.resolv_conf.display()),
            Err(error) => format!("no name server: {}: {error}", files.resolv_conf.display()),
        };
        let (systems, search) = parse(&String::from_utf8_lossy(&conf.unwrap_or_default()));
        let systems = systems
            .into_iter()
            .map(|ip| SocketAddr::new(ip, files.port));
        let servers = match servers {
            [] => systems.collect(),
            own => own.to_vec(),
        };
        let name_servers = Servers::new(&servers, why_none).wrap_err("setting up name servers")?;
        Ok(Self {
            at: Instant::now(),
            stamps,
            view: Arc::new(View::new(name_servers, search, hosts(files))),
            fault: None,
        })
    }
}

/// The hosts file, as far as it can be read.
fn hosts(files: &Files) -> Hosts {
    let bytes = fs::read(&files.hosts).unwrap_or_default();
    let mut hosts = Hosts::default();
    // reading a text that is in memory does not fail
    drop(hosts.read_hosts_conf(String::from_utf8_lossy(&bytes).as_bytes()));
    hosts
}

/// The name servers and the search list of `resolv.conf` (`man 5 resolv.conf`); what makes no sense is
/// passed over, as every reader of that file does.
fn parse(text: &str) -> (Vec<IpAddr>, Vec<Name>) {
    let (mut servers, mut search) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let comment = |word: &&str| word.starts_with(['#', ';']);
        let mut words = line.split_whitespace().take_while(|word| !comment(word));
        match words.next() {
            Some("nameserver") => {
                servers.extend(words.next().and_then(|word| word.parse::<IpAddr>().ok()));
            }
            Some("search" | "domain") => {
                search = words
                    .filter_map(|word| Name::from_ascii(word).ok())
                    .collect();
            }
            _ => {}
        }
    }
    (servers, search)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolv_conf_is_read_as_its_other_readers_read_it() {
        let text = "# nameserver 192.0.2.9\n; a remark\ndomain old.example\n\
                    nameserver 192.0.2.1 # ours\n\tnameserver\t2001:db8::1\nnameserver nonsense\n\
                    search a.example b.example. -- ..\noptions ndots:5\n";
        let (servers, search) = parse(text);
        let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.1", "2001:db8::1"]);
        let search: Vec<String> = search.iter().map(ToString::to_string).collect();
        assert_eq!(search, ["a.example", "b.example."]);
    }
}

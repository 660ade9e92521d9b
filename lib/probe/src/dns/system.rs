//! What this machine says about names: `resolv.conf` and the hosts file, read again when they change.

use std::fs::{self, Metadata};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use color_eyre::eyre::{Result, WrapErr};
use hickory_resolver::Hosts;

use super::resolv_conf::ResolvConf;
use super::servers::Servers;
use super::view::View;
use crate::options::{Dns, NameServer};

/// Where the system's settings are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// `resolv.conf`.
    pub(crate) resolv_conf: PathBuf,
    /// The hosts file.
    pub(crate) hosts: PathBuf,
    /// The file with this machine's name.
    pub(crate) host_name: PathBuf,
    /// The port of the name servers in `resolv.conf`, which has no word for it.
    pub(crate) port: u16,
    /// How often to look whether a file has changed.
    pub(crate) every: Duration,
}

/// The system's settings, and what replaces some of them.
#[derive(Debug)]
pub(crate) struct System {
    /// Where the settings are.
    files: Files,
    /// What replaces some of them.
    dns: Dns,
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
    /// The lines of `resolv.conf` that cannot be read, as they were said.
    line_faults: Vec<String>,
}

/// A file's time of change, number and length.
type Stamp = (Option<SystemTime>, u64, u64);

impl Default for Files {
    fn default() -> Self {
        Self {
            resolv_conf: "/etc/resolv.conf".into(),
            hosts: "/etc/hosts".into(),
            host_name: "/proc/sys/kernel/hostname".into(),
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
    /// The system's settings in `files`, with those of `dns` instead of its own where there are any.
    pub(crate) fn new(files: Files, dns: Dns) -> Result<Self> {
        let seen = Seen::look(&files, &dns, &[])?;
        Ok(Self {
            files,
            dns,
            seen: Mutex::new(seen),
        })
    }

    /// What the settings say now.
    pub(crate) fn view(&self) -> Arc<View> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.at.elapsed() >= self.files.every {
            seen.at = Instant::now();
            if self.files.stamps() != seen.stamps {
                match Seen::look(&self.files, &self.dns, &seen.line_faults) {
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

    /// Reads the files. One that is not there says nothing; this is no error, it may come later. The faults of
    /// lines that were said before are not said again.
    fn look(files: &Files, dns: &Dns, said: &[String]) -> Result<Self> {
        // before the reading: a change in between is then seen at the next look
        let stamps = files.stamps();
        let text = fs::read(&files.resolv_conf);
        let why_none = match &text {
            Ok(_) => format!("{} names no name server", files.resolv_conf.display()),
            Err(error) => format!("no name server: {}: {error}", files.resolv_conf.display()),
        };
        let text = text.unwrap_or_default();
        let mut conf = ResolvConf::parse(&String::from_utf8_lossy(&text), files.port);
        amend(&mut conf, files, dns);
        for fault in conf.faults.iter().filter(|fault| !said.contains(fault)) {
            tracing::warn!(dns.fault = %fault, "a setting of the resolver is passed over");
        }
        let (servers, why) = match (dns.servers.as_slice(), conf.servers.as_slice()) {
            ([], []) => (vec![this_machine(files.port)], Some(why_none)),
            ([], systems) => (systems.to_vec(), None),
            (own, _) => (own.to_vec(), None),
        };
        let name_servers =
            Servers::new(&servers, conf.manner, why).wrap_err("setting up name servers")?;
        Ok(Self {
            at: Instant::now(),
            stamps,
            view: Arc::new(View::new(name_servers, conf.completion, hosts(files))),
            fault: None,
            line_faults: conf.faults,
        })
    }
}

/// Puts in what the environment says instead of the file, and the machine's own domain where there is no list.
fn amend(conf: &mut ResolvConf, files: &Files, dns: &Dns) {
    if let Some(search) = &dns.search {
        conf.take_search(search.split_whitespace(), &format!("LOCALDOMAIN={search}"));
    } else if conf.completion.search.is_empty() {
        let name = fs::read_to_string(&files.host_name).unwrap_or_default();
        let domain = name.trim().split_once('.').map(|(_, domain)| domain);
        let domain = domain.filter(|domain| !domain.is_empty());
        conf.take_search(domain.into_iter(), &files.host_name.display().to_string());
    }
    if let Some(options) = &dns.options {
        conf.take_options(
            options.split_whitespace(),
            &format!("RES_OPTIONS={options}"),
        );
    }
}

/// The name server of this machine, which is asked where no file names one.
fn this_machine(port: u16) -> NameServer {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()
}

/// The hosts file, as far as it can be read.
fn hosts(files: &Files) -> Hosts {
    let bytes = fs::read(&files.hosts).unwrap_or_default();
    let mut hosts = Hosts::default();
    // reading a text that is in memory does not fail
    drop(hosts.read_hosts_conf(String::from_utf8_lossy(&bytes).as_bytes()));
    hosts
}

//! `dns` and `reference`: where names are looked up, and which host is up whenever this machine's network is.

use std::net::{IpAddr, SocketAddr};

use probe::{Dns, Reference};
use runtime::config::Document;
use serde::Deserialize;

/// The port of DNS.
const PORT: u16 = 53;

/// The section `dns` as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDns {
    /// `dns.servers`.
    servers: Option<Vec<String>>,
}

/// Takes the section `dns`.
pub(super) fn take(document: &mut Document) -> Option<Dns> {
    let RawDns { servers } = document.take("dns")?;
    let read = |(index, text): (usize, &String)| {
        document.check(&format!("dns.servers[{index}]"), valid_server(text))
    };
    let servers = servers.unwrap_or_default();
    let servers: Vec<Option<SocketAddr>> = servers.iter().enumerate().map(read).collect();
    Some(Dns {
        servers: servers.into_iter().collect::<Option<_>>()?,
    })
}

/// Takes the key `reference`, which may say nothing.
#[expect(
    clippy::option_option,
    reason = "the outer one is a fault of the file, as in every `take`"
)]
pub(super) fn take_reference(document: &mut Document) -> Option<Option<Reference>> {
    let raw: Option<String> = document.take("reference")?;
    let read = raw.map(|text| valid_reference(&text)).transpose();
    document.check("reference", read)
}

/// An address, with a port where it is not the usual one.
fn valid_server(text: &str) -> Result<SocketAddr, String> {
    let bare = text.parse::<IpAddr>();
    text.parse()
        .or_else(|_| bare.map(|address| SocketAddr::new(address, PORT)))
        .ok()
        .filter(|server| server.port() != 0)
        .ok_or_else(|| {
            "must be an address like `192.0.2.53`, or with a port `192.0.2.53:5353`".to_owned()
        })
}

/// `host:port`.
fn valid_reference(text: &str) -> Result<Reference, String> {
    let wrong = || "must be a host and a port like `example.com:443`".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let port = port
        .parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(wrong)?;
    let host = bare.unwrap_or(host);
    let odd = |c: char| c.is_whitespace() || c == '/' || (c == ':' && bare.is_none());
    if host.is_empty() || host.contains(odd) {
        return Err(wrong());
    }
    Ok(Reference {
        host: host.to_owned(),
        port,
    })
}

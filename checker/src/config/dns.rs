//! `dns` and `reference`: where names are looked up, and which host is up whenever this machine's network is.

use probe::{Dns, NameServer, Reference};
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

/// Takes the section `dns`, and what the environment says of names (resolv.conf(5)).
pub(super) fn take(document: &mut Document) -> Option<Dns> {
    let RawDns { servers } = document.take("dns")?;
    let read = |(index, text): (usize, &String)| {
        document.check(&format!("dns.servers[{index}]"), valid_server(text))
    };
    let servers = servers.unwrap_or_default();
    let servers: Vec<Option<NameServer>> = servers.iter().enumerate().map(read).collect();
    let search = document.environment().variable("LOCALDOMAIN");
    let search = document.check("dns", search);
    let options = document.environment().variable("RES_OPTIONS");
    let options = document.check("dns", options);
    Some(Dns {
        servers: servers.into_iter().collect::<Option<_>>()?,
        search: search?,
        options: options?,
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

/// An address, with a zone where it is one of a link, and with a port where it is not the usual one.
fn valid_server(text: &str) -> Result<NameServer, String> {
    const WRONG: &str = "must be an address like `192.0.2.53` or `fe80::1%eth0`, or with a port \
                         `192.0.2.53:5353`";
    NameServer::parse(text, PORT).ok_or_else(|| WRONG.to_owned())
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

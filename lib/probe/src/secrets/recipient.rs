//! Which server a request's secrets would go to, as far as a site's row decides it.
//!
//! A row names the URL, and may name another host, certificate authority or name in the certificate. A bound
//! secret is only as safe as the proof that its origin answers, so a row may not touch that proof.

use contract::outcome::Reason;
use contract::site::Request;
use contract::site::tls::Tls;
use url::Url;

use crate::fault::Fault;
use crate::options::Origin;

/// A request and the URL that it is sent to first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipient<'a> {
    /// Where the request goes.
    pub(crate) url: &'a Url,
    /// What the site's row says about it.
    pub(crate) request: &'a Request,
}

impl Recipient<'_> {
    /// Whether this is one of the origins of the secret `name`, and proves it.
    pub(crate) fn prove(&self, name: &str, origins: &[Origin]) -> Result<(), Fault> {
        admit(self.url, name, origins)
            .map_err(|message| missing(format!("secret {name}"), message))?;
        let refuse = |key: String, why: &str| {
            let message = format!("the secret {name} is bound by secrets.hosts, and {why}");
            Err(missing(key, message))
        };
        let mut headers = self.request.headers.iter();
        if let Some((host, _)) = headers.find(|(name, _)| name.eq_ignore_ascii_case("host")) {
            let why = "a Host header leads to another site of the server; remove the header";
            return refuse(format!("request.headers.{host}"), why);
        }
        match unproven(&self.request.tls) {
            Some((key, why)) => refuse(key.to_owned(), why),
            None => Ok(()),
        }
    }
}

/// Whether a secret may go to the origin of `url`.
pub(crate) fn admit(url: &Url, name: &str, origins: &[Origin]) -> Result<(), String> {
    let origin = Origin::of(url);
    if origins.contains(&origin) {
        return Ok(());
    }
    let named: Vec<_> = origins.iter().map(Origin::to_string).collect();
    let named = named.join(", ");
    Err(format!(
        "is not for {origin}; use an origin of secrets.hosts.{name} as the site's url, or add this one \
         there (it has {named})"
    ))
}

/// The key by which a row has another server's certificate accepted, why that is, and the remedy.
fn unproven(tls: &Tls) -> Option<(&'static str, &'static str)> {
    let Tls {
        ca,
        // It is shown to the server, and decides nothing about which one that is.
        identity: _,
        server_name,
        verify,
    } = tls;
    if server_name.is_some() {
        let why =
            "another name than the origin's would be accepted in the certificate; remove the key";
        return Some(("request.tls.server_name", why));
    }
    if !ca.is_empty() {
        let why = "an authority of the site's own can certify any server; remove the key, and trust the \
                   authority on the checker's machine instead";
        return Some(("request.tls.ca", why));
    }
    (!verify).then_some((
        "request.tls.verify",
        "without verification any server would be accepted; remove the key",
    ))
}

/// A secret that is not given.
fn missing(place: String, message: String) -> Fault {
    Fault::at(place, Reason::SecretMissing, message)
}

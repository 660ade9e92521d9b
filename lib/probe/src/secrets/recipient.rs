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

/// A server that is to get secrets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipient<'a> {
    /// Where it is.
    pub(crate) url: &'a Url,
    /// What the site's row says of the request to the site; none for its proxy.
    request: Option<&'a Request>,
}

impl<'a> Recipient<'a> {
    /// The server that a request is sent to first.
    pub(crate) fn site(url: &'a Url, request: &'a Request) -> Self {
        let request = Some(request);
        Self { url, request }
    }

    /// The proxy at `url`.
    pub(crate) fn proxy(url: &'a Url) -> Self {
        Self { url, request: None }
    }

    /// Whether this is one of the origins of the secret `name`, and proves it.
    pub(crate) fn prove(&self, name: &str, origins: &[Origin]) -> Result<(), Fault> {
        admit(self.url, name, origins)
            .map_err(|message| missing(format!("secret {name}"), message))?;
        let Some(request) = self.request else {
            return Ok(());
        };
        let refuse = |key: String, why: &str| {
            let message = format!("the secret {name} is bound by secrets.hosts, and {why}");
            Err(missing(key, message))
        };
        let mut headers = request.headers.iter();
        if let Some((host, _)) = headers.find(|(name, _)| name.eq_ignore_ascii_case("host")) {
            let why = "a Host header leads to another site of the server; remove the header";
            return refuse(format!("request.headers.{host}"), why);
        }
        if let Some((key, why)) = unproven(&request.tls) {
            return refuse(key.to_owned(), why);
        }
        match &request.proxy {
            Some(proxy) if self.url.scheme() == "http" => admit(&proxy.url, name, origins)
                .or_else(|_| {
                    let why = "a proxy reads what is sent over http; remove the key, or add the proxy's \
                               origin to the secret's";
                    refuse("request.proxy".to_owned(), why)
                }),
            _ => Ok(()),
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

//! `request.proxy`: the HTTP proxy by way of which a site is asked.

use std::fmt;

use url::Url;

use super::auth::{check_password, check_username};
use super::json::{Field, Object};
use super::template::Template;
use super::{SiteError, parse_url};

/// The keys of `request.proxy`, where it is an object.
const KEYS: &[&str] = &["url", "username", "password"];
/// What a proxy is written like.
const EXAMPLE: &str = "http://proxy.example:3128";

/// A proxy, and the login for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Scheme, host and port, and nothing else.
    pub url: Url,
    /// What the proxy is shown, if it asks for it.
    pub login: Option<Login>,
}

/// The user name and the password for a proxy; it prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user's name, without a colon.
    pub username: Template,
    /// The password.
    pub password: Template,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(***)")
    }
}

impl Proxy {
    /// Reads `request.proxy`: an address, or an object with the login.
    pub(super) fn read(field: Field) -> Result<Self, SiteError> {
        if field.is_text() {
            let url = address(&field)?;
            return Ok(Self { url, login: None });
        }
        let mut object = field.object(&format!(
            r#""{EXAMPLE}", or an object like {{"url": "{EXAMPLE}", "username": "me", "password": "…"}}"#
        ))?;
        object.refuse_unknown(KEYS)?;
        Ok(Self {
            url: address(&object.need("url")?)?,
            login: login(&mut object)?,
        })
    }
}

/// Reads `username` and `password`: both, or neither.
fn login(object: &mut Object) -> Result<Option<Login>, SiteError> {
    let (username, password) = match (object.take("username"), object.take("password")) {
        (None, None) => return Ok(None),
        (Some(username), Some(password)) => (username, password),
        (Some(username), None) => {
            return Err(username.fault("needs a password beside it; add password: ${secret:NAME}"));
        }
        (None, Some(password)) => {
            return Err(password.fault("needs a username beside it; add it"));
        }
    };
    let (user, word) = (
        username.template("a string")?,
        password.template("a string")?,
    );
    check_username(user.as_written()).map_err(|message| username.fault(message))?;
    check_password(word.as_written()).map_err(|message| password.fault(message))?;
    Ok(Some(Login {
        username: user,
        password: word,
    }))
}

/// Reads the address of a proxy. What may be a password in it is not repeated.
fn address(field: &Field) -> Result<Url, SiteError> {
    let text = field.text(EXAMPLE)?;
    let fault = |message: &str| Err(field.fault(format!("{message}; write one like {EXAMPLE}")));
    if text.contains('@') {
        return Err(field.fault(format!(
            "carries a user name or password; write {{url: {EXAMPLE}, username: …, password: …}}"
        )));
    }
    if matches!(text, "" | "none" | "direct") {
        return Err(field.fault(
            "is no proxy; to take away the one of the defaults, write nothing after the key",
        ));
    }
    // Without the slashes `proxy.example:3128` is a URL, too: of the scheme `proxy.example`.
    let Some((scheme, _)) = text.split_once("://") else {
        return fault("lacks the scheme");
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" => {}
        "https" => return fault("webmon speaks to proxies without TLS"),
        socks if socks.starts_with("socks") => {
            return fault("webmon speaks HTTP to proxies, not SOCKS");
        }
        _ => return fault("its scheme is not http"),
    }
    let Ok(url) = parse_url(text) else {
        return fault("is no address of a proxy");
    };
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return fault("has more than scheme, host and port");
    }
    Ok(url)
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;

//! `site.request`: how a site is asked.

use std::fmt;

use super::SiteError;
use super::header::{check_name, check_value, is_token};
use super::json::{Field, Object};

/// The keys of `request`.
const KEYS: &[&str] = &["method", "headers", "body", "basic", "bearer", "redirects"];
/// How many redirects are followed where a site does not say.
const DEFAULT_REDIRECTS: u8 = 10;
/// The most redirects that a site may ask for.
const MAX_REDIRECTS: u8 = 20;
/// The longest method, in bytes.
const MAX_METHOD_BYTES: usize = 32;
/// Headers that say how the message is framed: a wrong one breaks the request itself.
const OWN_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// How a site is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, upper case.
    pub method: String,
    /// Headers in order; no name twice.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
    /// What proves who asks.
    pub auth: Option<Auth>,
    /// How many redirects are followed; with 0 the redirect itself is judged.
    pub redirects: u8,
}

/// What proves who asks; it prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub enum Auth {
    /// `request.basic`.
    Basic {
        /// The user's name, without a colon.
        username: String,
        /// The password.
        password: String,
    },
    /// `request.bearer`: the token.
    Bearer(String),
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            headers: Vec::new(),
            body: None,
            auth: None,
            redirects: DEFAULT_REDIRECTS,
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic(***)",
            Self::Bearer(_) => "Bearer(***)",
        })
    }
}

impl Request {
    /// Reads the JSON text of `site.request`.
    pub fn parse(json: &str) -> Result<Self, SiteError> {
        let mut object =
            Field::read("request", json)?.object(r#"an object like {"method": "HEAD"}"#)?;
        object.refuse_unknown(KEYS)?;
        let mut request = Self::default();
        if let Some(field) = object.take("method") {
            request.method = method(&field)?;
        }
        if let Some(field) = object.take("headers") {
            request.headers = headers(field)?;
        }
        if let Some(field) = object.take("body") {
            request.body = Some(field.credential("a string")?.to_owned());
        }
        if let Some(field) = object.take("redirects") {
            request.redirects = redirects(&field)?;
        }
        request.auth = auth(&mut object, &request.headers)?;
        Ok(request)
    }
}

/// Reads `request.method`.
fn method(field: &Field) -> Result<String, SiteError> {
    let text = field.text(r#"a string like "HEAD""#)?;
    if !is_token(text) || text.len() > MAX_METHOD_BYTES {
        return Err(field.fault(format!(
            "{text:?} is no method; write one like GET, HEAD or POST"
        )));
    }
    if text.bytes().any(|b| b.is_ascii_lowercase()) {
        let upper = text.to_ascii_uppercase();
        return Err(field.fault(format!("{text:?} is not upper case; write {upper:?}")));
    }
    if text == "CONNECT" {
        return Err(field.fault("CONNECT is for proxies; write one like GET, HEAD or POST"));
    }
    Ok(text.to_owned())
}

/// Reads `request.headers`.
fn headers(field: Field) -> Result<Vec<(String, String)>, SiteError> {
    let object = field.object(r#"an object like {"Accept": "text/html"}"#)?;
    let mut headers = Vec::new();
    for (name, field) in object.into_members() {
        let key = format!("request.headers.{name}");
        check_name(&key, &name)?;
        if OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return Err(field.fault("webmon sets this header itself; remove it"));
        }
        if headers
            .iter()
            .any(|(other, _): &(String, String)| other.eq_ignore_ascii_case(&name))
        {
            return Err(field.fault("stands there twice (case does not matter); keep one"));
        }
        let value = field.credential("a string")?;
        check_value(&key, &name, value)?;
        headers.push((name, value.to_owned()));
    }
    Ok(headers)
}

/// Reads `request.redirects`.
fn redirects(field: &Field) -> Result<u8, SiteError> {
    let number = field.whole("a number of redirects like 3")?;
    u8::try_from(number)
        .ok()
        .filter(|n| *n <= MAX_REDIRECTS)
        .ok_or_else(|| {
            field.fault(format!(
                "{number} redirects are too many; at most {MAX_REDIRECTS}"
            ))
        })
}

/// Reads `request.basic` or `request.bearer`; only one thing may say who asks.
fn auth(object: &mut Object, headers: &[(String, String)]) -> Result<Option<Auth>, SiteError> {
    let by_header = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let (field, auth) = match (object.take("basic"), object.take("bearer")) {
        (None, None) => return Ok(None),
        (Some(_), Some(bearer)) => {
            return Err(bearer.fault("request.basic is there too; keep one of them"));
        }
        (Some(field), None) => ("request.basic", basic(field)?),
        (None, Some(field)) => ("request.bearer", bearer(&field)?),
    };
    if by_header {
        let message = "request.headers has Authorization too; keep one of them";
        return Err(SiteError::new(field, message));
    }
    Ok(Some(auth))
}

/// Reads `request.basic`.
fn basic(field: Field) -> Result<Auth, SiteError> {
    let mut object = field.object(r#"an object like {"username": "me", "password": "…"}"#)?;
    object.refuse_unknown(&["username", "password"])?;
    let username = object.need("username")?;
    let password = object.need("password")?;
    let name = username.credential("a string")?;
    if name.contains(':') {
        return Err(username.fault("contains a colon, which ends a user name; remove it"));
    }
    let secret = password.credential("a string")?;
    for (field, text) in [(&username, name), (&password, secret)] {
        if text.chars().any(char::is_control) {
            return Err(field.fault("contains a control character; remove it"));
        }
        // half of what a header line holds: base64 makes four bytes of three
        if text.len() > 2_048 {
            return Err(field.fault(format!("{} bytes long; at most 2048", text.len())));
        }
    }
    Ok(Auth::Basic {
        username: name.to_owned(),
        password: secret.to_owned(),
    })
}

/// Reads `request.bearer`.
fn bearer(field: &Field) -> Result<Auth, SiteError> {
    let token = field.credential("a string")?;
    if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(field.fault("is no token; write printable ASCII without spaces"));
    }
    check_value("request.bearer", "Authorization", token)?;
    Ok(Auth::Bearer(token.to_owned()))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;

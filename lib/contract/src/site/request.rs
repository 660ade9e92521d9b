//! `site.request`: how a site is asked.

use super::SiteError;
use super::auth::Auth;
use super::header::{check_name, check_value, is_token};
use super::json::Field;
use super::proxy::Proxy;
use super::template::Template;
use super::tls::Tls;

/// The keys of `request`.
pub const KEYS: &[&str] = &[
    "method",
    "headers",
    "body",
    "basic",
    "digest",
    "bearer",
    "redirects",
    "ip",
    "proxy",
    "read",
    "tls",
];
/// How many redirects are followed where a site does not say.
const DEFAULT_REDIRECTS: u8 = 10;
/// The most redirects that a site may ask for.
const MAX_REDIRECTS: u8 = 20;
/// The most headers: many servers take no more than a hundred, those that webmon sends itself included.
const MAX_HEADERS: usize = 64;
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
    pub headers: Vec<(String, Template)>,
    /// The body.
    pub body: Option<Template>,
    /// What proves who asks.
    pub auth: Option<Auth>,
    /// How many redirects are followed; with 0 the redirect itself is judged.
    pub redirects: u8,
    /// Which addresses of the site are asked.
    pub ip: Family,
    /// By way of which proxy; in a box, as few sites have one.
    pub proxy: Option<Box<Proxy>>,
    /// How much of the answer is read.
    pub read: Extent,
    /// How TLS is spoken.
    pub tls: Tls,
}

/// Which addresses of a site are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Those that answer first.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// How much of the answer is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    #[default]
    All,
    /// The head: status and headers.
    Head,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            headers: Vec::new(),
            body: None,
            auth: None,
            redirects: DEFAULT_REDIRECTS,
            ip: Family::default(),
            proxy: None,
            read: Extent::default(),
            tls: Tls::default(),
        }
    }
}

impl Request {
    /// Reads the JSON text of `site.request`.
    pub fn parse(json: &str) -> Result<Self, SiteError> {
        // as most sites have it
        if json == "{}" {
            return Ok(Self::default());
        }
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
            request.body = Some(field.template("a string")?);
        }
        if let Some(field) = object.take("redirects") {
            request.redirects = redirects(&field)?;
        }
        if let Some(field) = object.take("ip") {
            request.ip = family(&field)?;
        }
        if let Some(field) = object.take("proxy") {
            refuse_proxy_authorization(&request.headers)?;
            request.proxy = Some(Box::new(Proxy::read(field)?));
        }
        if let Some(field) = object.take("read") {
            request.read = extent(&field)?;
        }
        if let Some(field) = object.take("tls") {
            request.tls = Tls::read(field)?;
        }
        request.auth = Auth::take(&mut object, &request.headers)?;
        Ok(request)
    }

    /// Refuses expectations on a body that is not read. `needs` says which key of `expect` needs it.
    pub fn refuse_unread(&self, needs: Option<&'static str>) -> Result<(), SiteError> {
        match (self.read, needs) {
            (Extent::Head, Some(key)) => Err(SiteError::new(
                "request.read",
                format!("head leaves the body unread, and {key} needs it; remove one of the two"),
            )),
            _ => Ok(()),
        }
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
fn headers(field: Field) -> Result<Vec<(String, Template)>, SiteError> {
    let object = field.object(r#"an object like {"Accept": "text/html"}"#)?;
    let members: Vec<_> = object.into_members().collect();
    if members.len() > MAX_HEADERS {
        let message = format!("has {} headers; at most {MAX_HEADERS}", members.len());
        return Err(SiteError::new("request.headers", message));
    }
    let mut headers = Vec::with_capacity(members.len());
    for (name, field) in members {
        let key = format!("request.headers.{name}");
        check_name(&key, &name)?;
        if OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return Err(field.fault("webmon sets this header itself; remove it"));
        }
        if headers
            .iter()
            .any(|(other, _): &(String, Template)| other.eq_ignore_ascii_case(&name))
        {
            return Err(field.fault("stands there twice (case does not matter); keep one"));
        }
        let value = field.template("a string")?;
        check_value(&key, &name, value.as_written())?;
        headers.push((name, value));
    }
    Ok(headers)
}

/// Refuses a header that would go to the site through a tunnel, and to the proxy otherwise.
fn refuse_proxy_authorization(headers: &[(String, Template)]) -> Result<(), SiteError> {
    let mut names = headers.iter().map(|(name, _)| name);
    match names.find(|name| name.eq_ignore_ascii_case("proxy-authorization")) {
        None => Ok(()),
        Some(name) => Err(SiteError::new(
            format!("request.headers.{name}"),
            "is for the proxy; write username and password into request.proxy",
        )),
    }
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

/// Reads `request.ip`: 4 and 6 as numbers or as strings, as YAML writes them.
fn family(field: &Field) -> Result<Family, SiteError> {
    const EXAMPLE: &str = r#"4, 6 or "any""#;
    let written = if field.is_number() {
        field.whole(EXAMPLE)?.to_string()
    } else {
        field.text(EXAMPLE)?.to_owned()
    };
    match written.as_str() {
        "any" => Ok(Family::Any),
        "4" => Ok(Family::V4),
        "6" => Ok(Family::V6),
        _ => Err(field.fault(format!(
            "{written:?} is no family of addresses; write {EXAMPLE}"
        ))),
    }
}

/// Reads `request.read`.
fn extent(field: &Field) -> Result<Extent, SiteError> {
    const EXAMPLE: &str = r#""head" or "all""#;
    match field.text(EXAMPLE)? {
        "all" => Ok(Extent::All),
        "head" => Ok(Extent::Head),
        other => Err(field.fault(format!(
            "{other:?} is no part of an answer; write {EXAMPLE}"
        ))),
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;

//! `site.request`: how a site is asked.

use std::fmt;

use super::SiteError;
use super::header::{check_name, check_value, is_token};
use super::json::{Field, Object};
use super::template::Template;
use super::tls::Tls;

/// The keys of `request`.
pub const KEYS: &[&str] = &[
    "method",
    "headers",
    "body",
    "basic",
    "bearer",
    "redirects",
    "ip",
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
/// The longest user name or password, in bytes: half of what a header line holds, as base64 makes four
/// bytes of three.
const MAX_CREDENTIAL_BYTES: usize = 2_048;
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

/// What proves who asks; it prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub enum Auth {
    /// `request.basic`.
    Basic {
        /// The user's name, without a colon.
        username: Template,
        /// The password.
        password: Template,
    },
    /// `request.bearer`: the token.
    Bearer(Template),
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
            tls: Tls::default(),
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
        if let Some(field) = object.take("tls") {
            request.tls = Tls::read(field)?;
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
fn auth(object: &mut Object, headers: &[(String, Template)]) -> Result<Option<Auth>, SiteError> {
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

/// Reads `request.basic`.
fn basic(field: Field) -> Result<Auth, SiteError> {
    let mut object = field.object(r#"an object like {"username": "me", "password": "…"}"#)?;
    object.refuse_unknown(&["username", "password"])?;
    let username = object.need("username")?;
    let password = object.need("password")?;
    let (user, secret) = (
        username.template("a string")?,
        password.template("a string")?,
    );
    check_username(user.as_written()).map_err(|message| username.fault(message))?;
    check_password(secret.as_written()).map_err(|message| password.fault(message))?;
    Ok(Auth::Basic {
        username: user,
        password: secret,
    })
}

/// Checks the user name of basic authentication; in the checker again, with its secrets.
pub fn check_username(text: &str) -> Result<(), String> {
    // the colon of `${secret:NAME}` ends no user name
    if text.replace("${secret:", "").contains(':') {
        return Err("contains a colon, which ends a user name; remove it".to_owned());
    }
    check_password(text)
}

/// Checks the password of basic authentication; in the checker again, with its secrets.
pub fn check_password(text: &str) -> Result<(), String> {
    if text.chars().any(char::is_control) {
        return Err("contains a control character; remove it".to_owned());
    }
    if text.len() > MAX_CREDENTIAL_BYTES {
        let length = text.len();
        return Err(format!(
            "{length} bytes long; at most {MAX_CREDENTIAL_BYTES}"
        ));
    }
    Ok(())
}

/// Reads `request.bearer`.
fn bearer(field: &Field) -> Result<Auth, SiteError> {
    let token = field.template("a string")?;
    check_token(token.as_written()).map_err(|message| field.fault(message))?;
    check_value("request.bearer", "Authorization", token.as_written())?;
    Ok(Auth::Bearer(token))
}

/// Checks a bearer token; in the checker again, with its secrets.
pub fn check_token(text: &str) -> Result<(), String> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("is no token; write printable ASCII without spaces".to_owned());
    }
    Ok(())
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;

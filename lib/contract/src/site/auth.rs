//! `request.basic`, `request.digest` and `request.bearer`: what proves who asks.

use std::fmt;

use super::SiteError;
use super::header::check_value;
use super::json::{Field, Object};
use super::template::Template;

/// The keys that say who asks.
const KEYS: [&str; 3] = ["basic", "digest", "bearer"];
/// The longest user name or password, in bytes: half of what a header line holds, as base64 makes four
/// bytes of three.
const MAX_CREDENTIAL_BYTES: usize = 2_048;

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
    /// `request.digest`.
    Digest {
        /// The user's name, without a colon.
        username: Template,
        /// The password.
        password: Template,
    },
    /// `request.bearer`: the token.
    Bearer(Template),
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic(***)",
            Self::Digest { .. } => "Digest(***)",
            Self::Bearer(_) => "Bearer(***)",
        })
    }
}

impl Auth {
    /// Reads `request.basic`, `request.digest` or `request.bearer`; only one thing may say who asks.
    pub(super) fn take(
        object: &mut Object,
        headers: &[(String, Template)],
    ) -> Result<Option<Self>, SiteError> {
        let mut found = None;
        for key in KEYS {
            let Some(field) = object.take(key) else {
                continue;
            };
            if let Some((other, _)) = found {
                let message = format!("request.{other} is there too; keep one of them");
                return Err(field.fault(message));
            }
            found = Some((key, field));
        }
        let Some((key, field)) = found else {
            return Ok(None);
        };
        let mut names = headers.iter().map(|(name, _)| name);
        if names.any(|name| name.eq_ignore_ascii_case("authorization")) {
            return Err(field.fault("request.headers has Authorization too; keep one of them"));
        }
        match key {
            "bearer" => bearer(&field),
            key => login(key, field),
        }
        .map(Some)
    }
}

/// Reads `request.basic` or `request.digest`.
fn login(key: &str, field: Field) -> Result<Auth, SiteError> {
    let mut object = field.object(r#"an object like {"username": "me", "password": "…"}"#)?;
    object.refuse_unknown(&["username", "password"])?;
    let (name, word) = (object.need("username")?, object.need("password")?);
    let (username, password) = (name.template("a string")?, word.template("a string")?);
    check_username(username.as_written()).map_err(|message| name.fault(message))?;
    check_password(password.as_written()).map_err(|message| word.fault(message))?;
    Ok(if key == "digest" {
        Auth::Digest { username, password }
    } else {
        Auth::Basic { username, password }
    })
}

/// Checks the user name of basic or digest authentication; in the checker again, with its secrets.
pub fn check_username(text: &str) -> Result<(), String> {
    // the colon of `${secret:NAME}` ends no user name
    if text.replace("${secret:", "").contains(':') {
        return Err("contains a colon, which ends a user name; remove it".to_owned());
    }
    check_password(text)
}

/// Checks the password of basic or digest authentication; in the checker again, with its secrets.
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

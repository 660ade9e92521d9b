//! `request.basic` and `request.bearer`: what proves who asks.

use std::fmt;

use super::SiteError;
use super::header::check_value;
use super::json::{Field, Object};
use super::template::Template;

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
    /// `request.bearer`: the token.
    Bearer(Template),
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic(***)",
            Self::Bearer(_) => "Bearer(***)",
        })
    }
}

impl Auth {
    /// Reads `request.basic` or `request.bearer`; only one thing may say who asks.
    pub(super) fn take(
        object: &mut Object,
        headers: &[(String, Template)],
    ) -> Result<Option<Self>, SiteError> {
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

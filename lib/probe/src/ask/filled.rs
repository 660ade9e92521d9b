//! A site's request with the values of its secrets: made once per check, before anything is sent.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use contract::outcome::Reason;
use contract::site::auth::{Auth, check_password, check_token, check_username};
use contract::site::header::check_value;
use contract::site::proxy::{self, Proxy};
use contract::site::{Request, Template};
use ureq::http::{HeaderName, HeaderValue, header};
use url::Url;

use super::Step;
use crate::check_memory::{self, SHORT_SECRETS_BYTES};
use crate::fault::Fault;
use crate::observed;
use crate::proxy::Route;
use crate::secrets::Vault;
use crate::secrets::recipient::Recipient;
use crate::secrets::revealed::placeholder;

/// The most bytes that the secrets of one request have together: a site may name one many times.
const MAX_BYTES: usize = 256 * 1024;

/// What a request sends of its site's; of the values it prints none.
pub(crate) struct FilledRequest<'a> {
    /// The headers; the last of them are the credentials, if any are sent unasked.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// What a challenge of digest authentication is answered with.
    pub(super) login: Option<Box<Login>>,
    /// The names of the site's own headers as it writes them, one a line.
    pub(crate) names: Option<Arc<str>>,
    /// The body.
    pub(crate) body: Option<Cow<'a, str>>,
    /// The key of the certificate that is shown to the site, as PEM.
    pub(crate) client_key: Option<String>,
    /// By way of which proxy.
    pub(crate) route: Option<Arc<Route>>,
}

/// A user name and a password that are not sent, but proved.
pub(super) struct Login {
    /// The user's name.
    pub(super) username: String,
    /// The password.
    pub(super) password: String,
    /// What is shown for what is made of them; empty if no secret is in them.
    pub(super) shown: String,
}

impl fmt::Debug for FilledRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headers.iter().map(|(name, _)| name);
        f.debug_struct("FilledRequest")
            .field("headers", &names.collect::<Vec<_>>())
            .field("body", &self.body.is_some())
            .field("login", &self.login.is_some())
            .field("client_key", &self.client_key.is_some())
            .field("route", &self.route)
            .finish()
    }
}

impl<'a> FilledRequest<'a> {
    /// Fills a request that is first sent to `url`, which decides which secrets it may have.
    pub(crate) fn new(request: &'a Request, vault: &Vault, url: &Url) -> Result<Self, Fault> {
        let mut filler = Filler {
            vault,
            recipient: Recipient::site(url, request),
            room: MAX_BYTES,
            free: SHORT_SECRETS_BYTES,
        };
        let mut headers =
            Vec::with_capacity(request.headers.len() + usize::from(request.auth.is_some()));
        for (name, template) in &request.headers {
            headers.push(filler.header(name, template)?);
        }
        let mut login = None;
        if let Some(auth) = &request.auth {
            match filler.credentials(auth)? {
                Credentials::Header(value) => {
                    headers.push((header::AUTHORIZATION, header_value(&value)?));
                }
                Credentials::Login(found) => login = Some(Box::new(found)),
            }
        }
        let body = request.body.as_ref().map(|body| filler.fill(body));
        let identity = request.tls.identity.as_ref();
        let key = identity.map(|identity| filler.reveal(&identity.key));
        let (body, client_key) = (body.transpose()?, key.transpose()?);
        let route = request.proxy.as_ref().map(|proxy| filler.route(proxy));
        Ok(Self {
            headers,
            login,
            names: names(request),
            body,
            client_key,
            route: route.transpose()?,
        })
    }
}

impl FilledRequest<'_> {
    /// The cookies of the site's own header, if they go along with `step`.
    pub(super) fn cookies(&self, step: &Step) -> Option<&[u8]> {
        let mut headers = self.headers.iter().filter(|_| step.trusted);
        let (_, value) = headers.find(|(name, _)| name == header::COOKIE)?;
        Some(value.as_bytes())
    }
}

/// Puts values into the texts of one request.
struct Filler<'v> {
    /// Where the values are found.
    vault: &'v Vault,
    /// The server that is to get them.
    recipient: Recipient<'v>,
    /// The bytes that the values may still have.
    room: usize,
    /// Those of them that the slot has room for.
    free: usize,
}

impl<'v> Filler<'v> {
    /// The way by a proxy. It is the last to be filled: its secrets are for the proxy, not for the site.
    #[inline(never)]
    fn route(&mut self, proxy: &'v Proxy) -> Result<Arc<Route>, Fault> {
        let Proxy { url, login } = proxy;
        self.recipient = Recipient::proxy(url);
        let login = login.as_ref().map(|proxy::Login { username, password }| {
            header_value(&self.basic("request.proxy", username, password)?)
        });
        Ok(Arc::new(Route::new(url, login.transpose()?)))
    }

    /// The value of a secret.
    fn reveal(&mut self, name: &str) -> Result<String, Fault> {
        let value = self.vault.reveal(name, self.recipient)?;
        let room = self.room.checked_sub(value.len()).ok_or_else(|| {
            let message = format!("its secrets have more than {MAX_BYTES} bytes; name fewer");
            Fault::at("request", Reason::SecretMissing, message)
        })?;
        self.room = room;
        let free = value.len().min(self.free);
        self.free -= free;
        check_memory::take_for_secrets(value.len() - free)?;
        Ok(value)
    }

    /// A text with its values. One without secrets is not copied.
    fn fill<'a>(&mut self, template: &'a Template) -> Result<Cow<'a, str>, Fault> {
        if template.secrets().next().is_none() {
            return Ok(Cow::Borrowed(template.as_written()));
        }
        template.fill(|name| self.reveal(name)).map(Cow::Owned)
    }

    /// The same, where not every text can be sent: what was written has been checked, and is checked
    /// again with its values.
    fn fill_checked<'a>(
        &mut self,
        key: &str,
        template: &'a Template,
        check: impl FnOnce(&str) -> Result<(), String>,
    ) -> Result<Cow<'a, str>, Fault> {
        let text = self.fill(template)?;
        if let Cow::Owned(filled) = &text {
            check(filled).map_err(|message| {
                let message = format!("with {}: {message}", placeholders(template.secrets()));
                Fault::at(key.to_owned(), Reason::SecretMissing, message)
            })?;
        }
        Ok(text)
    }

    /// A header of the site's own.
    fn header(
        &mut self,
        name: &str,
        template: &Template,
    ) -> Result<(HeaderName, HeaderValue), Fault> {
        let key = format!("request.headers.{name}");
        let check = |text: &str| check_value(&key, name, text).map_err(|error| error.message);
        let value = self.fill_checked(&key, template, check)?;
        let name = HeaderName::try_from(name).map_err(|error| nonsense(&error))?;
        Ok((name, header_value(&value)?))
    }

    /// What proves who asks.
    fn credentials(&mut self, auth: &Auth) -> Result<Credentials, Fault> {
        match auth {
            Auth::Basic { username, password } => {
                let value = self.basic("request.basic", username, password)?;
                Ok(Credentials::Header(value))
            }
            Auth::Digest { username, password } => {
                let login = self.login("request.digest", username, password)?;
                Ok(Credentials::Login(login))
            }
            Auth::Bearer(token) => {
                let key = "request.bearer";
                let check = |text: &str| {
                    check_token(text)?;
                    check_value(key, "Authorization", text).map_err(|error| error.message)
                };
                let token = self.fill_checked(key, token, check)?;
                Ok(Credentials::Header(format!("Bearer {token}")))
            }
        }
    }

    /// The user name and password at `key`, as one value.
    fn basic(&mut self, key: &str, name: &Template, word: &Template) -> Result<String, Fault> {
        let Login {
            username,
            password,
            shown,
        } = self.login(key, name, word)?;
        let pair = BASE64_STANDARD.encode(format!("{username}:{password}"));
        if !shown.is_empty() {
            observed::with(|observed| observed.revealed.add(shown, &pair));
        }
        Ok(format!("Basic {pair}"))
    }

    /// The user name and password at `key`.
    fn login(&mut self, key: &str, name: &Template, word: &Template) -> Result<Login, Fault> {
        let username = self.fill_checked(&format!("{key}.username"), name, check_username)?;
        let password = self.fill_checked(&format!("{key}.password"), word, check_password)?;
        Ok(Login {
            username: username.into_owned(),
            password: password.into_owned(),
            shown: placeholders(name.secrets().chain(word.secrets())),
        })
    }
}

/// What proves who asks.
enum Credentials {
    /// The value of `Authorization`.
    Header(String),
    /// What the answer to a challenge is made of.
    Login(Login),
}

/// The names of the site's own headers, as it writes them.
fn names(request: &Request) -> Option<Arc<str>> {
    let names = request.headers.iter().map(|(name, _)| name.as_str());
    let names: Vec<_> = names.collect();
    (!names.is_empty()).then(|| names.join("\n").into())
}

/// The names of secrets, as they were written.
fn placeholders<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(placeholder).collect()
}

/// A value that is printed nowhere: without secrets too it may be a credential.
fn header_value(text: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|error| nonsense(&error))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What was checked before and still cannot be sent.
fn nonsense(error: &dyn fmt::Display) -> Fault {
    let message = format!("cannot be sent: {error}");
    Fault::at("request", Reason::InvalidSite, message)
}

#[cfg(test)]
#[path = "filled_tests.rs"]
mod tests;

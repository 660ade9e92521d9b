//! Cookies within one check: a site that sets one and redirects to itself works as in a browser.
//!
//! What a response sets is kept for the rest of the check, and sent by the rules of RFC 6265bis (5.7 and 5.8): by
//! domain, path, `Secure`, end and prefix. Nothing is made before the first cookie comes. How much is kept, and
//! what is not judged (public suffixes of several labels, `SameSite`), is told in `docs/decisions/0007-ask.md`.

mod date;
mod scope;
mod set_cookie;
mod told;

use std::cmp::Reverse;
use std::fmt;

use ureq::http::{HeaderMap, HeaderValue, header};
use url::Url;

use self::scope::{default_path, domain, is_safe, is_within, path_within};
use self::set_cookie::SetCookie;
pub(super) use self::told::Told;
use self::told::{Fate, has};

/// The most cookies of a check, as many as a browser keeps of one site.
const MAX_COOKIES: usize = 50;
/// The longest name and value together, in bytes (RFC 6265bis, 5.6).
const MAX_COOKIE_BYTES: usize = 4_096;
/// The most bytes of all of them: more fits into no header line.
const MAX_BYTES: usize = 8_192;

/// The cookies that a check's servers have set.
#[derive(Debug, Default)]
pub(super) struct Jar(Vec<Cookie>);

/// A cookie that is kept.
struct Cookie {
    /// The name; empty if there is none.
    name: Box<[u8]>,
    /// The value.
    value: Box<[u8]>,
    /// The host that it is for.
    domain: Box<str>,
    /// Whether it is for no host below that.
    host_only: bool,
    /// The path that it is for.
    path: Box<[u8]>,
    /// Whether it is for HTTPS only.
    secure: bool,
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=***", self.name.escape_ascii())
    }
}

impl Jar {
    /// Keeps what a response from `url` sets at `now_s`, in seconds since the Unix epoch; the one of its cookies
    /// that tells most, if it sets any.
    pub(super) fn keep(&mut self, headers: &HeaderMap, url: &Url, now_s: i64) -> Option<Told> {
        let mut told: Option<Told> = None;
        for header in headers.get_all(header::SET_COOKIE) {
            let Some(set) = SetCookie::read(header.as_bytes(), now_s) else {
                continue;
            };
            let fate = self.set(&set, url).unwrap_or_else(Fate::Refused);
            if told
                .as_ref()
                .is_none_or(|told| told.fate.tells() < fate.tells())
            {
                let name = set.name.into();
                told = Some(Told { name, fate });
            }
        }
        told
    }

    /// The cookies for `url` behind those that the site's own header has, as one header; `None` if there are none
    /// but those. A name that stands there already keeps its value.
    pub(super) fn header(
        &self,
        url: &Url,
        own: Option<&[u8]>,
        limit: usize,
    ) -> Option<HeaderValue> {
        let mut found: Vec<&Cookie> = self.0.iter().filter(|cookie| cookie.is_for(url)).collect();
        found.retain(|cookie| !own.is_some_and(|own| has(own, &cookie.name)));
        // the order of those with paths of one length is that in which they came
        found.sort_by_key(|cookie| Reverse(cookie.path.len()));
        let mut line = own.unwrap_or_default().to_vec();
        let before = line.len();
        for cookie in found {
            // blank, semicolon and equals sign
            if line.len() + cookie.name.len() + cookie.value.len() + 3 > limit {
                continue;
            }
            if !line.is_empty() {
                line.extend_from_slice(b"; ");
            }
            if !cookie.name.is_empty() {
                line.extend_from_slice(&cookie.name);
                line.push(b'=');
            }
            line.extend_from_slice(&cookie.value);
        }
        let mut value = HeaderValue::from_bytes(&line)
            .ok()
            .filter(|_| line.len() > before)?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The bytes of all that is kept.
    pub(super) fn bytes(&self) -> usize {
        self.0.iter().map(Cookie::bytes).sum()
    }

    /// Sets a cookie from `url`; the error says why it is not kept.
    fn set(&mut self, set: &SetCookie<'_>, url: &Url) -> Result<Fate, &'static str> {
        let cookie = Cookie::admitted(set, url)?;
        let shadows = |kept: &Cookie| kept.secure && kept.overlaps(&cookie);
        if !is_safe(url) && self.0.iter().any(shadows) {
            return Err("a Secure one of its name was set over HTTPS");
        }
        if set.expired {
            self.0.retain(|kept| !kept.is_replaced_by(&cookie));
            return Ok(Fate::Deleted);
        }
        let place = self.0.iter().position(|kept| kept.is_replaced_by(&cookie));
        let old = place.and_then(|place| self.0.get(place));
        let left = MAX_BYTES + old.map_or(0, Cookie::bytes) - self.bytes();
        if cookie.bytes() > left {
            return Err("there are too many bytes of cookies");
        }
        if let Some(place) = place {
            // the order is that in which the names came
            self.0.splice(place..=place, [cookie]);
            return Ok(Fate::Again);
        }
        if self.0.len() == MAX_COOKIES {
            return Err("there are too many cookies");
        }
        self.0.push(cookie);
        Ok(Fate::New)
    }
}

impl Cookie {
    /// A cookie as it is kept; the error says why it is not (RFC 6265bis, 5.7).
    fn admitted(set: &SetCookie<'_>, url: &Url) -> Result<Self, &'static str> {
        if set.name.len() + set.value.len() > MAX_COOKIE_BYTES {
            return Err("it is too long");
        }
        if set.secure && !is_safe(url) {
            return Err("it is Secure, and came over plain HTTP");
        }
        let (domain, host_only) = domain(set.domain, url)?;
        let begins = |prefix: &[u8]| {
            let text = if set.name.is_empty() {
                set.value
            } else {
                set.name
            };
            text.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        if begins(b"__Secure-") && !set.secure {
            return Err("its name asks for Secure");
        }
        let of_host = set.secure && set.domain.is_none() && set.path == Some(b"/");
        if begins(b"__Host-") && !of_host {
            return Err("its name asks for Secure, for Path=/, and for no Domain");
        }
        Ok(Self {
            name: set.name.into(),
            value: set.value.into(),
            domain: domain.into(),
            host_only,
            path: set.path.unwrap_or(default_path(url).as_bytes()).into(),
            secure: set.secure,
        })
    }

    /// Whether it is sent to `url`.
    fn is_for(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let same = if self.host_only {
            host == &*self.domain
        } else {
            is_within(host, &self.domain)
        };
        same && path_within(url.path().as_bytes(), &self.path) && (!self.secure || is_safe(url))
    }

    /// Whether another one takes its place.
    fn is_replaced_by(&self, other: &Self) -> bool {
        (&self.name, &self.domain, self.host_only, &self.path)
            == (&other.name, &other.domain, other.host_only, &other.path)
    }

    /// Whether a server may get both it and a later one of the same name, which would then count.
    fn overlaps(&self, later: &Self) -> bool {
        self.name == later.name
            && (is_within(&self.domain, &later.domain) || is_within(&later.domain, &self.domain))
            && path_within(&later.path, &self.path)
    }

    /// The bytes that it takes.
    fn bytes(&self) -> usize {
        self.name.len() + self.value.len() + self.domain.len() + self.path.len()
    }
}

#[cfg(test)]
mod tests;

//! Entries → valid sites, with every fault of every site.
//!
//! A site's own key beats the one in `defaults`. `labels`, `request` and `expect` are merged key by key
//! at their first level: `defaults.expect.status` stays when a site says `expect.body`, and is replaced
//! as a whole when the site says `expect.status`; with nothing after it (`status:`) the site takes the
//! default away. A default timeout is never longer than the site's interval.

use std::borrow::Cow;

use contract::site::{DEFAULT_TIMEOUT_MS, MAX_NAME_CHARS, SiteError, parse_url};
use contract::text::{is_harmless, quoted, shortened};
use sea_orm::FromQueryResult;

use super::fields::Fields;
use super::node::Node;
use super::options::{Options, merged};
use super::yaml;

/// The interval of a site that names none, in milliseconds.
pub(super) const DEFAULT_INTERVAL_MS: i32 = 60_000;

/// A site as the database shall have it.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Site {
    /// What people call it; unique.
    pub name: String,
    /// What to probe, as written.
    pub url: String,
    /// The time between two checks, in milliseconds.
    pub interval_ms: i32,
    /// The time for one check, in milliseconds.
    pub timeout_ms: i32,
    /// Whether it is checked at all.
    pub enabled: bool,
    /// Words for people to sort sites by, as JSON text.
    pub labels: String,
    /// How to ask, as JSON text.
    pub request: String,
    /// What a healthy site answers, as JSON text.
    pub expect: String,
}

/// The longest name that is shown, in characters: longer than any that is valid.
const MAX_SHOWN_CHARS: usize = 300;

/// A name for people's eyes: as it is, unless it would be unseen or upset a terminal.
pub(super) fn shown(name: &str) -> Cow<'_, str> {
    let name = shortened(name, MAX_SHOWN_CHARS);
    if name.is_empty() || !name.chars().all(is_harmless) {
        Cow::Owned(quoted(&name))
    } else {
        name
    }
}

/// Makes sites of entries.
#[derive(Debug)]
pub(super) struct Judge {
    /// What `defaults` says.
    defaults: Fields,
    /// Checks `labels`.
    labels: Options,
    /// Checks `request`.
    request: Options,
    /// Checks `expect`.
    expect: Options,
}

impl Judge {
    /// Reads `defaults`, which are judged on their own first, so that a fault there is named once and
    /// not for every site.
    pub(super) fn new(defaults: Node) -> (Self, Vec<SiteError>) {
        let mut faults = Vec::new();
        let fields = match defaults {
            Node::Nothing => Fields::default(),
            defaults => Fields::read(defaults, &mut faults),
        };
        let mut judge = Self {
            defaults: fields,
            labels: Options::labels(),
            request: Options::request(),
            expect: Options::expect(),
        };
        judge.check_defaults(&mut faults);
        (judge, faults)
    }

    /// Says nothing any more where `defaults` make no sense.
    fn check_defaults(&mut self, faults: &mut Vec<SiteError>) {
        let defaults = &mut self.defaults;
        for (key, given) in [("name", &defaults.name), ("url", &defaults.url)] {
            if given.is_some() {
                faults.push(SiteError::new(key, "belongs to one site; write it there"));
            }
        }
        for (options, given) in [
            (&mut self.labels, &mut defaults.labels),
            (&mut self.request, &mut defaults.request),
            (&mut self.expect, &mut defaults.expect),
        ] {
            if let Err(fault) = options.text(given.clone().unwrap_or_default()) {
                faults.push(fault);
                *given = None;
            }
        }
    }

    /// Judges one entry of `sites`: its name, if it has one, and the site or all that is wrong.
    pub(super) fn judge(&mut self, entry: Node) -> (Option<String>, Result<Site, Vec<SiteError>>) {
        let no_site = match &entry {
            Node::Map(_) => None,
            Node::Odd(fault) => Some(fault.clone()),
            entry => Some(format!("{entry} is no site; write `name: …` and `url: …`")),
        };
        if let Some(fault) = no_site {
            return (None, Err(vec![SiteError::new("entry", fault)]));
        }
        let mut faults = Vec::new();
        let fields = Fields::read(entry, &mut faults);
        let name = fields.name.clone();
        let site = self.site(fields, &mut faults);
        let site = match site {
            Some(site) if faults.is_empty() => Ok(site),
            _ => Err(faults),
        };
        (name, site)
    }

    /// Completes and checks a site; every `None` comes with a fault.
    fn site(&mut self, fields: Fields, faults: &mut Vec<SiteError>) -> Option<Site> {
        let Fields {
            name,
            url,
            interval_ms,
            timeout_ms,
            enabled,
            labels,
            request,
            expect,
        } = fields;
        let name = required("name", name, check_name, faults);
        let url = required("url", url, |url| parse_url(url).map(drop), faults);
        let (interval_ms, timeout_ms) = self.times(interval_ms, timeout_ms, faults);
        let defaults = &self.defaults;
        let labels = self.labels.text(merged(defaults.labels.as_ref(), labels));
        let request = self
            .request
            .text(merged(defaults.request.as_ref(), request));
        let expect = self.expect.text(merged(defaults.expect.as_ref(), expect));
        let [labels, request, expect] = [labels, request, expect].map(|text| noted(text, faults));
        Some(Site {
            name: name?,
            url: url?,
            interval_ms,
            timeout_ms,
            enabled: enabled.or(defaults.enabled).unwrap_or(true),
            labels: labels?,
            request: request?,
            expect: expect?,
        })
    }

    /// Interval and timeout of a site.
    fn times(
        &self,
        interval_ms: Option<i32>,
        timeout_ms: Option<i32>,
        faults: &mut Vec<SiteError>,
    ) -> (i32, i32) {
        let Fields {
            interval_ms: default_interval_ms,
            timeout_ms: default_timeout_ms,
            ..
        } = self.defaults;
        let interval_ms = interval_ms
            .or(default_interval_ms)
            .unwrap_or(DEFAULT_INTERVAL_MS);
        let default_timeout_ms = default_timeout_ms.unwrap_or(DEFAULT_TIMEOUT_MS);
        let timeout_ms = timeout_ms.unwrap_or_else(|| default_timeout_ms.min(interval_ms));
        let interval_is_wrong = faults.iter().any(|fault| fault.key == "interval");
        if timeout_ms > interval_ms && !interval_is_wrong {
            let message = format!(
                "{} is longer than the interval; at most {}",
                yaml::duration(timeout_ms),
                yaml::duration(interval_ms)
            );
            faults.push(SiteError::new("timeout", message));
        }
        (interval_ms, timeout_ms)
    }
}

/// A text that must be there and pass `check`.
fn required(
    key: &str,
    text: Option<String>,
    check: impl FnOnce(&str) -> Result<(), SiteError>,
    faults: &mut Vec<SiteError>,
) -> Option<String> {
    let Some(text) = text else {
        if !faults.iter().any(|fault| fault.key == key) {
            faults.push(SiteError::new(key, format!("is missing; write `{key}: …`")));
        }
        return None;
    };
    noted(check(&text), faults).map(|()| text)
}

/// The value, or its fault with the others.
fn noted<T>(result: Result<T, SiteError>, faults: &mut Vec<SiteError>) -> Option<T> {
    result.map_err(|fault| faults.push(fault)).ok()
}

/// Checks the length of a name.
fn check_name(name: &str) -> Result<(), SiteError> {
    match name.chars().count() {
        0 => Err(SiteError::new(
            "name",
            "is empty; write what people call the site",
        )),
        1..=MAX_NAME_CHARS => Ok(()),
        chars => {
            let message = format!("{chars} characters long; at most {MAX_NAME_CHARS}");
            Err(SiteError::new("name", message))
        }
    }
}

//! Check: entries of a file → valid sites, with every fault of every site.
//!
//! A site's own key beats the one in `defaults`. `labels`, `request` and `expect` are merged key by key
//! at their first level: `defaults.expect.status` stays when a site says `expect.body`, and is replaced
//! as a whole when the site says `expect.status`; with nothing after it (`status:`) the site takes the
//! default away. A default timeout is never longer than the site's interval.

pub(crate) mod fields;
mod maps;

use contract::site::{DEFAULT_TIMEOUT_MS, MAX_NAME_CHARS, SiteError, parse_url};
use store::site::apply::Site;

use self::fields::Fields;
use self::maps::{MapValidator, merged, refuse_odd_pair};
use crate::yaml::node::Node;
use crate::yaml::text::duration;

/// The interval of a site that names none, in milliseconds.
pub(crate) const DEFAULT_INTERVAL_MS: i32 = 60_000;

/// Makes sites of entries.
#[derive(Debug)]
pub(crate) struct EntryValidator {
    /// What `defaults` says.
    defaults: Fields,
    /// Checks `labels`.
    labels: MapValidator,
    /// Checks `request`.
    request: MapValidator,
    /// Checks `expect`.
    expect: MapValidator,
}

impl EntryValidator {
    /// Reads `defaults`. They are checked on their own first, so that a fault there is named once and not for
    /// every site.
    pub(crate) fn new(defaults: Node) -> (Self, Vec<SiteError>) {
        let mut faults = Vec::new();
        let fields = match defaults {
            Node::Nothing => Fields::default(),
            defaults => Fields::read(defaults, &mut faults),
        };
        let mut validator = Self {
            defaults: fields,
            labels: MapValidator::labels(),
            request: MapValidator::request(),
            expect: MapValidator::expect(),
        };
        validator.check_defaults(&mut faults);
        (validator, faults)
    }

    /// Checks the defaults, and drops those that make no sense.
    fn check_defaults(&mut self, faults: &mut Vec<SiteError>) {
        let defaults = &mut self.defaults;
        for (key, given) in [("name", &defaults.name), ("url", &defaults.url)] {
            if given.is_some() {
                faults.push(SiteError::new(key, "belongs to one site; write it there"));
            }
        }
        for (map, given) in [
            (&mut self.labels, &mut defaults.labels),
            (&mut self.request, &mut defaults.request),
            (&mut self.expect, &mut defaults.expect),
        ] {
            if let Err(fault) = map.text(given.clone().unwrap_or_default()) {
                faults.push(fault);
                *given = None;
            }
        }
    }

    /// Checks one entry of `sites`: its name, if it has one, and the site or all that is wrong.
    pub(crate) fn check(&mut self, entry: Node) -> (Option<String>, Result<Site, Vec<SiteError>>) {
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
        if let (Some(request), Some(expect)) = (&request, &expect) {
            faults.extend(refuse_odd_pair(request, expect).err());
        }
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
                duration(timeout_ms),
                duration(interval_ms)
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

//! What was received against what was expected.

pub(crate) mod cores;
mod json;
mod unmet;

use std::sync::Arc;
use std::time::Duration;

use contract::outcome::Reason;
use contract::site::expect::{BodyRule, Expect, HeaderRule, HeaderTest};
use contract::site::json_rule::JsonTest;
use contract::site::pattern::Pattern;
use ureq::http::response::Parts;
use ureq::http::{HeaderMap, HeaderValue};

use self::json::judge_json;
use self::unmet::{Needs, fault, shown, undecided};
use crate::budget::Budget;
use crate::decode::{Cut, Text};
use crate::fault::Fault;
use crate::redact::quote;
use crate::tls::lifetime::ChainEnd;
use crate::tls::x509::day;

/// The most steps that the patterns of one check may take: some seconds of one core, at worst.
const MAX_STEPS: u64 = 1 << 30;
/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// Whether a response of this head and body is what was expected.
pub fn meets(expect: &Expect, head: &Parts, bytes: &[u8]) -> bool {
    let memory = Arc::new(Budget::new(u64::MAX, "nothing is left"));
    let text = Text::of(&head.headers, bytes, Cut::Whole, &memory);
    judge_response(expect, head, text).is_ok()
}

/// Judges the last response: the status first, as an error page has other headers and another body.
pub(crate) fn judge_response(
    expect: &Expect,
    head: &Parts,
    text: Result<Text<'_>, Fault>,
) -> Result<(), Fault> {
    let status = head.status.as_u16();
    if !expect.allows_status(status) {
        let message = format!("status {status}, expected {}", expected_status(expect));
        return Err(fault(Reason::Status, message));
    }
    let bytes = text.as_ref().map_or(0, |text| text.text().len());
    refuse_costly(expect, &head.headers, bytes)?;
    for rule in &expect.headers {
        judge_header(rule, &head.headers)?;
    }
    judge_body(expect, &text?)
}

/// Refuses patterns that could take too long on what was received. A site's owner must not keep a core
/// busy with a few characters.
fn refuse_costly(expect: &Expect, headers: &HeaderMap, body_bytes: usize) -> Result<(), Fault> {
    let in_headers = expect.headers.iter().filter_map(|rule| match &rule.test {
        HeaderTest::Matches(pattern) => {
            let values = headers.get_all(rule.name.as_str()).iter();
            Some((pattern, values.map(HeaderValue::len).sum()))
        }
        _ => None,
    });
    let in_body = expect.body.iter().filter_map(|rule| match rule {
        BodyRule::Matches(pattern) | BodyRule::NotMatches(pattern) => Some(pattern),
        _ => None,
    });
    let in_json = expect.json.iter().filter_map(|rule| match &rule.test {
        JsonTest::Matches(pattern) => Some(pattern),
        _ => None,
    });
    let whole_body = |pattern| (pattern, body_bytes);
    let mut left = MAX_STEPS;
    for (pattern, bytes) in in_headers.chain(in_body.chain(in_json).map(whole_body)) {
        left = left.checked_sub(pattern.steps(bytes)).ok_or_else(|| {
            let message = format!(
                "the pattern {} may take too long on {bytes} bytes; repeat less in it",
                shown(pattern.as_str())
            );
            fault(Reason::InvalidSite, message)
        })?;
    }
    Ok(())
}

/// The statuses that are expected, for people.
fn expected_status(expect: &Expect) -> String {
    if expect.status.is_empty() {
        return "2xx".to_owned();
    }
    let ranges = expect.status.iter().map(|range| {
        if range.first == range.last {
            range.first.to_string()
        } else {
            format!("{}-{}", range.first, range.last)
        }
    });
    ranges.collect::<Vec<_>>().join(", ")
}

/// Judges the headers of one name.
fn judge_header(rule: &HeaderRule, headers: &HeaderMap) -> Result<(), Fault> {
    let HeaderRule { name, test } = rule;
    let values = headers.get_all(name.as_str()).iter();
    let values: Vec<&[u8]> = values.map(HeaderValue::as_bytes).collect();
    let first = values.first().copied();
    let found = || {
        first.map_or("it is not there".to_owned(), |v| {
            format!("it is {}", quote(v))
        })
    };
    let miss = |what: String| Err(fault(Reason::Header, format!("header {name} {what}")));
    match test {
        HeaderTest::Present(true) if first.is_none() => miss("is not there".to_owned()),
        HeaderTest::Present(false) if first.is_some() => miss(format!("is there; {}", found())),
        HeaderTest::Present(_) => Ok(()),
        HeaderTest::Equals(text) => {
            if values.contains(&text.as_bytes()) {
                return Ok(());
            }
            miss(format!("is not {}; {}", shown(text), found()))
        }
        HeaderTest::Matches(pattern) => {
            if values.iter().any(|value| pattern.find_end(value).is_some()) {
                return Ok(());
            }
            miss(format!(
                "does not match {}; {}",
                shown(pattern.as_str()),
                found()
            ))
        }
    }
}

/// Judges the body.
fn judge_body(expect: &Expect, text: &Text<'_>) -> Result<(), Fault> {
    expect
        .body
        .iter()
        .try_for_each(|rule| judge_rule(rule, text))?;
    judge_json(&expect.json, text)?;
    if text.cut != Cut::Whole && expect.max_size.is_some() {
        return Err(undecided(text.cut, "max_size", Needs::End));
    }
    Ok(())
}

/// Judges the body by one rule.
fn judge_rule(rule: &BodyRule, text: &Text<'_>) -> Result<(), Fault> {
    let (found, wanted, key, sought) = match rule {
        BodyRule::Contains(sought) => (contains(text, sought), true, "contains", sought.as_str()),
        BodyRule::NotContains(sought) => (
            contains(text, sought),
            false,
            "not_contains",
            sought.as_str(),
        ),
        BodyRule::Matches(pattern) => (matches(text, pattern), true, "matches", pattern.as_str()),
        BodyRule::NotMatches(pattern) => (
            matches(text, pattern),
            false,
            "not_matches",
            pattern.as_str(),
        ),
    };
    if found == Some(wanted) {
        return Ok(());
    }
    let sought = shown(sought);
    let message = match (found, rule) {
        (None, _) => {
            let needs = if wanted { Needs::More } else { Needs::End };
            return Err(undecided(text.cut, &format!("{key} {sought}"), needs));
        }
        (_, BodyRule::Contains(_)) => {
            format!("does not contain {sought}; it begins with {}", text.start())
        }
        (_, BodyRule::NotContains(_)) => format!("contains {sought}"),
        (_, BodyRule::Matches(_)) => {
            format!("does not match {sought}; it begins with {}", text.start())
        }
        (_, BodyRule::NotMatches(_)) => format!("matches {sought}"),
    };
    Err(fault(Reason::Body, format!("the body {message}")))
}

/// Whether the body has a text in it; `None` if that depends on what was not read.
fn contains(text: &Text<'_>, sought: &str) -> Option<bool> {
    let found = |bytes| memchr::memmem::find(bytes, sought.as_bytes()).is_some();
    match text.cut {
        _ if found(text.with_mark().unwrap_or(text.text())) => Some(true),
        Cut::Whole => Some(false),
        Cut::Limit | Cut::Endless => None,
    }
}

/// Whether the body matches a pattern; `None` if that depends on what was not read.
fn matches(text: &Text<'_>, pattern: &Pattern) -> Option<bool> {
    let whole = text.cut == Cut::Whole;
    let search = |bytes: &[u8]| match pattern.find_end(bytes) {
        // a match that touches the cut may have needed the end to be there (`$`)
        Some(end) if whole || end < bytes.len() => Some(true),
        None if whole => Some(false),
        _ => None,
    };
    match (search(text.text()), text.with_mark()) {
        // it may look for the mark
        (Some(false), Some(marked)) => search(marked),
        (found, _) => found,
    }
}

/// Judges the time that a check took.
pub(crate) fn judge_time(max: Option<Duration>, took: Duration) -> Result<(), Fault> {
    match max {
        Some(max) if took > max => {
            let (took, max) = (took.as_millis(), max.as_millis());
            let message = format!("took {took} ms, expected at most {max} ms");
            Err(fault(Reason::Slow, message))
        }
        _ => Ok(()),
    }
}

/// Judges how long the certificates still last, if there are any; `now_s` is in seconds since the Unix epoch.
pub(crate) fn judge_certificate(
    expected: u64,
    end: Option<&ChainEnd>,
    now_s: i64,
) -> Result<(), Fault> {
    let Some(first) = end else {
        return Ok(());
    };
    let left = first.at_s.saturating_sub(now_s).div_euclid(DAY_S);
    if u64::try_from(left).is_ok_and(|left| left >= expected) {
        return Ok(());
    }
    let end = day(first.at_s);
    let when = match left {
        ..0 => format!("ended on {end}"),
        0 => format!("ends on {end}, in less than a day"),
        1 => format!("ends on {end}, in 1 day"),
        _ => format!("ends on {end}, in {left} days"),
    };
    let message = format!("{} {when}; expected at least {expected}", first.which());
    Err(fault(Reason::CertificateExpiring, message))
}

#[cfg(test)]
mod tests;

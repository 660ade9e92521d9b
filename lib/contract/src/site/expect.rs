//! `site.expect`: what a healthy site answers.

use std::time::Duration;

use super::SiteError;
use super::header::check_name;
use super::json::Field;
use super::json_rule::JsonRule;
use super::pattern::{Compiler, Pattern};
use super::rules::at_most_rules;
use super::status::{StatusRange, status};

/// The keys of `expect`. A key under which a pattern stands is called `matches` or `not_matches`: the probe looks for
/// these words before it compiles.
pub const KEYS: &[&str] = &[
    "status",
    "headers",
    "body",
    "json",
    "max_time",
    "certificate_days",
    "max_size",
];
/// The keys of an expectation on a header.
const HEADER_KEYS: &[&str] = &["present", "equals", "matches"];
/// The keys of an expectation on the body.
const BODY_KEYS: &[&str] = &["contains", "not_contains", "matches", "not_matches"];
/// The most days of `certificate_days`: ten years, longer than any authority signs for.
const MAX_CERTIFICATE_DAYS: u64 = 3_650;

/// What a healthy site answers. Patterns are compiled, so keep one rather than parsing it again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// The statuses of a healthy answer; empty means 200 to 299.
    pub status: Vec<StatusRange>,
    /// What must hold for the headers.
    pub headers: Vec<HeaderRule>,
    /// What must hold for the decoded body.
    pub body: Vec<BodyRule>,
    /// What must hold for the JSON in the decoded body.
    pub json: Vec<JsonRule>,
    /// A check that took longer is degraded.
    pub max_time: Option<Duration>,
    /// A check is degraded if a certificate that its connections need ends within so many days.
    pub certificate_days: Option<u64>,
    /// The most bytes of a decoded body.
    pub max_size: Option<u64>,
}

/// An expectation on a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderRule {
    /// The header's name, as written.
    pub name: String,
    /// What must hold; of several headers of this name one is enough.
    pub test: HeaderTest,
}

/// What must hold for a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderTest {
    /// It is there, or is not.
    Present(bool),
    /// Its value is this.
    Equals(String),
    /// Its value matches.
    Matches(Pattern),
}

/// What must hold for the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyRule {
    /// This text is in it.
    Contains(String),
    /// This text is not in it.
    NotContains(String),
    /// It matches somewhere.
    Matches(Pattern),
    /// It matches nowhere.
    NotMatches(Pattern),
}

impl Expect {
    /// Reads the JSON text of `site.expect`.
    pub fn parse(json: &str) -> Result<Self, SiteError> {
        // as most sites have it
        if json == "{}" {
            return Ok(Self::default());
        }
        let mut object =
            Field::read("expect", json)?.object(r#"an object like {"status": [200]}"#)?;
        object.refuse_unknown(KEYS)?;
        let mut expect = Self::default();
        let compiler = &mut Compiler::default();
        if let Some(field) = object.take("status") {
            expect.status = status(field)?;
        }
        if let Some(field) = object.take("headers") {
            expect.headers = headers(field, compiler)?;
        }
        if let Some(field) = object.take("body") {
            let rules = at_most_rules(
                "expect.body",
                field.array(r#"a list like [{"contains": "ok"}]"#)?,
            )?;
            let rules = rules.into_iter().map(|field| body(field, compiler));
            expect.body = rules.collect::<Result<_, _>>()?;
        }
        if let Some(field) = object.take("json") {
            let rules = at_most_rules(
                "expect.json",
                field.array(r#"a list like [{"path": "$.status", "equals": "ok"}]"#)?,
            )?;
            expect.json = rules
                .into_iter()
                .map(|field| JsonRule::read(field, compiler))
                .collect::<Result<_, _>>()?;
        }
        if let Some(field) = object.take("max_time") {
            expect.max_time = Some(max_time(&field)?);
        }
        if let Some(field) = object.take("certificate_days") {
            expect.certificate_days = Some(certificate_days(&field)?);
        }
        if let Some(field) = object.take("max_size") {
            expect.max_size = Some(field.whole("a number of bytes like 100000")?);
        }
        Ok(expect)
    }

    /// Whether this status is expected.
    pub fn allows_status(&self, status: u16) -> bool {
        if self.status.is_empty() {
            return (200..300).contains(&status);
        }
        self.status
            .iter()
            .any(|range| (range.first..=range.last).contains(&status))
    }

    /// The first key that needs the body, if there is one.
    pub fn needs_body(&self) -> Option<&'static str> {
        let keys = [
            ("expect.body", !self.body.is_empty()),
            ("expect.json", !self.json.is_empty()),
            ("expect.max_size", self.max_size.is_some()),
        ];
        keys.iter().find_map(|(key, needs)| needs.then_some(*key))
    }

    /// How many compiled patterns this keeps in memory.
    pub fn patterns(&self) -> usize {
        self.all_patterns().count()
    }

    /// The most memory that this takes between two searches beside its texts, in bytes. The texts together are
    /// no longer than the JSON that they were read from.
    pub fn memory_bytes(&self) -> usize {
        let Self {
            status,
            headers,
            body,
            json,
            ..
        } = self;
        let patterns: usize = self.all_patterns().map(Pattern::memory_bytes).sum();
        let steps: usize = json.iter().map(|rule| size_of_val(rule.path.steps())).sum();
        let rules = size_of_val(&**headers) + size_of_val(&**body) + size_of_val(&**json);
        size_of::<Self>() + size_of_val(&**status) + rules + steps + patterns
    }

    /// All compiled patterns.
    fn all_patterns(&self) -> impl Iterator<Item = &Pattern> {
        let headers = self.headers.iter().filter_map(|rule| match &rule.test {
            HeaderTest::Matches(pattern) => Some(pattern),
            HeaderTest::Present(_) | HeaderTest::Equals(_) => None,
        });
        let body = self.body.iter().filter_map(|rule| match rule {
            BodyRule::Matches(pattern) | BodyRule::NotMatches(pattern) => Some(pattern),
            BodyRule::Contains(_) | BodyRule::NotContains(_) => None,
        });
        let json = self.json.iter().filter_map(JsonRule::pattern);
        headers.chain(body).chain(json)
    }
}

/// Reads `expect.headers`.
fn headers(field: Field, compiler: &mut Compiler) -> Result<Vec<HeaderRule>, SiteError> {
    let object = field.object(r#"an object like {"Content-Type": {"equals": "text/html"}}"#)?;
    let members = at_most_rules("expect.headers", object.into_members().collect())?;
    members
        .into_iter()
        .map(|(name, field)| {
            check_name(&format!("expect.headers.{name}"), &name)?;
            Ok(HeaderRule {
                test: header_test(field, compiler)?,
                name,
            })
        })
        .collect()
}

/// Reads an entry of `expect.headers`.
fn header_test(field: Field, compiler: &mut Compiler) -> Result<HeaderTest, SiteError> {
    let (key, field) = field
        .object(r#"an object like {"present": true}"#)?
        .only(HEADER_KEYS)?;
    match key.as_str() {
        "present" => field.bool().map(HeaderTest::Present),
        "equals" => Ok(HeaderTest::Equals(field.text("a string")?.to_owned())),
        _ => field.pattern(compiler).map(HeaderTest::Matches),
    }
}

/// Reads an entry of `expect.body`.
fn body(field: Field, compiler: &mut Compiler) -> Result<BodyRule, SiteError> {
    let (key, field) = field
        .object(r#"an object like {"contains": "ok"}"#)?
        .only(BODY_KEYS)?;
    match key.as_str() {
        "contains" => needle(&field).map(BodyRule::Contains),
        "not_contains" => needle(&field).map(BodyRule::NotContains),
        "matches" => field.pattern(compiler).map(BodyRule::Matches),
        _ => field.pattern(compiler).map(BodyRule::NotMatches),
    }
}

/// Reads a text to look for.
fn needle(field: &Field) -> Result<String, SiteError> {
    let text = field.text("a string")?;
    if text.is_empty() {
        return Err(field.fault("is empty, which is in every body; write some text"));
    }
    Ok(text.to_owned())
}

/// Reads `expect.max_time`.
fn max_time(field: &Field) -> Result<Duration, SiteError> {
    let text = field.text(r#"a duration like "500ms""#)?;
    match humantime::parse_duration(text) {
        Ok(time) if time.is_zero() => Err(field.fault("is zero; write a duration like \"500ms\"")),
        Ok(time) => Ok(time),
        Err(error) => Err(field.fault(format!(
            "{text:?} is no duration ({error}); write one like \"500ms\" or \"2s\""
        ))),
    }
}

/// Reads `expect.certificate_days`.
fn certificate_days(field: &Field) -> Result<u64, SiteError> {
    let days = field.whole("a number of days like 14")?;
    if (1..=MAX_CERTIFICATE_DAYS).contains(&days) {
        return Ok(days);
    }
    Err(field.fault(format!(
        "{days} is out of range; write 1 to {MAX_CERTIFICATE_DAYS} days"
    )))
}

#[cfg(test)]
#[path = "expect_tests.rs"]
mod tests;

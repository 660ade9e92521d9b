//! `expect.json`: what a healthy site says in JSON.

use super::SiteError;
use super::json::Field;
use super::json_path::JsonPath;
pub use super::json_value::Scalar;
use super::pattern::{Compiler, Pattern};
use crate::decimal::Decimal;

/// The keys of a rule.
const KEYS: &[&str] = &["path", "exists", "equals", "less", "greater", "matches"];
/// Those of them that say what must hold.
const TESTS: &[&str] = &["exists", "equals", "less", "greater", "matches"];

/// An expectation on the JSON in the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonRule {
    /// Which values are looked at.
    pub path: JsonPath,
    /// What must hold: for all of them, and there must be one.
    pub test: JsonTest,
}

/// What must hold for a value of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonTest {
    /// There is one, or there is none.
    Exists(bool),
    /// It is this.
    Equals(Scalar),
    /// It is a number less than this.
    Less(Decimal),
    /// It is a number greater than this.
    Greater(Decimal),
    /// It is a string that matches.
    Matches(Pattern),
}

impl JsonRule {
    /// Reads an entry of `expect.json`.
    pub(super) fn read(field: Field, compiler: &mut Compiler) -> Result<Self, SiteError> {
        let mut object = field.object(r#"an object like {"path": "$.status", "equals": "ok"}"#)?;
        object.refuse_unknown(KEYS)?;
        let path = object.need("path")?;
        let parsed = JsonPath::parse(path.text("a path like $.status")?);
        let parsed = parsed.map_err(|message| path.fault(message))?;
        let (key, field) = object.only(TESTS)?;
        let test = match key.as_str() {
            "exists" => JsonTest::Exists(field.bool()?),
            "equals" => JsonTest::Equals(field.scalar()?),
            "less" => JsonTest::Less(field.number()?),
            "greater" => JsonTest::Greater(field.number()?),
            _ => JsonTest::Matches(field.pattern(compiler)?),
        };
        Ok(Self { path: parsed, test })
    }

    /// Its compiled pattern, if it has one.
    pub(super) fn pattern(&self) -> Option<&Pattern> {
        match &self.test {
            JsonTest::Matches(pattern) => Some(pattern),
            _ => None,
        }
    }
}

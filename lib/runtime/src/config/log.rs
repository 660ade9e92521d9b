//! `log`: what is said on standard error.

use serde::Deserialize;

use super::document::Document;
use crate::telemetry::parse_filter;

/// `log.filter`, unless the file says otherwise.
const DEFAULT_FILTER: &str = "info";

/// `log`: what is said on standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `log.format`.
    pub format: LogFormat,
    /// `log.filter`: as `RUST_LOG` would say it.
    pub filter: String,
}

/// `log.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// The section as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLog {
    /// `log.format`.
    format: Option<String>,
    /// `log.filter`.
    filter: Option<String>,
}

impl LogConfig {
    /// Takes the section `log`.
    pub fn take(document: &mut Document) -> Option<Self> {
        let RawLog { format, filter } = document.take("log")?;
        let format = valid_format(format.as_deref(), document.environment().terminal);
        let format = document.check("log.format", format);
        let filter = document.check("log.filter", valid_filter(filter));
        Some(Self {
            format: format?,
            filter: filter?,
        })
    }
}

/// The format; text on a terminal and JSON elsewhere when nothing is said.
fn valid_format(raw: Option<&str>, terminal: bool) -> Result<LogFormat, String> {
    match raw {
        Some("text") => Ok(LogFormat::Text),
        Some("json") => Ok(LogFormat::Json),
        Some(_) => Err("must be `text` or `json`".to_owned()),
        None if terminal => Ok(LogFormat::Text),
        None => Ok(LogFormat::Json),
    }
}

/// A filter that `tracing` understands.
fn valid_filter(raw: Option<String>) -> Result<String, String> {
    let filter = raw.unwrap_or_else(|| DEFAULT_FILTER.to_owned());
    match parse_filter(&filter) {
        Ok(_) => Ok(filter),
        Err(_) => Err(
            "must be a level (`error`, `warn`, `info`, `debug`, `trace`, `off`), or \
                       several by target like `info,scheduler=debug`"
                .to_owned(),
        ),
    }
}

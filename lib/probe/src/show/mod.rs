//! A check as people and machines read it: a [waterfall] of its phases with the verdict,
//! the same as [JSON](json), and the [`curl`] command that asks the same.

mod curl;
mod json;
mod waterfall;

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use contract::site::Request;
use contract::task::Task;
use contract::text::harmless_json;

use crate::Watched;

/// A check and what is known of it.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was to be checked.
    task: &'a Task,
    /// What was seen.
    watched: &'a Watched,
    /// The command that asks the same; none for a site that makes no sense.
    curl: Option<String>,
}

impl<'a> Report<'a> {
    /// A report of a check.
    pub fn new(task: &'a Task, watched: &'a Watched) -> Self {
        let request = Request::parse(task.request.get()).ok();
        let curl = request.map(|request| curl::command(task, &request));
        Self {
            task,
            watched,
            curl,
        }
    }

    /// The report as one line of JSON.
    pub fn json(&self) -> serde_json::Result<String> {
        let json = serde_json::to_string(&json::Shown::of(self))?;
        Ok(harmless_json(&json).into_owned())
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        waterfall::write(f, self)
    }
}

/// A point in time, as RFC 3339 has it.
fn rfc3339(seconds: i64) -> Option<String> {
    let at = DateTime::<Utc>::from_timestamp(seconds, 0)?;
    Some(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

//! What can be wrong with a configuration, said so that it can be put right.
//!
//! No message repeats a value: any of them may be, or hold, a password.

use std::fmt::{self, Display};
use std::io;
use std::path::PathBuf;

use contract::text::harmless;
use serde::de::{Expected, Unexpected};

/// Why a configuration cannot be used. Its text names the file and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no such file.
    #[error("{}: no such file: {remedy}", file.display())]
    Missing {
        /// The file asked for.
        file: PathBuf,
        /// How to get one.
        remedy: String,
    },
    /// The path leads to a directory.
    #[error("{}: is a directory: name the file in it", file.display())]
    Directory {
        /// The path asked for.
        file: PathBuf,
    },
    /// The file is there and cannot be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Unreadable {
        /// The file asked for.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file is so big that it cannot be meant.
    #[error("{}: is larger than {limit_bytes} bytes: this is no configuration file", file.display())]
    TooLarge {
        /// The file asked for.
        file: PathBuf,
        /// The most bytes that are read.
        limit_bytes: usize,
    },
    /// The file is not text.
    #[error("{}: line {line} is not UTF-8: save the file as UTF-8", file.display())]
    NotText {
        /// The file asked for.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The file is not YAML.
    #[error("{}: not valid YAML: {message}", file.display())]
    Syntax {
        /// The file asked for.
        file: PathBuf,
        /// What the parser says, with the line.
        message: String,
    },
    /// The file is YAML, and some of its keys are wrong: all faults found, one per line.
    #[error("{}", lines(file, faults))]
    Invalid {
        /// The file asked for.
        file: PathBuf,
        /// At least one.
        faults: Vec<Fault>,
    },
}

/// Every fault on a line of its own, the file in front.
fn lines(file: &std::path::Path, faults: &[Fault]) -> String {
    let lines: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {fault}", file.display()))
        .collect();
    lines.join("\n")
}

/// One wrong key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key as a path: `kafka.brokers[1]`; empty for the file as a whole.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Fault {
    /// A fault at `key`.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            message: message.into(),
        }
    }

    /// The same fault, seen from one level further out.
    pub(super) fn under(mut self, outer: &str) -> Self {
        let dot = if self.key.is_empty() || self.key.starts_with('[') {
            ""
        } else {
            "."
        };
        self.key = format!("{outer}{dot}{}", self.key);
        self
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys are as the file has them, and it may be a stranger's.
        let (key, message) = (harmless(&self.key), harmless(&self.message));
        match &*key {
            "" => f.write_str(&message),
            key => write!(f, "{key}: {message}"),
        }
    }
}

impl std::error::Error for Fault {}

/// serde's own texts repeat the value; these do not.
impl serde::de::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self::new("", message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new("", format!("must be {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new("", format!("must be {expected}"))
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        let key = if is_plain(key) { key } else { HIDDEN };
        Self::new(key, unknown(known))
    }
}

/// What stands for a key that may be a part of a value: in `{url: postgres://me:a,b@db}` one begins behind the comma.
const HIDDEN: &str = "***";

/// Whether a key is written as keys are.
fn is_plain(key: &str) -> bool {
    key.chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '))
}

/// The message about an unknown key.
pub(super) fn unknown(known: &[&str]) -> String {
    format!("unknown key: known here are {}", quoted(known))
}

/// `a`, `b` and so on, each in backticks.
pub(super) fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

//! A configuration file on its way to being valid: sections are taken from it, faults collected.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde::de::DeserializeOwned;

use super::environment::ProcessEnvironment;
use super::error::{ConfigError, Fault, unknown};
use super::node::Node;
use super::substitute::substitute;
use super::yaml;

/// The most bytes of a configuration file: far beyond any that is meant.
const MAX_BYTES: usize = 1 << 20;

/// A parsed file. Each reader takes the keys that it knows; a key that is left at the end is unknown.
#[derive(Debug)]
pub struct Document {
    /// Where it came from.
    file: PathBuf,
    /// What has not been taken yet.
    entries: Vec<(String, Node)>,
    /// The keys that were asked for.
    known: Vec<&'static str>,
    /// What is wrong so far.
    faults: Vec<Fault>,
    /// What the file may refer to.
    environment: ProcessEnvironment,
}

impl Document {
    /// Reads a file; `remedy` says what to do when there is none.
    pub fn read(
        file: &Path,
        remedy: &str,
        environment: ProcessEnvironment,
    ) -> Result<Self, ConfigError> {
        let text = read_text(file, remedy)?;
        let node = yaml::parse(&text).map_err(|message| ConfigError::Syntax {
            file: file.to_owned(),
            message,
        })?;
        let mut document = Self::empty(environment);
        file.clone_into(&mut document.file);
        document.fill(node);
        if document.faults.is_empty() {
            Ok(document)
        } else {
            Err(document.refusal())
        }
    }

    /// A file that says nothing: the defaults of everything.
    pub fn empty(environment: ProcessEnvironment) -> Self {
        Self {
            file: PathBuf::from("defaults"),
            entries: Vec::new(),
            known: Vec::new(),
            faults: Vec::new(),
            environment,
        }
    }

    /// Takes over what was parsed, replaced.
    fn fill(&mut self, mut node: Node) {
        substitute(&mut node, "", &self.environment, &mut self.faults);
        match node {
            Node::Null => {}
            Node::Section(entries) => self.entries = entries,
            node => self.fault("", format!("must be keys and values, not {}", node.kind())),
        }
    }

    /// What the file may refer to.
    pub fn environment(&self) -> &ProcessEnvironment {
        &self.environment
    }

    /// Whether a section says nothing: absent, null, or without a key. It counts as known.
    pub fn lacks(&mut self, key: &'static str) -> bool {
        self.known.push(key);
        self.entries.iter().all(|(name, value)| {
            name != key || matches!(value, Node::Null) || *value == Node::Section(Vec::new())
        })
    }

    /// Takes a key's value: its default when absent or null, none (and a fault) when of a wrong type.
    pub fn take<T: DeserializeOwned + Default>(&mut self, key: &'static str) -> Option<T> {
        self.known.push(key);
        let Some(position) = self.entries.iter().position(|(name, _)| name == key) else {
            return Some(T::default());
        };
        let (_, node) = self.entries.remove(position);
        match Option::<T>::deserialize(node) {
            Ok(value) => Some(value.unwrap_or_default()),
            Err(fault) => {
                self.faults.push(fault.under(key));
                None
            }
        }
    }

    /// The value of a check at `key`; none, and a fault, when it failed.
    pub fn check<T>(&mut self, key: &str, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|message| self.fault(key, message)).ok()
    }

    /// Notes that `key` is wrong.
    pub fn fault(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault::new(key, message));
    }

    /// The finished value, or every fault of the file. None without a fault cannot happen: a reader
    /// that returns none has noted why.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, ConfigError> {
        self.known.sort_unstable();
        self.known.dedup();
        let message = unknown(&self.known);
        let strangers: Vec<String> = self
            .entries
            .iter()
            .map(|(name, _)| name.clone())
            .filter(|name| !self.known.contains(&name.as_str()))
            .collect();
        for name in strangers {
            self.fault(name, message.as_str());
        }
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(self.refusal()),
        }
    }

    /// All faults as an error.
    fn refusal(self) -> ConfigError {
        ConfigError::Invalid {
            file: self.file,
            faults: self.faults,
        }
    }
}

/// The text of a configuration file.
fn read_text(file: &Path, remedy: &str) -> Result<String, ConfigError> {
    let mut bytes = Vec::new();
    let opened = fs::File::open(file).map_err(|error| refused(file, remedy, error))?;
    opened
        .take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| refused(file, remedy, error))?;
    if bytes.len() > MAX_BYTES {
        return Err(ConfigError::TooLarge {
            file: file.to_owned(),
            limit_bytes: MAX_BYTES,
        });
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(ConfigError::Syntax {
            file: file.to_owned(),
            message: "the text is UTF-16: save the file as UTF-8".to_owned(),
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error
            .as_bytes()
            .iter()
            .take(error.utf8_error().valid_up_to());
        let line = 1 + valid.filter(|byte| **byte == b'\n').count();
        ConfigError::NotText {
            file: file.to_owned(),
            line,
        }
    })
}

/// Why a file could not be read.
fn refused(file: &Path, remedy: &str, source: io::Error) -> ConfigError {
    let file = file.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => ConfigError::Missing {
            file,
            remedy: remedy.to_owned(),
        },
        io::ErrorKind::IsADirectory => ConfigError::Directory { file },
        _ => ConfigError::Unreadable { file, source },
    }
}

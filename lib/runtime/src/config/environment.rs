//! What a configuration file may refer to.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

/// The most bytes `${file:PATH}` takes: it is for passwords and addresses.
const MAX_FILE_BYTES: u64 = 65_536;

/// The variables by which many programs find a proxy, each also in upper case.
const PROXIES: [&str; 4] = ["all_proxy", "http_proxy", "https_proxy", "no_proxy"];

/// The process's environment, working directory and terminal, taken once.
///
/// A value, so that tests can load files as if they stood elsewhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProcessEnvironment {
    /// Environment variables; those with unreadable names are left out.
    pub variables: BTreeMap<String, OsString>,
    /// Where relative paths start; empty is the working directory.
    pub directory: PathBuf,
    /// Whether standard error is read by a person.
    pub terminal: bool,
}

/// Shows no variable: any may be a secret.
impl std::fmt::Debug for ProcessEnvironment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProcessEnvironment")
            .field("directory", &self.directory)
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}

impl ProcessEnvironment {
    /// That of this process.
    pub fn of_process() -> Self {
        Self {
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
                .collect(),
            directory: PathBuf::new(),
            terminal: io::stderr().is_terminal(),
        }
    }

    /// A path of the configuration as a path of the file system.
    pub fn locate(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    /// Opens what must be a file.
    pub fn open(&self, path: &str) -> Result<File, String> {
        let path = self.locate(path);
        let file = File::open(&path).map_err(|error| problem(&path, &error))?;
        let metadata = file.metadata().map_err(|error| problem(&path, &error))?;
        if metadata.is_dir() {
            return Err(format!("{}: is a directory", path.display()));
        }
        Ok(file)
    }

    /// A variable's value; none when it is unset.
    pub fn variable(&self, name: &str) -> Result<Option<String>, String> {
        let Some(value) = self.variables.get(name) else {
            return Ok(None);
        };
        match value.to_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(format!("the environment variable {name} is not UTF-8")),
        }
    }

    /// The names of the variables that are about proxies and say something. Their values may hold passwords.
    pub fn proxy_variables(&self) -> Vec<&str> {
        let variables = self.variables.iter().filter(|(_, value)| !value.is_empty());
        let names = variables.map(|(name, _)| name.as_str());
        let is_one = |name: &&str| {
            let upper = PROXIES.map(str::to_ascii_uppercase);
            PROXIES.contains(name) || upper.iter().any(|known| known == name)
        };
        names.filter(is_one).collect()
    }

    /// A small text file without its last newline, and without the mark that some editors put before it.
    pub(super) fn file(&self, path: &str) -> Result<String, String> {
        let mut text = String::new();
        let opened = self.open(path)?;
        let path = self.locate(path);
        opened
            .take(MAX_FILE_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(|error| problem(&path, &error))?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(format!(
                "{}: is larger than {MAX_FILE_BYTES} bytes",
                path.display()
            ));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let line = text.strip_suffix('\n').unwrap_or(text);
        Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
    }
}

/// Why a file cannot be used, in the words of this crate.
fn problem(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("{path}: no such file"),
        io::ErrorKind::PermissionDenied => format!("{path}: no permission to read it"),
        io::ErrorKind::InvalidData => format!("{path}: is not UTF-8"),
        _ => format!("{path}: cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_named_in_both_cases_if_they_say_something() {
        let variables = [
            ("HTTP_PROXY", "http://a"),
            ("http_proxy", "http://b"),
            ("NO_PROXY", "localhost"),
            ("all_proxy", ""),
            ("Https_Proxy", "http://c"),
            ("ftp_proxy", "http://d"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.into()));
        let environment = ProcessEnvironment {
            variables: variables.into(),
            ..ProcessEnvironment::default()
        };
        let names = ["HTTP_PROXY", "NO_PROXY", "http_proxy"];
        assert_eq!(environment.proxy_variables(), names);
    }
}

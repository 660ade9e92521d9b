//! The configuration of one program: how it is read is the same for all, what is in it differs.

use std::path::Path;

use super::{ConfigError, Document, LogConfig, ProcessEnvironment};

/// The configuration of a program.
pub trait Configuration: Sized {
    /// What to do when there is no such file.
    fn remedy(file: &Path) -> String;

    /// Takes everything; all sections are looked at before the first fault counts.
    fn take(document: &mut Document) -> Option<Self>;

    /// What the program logs.
    fn log(&self) -> &LogConfig;

    /// What is allowed, and the operator should know.
    fn warning(&self) -> Option<String>;

    /// Reads and checks a file as this process sees it.
    fn load(file: &Path) -> Result<Self, ConfigError> {
        Self::load_in(file, ProcessEnvironment::of_process())
    }

    /// Reads and checks a file.
    fn load_in(file: &Path, environment: ProcessEnvironment) -> Result<Self, ConfigError> {
        Self::of(Document::read(file, &Self::remedy(file), environment)?)
    }

    /// Checks a file that was parsed.
    fn of(mut document: Document) -> Result<Self, ConfigError> {
        let taken = Self::take(&mut document);
        document.finish(taken)
    }

    /// Logs the warning, if there is one.
    fn warn(&self) {
        if let Some(warning) = self.warning() {
            tracing::warn!("{warning}");
        }
    }
}

/// What to do when a service has no file: there is an example in its folder.
pub fn copy_the_example(service: &str, file: &Path) -> String {
    format!(
        "copy {service}/config-example.yaml to {} and adjust it",
        file.display()
    )
}

//! An example configuration, loaded where its certificates are.

use std::fs;
use std::path::Path;

use runtime::config::{ConfigError, ProcessEnvironment};
use tempfile::TempDir;

/// The text of an example. Prose begins with `# `, a default that is commented out with `#key`.
pub(crate) struct Example {
    /// The YAML.
    text: String,
    /// A working directory with `certs/kafka/` in it.
    directory: TempDir,
}

impl Example {
    /// The example in a working directory that has the certificates it names.
    pub(crate) fn new(text: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let certs = directory.path().join("certs/kafka");
        fs::create_dir_all(&certs).unwrap();
        for name in ["ca.pem", "service.cert", "service.key"] {
            fs::write(certs.join(name), "PEM").unwrap();
        }
        Self {
            text: text.to_owned(),
            directory,
        }
    }

    /// Loads it as a person at a terminal would.
    pub(crate) fn load<T>(
        &self,
        load: impl Fn(&Path, ProcessEnvironment) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        let file = self.directory.path().join("config.yaml");
        fs::write(&file, &self.text).unwrap();
        let directory = self.directory.path().to_owned();
        load(
            &file,
            ProcessEnvironment {
                directory,
                terminal: true,
                ..ProcessEnvironment::default()
            },
        )
    }

    /// The same with every default written out.
    pub(crate) fn uncommented(mut self) -> Self {
        self.text = self.lines(|line| match line.trim_start().strip_prefix('#') {
            Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase()) => {
                Some(line.replacen('#', "", 1))
            }
            _ => Some(line.to_owned()),
        });
        self
    }

    /// The same as the file tells people to make it for plain Kafka.
    pub(crate) fn without_ssl(mut self) -> Self {
        let keys = ["ssl:", "ca:", "certificate:", "key:"];
        let names_one = |line: &str| keys.iter().any(|key| line.trim_start().starts_with(key));
        self.text = self.lines(|line| (!names_one(line)).then(|| line.to_owned()));
        self
    }

    /// Fails unless every one of these keys is written, live or commented out.
    pub(crate) fn shows(self, keys: impl IntoIterator<Item = String>) {
        let example = self.uncommented();
        for path in keys {
            let key = format!("{}:", path.rsplit('.').next().unwrap());
            let shown = example
                .text
                .lines()
                .any(|line| line.trim_start().starts_with(&key));
            assert!(shown, "the example does not show {path}");
        }
    }

    /// The text with each line changed, or left out.
    fn lines(&self, change: impl Fn(&str) -> Option<String>) -> String {
        self.text
            .lines()
            .filter_map(change)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

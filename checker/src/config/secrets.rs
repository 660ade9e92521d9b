//! `secrets`: where the values of `${secret:NAME}` come from, and who may get them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use contract::site::template::is_secret_name;
use runtime::config::{Document, Secret};
use serde::Deserialize;

/// How the environment variables of secrets begin.
const VARIABLE_PREFIX: &str = "WEBMON_SECRET_";

/// `secrets`: where the values of `${secret:NAME}` come from, and who may get them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// `secrets.dir`: each file in it is a secret; it may change while the checker runs.
    pub dir: Option<PathBuf>,
    /// `secrets.hosts`: the only hosts that get a secret; one that is not named here may go anywhere.
    pub hosts: BTreeMap<String, Vec<String>>,
    /// The secrets of the environment, by name.
    pub variables: BTreeMap<String, Secret>,
}

/// The section `secrets` as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSecrets {
    /// `secrets.dir`.
    dir: Option<PathBuf>,
    /// `secrets.hosts`.
    hosts: Option<BTreeMap<String, Vec<String>>>,
}

impl Secrets {
    /// Takes the section `secrets`, and the secrets of the environment.
    pub(super) fn take(document: &mut Document) -> Option<Self> {
        let RawSecrets { dir, hosts } = document.take("secrets")?;
        let named = document.surroundings().variables.iter();
        let variables = named
            .filter_map(|(variable, value)| {
                let name = variable.strip_prefix(VARIABLE_PREFIX)?;
                let value = value.to_str()?;
                is_secret_name(name).then(|| (name.to_owned(), Secret::new(value)))
            })
            .collect();
        Some(Self {
            dir,
            hosts: hosts.unwrap_or_default(),
            variables,
        })
    }
}

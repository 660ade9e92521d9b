//! `secrets`: where the values of `${secret:NAME}` come from, and which servers may get them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use contract::site::template::is_secret_name;
use probe::{Origin, SECRET_VARIABLE_PREFIX, Secrets};
use runtime::config::{Document, Secret};
use serde::Deserialize;

/// `secrets.strict`, unless the file says otherwise.
const STRICT: bool = false;

/// The section `secrets` as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSecrets {
    /// `secrets.dir`.
    dir: Option<PathBuf>,
    /// `secrets.hosts`.
    hosts: Option<BTreeMap<String, Vec<String>>>,
    /// `secrets.strict`.
    strict: Option<bool>,
}

/// Takes the section `secrets`, and the secrets of the environment.
pub(super) fn take(document: &mut Document) -> Option<Secrets> {
    let variables = valid_variables(document);
    let RawSecrets { dir, hosts, strict } = document.take("secrets")?;
    let dir = dir.map(|dir| valid_dir(document, dir));
    let hosts = valid_bindings(document, hosts.unwrap_or_default());
    Some(Secrets {
        dir: match dir {
            Some(dir) => Some(dir?),
            None => None,
        },
        hosts: hosts?,
        strict: strict.unwrap_or(STRICT),
        variables: variables?,
    })
}

/// The secrets of the environment.
fn valid_variables(document: &mut Document) -> Option<BTreeMap<String, Secret>> {
    let read = |(variable, value): (&String, &std::ffi::OsString)| {
        let name = variable.strip_prefix(SECRET_VARIABLE_PREFIX)?;
        is_secret_name(name).then(|| (name.to_owned(), valid_variable(variable, value)))
    };
    let variables = &document.environment().variables;
    let read: Vec<_> = variables.iter().filter_map(read).collect();
    let checked = read
        .into_iter()
        .map(|(name, value)| Some((name, document.check("secrets", value)?)));
    let checked: Vec<Option<(String, Secret)>> = checked.collect();
    checked.into_iter().collect()
}

/// The value of a variable.
fn valid_variable(variable: &str, value: &OsStr) -> Result<Secret, String> {
    match value.to_str() {
        Some(value) => Ok(Secret::new(value)),
        None => Err(format!(
            "the environment variable {variable} is not UTF-8: a secret must be text"
        )),
    }
}

/// A directory that is there now: sites would only miss their secrets much later.
fn valid_dir(document: &mut Document, dir: PathBuf) -> Option<PathBuf> {
    let dir = document.environment().directory.join(dir);
    let checked = if dir.is_dir() {
        Ok(dir)
    } else {
        let dir = dir.display();
        Err(format!(
            "{dir}: no such directory: make it, or delete the key (relative paths start at the \
             working directory)"
        ))
    };
    document.check("secrets.dir", checked)
}

/// Which origins get which secrets; everything that is wrong is named.
fn valid_bindings(
    document: &mut Document,
    raw: BTreeMap<String, Vec<String>>,
) -> Option<BTreeMap<String, Vec<Origin>>> {
    let checked = raw.into_iter().map(|(name, origins)| {
        let key = format!("secrets.hosts.{name}");
        document.check(&key, valid_name(&name))?;
        if origins.is_empty() {
            let message = "is empty: list the origins that get the secret, or delete the key";
            document.fault(key, message);
            return None;
        }
        let read = |(index, text): (usize, &String)| {
            document.check(&format!("{key}[{index}]"), Origin::parse(text))
        };
        let origins: Vec<Option<Origin>> = origins.iter().enumerate().map(read).collect();
        Some((name, origins.into_iter().collect::<Option<_>>()?))
    });
    let checked: Vec<Option<(String, Vec<Origin>)>> = checked.collect();
    checked.into_iter().collect()
}

/// The name of a secret. One that is wrong would bind nothing, without an error.
fn valid_name(name: &str) -> Result<(), String> {
    if let Some(bare) = name.strip_prefix(SECRET_VARIABLE_PREFIX) {
        return Err(format!("is the variable, not the secret: write `{bare}`"));
    }
    if !is_secret_name(name) {
        return Err("must be the name of a secret: 1 to 64 of `A-Z`, `0-9`, `_`".to_owned());
    }
    Ok(())
}

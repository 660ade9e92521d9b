//! What `check-config` finds about secrets: those that any site can send anywhere, and bindings of none.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use contract::site::template::is_secret_name;
use probe::{SECRET_VARIABLE_PREFIX, Secrets};

/// What is odd about secrets, each thing with its key, as the messages of a bad file have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// What is refused: under `secrets.strict` every secret must be bound.
    pub errors: Vec<String>,
    /// What is only told.
    pub warnings: Vec<String>,
}

impl Review {
    /// Looks for the secrets that are there now, and compares them with `secrets.hosts`.
    pub fn of(secrets: &Secrets) -> Self {
        let Secrets {
            dir,
            hosts,
            strict,
            variables,
        } = secrets;
        let mut unbound = Vec::new();
        let mut names: BTreeSet<String> = variables.keys().cloned().collect();
        match dir.as_deref().map(files) {
            Some(Ok(files)) => names.extend(files),
            Some(Err(error)) => unbound.push(format!(
                "secrets.dir: cannot be listed ({error}), so that its unbound secrets are not seen: let the \
                 checker's user read it"
            )),
            None => {}
        }
        let free = names.iter().filter(|name| !hosts.contains_key(*name));
        unbound.extend(free.map(|name| remark(name, *strict)));
        let absent =
            |name: &&String| !variables.contains_key(*name) && !is_file(dir.as_deref(), name);
        let absent = hosts.keys().filter(absent).map(|name| {
            format!(
                "secrets.hosts.{name}: binds no secret: there is neither a file {name} in secrets.dir nor a \
                 variable {SECRET_VARIABLE_PREFIX}{name}"
            )
        });
        let mut review = Self::default();
        if *strict {
            review.errors = unbound;
        } else {
            review.warnings = unbound;
        }
        review.warnings.extend(absent);
        review
    }
}

/// What is said of a secret without origins.
fn remark(name: &str, strict: bool) -> String {
    let what = if strict {
        "secrets.strict lets the secret go nowhere"
    } else {
        "any site can send the secret anywhere"
    };
    format!(
        "secrets.hosts.{name}: missing: {what}: list its origins, as `{name}: [https://shop.example]`"
    )
}

/// The names of the files in a directory that are secrets. Folders are none, and neither is what else is kept
/// beside them.
fn files(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in dir.read_dir()? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok();
        let name = name.filter(|name| is_secret_name(name) && entry.path().is_file());
        names.extend(name);
    }
    Ok(names)
}

/// Whether there is such a file, or it cannot be told.
fn is_file(dir: Option<&Path>, name: &str) -> bool {
    dir.is_some_and(|dir| dir.join(name).try_exists().unwrap_or(true))
}

#[cfg(test)]
#[path = "review_tests.rs"]
mod tests;

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
mod tests {
    use std::fs;

    use probe::Origin;
    use runtime::config::Secret;
    use tempfile::TempDir;

    use super::*;

    /// Secrets in the environment and in a directory, of which `A` and `D` are bound, and one that is not there.
    fn secrets(dir: &TempDir, strict: bool) -> Secrets {
        for name in ["C", "D", "lower", "C.origin"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        for folder in ["site", "FOLDER"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
            fs::write(dir.path().join(folder).join("INSIDE"), "x").unwrap();
        }
        std::os::unix::fs::symlink("nowhere", dir.path().join("GONE")).unwrap();
        let origin = Origin::of(&"https://a.example".parse().unwrap());
        let bind = |name: &str| (name.to_owned(), vec![origin.clone()]);
        let variable = |name: &str| (name.to_owned(), Secret::new("x"));
        Secrets {
            dir: Some(dir.path().to_owned()),
            hosts: ["A", "D", "NONE"].map(bind).into(),
            strict,
            variables: ["A", "B"].map(variable).into(),
        }
    }

    /// The key that each text begins with.
    fn keys(texts: &[String]) -> Vec<&str> {
        let key = |(key, _)| key;
        texts
            .iter()
            .filter_map(|text| text.split_once(": ").map(key))
            .collect()
    }

    #[test]
    fn secrets_that_are_bound_to_nothing_are_told_and_are_errors_under_strict() {
        let dir = TempDir::new().unwrap();
        let review = Review::of(&secrets(&dir, false));
        assert_eq!(review.errors, Vec::<String>::new());
        assert_eq!(
            keys(&review.warnings),
            ["secrets.hosts.B", "secrets.hosts.C", "secrets.hosts.NONE"]
        );
        assert_eq!(
            review.warnings[0],
            "secrets.hosts.B: missing: any site can send the secret anywhere: list its origins, as \
             `B: [https://shop.example]`"
        );
        let dir = TempDir::new().unwrap();
        let review = Review::of(&secrets(&dir, true));
        assert_eq!(keys(&review.errors), ["secrets.hosts.B", "secrets.hosts.C"]);
        assert_eq!(keys(&review.warnings), ["secrets.hosts.NONE"]);
    }

    #[test]
    fn a_directory_that_cannot_be_listed_is_told() {
        let dir = TempDir::new().unwrap();
        let mut secrets = secrets(&dir, true);
        secrets.dir = Some(dir.path().join("D"));
        let review = Review::of(&secrets);
        assert_eq!(keys(&review.errors), ["secrets.dir", "secrets.hosts.B"]);
    }

    #[test]
    fn without_secrets_there_is_nothing_to_say() {
        let strict = Secrets {
            strict: true,
            ..Secrets::default()
        };
        assert_eq!(Review::of(&strict), Review::default());
    }
}

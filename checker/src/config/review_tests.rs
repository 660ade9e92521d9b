//! What is found about secrets.

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

//! Which crate of the workspace may depend on which: programs stand on services, services on libraries, and
//! no library on what stands above it.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Each crate and all that it may depend on, from the lowest to the highest. Tests may use more.
const MAY_USE: [(&str, &[&str]); 14] = [
    ("contract", &[]),
    ("postgres-address", &["contract"]),
    ("runtime", &["contract"]),
    ("store", &["contract", "runtime", "postgres-address"]),
    ("stream", &["contract", "runtime"]),
    ("probe", &["contract", "runtime"]),
    ("sites", &["contract", "runtime", "store"]),
    ("recorder", &["contract", "runtime", "store", "stream"]),
    (
        "scheduler",
        &["contract", "runtime", "store", "stream", "sites"],
    ),
    (
        "checker",
        &[
            "contract", "runtime", "store", "stream", "probe", "recorder",
        ],
    ),
    ("migration", &["postgres-address"]),
    (
        "webmon",
        &[
            "contract",
            "postgres-address",
            "runtime",
            "store",
            "stream",
            "probe",
            "sites",
            "recorder",
            "scheduler",
            "checker",
            "migration",
        ],
    ),
    (
        "testbed",
        &[
            "contract",
            "postgres-address",
            "runtime",
            "store",
            "stream",
            "migration",
        ],
    ),
    (
        "bench",
        &[
            "contract",
            "postgres-address",
            "runtime",
            "store",
            "stream",
            "probe",
            "sites",
            "recorder",
            "scheduler",
            "checker",
            "migration",
            "testbed",
        ],
    ),
];

/// What the lowest crates must not bring along, also through what they use.
const FREE_OF: [(&str, &[&str]); 3] = [
    ("contract", &["sea-orm", "sqlx", "tokio", "rdkafka"]),
    ("runtime", &["sea-orm", "sqlx", "rdkafka"]),
    ("probe", &["sea-orm", "sqlx", "rdkafka"]),
];

#[test]
fn a_crate_depends_only_on_those_below_it() {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages.iter().map(name).collect();
    let listed: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, listed, "the crates of the workspace");
    let mut against = Vec::new();
    for package in packages {
        let (_, allowed) = MAY_USE.iter().find(|row| row.0 == name(package)).unwrap();
        let used = package["dependencies"].as_array().unwrap();
        // The kind of a dependency is null unless only tests or a build script have it.
        let used = used.iter().filter(|used| used["kind"].is_null()).map(name);
        let wrong = used.filter(|used| ours.contains(used) && !allowed.contains(used));
        against.extend(wrong.map(|used| format!("{} uses {used}", name(package))));
    }
    assert!(against.is_empty(), "{}", against.join(", "));
}

#[test]
fn the_lowest_crates_are_free_of_database_and_broker() {
    let mut brought = Vec::new();
    for (package, forbidden) in FREE_OF {
        let tree = [
            "tree",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ];
        let tree = cargo(&tree);
        let names: BTreeSet<&str> = tree
            .lines()
            .filter_map(|line| line.split(' ').next())
            .collect();
        assert!(names.contains(package), "{tree}");
        let found = forbidden.iter().filter(|name| names.contains(*name));
        brought.extend(found.map(|name| format!("{package} brings {name}")));
    }
    assert!(brought.is_empty(), "{}", brought.join(", "));
}

/// The name of a package, or of a dependency.
fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

/// What cargo says of the workspace, by its lock file and without the network.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

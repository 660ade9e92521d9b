//! What the files around the code say, held to each other, as far as no tool is needed for it.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use runtime::config::from_yaml;
use sea_orm::JsonValue;

#[test]
fn flake_lock_locks_exactly_what_flake_nix_names() {
    let lock: JsonValue = read("flake.lock").parse().unwrap();
    assert_eq!(lock["version"], 7);
    let nodes = lock["nodes"].as_object().unwrap();
    let root = lock["root"].as_str().unwrap();
    let inputs = nodes[root]["inputs"].as_object().unwrap();
    let mut reachable = BTreeSet::from([root.to_owned()]);
    let mut locked = BTreeSet::new();
    for (input, node) in inputs {
        let node = node.as_str().unwrap();
        assert!(reachable.insert(node.to_owned()), "{node} is there twice");
        let original = &nodes[node]["original"];
        let part = |key: &str| original[key].as_str().unwrap();
        assert_eq!(part("type"), "github");
        let url = format!("github:{}/{}/{}", part("owner"), part("repo"), part("ref"));
        locked.insert(format!("{input}.url = \"{url}\";"));
        is_fixed(node, &nodes[node]["locked"], original);
    }
    let all: BTreeSet<_> = nodes.keys().cloned().collect();
    assert_eq!(reachable, all, "only what flake.nix names is locked");
    let named: BTreeSet<_> = read("flake.nix")
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| line.contains(".url = "))
        .collect();
    assert_eq!(locked, named, "flake.lock against flake.nix");
}

/// Whether a node names one commit and one content.
fn is_fixed(node: &str, locked: &JsonValue, original: &JsonValue) {
    for key in ["type", "owner", "repo"] {
        assert_eq!(locked[key], original[key], "{node}: {key}");
    }
    let commit = locked["rev"].as_str().unwrap();
    assert!(is_commit(commit), "{node}: {commit}");
    let hash = locked["narHash"].as_str().unwrap();
    let digits = hash.strip_prefix("sha256-").unwrap();
    assert!(
        digits.len() == 44 && digits.ends_with('='),
        "{node}: {hash}"
    );
    assert!(locked["lastModified"].is_u64(), "{node}");
}

#[test]
fn workflows_are_yaml_and_name_actions_by_their_commits() {
    let mut seen = 0;
    for file in files(".github/workflows") {
        let text = fs::read_to_string(&file).unwrap();
        let workflow: JsonValue = from_yaml(&text).unwrap();
        assert!(workflow["jobs"].is_object(), "{}", file.display());
        assert!(workflow["permissions"].is_object(), "{}", file.display());
        for line in text.lines().filter(|line| line.contains("uses:")) {
            let (_, action) = line.split_once('@').unwrap();
            let (commit, version) = action.split_once(" # v").expect(line);
            assert!(is_commit(commit) && !version.is_empty(), "{line}");
            seen += 1;
        }
    }
    assert!(seen > 0, "there are actions");
}

#[test]
fn the_stack_opens_no_port_to_others_and_mounts_what_is_there() {
    let stack: JsonValue = from_yaml(&read("compose.yaml")).unwrap();
    let subnet = &stack["networks"]["default"]["ipam"]["config"][0]["subnet"];
    for (name, service) in stack["services"].as_object().unwrap() {
        let text = service.to_string();
        for port in service["ports"].as_array().into_iter().flatten() {
            let port = port.as_str().unwrap();
            assert!(
                port.starts_with("127.0.0.1:"),
                "{name}: {port} is open to all"
            );
        }
        for mount in service["volumes"].as_array().into_iter().flatten() {
            let mount = mount.as_str().unwrap();
            let (source, _) = mount.split_once(':').unwrap();
            if let Some(file) = source.strip_prefix("./") {
                assert!(root().join(file).is_file(), "{name}: no file {file}");
                assert!(mount.ends_with(":ro"), "{name}: {mount}");
            }
        }
        assert!(
            !text.contains("POSTGRES_PASSWORD\""),
            "{name}: a password in clear text"
        );
    }
    let checker = &stack["services"]["checker"];
    assert_eq!(&checker["environment"]["WEBMON_SUBNET"], subnet);
    let config: JsonValue = from_yaml(&read("docker/checker.yaml")).unwrap();
    assert_eq!(config["addresses"]["allow"][0], "${WEBMON_SUBNET}");
}

#[test]
fn each_program_of_the_stack_has_a_role_of_its_own_and_sees_no_other_password() {
    let stack: JsonValue = from_yaml(&read("compose.yaml")).unwrap();
    for (service, role) in [
        ("migration", "owner"),
        ("grants", "owner"),
        ("apply", "scheduler"),
        ("scheduler", "scheduler"),
        ("checker", "checker"),
        ("webmon", "reader"),
    ] {
        // What a service takes over from another stands under `<<`.
        let key = |key: &str| {
            let service = &stack["services"][service];
            service.get(key).unwrap_or(&service["<<"][key]).clone()
        };
        let volumes = key("volumes");
        let mounts = volumes.as_array().unwrap();
        let secrets: Vec<_> = mounts
            .iter()
            .filter_map(JsonValue::as_str)
            .filter(|mount| mount.starts_with("secrets"))
            .collect();
        assert_eq!(
            secrets,
            [format!("secrets-{role}:/run/secrets:ro")],
            "{service}"
        );
        let environment = key("environment");
        let address = environment["DATABASE_URL"].as_str().map_or_else(
            || {
                let file = if service == "apply" {
                    "scheduler"
                } else {
                    service
                };
                let config: JsonValue = from_yaml(&read(&format!("docker/{file}.yaml"))).unwrap();
                config["database"]["url"].as_str().unwrap().to_owned()
            },
            ToOwned::to_owned,
        );
        let user = format!("postgres://webmon_{role}");
        assert!(address.starts_with(&user), "{service}: {address}");
    }
    let roles = read("docker/make-roles");
    let made = read("docker/make-secrets");
    for role in ["owner", "scheduler", "checker", "reader"] {
        assert!(
            roles.contains(&format!("ALTER ROLE webmon_{role} LOGIN")),
            "{role}"
        );
        assert!(made.contains(role), "{role}");
    }
    assert!(!roles.contains("SUPERUSER"));
}

#[test]
fn the_pinned_toolchain_is_the_oldest_that_the_manifests_allow() {
    let manifest = read("Cargo.toml");
    let toolchain = read("rust-toolchain.toml");
    let (oldest, pinned) = (
        value(&manifest, "rust-version"),
        value(&toolchain, "channel"),
    );
    // A release of Rust is `1.95`, and its toolchain `1.95.0`.
    let patch = pinned.strip_prefix(oldest).expect(pinned);
    let patch = patch.strip_prefix('.').expect(pinned);
    assert!(patch.parse::<u32>().is_ok(), "{pinned} against {oldest}");
}

#[test]
fn the_licences_that_the_manifests_name_are_there() {
    let manifest = read("Cargo.toml");
    assert_eq!(value(&manifest, "license"), "MIT OR Apache-2.0");
    let mit = read("LICENSE-MIT");
    assert!(mit.starts_with("MIT License\n\nCopyright (c) "), "{mit}");
    let apache = read("LICENSE-APACHE");
    assert!(apache.contains("Version 2.0, January 2004"), "{apache}");
}

#[test]
fn a_module_with_children_is_a_folder_with_a_mod_file() {
    let mut doubled = Vec::new();
    for folder in code_folders() {
        if folder.with_extension("rs").is_file() {
            doubled.push(folder.display().to_string());
        }
    }
    assert!(doubled.is_empty(), "{}", doubled.join(", "));
}

#[test]
fn long_unit_tests_stand_beside_their_file_and_are_named_after_it() {
    let mut seen = 0;
    for file in code_folders().iter().flat_map(files) {
        if file.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let Some((_, tests)) = text.split_once("\n#[cfg(test)]\n") else {
            continue;
        };
        if let Some((_, inside)) = tests.split_once("mod tests {\n") {
            // With the first line and the last.
            let lines = inside.lines().take_while(|line| *line != "}").count() + 2;
            assert!(lines <= 60, "{}: {lines} lines of tests", file.display());
            seen += 1;
        } else if tests.ends_with("mod tests;\n") {
            let name = file.file_stem().unwrap().to_str().unwrap();
            let expected = if name == "mod" {
                "mod tests;\n".to_owned()
            } else {
                format!("#[path = \"{name}_tests.rs\"]\nmod tests;\n")
            };
            assert!(tests.ends_with(&expected), "{}: {tests}", file.display());
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen} files with unit tests");
}

/// The folders of the workspace's crates in which code stands, but for `dev/fuzz`: a fuzz target is a crate, whose
/// file stands beside its modules.
fn code_folders() -> Vec<PathBuf> {
    let mut crates: Vec<_> = [".", "lib", "dev"].into_iter().flat_map(files).collect();
    crates.retain(|folder| folder.join("Cargo.toml").is_file() && !folder.ends_with("fuzz"));
    let mut folders: Vec<_> = crates
        .iter()
        .flat_map(|krate| [krate.join("src"), krate.join("tests")])
        .filter(|folder| folder.is_dir())
        .collect();
    let mut known = 0;
    while let Some(folder) = folders.get(known) {
        let inner: Vec<_> = files(folder)
            .into_iter()
            .filter(|path| path.is_dir())
            .collect();
        folders.extend(inner);
        known += 1;
    }
    folders
}

/// The text that a TOML file has for a key, on a line of its own.
fn value<'a>(toml: &'a str, key: &str) -> &'a str {
    let start = format!("{key} = \"");
    let value = toml.lines().find_map(|line| line.strip_prefix(&start));
    value.and_then(|value| value.strip_suffix('"')).expect(key)
}

/// Whether this is a whole commit's hash.
fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A file of the repository.
fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).expect(file)
}

/// The files of a folder of the repository.
fn files(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

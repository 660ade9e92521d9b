//! A user without a name, as containers have them: `webmon up` says what lacks.

#![expect(
    clippy::expect_used,
    reason = "a helper of a test fails as the test does"
)]

use std::process::Command;

use tempfile::TempDir;
use testbed::free_address;

/// Runs `webmon` in a namespace of users with one number and no name; HOME and USER are not set either.
fn webmon(folder: &TempDir, settings: &str, command: &str) -> (Option<i32>, String) {
    let config = folder.path().join("webmon.yaml");
    std::fs::write(&config, settings).expect("a configuration");
    let output = Command::new("unshare")
        .args(["--user", "--map-user=54321", "--map-group=54321"])
        .arg(env!("CARGO_BIN_EXE_webmon"))
        .arg("--config")
        .arg(&config)
        .arg("--data")
        .arg(folder.path().join("data"))
        .arg(command)
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH"))
        .output()
        .expect("unshare, of util-linux");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn a_user_without_a_name_is_told_what_initdb_lacks() {
    let folder = TempDir::new().unwrap();
    let settings = format!("http: {{listen: \"{}\"}}\n", free_address());
    let (code, said) = webmon(&folder, &settings, "up");
    assert_eq!(code, Some(1), "{said}");
    for part in [
        "the user with id 54321 has no name",
        "/etc/passwd",
        "set database.url",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn an_address_without_a_user_is_refused_where_the_process_has_no_name() {
    let folder = TempDir::new().unwrap();
    let settings = "database: {url: \"postgres://127.0.0.1:1/webmon\"}\n";
    let (code, said) = webmon(&folder, settings, "check-config");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("database.url: names no user"), "{said}");
}

//! `ci/up` brings the Rust that it needs: on machines that are made of stand-ins, as no test may change this one.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

use std::env::{split_paths, var_os};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The programs of this machine that the scripts call.
const REAL: [&str; 16] = [
    "basename", "bash", "cat", "chmod", "cut", "dirname", "env", "grep", "ln", "mkdir", "readlink",
    "sed", "sh", "sort", "tail", "touch",
];
/// What ci/install looks for beside Rust.
const PACKAGES: [&str; 6] = ["c++", "cc", "cmake", "make", "pkg-config", "postgres"];

/// What each program of the machine does. Its name says which it is; what changes something is noted in `calls`.
/// The files `release`, `toolchains`, `network` and `debian-has-rustup` say how the machine is.
const STAND_IN: &str = r#"#!/bin/sh
name=${0##*/} folder=${0%/*}
note() { echo "$name $*" >>"$HOME/calls"; }
link() { mkdir -p "$1"; for name in rustup cargo rustc; do ln -s "$HOME/rustup" "$1/$name"; done; }
online() { test -e "$HOME/network" || { echo "$name: no network" >&2; exit 6; }; }
case "$name $*" in
"postgres --version") echo "postgres (PostgreSQL) 17.0" ;;
"sudo "*) exec "$@" ;;
"apt-get "*update) note "$@"; online ;;
"apt-get "*--simulate*rustup) test -e "$HOME/debian-has-rustup" ;;
"apt-get "*install*rustup) note "$@"; online; link "$folder" ;;
"curl "*) note "$@"; online; echo "mkdir -p '$HOME/.cargo/bin'"
    for name in rustup cargo rustc; do echo "ln -s '$HOME/rustup' '$HOME/.cargo/bin/$name'"; done ;;
"rustup toolchain list") cat "$HOME/toolchains" ;;
"rustup component list "*) echo clippy; echo rustfmt ;;
"rustup toolchain install "*) note "$@"; online; echo "$3-x86_64-unknown-linux-gnu" >"$HOME/toolchains" ;;
"rustc --version") sed 's/^\([0-9.]*\).*/rustc \1 (1234567 2026-01-01)/' "$HOME/$(test "$folder/rustup" -ef "$0" && echo toolchains || echo release)" ;;
"cargo build "*) note "$@"; test "$folder/rustup" -ef "$0" || ! test -e "$HOME/.cargo/bin/cargo" || exit 101
    mkdir -p "$CARGO_TARGET_DIR/release"; ln -sf "$HOME/stand-in" "$CARGO_TARGET_DIR/release/webmon" ;;
"webmon "*) note "$@" ;;
esac
"#;

/// A machine that has all but perhaps Rust.
struct Machine {
    /// What is on PATH, the home, and what was called.
    folder: TempDir,
}

impl Machine {
    /// With this Rust, if any, that is not rustup's.
    fn new(rust: Option<&str>) -> Self {
        let machine = Self {
            folder: TempDir::new().unwrap(),
        };
        let bin = machine.path("bin");
        fs::create_dir(&bin).unwrap();
        for name in REAL {
            let mut folders = split_paths(&var_os("PATH").unwrap()).collect::<Vec<_>>();
            folders.retain(|folder| folder.join(name).exists());
            symlink(folders.first().expect(name).join(name), bin.join(name)).unwrap();
        }
        // Two files, as rustup's programs are links to rustup and no others are.
        for file in ["stand-in", "rustup"] {
            let file = machine.path(file);
            fs::write(&file, STAND_IN).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
        }
        for name in PACKAGES.into_iter().chain(["curl", "sudo"]) {
            machine.program(name);
        }
        for file in ["calls", "toolchains", "network"] {
            machine.file(file, "");
        }
        if let Some(release) = rust {
            machine.program("cargo");
            machine.program("rustc");
            machine.file("release", &format!("{release}\n"));
        }
        machine
    }

    /// It is Debian: with a package of rustup, or without.
    fn debian(self, has_rustup: bool) -> Self {
        self.program("apt-get");
        if has_rustup {
            self.file("debian-has-rustup", "");
        }
        self
    }

    /// The network is away.
    fn offline(self) -> Self {
        fs::remove_file(self.path("network")).unwrap();
        self
    }

    /// Puts a stand-in on PATH.
    fn program(&self, name: &str) {
        symlink(self.path("stand-in"), self.path("bin").join(name)).unwrap();
    }

    /// Writes a file.
    fn file(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Where something of the machine is.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a script of `ci/` to its end.
    fn run(&self, script: &str) -> Output {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        Command::new(root.join(script))
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.folder.path())
            .env("CARGO_TARGET_DIR", self.path("target"))
            // Any file that is there.
            .env("SSL_CERT_FILE", self.path("stand-in"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What `ci/up` changes, until webmon runs.
    fn up(&self) -> Vec<String> {
        let output = self.run("ci/up");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        self.calls()
    }

    /// What `ci/up` says when it cannot go on, and what it has changed by then.
    fn fails(&self) -> (String, Vec<String>) {
        let output = self.run("ci/up");
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (said, self.calls())
    }

    /// What was called that changes something.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap();
        calls.lines().map(ToOwned::to_owned).collect()
    }
}

/// The pinned toolchain.
fn channel() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rust-toolchain.toml");
    let text = fs::read_to_string(file).unwrap();
    let channel = text
        .lines()
        .find_map(|line| line.strip_prefix("channel = "));
    channel.unwrap().trim_matches('"').to_owned()
}

/// How rustup installs the pinned toolchain.
fn install() -> String {
    let channel = channel();
    format!(
        "rustup toolchain install {channel} --no-self-update --profile minimal --component clippy --component rustfmt"
    )
}

const UPDATE: &str = "apt-get -q update";
const RUSTUP_OF_DEBIAN: &str =
    "apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends rustup";
const INSTALLER: &str =
    "curl --proto =https --tlsv1.2 --silent --show-error --fail https://sh.rustup.rs";
const BUILD: &str = "cargo build --locked --release -p webmon";
const WEBMON: &str = "webmon up --sites sites.yaml";

#[test]
fn where_rust_is_new_enough_nothing_is_installed() {
    for release in [channel().as_str(), "1.100.0", "2.0.0-nightly"] {
        let machine = Machine::new(Some(release)).debian(true);
        assert_eq!(machine.up(), [BUILD, WEBMON], "{release}");
    }
}

#[test]
fn where_debian_has_rustup_its_package_installs_rust() {
    let machine = Machine::new(None).debian(true);
    let install = install();
    let expected = [UPDATE, RUSTUP_OF_DEBIAN, &install, BUILD, WEBMON];
    assert_eq!(machine.up(), expected);
    // The next time everything is there.
    assert_eq!(machine.up()[expected.len()..], [BUILD, WEBMON]);
}

#[test]
fn where_debian_has_no_rustup_its_own_installer_installs_rust() {
    let machine = Machine::new(None).debian(false);
    let install = install();
    let expected = [UPDATE, INSTALLER, &install, BUILD, WEBMON];
    assert_eq!(machine.up(), expected);
    assert_eq!(machine.up()[expected.len()..], [BUILD, WEBMON]);
}

#[test]
fn where_there_is_no_debian_rustups_installer_is_announced_before_it_runs() {
    let machine = Machine::new(None);
    let output = machine.run("ci/install");
    let said = String::from_utf8_lossy(&output.stderr);
    // The purpose `test` names what the machine lacks for tests, and installs nothing.
    assert!(said.contains("this is not Debian"), "{said}");
    assert!(machine.calls().is_empty());
    let output = machine.run("ci/up");
    let said = String::from_utf8_lossy(&output.stderr);
    let home = machine.folder.path().display();
    for part in [
        "https://sh.rustup.rs".to_owned(),
        format!("{home}/.cargo/bin"),
        "https://static.rust-lang.org".to_owned(),
        format!("{home}/.rustup"),
    ] {
        assert!(said.contains(&part), "{part}: {said}");
    }
    assert_eq!(machine.calls(), [INSTALLER, &install(), BUILD, WEBMON]);
}

#[test]
fn a_rust_that_is_too_old_stays_and_gets_rustup_beside_it() {
    let machine = Machine::new(Some("1.63.0")).debian(true);
    assert_eq!(machine.up(), [INSTALLER, &install(), BUILD, WEBMON]);
}

#[test]
fn rustup_that_lacks_the_pinned_toolchain_installs_it() {
    let machine = Machine::new(None);
    for name in ["rustup", "cargo", "rustc"] {
        symlink(machine.path("rustup"), machine.path("bin").join(name)).unwrap();
    }
    machine.file("toolchains", "1.80.0-x86_64-unknown-linux-gnu\n");
    assert_eq!(machine.up(), [&install(), BUILD, WEBMON]);
}

#[test]
fn without_network_it_says_what_to_do() {
    let (said, calls) = Machine::new(None).debian(false).offline().fails();
    assert_eq!(calls, [UPDATE, INSTALLER]);
    for part in [
        "apt-get update failed",
        "curl: no network",
        "it needs the network this once",
        "put its cargo on PATH",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let machine = Machine::new(None).offline();
    for name in ["rustup", "cargo", "rustc"] {
        symlink(machine.path("rustup"), machine.path("bin").join(name)).unwrap();
    }
    let (said, calls) = machine.fails();
    assert_eq!(calls, [install()]);
    assert!(said.contains("rustup could not install Rust"), "{said}");
    assert!(said.contains("put its cargo on PATH"), "{said}");
}

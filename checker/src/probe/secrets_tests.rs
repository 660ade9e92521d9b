//! Where values are found, and who gets them.

use std::fs;
use std::process::Command;
use std::time::Duration;

use runtime::config::Secret;
use tempfile::TempDir;

use super::*;

/// Where a test's secrets are.
struct Setting {
    /// The files.
    dir: TempDir,
    /// The configuration.
    secrets: Secrets,
}

impl Setting {
    /// A directory without files, and these variables.
    fn new(variables: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().unwrap();
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)));
        let secrets = Secrets {
            dir: Some(dir.path().to_owned()),
            variables: variables.collect(),
            ..Secrets::default()
        };
        Self { dir, secrets }
    }

    /// Writes a file.
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.dir.path().join(name), bytes).unwrap();
    }

    /// What a check finds for a.example; of a fault the detail, without the directory.
    fn reveal(&self, name: &str) -> Result<String, String> {
        record::begin(Duration::ZERO, 0);
        let dir = self.dir.path().display().to_string();
        Vault::new(&self.secrets)
            .reveal(name, "a.example")
            .map_err(|fault| {
                assert_eq!(fault.reason, Reason::SecretMissing);
                fault.detail(0).replace(&dir, "DIR")
            })
    }
}

#[test]
fn a_value_is_its_file_without_the_last_line_end_or_else_its_variable() {
    let setting = Setting::new(&[("A", "from the variable\n")]);
    assert_eq!(setting.reveal("A").unwrap(), "from the variable\n");
    for (file, value) in [
        ("one", "one"),
        ("two\n", "two"),
        ("three\r\n", "three"),
        ("four\n\n", "four\n"),
        ("five\r", "five\r"),
        (" six \n", " six "),
        ("sév\0en", "sév\0en"),
    ] {
        // each is there at once: nothing is kept from one check to the next
        setting.write("A", file);
        assert_eq!(setting.reveal("A").unwrap(), value, "{file:?}");
    }
    let longest = "x".repeat(MAX_VALUE_BYTES);
    setting.write("A", format!("{longest}\r\n"));
    assert_eq!(setting.reveal("A").unwrap(), longest);
}

#[test]
fn a_file_may_be_a_link_as_mounted_secrets_are() {
    let setting = Setting::new(&[]);
    setting.write("..data", "linked");
    std::os::unix::fs::symlink("..data", setting.dir.path().join("A")).unwrap();
    assert_eq!(setting.reveal("A").unwrap(), "linked");
}

#[test]
fn what_is_no_value_says_where_it_was_looked_for_and_what_to_do() {
    let setting = Setting::new(&[("EMPTY", ""), ("TEXT", "behind a broken file")]);
    let missing = "there is neither a file DIR/A nor a variable WEBMON_SECRET_A; \
                   write the one, or set the other and restart the checker";
    assert_eq!(
        setting.reveal("A").unwrap_err(),
        format!("secret A: {missing}")
    );
    let empty = "secret EMPTY: WEBMON_SECRET_EMPTY is empty; put the value there";
    assert_eq!(setting.reveal("EMPTY").unwrap_err(), empty);
    fs::create_dir(setting.dir.path().join("FOLDER")).unwrap();
    let folder = "secret FOLDER: DIR/FOLDER is no file; write the value into one";
    assert_eq!(setting.reveal("FOLDER").unwrap_err(), folder);
    let too_long = vec![b'x'; MAX_VALUE_BYTES + 1];
    let much_too_long = [&too_long[..], b"\n", &too_long[..]].concat();
    for (file, said) in [
        (&b""[..], "is empty; put the value there"),
        (b"\n", "is empty; put the value there"),
        (b"\xff", "is not UTF-8; a secret must be text"),
        (
            &too_long,
            "has more than 65536 bytes; a secret must be shorter",
        ),
        (
            &much_too_long,
            "has more than 65536 bytes; a secret must be shorter",
        ),
    ] {
        setting.write("TEXT", file);
        let said = format!("secret TEXT: DIR/TEXT {said}");
        assert_eq!(setting.reveal("TEXT").unwrap_err(), said);
    }
    let mut bare = Setting::new(&[]);
    bare.secrets.dir = None;
    assert_eq!(
        bare.reveal("A").unwrap_err(),
        "secret A: there is no variable WEBMON_SECRET_A, and secrets.dir is not set; \
         set one of them and restart the checker"
    );
}

#[test]
fn a_pipe_that_nobody_writes_to_holds_up_no_check() {
    let setting = Setting::new(&[]);
    let pipe = setting.dir.path().join("PIPE");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    let said = "secret PIPE: DIR/PIPE is no file; write the value into one";
    assert_eq!(setting.reveal("PIPE").unwrap_err(), said);
}

#[test]
fn a_secret_that_is_bound_is_revealed_to_its_hosts_alone() {
    let mut setting = Setting::new(&[("A", "value"), ("B", "other")]);
    let hosts = ["b.example", "c.example"].map(str::to_owned).to_vec();
    setting.secrets.hosts.insert("A".to_owned(), hosts);
    assert_eq!(
        setting.reveal("A").unwrap_err(),
        "secret A: is not for a.example; secrets.hosts names b.example, c.example"
    );
    assert_eq!(setting.reveal("B").unwrap(), "other");
    let vault = Vault::new(&setting.secrets);
    assert_eq!(vault.reveal("A", "c.example").unwrap(), "value");
    // not even in the check in which another host got it
    vault.reveal("A", "www.c.example").unwrap_err();
}

#[test]
fn a_check_meets_one_value_even_if_the_file_changes_meanwhile() {
    let setting = Setting::new(&[]);
    setting.write("A", "first");
    assert_eq!(setting.reveal("A").unwrap(), "first");
    setting.write("A", "second");
    let vault = Vault::new(&setting.secrets);
    assert_eq!(vault.reveal("A", "a.example").unwrap(), "first");
    assert_eq!(setting.reveal("A").unwrap(), "second");
}

#[test]
fn a_vault_prints_no_value() {
    let setting = Setting::new(&[("A", "hunter2")]);
    let printed = format!("{:?}", Vault::new(&setting.secrets));
    assert!(printed.contains("\"A\": ***"), "{printed}");
}

//! Where values are found, and which servers get them.

use std::fs;
use std::process::Command;
use std::time::Duration;

use contract::site::Request;
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
        observed::begin(Duration::ZERO, 0);
        let dir = self.dir.path().display().to_string();
        reveal(&Vault::new(&self.secrets), name, "https://a.example/", "{}").map_err(|fault| {
            assert_eq!(fault.reason, Reason::SecretMissing);
            fault.detail(0).replace(&dir, "DIR")
        })
    }
}

/// What a vault reveals to a site of this URL and request.
fn reveal(vault: &Vault, name: &str, url: &str, request: &str) -> Result<String, Fault> {
    let (url, request) = (url.parse().unwrap(), Request::parse(request).unwrap());
    let (url, request) = (&url, &request);
    vault.reveal(name, Recipient::site(url, request))
}

/// Origins as the configuration has them.
fn origins(texts: &[&str]) -> Vec<Origin> {
    let origin = |text: &&str| Origin::of(&text.parse().unwrap());
    texts.iter().map(origin).collect()
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
fn a_secret_that_is_bound_is_revealed_to_its_origins_alone() {
    let mut setting = Setting::new(&[("A", "value"), ("B", "other")]);
    let bound = origins(&["https://b.example", "http://c.example:8080"]);
    setting.secrets.hosts.insert("A".to_owned(), bound);
    assert_eq!(
        setting.reveal("A").unwrap_err(),
        "secret A: is not for https://a.example; use an origin of secrets.hosts.A as the site's url, or \
         add this one there (it has https://b.example, http://c.example:8080)"
    );
    assert_eq!(setting.reveal("B").unwrap(), "other");
    let vault = Vault::new(&setting.secrets);
    for (url, given) in [
        ("http://c.example:8080/x?y", true),
        ("https://B.example.:443/", true),
        // not even in the check in which another origin got it
        ("http://c.example/", false),
        ("https://c.example:8080/", false),
        ("http://b.example/", false),
        ("https://b.example:8443/", false),
        ("https://www.b.example/", false),
        ("https://b.example.evil.example/", false),
        ("https://b.example@evil.example/", false),
    ] {
        assert_eq!(reveal(&vault, "A", url, "{}").is_ok(), given, "{url}");
    }
}

#[test]
fn a_row_that_touches_the_proof_of_an_origin_gets_no_bound_secret() {
    let certificate = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let ca = serde_json::json!({"tls": {"ca": certificate.cert.pem()}}).to_string();
    let mut setting = Setting::new(&[("A", "value"), ("B", "other")]);
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://a.example");
        let bound = origins(&[&url]);
        setting.secrets.hosts.insert("A".to_owned(), bound);
        let vault = Vault::new(&setting.secrets);
        for (request, place) in [
            (
                r#"{"headers": {"Host": "a.example"}}"#,
                "request.headers.Host",
            ),
            (
                r#"{"headers": {"X": "1", "hOST": ""}}"#,
                "request.headers.hOST",
            ),
            (
                r#"{"tls": {"server_name": "a.example"}}"#,
                "request.tls.server_name",
            ),
            (r#"{"tls": {"verify": false}}"#, "request.tls.verify"),
            (&ca, "request.tls.ca"),
        ] {
            observed::begin(Duration::ZERO, 0);
            let fault = reveal(&vault, "A", &url, request).unwrap_err();
            let said = format!("{place}: the secret A is bound by secrets.hosts, and ");
            let detail = fault.detail(0);
            assert!(detail.starts_with(&said), "{detail}");
            assert!(detail.contains("; remove the "), "{detail}");
            // one that is not bound may go there as before
            assert_eq!(reveal(&vault, "B", &url, request).unwrap(), "other");
        }
        for request in [
            r#"{"headers": {"X-Forwarded-Host": "a"}, "ip": 4, "method": "POST", "body": "x"}"#,
            r#"{"tls": {"verify": true}}"#,
        ] {
            assert_eq!(reveal(&vault, "A", &url, request).unwrap(), "value");
        }
    }
}

#[test]
fn under_strict_a_secret_without_origins_goes_nowhere() {
    let mut setting = Setting::new(&[("A", "value"), ("B", "other")]);
    setting.secrets.strict = true;
    let bound = origins(&["https://a.example"]);
    setting.secrets.hosts.insert("A".to_owned(), bound);
    assert_eq!(setting.reveal("A").unwrap(), "value");
    assert_eq!(
        setting.reveal("B").unwrap_err(),
        "secret B: is bound to no origin, and secrets.strict lets it go nowhere; add \
         B: [https://a.example] to secrets.hosts"
    );
}

#[test]
fn the_origin_behind_a_redirect_gets_secrets_only_if_all_may_go_there() {
    let mut setting = Setting::new(&[]);
    let both = origins(&["http://a.example", "https://a.example"]);
    setting.secrets.hosts.insert("BOTH".to_owned(), both);
    let first = origins(&["http://a.example"]);
    setting.secrets.hosts.insert("FIRST".to_owned(), first);
    let vault = Vault::new(&setting.secrets);
    let url = "https://a.example/".parse().unwrap();
    for (names, admitted) in [
        (&[][..], true),
        (&["FREE", "BOTH", "BOTH"], true),
        (&["BOTH", "FIRST"], false),
    ] {
        let found = vault.admit(names.iter().copied(), &url);
        assert_eq!(found.is_ok(), admitted, "{names:?}: {found:?}");
    }
}

#[test]
fn a_check_meets_one_value_even_if_the_file_changes_meanwhile() {
    let setting = Setting::new(&[]);
    setting.write("A", "first");
    assert_eq!(setting.reveal("A").unwrap(), "first");
    setting.write("A", "second");
    let vault = Vault::new(&setting.secrets);
    let revealed = reveal(&vault, "A", "https://a.example/", "{}");
    assert_eq!(revealed.unwrap(), "first");
    assert_eq!(setting.reveal("A").unwrap(), "second");
}

#[test]
fn a_vault_prints_no_value() {
    let setting = Setting::new(&[("A", "hunter2")]);
    let printed = format!("{:?}", Vault::new(&setting.secrets));
    assert!(printed.contains("\"A\": ***"), "{printed}");
}

//! The commands that people use, as they use them: names in any script, an output that is closed early, and
//! many sites.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's helper fails the test"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use contract::text::is_harmless;
use sea_orm::ConnectionTrait as _;
use testbed::{Database, Finished, Process, eventually};
use unicode_width::UnicodeWidthStr as _;

/// How long a command may take.
const COMMAND: Duration = Duration::from_mins(2);
/// What a command may have in memory with 20,000 sites, in MiB: some 20 are there without any.
const MEMORY_MIB: u64 = 48;

/// A database, and a configuration for it.
struct Setting {
    /// Where files are.
    folder: tempfile::TempDir,
    /// The database.
    database: Database,
}

impl Setting {
    /// With a database of its own.
    async fn new() -> Self {
        let (folder, database) = (tempfile::tempdir().unwrap(), Database::migrated().await);
        let config = format!(
            "database: {{url: {:?}}}\nlog: {{filter: warn}}\n",
            database.url()
        );
        std::fs::write(folder.path().join("config.yaml"), config).unwrap();
        Self { folder, database }
    }

    /// A file of the test's own.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A command with its configuration.
    fn arguments(&self, command: &[&str]) -> Vec<String> {
        let config = self.folder.path().join("config.yaml");
        let config = ["--config", config.to_str().unwrap()];
        command
            .iter()
            .chain(&config)
            .map(ToString::to_string)
            .collect()
    }

    /// Runs a command to its end.
    async fn run(&self, command: &[&str]) -> Finished {
        Process::run("webmon", self.arguments(command), COMMAND).await
    }

    /// Starts a command with this output.
    fn start(&self, command: &[&str], output: impl Into<Stdio>) -> Child {
        Command::new(env!("CARGO_BIN_EXE_webmon"))
            .args(self.arguments(command))
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_any_script_are_aligned_and_long_ones_are_cut() {
    let setting = Setting::new().await;
    let names = [
        "shop",
        "日本語サイト",
        "🦀🦀",
        "Überstraße",
        "e\u{301}te\u{301}",
        &"x".repeat(255),
        &"長".repeat(200),
    ];
    let mut sites = "sites:\n".to_owned();
    for name in names {
        writeln!(
            sites,
            "- {{name: '{name}', url: 'http://127.0.0.1/', enabled: false}}"
        )
        .unwrap();
    }
    let sites = setting.file("sites.yaml", &sites);
    let applied = setting.run(&["apply", sites.to_str().unwrap()]).await;
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    let odd = "INSERT INTO site (name, url, interval_ms, timeout_ms, enabled)
               VALUES (E'red\\u001b[31m\\u202e\\nfake', 'http://127.0.0.1/', 1000, 1000, false)";
    setting
        .database
        .connect()
        .await
        .execute_unprepared(odd)
        .await
        .unwrap();

    let status = setting.run(&["status"]).await;
    assert_eq!(status.code, 0, "{}", status.stderr);
    let lines: Vec<_> = status.stdout.lines().collect();
    assert_eq!(lines.len(), names.len() + 2, "{}", status.stdout);
    let verdict = lines[0].find("verdict").unwrap();
    for line in &lines[1..] {
        let (name, _) = line.split_once("disabled").unwrap();
        assert_eq!(name.width(), verdict, "{}", status.stdout);
        assert!(line.chars().all(is_harmless), "{line:?}");
    }
    assert!(status.stdout.contains("日本語サイト "), "{}", status.stdout);
    assert!(status.stdout.contains("xxx…  "), "{}", status.stdout);
    assert!(
        status.stdout.contains(r"red\u{1b}[31m\u{202e}\nfake"),
        "{}",
        status.stdout
    );
    assert_exported(&setting).await;
}

/// Fails unless what is exported is harmless, and means the same.
async fn assert_exported(setting: &Setting) {
    let export = setting.run(&["export"]).await;
    assert_eq!(export.code, 0, "{}", export.stderr);
    assert!(
        export
            .stdout
            .lines()
            .all(|line| line.chars().all(is_harmless))
    );
    let again = setting.file("again.yaml", &export.stdout);
    let again = setting
        .run(&["apply", "--prune", again.to_str().unwrap()])
        .await;
    assert!(
        again.stdout.starts_with("nothing to change: "),
        "{}{}",
        again.stdout,
        again.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_is_closed_early_is_no_error() {
    let setting = Setting::new().await;
    many(&setting, 2_000).await;
    let sites = setting.file(
        "one.yaml",
        "sites: [{name: one, url: 'http://127.0.0.1/'}]\n",
    );
    let sites = sites.to_str().unwrap();
    for command in [
        &["status"][..],
        &["export"],
        &["audit"],
        &["apply", "--dry-run", sites],
        &["check-config"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = setting.start(command, writer).wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!((ended.status.code(), &*said), (Some(0), ""), "{command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_no_file_can_hold_is_named_and_the_rest_is_exported() {
    let setting = Setting::new().await;
    let deep = "[".repeat(3_000) + &"]".repeat(3_000);
    let rows = format!(
        "INSERT INTO site (name, url, interval_ms, timeout_ms, labels)
         VALUES ('deep', 'http://a/', 60000, 10000, '{{\"a\": {deep}}}'), ('shop', 'http://a/', 60000, 10000, '{{}}')"
    );
    setting
        .database
        .connect()
        .await
        .execute_unprepared(&rows)
        .await
        .unwrap();
    let export = setting.run(&["export"]).await;
    assert_eq!(export.code, 1);
    assert!(
        export
            .stdout
            .ends_with("sites:\n  - name: shop\n    url: http://a/\n"),
        "{}",
        export.stdout
    );
    for words in [
        "1 of the sites",
        "\n  deep: ",
        "more than 64 deep",
        "put their rows right",
    ] {
        assert!(export.stderr.contains(words), "{}", export.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sites_take_little_memory() {
    let setting = Setting::new().await;
    let (applied, file) = many(&setting, 20_000).await;
    assert!(applied < MEMORY_MIB, "apply took {applied} MiB");
    let exported = setting.folder.path().join("exported.yaml");
    for (command, output) in [
        ("export", exported.as_path()),
        ("status", Path::new("/dev/null")),
    ] {
        let output = std::fs::File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(output)
            .unwrap();
        let peak = peak_mib(setting.start(&[command], output)).await;
        assert!(peak < MEMORY_MIB, "{command} took {peak} MiB");
    }
    let again = setting
        .run(&["apply", "--prune", exported.to_str().unwrap()])
        .await;
    assert_eq!(
        again.stdout,
        "nothing to change: created 0, changed 0, left alone 20000, removed 0\n"
    );
    // every bad site is named, however many are in order
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("- {name: last, url: nowhere}\n- {name: customer 7, url: 'http://a/'}\n");
    let bad = setting.file("bad.yaml", &text);
    let refused = setting.run(&["apply", bad.to_str().unwrap()]).await;
    assert_eq!(refused.code, 2);
    for words in [
        "2 faults",
        "sites[20000] last: url: ",
        "sites[20001] customer 7: name: is also the name of sites[7]",
    ] {
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
}

/// Applies so many sites as people have them; the most that took in memory, in MiB, and their file.
async fn many(setting: &Setting, count: usize) -> (u64, PathBuf) {
    let mut sites = "sites:\n".to_owned();
    for n in 0..count {
        writeln!(
            sites,
            "- name: customer {n}\n  url: https://h{n}.example/health\n  interval: 1m\n  timeout: 5s\n  \
             labels: {{team: t1, env: prod}}\n  request: {{headers: {{accept: application/json}}, redirects: 3}}\n  \
             expect: {{status: [200], body: [{{contains: ok}}], max_time: 2s}}"
        )
        .unwrap();
    }
    let file = setting.file("many.yaml", &sites);
    let peak = peak_mib(setting.start(&["apply", file.to_str().unwrap()], Stdio::null())).await;
    (peak, file)
}

/// The most that a process has in memory until it ends, in MiB; it must end well.
async fn peak_mib(mut child: Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    let ended = eventually(COMMAND, "the command ends", async || {
        // nothing is there any more once it has ended
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse().ok());
        peak_kib = peak_kib.max(kib.unwrap_or(0));
        child.try_wait().unwrap()
    })
    .await;
    assert!(ended.success(), "{ended}");
    assert!(peak_kib > 0, "the memory was never seen");
    peak_kib / 1_024
}

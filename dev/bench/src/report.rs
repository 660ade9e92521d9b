//! What was asked for, measured row by row, and the page that keeps it.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::Command;

use chrono::Utc;
use clap::{Args, ValueEnum as _};
use color_eyre::eyre::{Result, WrapErr as _, ensure};
use runtime::program::say;
use tokio::time::Instant;

use crate::rows::Row;
use crate::stage::{Settings, Stage};
use crate::table::{Line, table};

/// What is measured.
#[derive(Args, Clone, Debug)]
pub(crate) struct Wanted {
    /// Rows; all of them unless some are named
    #[arg(value_enum, value_name = "NAME")]
    rows: Vec<Row>,
    /// What it stands on
    #[command(flatten)]
    settings: Settings,
    /// The page that all rows together are written to
    #[arg(long, value_name = "FILE", default_value = "dev/bench/RESULTS.md")]
    results: PathBuf,
}

impl Wanted {
    /// Measures it, prints the table, and keeps it if it is complete and no trial.
    pub(crate) async fn measure(self) -> Result<()> {
        let stage = Stage::new(self.settings)?;
        let all = self.rows.is_empty();
        let rows = if all {
            Row::value_variants()
        } else {
            &self.rows
        };
        let (mut lines, mut failed) = (Vec::new(), Vec::new());
        for row in rows {
            let (name, began) = (row.name(), Instant::now());
            match row.measure(&stage).await {
                Ok(measured) => lines.extend(measured),
                Err(error) => {
                    lines.push(Line::without_figures(&name, format!("failed: {error:#}")));
                    failed.push(name.clone());
                }
            }
            // If standard error is gone, there is nowhere to say it.
            drop(writeln!(
                io::stderr(),
                "{name}: {:.0} s",
                began.elapsed().as_secs_f64()
            ));
        }
        let table = table(&lines);
        say(&table).wrap_err("print the table")?;
        ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
        if all && !stage.is_quick() {
            let file = &self.results;
            fs::write(file, page(&stage, &table))
                .wrap_err_with(|| format!("write {}", file.display()))?;
            say(format_args!("written to {}", file.display())).wrap_err("say so")?;
        }
        Ok(())
    }
}

/// The page: where, when and on what it was measured, and the table.
fn page(stage: &Stage, table: &str) -> String {
    let date = Utc::now().format("%F %H:%M UTC");
    let commit = said("git", &["describe", "--always", "--dirty"]);
    let rustc = said("rustc", &["--version"]);
    let machine = machine();
    let peers = peers(stage);
    format!(
        "# What webmon costs\n\n\
         Written by `ci/bench`, which measures all of it again: release builds, each side a process of its\n\
         own whose CPU time and memory the kernel accounts for, runs in turn (A B A B …). A figure is the\n\
         median of its runs with the least and the most in brackets; a ratio is the median of the ratios of\n\
         neighbouring runs. Targets answer after 100 ms with 1 KiB, unless a row says\n\
         otherwise, and each check is a fresh connection. Rivals are measured once they keep up with their load.\n\n\
         | | |\n|---|---|\n\
         | date | {date} |\n| commit | {commit} |\n| machine | {machine} |\n| compiler | {rustc} |\n\
         | rivals | {peers} |\n\n{table}"
    )
}

/// The machine: its processor, memory and kernel.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (cpus, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let value = |text: &str, key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let line = line.unwrap_or_default();
        line.trim_start_matches([' ', '\t', ':']).trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kib: u64 = value(&memory, "MemTotal")
        .split(' ')
        .next()
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0);
    let model = value(&cpus, "model name");
    let kernel = read("/proc/sys/kernel/osrelease");
    let gib = kib / (1024 * 1024);
    format!(
        "{cores} cores of {model}, {gib} GiB, Linux {}",
        kernel.trim()
    )
}

/// The rivals that are programs, with the versions that their builds know.
fn peers(stage: &Stage) -> String {
    let peers = crate::peers::Peer::ALL.map(|peer| {
        let found = stage.peer(peer.name());
        let version = found.map_or("missing".to_owned(), |path| {
            let info = said("go", &["version", "-m", &path.to_string_lossy()]);
            let module = info
                .lines()
                .find(|line| line.trim_start().starts_with("mod\t"));
            let version = module.and_then(|line| line.split('\t').nth(3));
            version
                .unwrap_or("of a version it does not tell")
                .to_owned()
        });
        format!("{} {version}", peer.name())
    });
    peers.join(", ")
}

/// What a program says; nothing, if it cannot.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let stdout = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&stdout).trim().to_owned()
}

//! What checks say, as tables for people: one file for each kind of case, and beside webmon's words what curl says of
//! the same server.
//!
//! The tests compare all columns but curl's. `dev/curl-column` writes the files anew: it has these tests ask the
//! machine's curl too.

mod curl;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use contract::outcome::{Outcome, Reason};
use contract::result::CheckResult;
use contract::task::Task;
use probe::{Prober, Watched};

use crate::{STARTED, detail};

/// Set where the files are to be written.
const WRITES: &str = "WEBMON_WRITE_TABLES";
/// What stands in curl's column where curl was not asked.
const NOT_ASKED: &str = "–";

/// A table that is being made.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name, which is its file's.
    name: &'static str,
    rows: Vec<Row>,
}

/// What one check says, and curl.
#[derive(Debug)]
pub(crate) struct Row {
    /// All columns but curl's, as the file has them.
    said: String,
    curl: String,
}

/// Whether the files are to be written, with what curl says.
pub(crate) fn writes() -> bool {
    env::var_os(WRITES).is_some()
}

impl Row {
    /// A case that curl cannot be asked about.
    pub(crate) fn new(case: &str, result: &CheckResult) -> Self {
        let outcome = result.reason.map_or(Outcome::Up, Reason::outcome);
        let reason = result.reason.map_or("", Reason::as_str);
        let status = result.measured.status.map(|status| status.to_string());
        let status = status.unwrap_or_default();
        let text = cell(&without_ports(detail(result)));
        Self {
            said: format!(
                "| {} | {outcome} | {reason} | {status} | {text} |",
                cell(case)
            ),
            curl: NOT_ASKED.to_owned(),
        }
    }

    /// The same, after curl was asked if the files are to be written; `serve` starts a server as the check's, and
    /// makes the task. `authority` is the certificate, in PEM, that curl trusts.
    pub(crate) fn and_curl<S>(
        mut self,
        authority: Option<&str>,
        serve: impl FnOnce() -> (S, Task),
    ) -> Self {
        if writes() {
            let (server, task) = serve();
            self.curl = cell(&without_ports(&curl::ask(&task, authority)));
            drop(server);
        }
        self
    }
}

impl Table {
    /// The table of this name.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, rows: vec![] }
    }

    /// Makes a check of a server that `serve` starts, and notes what it says; see [`Row::and_curl`].
    pub(crate) fn check<S>(
        &mut self,
        case: &str,
        (prober, authority): (&Prober, Option<&str>),
        serve: impl Fn() -> (S, Task),
    ) -> Watched {
        let (server, task) = serve();
        let watched = prober.watch(&task, STARTED);
        drop(server);
        let row = Row::new(case, &watched.result);
        self.rows.push(row.and_curl(authority, serve));
        watched
    }

    /// Notes a row.
    pub(crate) fn note(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Compares all with the file, or writes it.
    pub(crate) fn finish(self) {
        let name = format!("tests/probe/tables/{}.md", self.name);
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(&name);
        if writes() {
            return fs::write(file, self.text()).unwrap();
        }
        let known = fs::read_to_string(file).unwrap_or_default();
        let known: Vec<_> = known.lines().filter_map(said).collect();
        let found: Vec<_> = self.rows.iter().map(|row| row.said.as_str()).collect();
        let is_missing = |lines: &[&str], line: &&&str| !lines.contains(*line);
        let gone = known.iter().filter(|line| is_missing(&found, line));
        let new = found.iter().filter(|line| is_missing(&known, line));
        let gone = gone.map(|line| format!("- {line}"));
        let differences: Vec<_> = gone.chain(new.map(|line| format!("+ {line}"))).collect();
        assert!(
            known == found,
            "{name} says something else (dev/curl-column writes it):\n{}",
            differences.join("\n")
        );
    }

    /// The file.
    fn text(&self) -> String {
        let mut text = format!(
            "# What webmon says, and curl: {}\n\nWritten by `dev/curl-column`.\n\n\
             | case | outcome | reason | status | text | curl |\n|---|---|---|---|---|---|\n",
            self.name
        );
        for Row { said, curl } in &self.rows {
            writeln!(text, "{said} {curl} |").unwrap();
        }
        text
    }
}

/// A line of a file without its last column; `None` for what is no row.
fn said(line: &str) -> Option<&str> {
    let row = line.strip_suffix(" |")?;
    let end = row.rfind(" | ")? + " |".len();
    row.get(..end).filter(|said| !said.starts_with("| case |"))
}

/// A text as a cell has it: one line, in which nothing is the end of the cell.
fn cell(text: &str) -> String {
    let harmless = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().map(harmless).collect();
    text.replace('|', "¦").replace('<', "&lt;")
}

/// A text with `PORT` where the system chose one: five digits after a colon.
fn without_ports(text: &str) -> String {
    let mut parts = text.split(':');
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        if part.len() - rest.len() == 5 {
            write!(shown, ":PORT{rest}").unwrap();
        } else {
            write!(shown, ":{part}").unwrap();
        }
    }
    shown
}

#[test]
fn a_row_is_compared_without_what_curl_says() {
    let line = "| a case | down | reset | 200 | body: no ¦ here | 200 and 5 bytes |";
    let compared = "| a case | down | reset | 200 | body: no ¦ here |";
    assert_eq!(said(line), Some(compared));
    for other in [
        "",
        "# A title",
        "| case | outcome | reason | status | text | curl |",
    ] {
        assert_eq!(said(other), None, "{other}");
    }
    assert_eq!(cell("a|b\nc<d"), "a¦b c&lt;d");
    let ports = without_ports("http://127.0.0.1:40123/a: at 12:30, [::1]:65535");
    assert_eq!(ports, "http://127.0.0.1:PORT/a: at 12:30, [::1]:PORT");
}

//! What the machine's curl says of a server: its status and the bytes of its body, and curl's own complaint.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, thread};

use contract::task::Task;
use probe::show::Report;
use serde_json::Value;

use crate::{STARTED, prober};

/// The most bytes of a body that are counted: some have no end.
const COUNTED: u64 = 1 << 20;
/// The report of curl: the status, the exit code, and what went wrong.
const REPORT: &str =
    "--no-include --no-show-error --write-out '%{stderr}%{http_code} %{exitcode} %{errormsg}'";

/// Asks what a check asks, by the command that webmon shows to people.
pub(super) fn ask(task: &Task, authority: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let options: Value = serde_json::from_str(task.request.get()).unwrap_or_default();
    let tls = &options["tls"];
    for (name, pem) in [
        ("ca.pem", tls["ca"].as_str()),
        ("certificate.pem", tls["certificate"].as_str()),
        ("authority.pem", authority),
    ] {
        if let Some(pem) = pem {
            fs::write(folder.path().join(name), pem).unwrap();
        }
    }
    let trusts = authority.map_or("", |_| "--cacert authority.pem");
    match shown(task) {
        Some(command) => run(&format!("{command} {REPORT} {trusts}"), folder.path()),
        None => super::NOT_ASKED.to_owned(),
    }
}

/// The command that webmon shows; none for a site that makes no sense.
fn shown(task: &Task) -> Option<String> {
    // the check that is shown beside it, which asks for nothing
    let senseless = Task {
        url: String::new(),
        ..task.clone()
    };
    let watched = prober().watch(&senseless, STARTED);
    let report = Report::new(task, &watched).json().unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    report["curl"].as_str().map(str::to_owned)
}

/// Runs the command; what it says.
fn run(command: &str, folder: &Path) -> String {
    let mut child = Command::new("bash")
        .args(["-c", command])
        .current_dir(folder)
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let body = child.stdout.take().unwrap();
    let counting = thread::spawn(move || {
        let mut bytes = Vec::new();
        body.take(COUNTED).read_to_end(&mut bytes).unwrap();
        bytes.len()
    });
    let output = child.wait_with_output().unwrap();
    let bytes = counting.join().unwrap();
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut words = report.trim().splitn(3, ' ');
    let status = words.next().unwrap_or_default();
    let exit = words.next().unwrap_or_default();
    let complaint = words.next().unwrap_or_default();
    let answer = match status {
        "000" => "no answer".to_owned(),
        _ => format!("{status}, {bytes} bytes"),
    };
    match exit {
        "0" => answer,
        // it could not write what is not counted
        "23" if bytes as u64 == COUNTED => format!("{answer} and more"),
        _ => format!("{answer}; ({exit}) {complaint}"),
    }
}

//! A small trial of rows that need everything: the servers, webmon's programs, parts and targets.
//!
//! Webmon's programs are built before it: `cargo build --workspace`.

use std::process::{Command, Stdio};

use testbed::Calm;

#[tokio::test]
async fn a_small_trial_prints_a_line_for_each_row() {
    let _calm = Calm::hold().await;
    let bench = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["rows", "--quick", "recorder", "lateness"])
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&bench.stdout);
    let log = String::from_utf8_lossy(&bench.stderr);
    assert!(bench.status.success(), "{said}\n{log}");
    for text in [
        "| what ",
        "| results recorded ",
        "| bare INSERT ",
        "| start lateness at 200 checks/s, p99 ",
    ] {
        assert!(said.contains(text), "no {text:?} in\n{said}\n{log}");
    }
}

//! What `runtime::shutdown` promises.

use std::process::ExitCode;
use std::time::Duration;

use color_eyre::eyre::{self, WrapErr as _, eyre};
use runtime::shutdown::{Stages, Usage, exit_code, on_signals};
use tokio_util::sync::CancellationToken;

/// More than any of these tests takes.
const LONG: Duration = Duration::from_secs(30);

/// What a service says when it ends, with all its causes, in one line.
async fn said(service: impl Future<Output = eyre::Result<()>>) -> String {
    match tokio::time::timeout(LONG, service).await {
        Ok(Ok(())) => "ok".to_owned(),
        Ok(Err(report)) => format!("{report:#}"),
        Err(_) => "still running".to_owned(),
    }
}

/// A service with a stage that works until it is asked to stop.
fn with_worker(shutdown: &CancellationToken) -> Stages {
    let mut stages = Stages::new(shutdown);
    let stop = stages.stop();
    stages.spawn("worker", async move {
        stop.cancelled().await;
        Ok(())
    });
    stages
}

#[tokio::test]
async fn stages_that_end_when_asked_are_a_success() {
    let shutdown = CancellationToken::new();
    let mut stages = with_worker(&shutdown);
    let (sender, receiver) = std::sync::mpsc::sync_channel::<()>(1);
    let stop = stages.stop();
    stages.spawn("closer", async move {
        stop.cancelled().await;
        drop(sender);
        Ok(())
    });
    stages
        .thread("blocked", move || {
            assert!(receiver.recv().is_err());
            Ok(())
        })
        .unwrap();
    shutdown.cancel();
    assert_eq!(said(stages.run(LONG)).await, "ok");
}

#[tokio::test]
async fn a_stage_that_ends_early_stops_the_others_and_is_named() {
    let shutdown = CancellationToken::new();
    let mut stages = with_worker(&shutdown);
    stages.spawn("intake", async { Ok(()) });
    assert_eq!(
        said(stages.run(LONG)).await,
        "stage intake ended before it was asked to"
    );
    assert!(
        !shutdown.is_cancelled(),
        "other services of the process are not this one's to stop"
    );
}

#[tokio::test]
async fn a_stage_that_fails_is_named_with_its_cause() {
    let mut stages = with_worker(&CancellationToken::new());
    stages.spawn("turns", async {
        Err(eyre!("no such table")).wrap_err("claim shards")
    });
    assert_eq!(
        said(stages.run(LONG)).await,
        "stage turns failed: claim shards: no such table"
    );
}

#[tokio::test]
async fn a_task_that_panics_is_named() {
    let mut stages = with_worker(&CancellationToken::new());
    stages.spawn("record", async { panic!("index {} out of range", 7) });
    assert_eq!(
        said(stages.run(LONG)).await,
        "stage record failed: panicked: index 7 out of range"
    );
}

#[tokio::test]
async fn a_thread_that_panics_or_fails_is_named() {
    let mut stages = with_worker(&CancellationToken::new());
    stages.thread("intake", || panic!("boom")).unwrap();
    assert_eq!(
        said(stages.run(LONG)).await,
        "stage intake failed: panicked: boom"
    );

    let mut stages = with_worker(&CancellationToken::new());
    stages
        .thread("intake", || Err(eyre!("group is gone")))
        .unwrap();
    assert_eq!(
        said(stages.run(LONG)).await,
        "stage intake failed: group is gone"
    );
}

#[tokio::test]
async fn a_stage_that_fails_while_stopping_is_a_failure() {
    let shutdown = CancellationToken::new();
    let mut stages = with_worker(&shutdown);
    let stop = stages.stop();
    stages.spawn("record", async move {
        stop.cancelled().await;
        Err(eyre!("4 results not recorded"))
    });
    shutdown.cancel();
    assert_eq!(
        said(stages.run(LONG)).await,
        "stage record failed: 4 results not recorded"
    );
}

#[tokio::test]
async fn stages_that_do_not_stop_in_time_are_named() {
    let shutdown = CancellationToken::new();
    let mut stages = with_worker(&shutdown);
    stages.spawn("lanes", std::future::pending());
    stages.spawn("record", std::future::pending());
    shutdown.cancel();
    let message = said(stages.run(Duration::from_millis(50))).await;
    assert_eq!(message, "not stopped within 50ms: lanes, record");
}

#[tokio::test]
async fn the_first_failure_is_told_even_when_the_rest_does_not_stop() {
    let mut stages = Stages::new(&CancellationToken::new());
    stages.spawn("lanes", std::future::pending());
    stages.spawn("turns", async { Err(eyre!("no such table")) });
    let message = said(stages.run(Duration::from_millis(50))).await;
    assert_eq!(message, "stage turns failed: no such table");
}

#[test]
fn bad_usage_has_an_exit_code_of_its_own() {
    let code = |result: eyre::Result<()>| format!("{:?}", exit_code(&result));
    assert_eq!(code(Ok(())), format!("{:?}", ExitCode::SUCCESS));
    assert_eq!(code(Err(eyre!("away"))), format!("{:?}", ExitCode::from(1)));
    let usage = || Err(Usage("horizon: 1h is too long".to_owned()).into());
    assert_eq!(code(usage()), format!("{:?}", ExitCode::from(2)));
    let wrapped = usage().wrap_err("read config.yaml").wrap_err("start");
    assert_eq!(code(wrapped), format!("{:?}", ExitCode::from(2)));
}

/// Sends this process a signal, as a person at a terminal would.
#[cfg(test)]
async fn send(signal: &str) {
    let pid = std::process::id().to_string();
    let sent = tokio::process::Command::new("kill")
        .args(["-s", signal, &pid])
        .status()
        .await;
    assert!(sent.unwrap().success());
}

#[tokio::test]
async fn the_first_signal_stops_and_the_second_aborts() {
    let signals = on_signals().unwrap();
    send("TERM").await;
    tokio::time::timeout(LONG, signals.stop.cancelled())
        .await
        .unwrap();
    assert!(!signals.abort.is_cancelled());
    send("INT").await;
    tokio::time::timeout(LONG, signals.abort.cancelled())
        .await
        .unwrap();
}

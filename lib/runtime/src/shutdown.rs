//! How a service ends: by signal, or because one of its stages did.
//!
//! The first SIGINT or SIGTERM asks for a clean stop, the second ends the process at once. SIGHUP has a service
//! read its configuration again; to a program on a terminal it says that the terminal is gone, and stops it. A
//! stage that ends before it was asked to takes the service down, and the error names the stage.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use color_eyre::eyre::{self, WrapErr as _, eyre};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::reload::HangUps;

/// Bad usage or a bad configuration: the process ends with 2 instead of 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The exit code of a result: 0, 2 for [`Usage`] anywhere in the chain, else 1.
pub fn exit_code(result: &eyre::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) if report.chain().any(<dyn std::error::Error>::is::<Usage>) => {
            ExitCode::from(2)
        }
        Err(_) => ExitCode::FAILURE,
    }
}

/// What the signals ask for. Listening ends when this is dropped.
#[derive(Debug)]
pub struct Signals {
    /// Cancelled by the first SIGINT or SIGTERM: stop cleanly.
    pub stop: CancellationToken,
    /// Cancelled by the second one: `main` returns at once, with exit code 1.
    pub abort: CancellationToken,
    /// Where SIGHUP asks a service for its configuration to be read again.
    pub hang_ups: HangUps,
    /// The listening task; dropping the set ends it.
    _listener: JoinSet<()>,
}

/// Listens from here on for the signals of a service: SIGINT and SIGTERM, and SIGHUP, which stops nothing.
pub fn on_signals() -> io::Result<Signals> {
    let hang_up = signal(SignalKind::hangup())?;
    let reload = |hang_ups: &HangUps, _: &CancellationToken| hang_ups.ask();
    start_listening(Some(hang_up), reload)
}

/// Listens from here on for the signals of a program on a terminal. SIGHUP stops it as SIGTERM does, unless the
/// program was started with SIGHUP ignored, as by `nohup`. A shell and the kernel both send one when a terminal
/// is closed, so further ones end nothing at once.
pub fn on_signals_of_a_terminal() -> io::Result<Signals> {
    let hang_up = if ignores_hang_ups() {
        None
    } else {
        Some(signal(SignalKind::hangup())?)
    };
    start_listening(hang_up, |_, stop| ask_to_stop("SIGHUP", stop))
}

/// Listens for two signals to stop, and for hang-ups until then.
fn start_listening(
    hang_up: Option<Signal>,
    meaning: fn(&HangUps, &CancellationToken),
) -> io::Result<Signals> {
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let hang_ups = HangUps::default();
    let interrupt = signal(SignalKind::interrupt())?;
    let terminate = signal(SignalKind::terminate())?;
    let mut listener = JoinSet::new();
    listener.spawn(listen(interrupt, terminate, stop.clone(), abort.clone()));
    if let Some(mut hang_up) = hang_up {
        let (stop, hang_ups) = (stop.clone(), hang_ups.clone());
        listener.spawn(async move {
            while hang_up.recv().await.is_some() {
                meaning(&hang_ups, &stop);
            }
        });
    }
    Ok(Signals {
        stop,
        abort,
        hang_ups,
        _listener: listener,
    })
}

/// Waits for two signals.
async fn listen(
    mut interrupt: Signal,
    mut terminate: Signal,
    stop: CancellationToken,
    abort: CancellationToken,
) {
    for token in [stop, abort] {
        let name = tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        };
        ask_to_stop(name, &token);
    }
}

/// Asks for a stop, once.
fn ask_to_stop(signal: &str, token: &CancellationToken) {
    if !token.is_cancelled() {
        tracing::info!(signal, "asked to stop");
        token.cancel();
    }
}

/// Whether this process was started with SIGHUP ignored; Linux says so.
fn ignores_hang_ups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is signal 1, the lowest bit.
    ignored.is_some_and(|mask| mask & 1 == 1)
}

/// The stages of a service, each a task or a thread with a name.
#[derive(Debug)]
pub struct Stages {
    /// Cancelled when the service is asked to stop, or one of its stages ended early.
    stop: CancellationToken,
    /// The stages; a thread is here as the task that awaits it.
    set: JoinSet<eyre::Result<()>>,
    /// Those that have not ended.
    running: BTreeMap<Id, &'static str>,
}

impl Stages {
    /// No stages yet; they are asked to stop when `shutdown` is cancelled.
    pub fn new(shutdown: &CancellationToken) -> Self {
        Self {
            stop: shutdown.child_token(),
            set: JoinSet::new(),
            running: BTreeMap::new(),
        }
    }

    /// What the stages watch: cancelled at shutdown, and when one of them ended early.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a stage that is a task.
    pub fn spawn<F>(&mut self, name: &'static str, stage: F)
    where
        F: Future<Output = eyre::Result<()>> + Send + 'static,
    {
        let id = self.set.spawn(stage).id();
        self.running.insert(id, name);
    }

    /// Starts a stage that needs a thread of its own, because it blocks.
    pub fn thread<F>(&mut self, name: &'static str, stage: F) -> io::Result<()>
    where
        F: FnOnce() -> eyre::Result<()> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                // The receiver is gone only after the deadline: the result is not needed any more.
                drop(sender.send(stage()));
            })?;
        self.spawn(name, async move {
            match receiver.await {
                Ok(result) => result,
                // The sender went without a word: the thread panicked, and its end is at hand.
                Err(_) => match thread.join() {
                    Err(panic) => Err(eyre!("panicked: {}", panic_message(panic.as_ref()))),
                    Ok(()) => Err(eyre!("ended without a result")),
                },
            }
        });
        Ok(())
    }

    /// Runs until all stages have ended, at most `deadline` after the stop.
    ///
    /// The error is the first failure, or names the stage that ended before the stop, or those that
    /// had not ended at the deadline: tasks are then aborted, threads end with the process.
    pub async fn run(mut self, deadline: Duration) -> eyre::Result<()> {
        let mut outcome = Ok(());
        let stop = self.stop.clone();
        let late = async {
            stop.cancelled().await;
            sleep_until(Instant::now() + deadline).await;
        };
        tokio::pin!(late);
        loop {
            let ended = tokio::select! {
                ended = self.set.join_next_with_id() => ended,
                () = &mut late => return outcome.and(Err(self.too_late(deadline))),
            };
            let Some(ended) = ended else { return outcome };
            let failure = self.outcome_of(ended);
            self.stop.cancel();
            outcome = outcome.and(failure);
        }
    }

    /// The failure that the end of a stage is, if it is one.
    fn outcome_of(&mut self, ended: Result<(Id, eyre::Result<()>), JoinError>) -> eyre::Result<()> {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(join_error(error))),
        };
        let name = self.running.remove(&id).unwrap_or("unknown");
        let early = !self.stop.is_cancelled();
        match result {
            Ok(()) if early => Err(eyre!("stage {name} ended before it was asked to")),
            Ok(()) => {
                tracing::debug!(stage = name, "stage ended");
                Ok(())
            }
            Err(error) => Err(error).wrap_err_with(|| format!("stage {name} failed")),
        }
    }

    /// The error when the deadline passed.
    fn too_late(&self, deadline: Duration) -> eyre::Report {
        let names: Vec<_> = self.running.values().copied().collect();
        let deadline = humantime::format_duration(deadline);
        eyre!("not stopped within {deadline}: {}", names.join(", "))
    }
}

/// Why a task did not return.
fn join_error(error: JoinError) -> eyre::Report {
    match error.try_into_panic() {
        Ok(panic) => eyre!("panicked: {}", panic_message(panic.as_ref())),
        Err(error) => eyre!("{error}"),
    }
}

/// What a panic said.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "no message",
    }
}

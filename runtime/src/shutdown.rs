//! How a service ends: by signal, or because one of its stages did.
//!
//! The first SIGINT or SIGTERM asks for a clean stop, the second ends the process at once. A stage
//! that ends before it was asked to takes the service down, and the error names the stage.

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
    /// The listening task; dropping the set ends it.
    _listener: JoinSet<()>,
}

/// Listens for SIGINT and SIGTERM from here on.
pub fn on_signals() -> io::Result<Signals> {
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let interrupt = signal(SignalKind::interrupt())?;
    let terminate = signal(SignalKind::terminate())?;
    let mut listener = JoinSet::new();
    listener.spawn(listen(interrupt, terminate, stop.clone(), abort.clone()));
    Ok(Signals {
        stop,
        abort,
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
        if token.is_cancelled() {
            continue;
        }
        tracing::info!(signal = name, "asked to stop");
        token.cancel();
    }
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
                // The receiver is gone only after the deadline, when nobody asks any more.
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
            let failure = self.judge(ended);
            self.stop.cancel();
            outcome = outcome.and(failure);
        }
    }

    /// Whether the end of a stage is a failure.
    fn judge(&mut self, ended: Result<(Id, eyre::Result<()>), JoinError>) -> eyre::Result<()> {
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

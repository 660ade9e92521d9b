//! What becomes of ticks that fail, and of the status of a task.

use color_eyre::eyre::eyre;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::*;

/// A task whose ticks give the results that it is handed, and whose pauses tell that they begin.
struct Scripted {
    results: Receiver<Result<(), Failure>>,
    pauses: Sender<()>,
}

impl Task for Scripted {
    const NAME: &'static str = "scripted";
    const PERIOD: Duration = Duration::from_millis(1);

    async fn tick(&mut self) -> Result<(), Failure> {
        self.results.recv().await.unwrap()
    }

    async fn between(&mut self) -> Infallible {
        self.pauses.send(()).await.unwrap();
        pending().await
    }
}

/// A task that is repeated after a period each, what its ticks take, and where it tells of its pauses.
fn scripted() -> (
    Periodic<Scripted>,
    Sender<Result<(), Failure>>,
    Receiver<()>,
) {
    let ((results, taken), (pauses, told)) = (channel(1), channel(1));
    let task = Scripted {
        results: taken,
        pauses,
    };
    let failures = Failures::outage("PostgreSQL");
    (Periodic::after_a_period(task, failures), results, told)
}

#[tokio::test]
async fn a_tick_that_fails_is_made_again_and_the_last_success_is_told() {
    let (periodic, results, mut pauses) = scripted();
    let (statuses, stop) = (Statuses::default(), CancellationToken::new());
    let running = tokio::spawn(periodic.run(statuses.clone(), stop.clone()));
    pauses.recv().await.unwrap();
    assert!(statuses.of("scripted").get().abs() < 0.5);
    for result in [Err(eyre!("away").into()), Ok(())] {
        results.send(result).await.unwrap();
        pauses.recv().await.unwrap();
    }
    assert!(statuses.of("scripted").get() > 1.7e9);
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_lasting_failure_ends_the_task() {
    let (periodic, results, _pauses) = scripted();
    let lasting = Failure::Lasting(eyre!("another database"));
    results.send(Err(lasting)).await.unwrap();
    let ended = periodic.run(Statuses::default(), CancellationToken::new());
    assert_eq!(ended.await.unwrap_err().to_string(), "another database");
}

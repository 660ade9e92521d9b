//! What becomes of ticks that fail, and of the status of a task.

use color_eyre::eyre::eyre;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::*;

/// A task whose ticks tell that they begin, and give the results that it is handed.
struct Scripted {
    results: Receiver<Result<(), Failure>>,
    begun: Sender<()>,
}

impl Task for Scripted {
    const NAME: &'static str = "scripted";
    const PERIOD: Duration = Duration::from_millis(1);

    async fn tick(&mut self) -> Result<(), Failure> {
        self.begun.send(()).await.unwrap();
        self.results.recv().await.unwrap()
    }
}

/// A task that is repeated after a period each, what its ticks take, and where they tell that they begin.
fn scripted() -> (
    Periodic<Scripted>,
    Sender<Result<(), Failure>>,
    Receiver<()>,
) {
    let ((results, taken), (begun, told)) = (channel(1), channel(1));
    let task = Scripted {
        results: taken,
        begun,
    };
    let failures = Failures::outage("PostgreSQL");
    (Periodic::after_a_period(task, failures), results, told)
}

#[tokio::test]
async fn a_tick_that_fails_is_made_again_and_the_last_success_is_told() {
    let (periodic, results, mut begun) = scripted();
    let (statuses, stop) = (Statuses::default(), CancellationToken::new());
    let running = tokio::spawn(periodic.run(statuses.clone(), stop.clone()));
    begun.recv().await.unwrap();
    assert!(statuses.of("scripted").get().abs() < 0.5);
    for result in [Err(eyre!("away").into()), Ok(())] {
        results.send(result).await.unwrap();
        // The next tick has begun: this one's result has been noted.
        begun.recv().await.unwrap();
    }
    assert!(statuses.of("scripted").get() > 1.7e9);
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_lasting_failure_ends_the_task() {
    let (periodic, results, _begun) = scripted();
    let lasting = Failure::Lasting(eyre!("another database"));
    results.send(Err(lasting)).await.unwrap();
    let ended = periodic.run(Statuses::default(), CancellationToken::new());
    assert_eq!(ended.await.unwrap_err().to_string(), "another database");
}

//! Waiting for what must come, with a deadline and a name.

use std::time::{Duration, Instant};

/// The least time between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until there is an answer; fails the test, naming `what`, when there is none in time.
pub async fn eventually<T>(
    deadline: Duration,
    what: &str,
    mut question: impl AsyncFnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + deadline;
    loop {
        let asked = Instant::now();
        if let Some(answer) = question().await {
            return answer;
        }
        assert!(Instant::now() < end, "not within {deadline:?}: {what}");
        // A question that costs much is asked less often.
        tokio::time::sleep(PAUSE.max(asked.elapsed())).await;
    }
}

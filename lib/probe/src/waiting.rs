//! How long a check waits for other checks of this process: for a core, or for what another lane compiles.
//!
//! A check may wait so for as long as it may take itself, all such waits together. One that waits longer says
//! nothing about its site: it is this checker that has too much to do.

use std::time::{Duration, Instant};

use contract::outcome::Reason;

use crate::fault::Fault;

/// The time that a check may still wait for others.
#[derive(Debug)]
pub(super) struct WaitingTime {
    /// All of it.
    limit: Duration,
    /// What is left of it.
    left: Duration,
}

impl WaitingTime {
    /// Of a check that may take so long.
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, left: limit }
    }

    /// Waits for something; `wait` is told how long at most, and gives `None` when that time is over.
    pub(super) fn wait<T>(&mut self, wait: impl FnOnce(Duration) -> Option<T>) -> Result<T, Fault> {
        let began = Instant::now();
        let waited = wait(self.left);
        self.left = self.left.saturating_sub(began.elapsed());
        waited.ok_or_else(|| self.too_long())
    }

    /// The check has waited too long.
    pub(super) fn too_long(&self) -> Fault {
        let millis = self.limit.as_millis();
        let message =
            format!("this checker was busy with the expectations of other sites for {millis} ms");
        Fault::at("expect", Reason::LocalResources, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_waits_of_a_check_together_last_no_longer_than_it_may_take() {
        let mut waiting = WaitingTime::new(Duration::from_mins(1));
        let mut told = Vec::new();
        for _ in 0..2 {
            let waited = waiting.wait(|most| {
                told.push(most);
                // time passes for certain
                let began = Instant::now();
                while began.elapsed().is_zero() {}
                Some(())
            });
            assert_eq!(waited, Ok(()));
        }
        assert_eq!(told[0], Duration::from_mins(1));
        assert!(told[1] < told[0], "{told:?}");
        let fault = waiting.wait(|_| None::<()>).unwrap_err();
        assert_eq!(fault.reason, Reason::LocalResources);
        assert!(fault.message.ends_with("for 60000 ms"), "{fault}");
    }
}

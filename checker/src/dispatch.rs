//! Dispatch: the thread between the hold and the lanes.
//!
//! It first waits for a thread that can take a task, then for a task that is due, so that a task stays
//! in the hold, where it is counted and can expire, until it really starts.

use crate::{
    hold::{Held, Hold, Next},
    lanes::Lanes,
    record::Results,
};

/// Hands out tasks until the hold is closed.
pub(crate) fn run(hold: &Hold, lanes: &Lanes, results: &Results) {
    while let Some(seat) = lanes.seat() {
        match next_due(hold, results) {
            Some(task) => seat.give(task),
            None => break,
        }
    }
}

/// Waits for a task that is due and has not expired; `None` when the hold is closed.
fn next_due(hold: &Hold, results: &Results) -> Option<Box<Held>> {
    loop {
        match hold.next() {
            Next::Due(task) => return Some(task),
            Next::Expired(task) => results.put(task.expired()),
            Next::Closed => return None,
        }
    }
}

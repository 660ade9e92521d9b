//! Waits for sockets that end on time, to a few milliseconds.
//!
//! The kernel ends such a wait late. A socket's own timeout is a timer of its wheel, which is late by up to an eighth
//! of its time and some ticks (`kernel/time/timer.c`). `poll` has exact timers, but may let one wait for the next
//! interrupt: by up to a thousandth of its time, or a two-hundredth in a process of low priority
//! (`select_estimate_accuracy` in `fs/select.c`). So a wait of either kind ends before its time, and what is left is
//! polled. A socket that has news in time pays nothing for it.

use std::time::Duration;

use rustix::event::{PollFd, Timespec};
use rustix::io::Errno;

/// A poll that is late by a two-hundredth of this is on time.
const POLLED_AT_ONCE: Duration = Duration::from_millis(500);
/// This part of a longer time is polled last; it is more than `poll` may be late.
const LAST_PART: u32 = 128;
/// With less time than this a socket does not block by its own timeout.
const BLOCKED_LEAST: Duration = Duration::from_millis(64);
/// The ticks of the kernel's clock by which a timer is late in any case: two, at the lowest rate.
const TICKS: Duration = Duration::from_millis(20);

/// Polls for so long at most. It may end before, and without news: the caller looks at its clock and polls again.
pub(crate) fn poll(sockets: &mut [PollFd<'_>], time: Duration) -> Result<(), Errno> {
    let time = Timespec::try_from(polled(time)).ok();
    rustix::event::poll(sockets, time.as_ref()).map(drop)
}

/// For how long to poll when so much time is left.
fn polled(left: Duration) -> Duration {
    if left > POLLED_AT_ONCE {
        left.saturating_sub(left / LAST_PART)
    } else {
        left
    }
}

/// For how long a socket should block by its own timeout when so much time is left: half of it, so that the socket
/// need not be told again at each read. `None` when so little is left that it should be polled.
pub(crate) fn blocked(left: Duration) -> Option<Duration> {
    (left >= BLOCKED_LEAST).then(|| left / 2)
}

/// Whether a socket that blocks for `time` ends that before `left` is over, however late the kernel is.
pub(crate) fn is_over_before(time: Duration, left: Duration) -> bool {
    time + time / 8 + TICKS <= left
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_wait_ends_before_its_time_however_late_the_kernel_is(micros in 1_u64..700_000_000) {
            let left = Duration::from_micros(micros);
            if let Some(time) = blocked(left) {
                let late = time / 8 + Duration::from_millis(20);
                prop_assert!(time + late <= left, "{time:?}");
                prop_assert!(is_over_before(time, left));
                prop_assert!(!is_over_before(time, time + time / 8));
            }
            let late = polled(left) / 200;
            let most = if left > POLLED_AT_ONCE { left } else { left + POLLED_AT_ONCE / 200 };
            prop_assert!(polled(left) + late <= most);
        }

        #[test]
        fn few_polls_make_a_wait(micros in 1_u64..700_000_000) {
            let mut left = Duration::from_micros(micros);
            let mut polls = 0;
            while !left.is_zero() {
                left -= polled(left);
                polls += 1;
            }
            prop_assert!(polls <= 4, "{polls}");
        }
    }
}

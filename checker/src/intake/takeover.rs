//! Takeover: a checker that loses a partition goes on with its tasks for two seconds; another one usually has them by
//! then.
//!
//! Between a revocation and the next assignment lie a heartbeat of every member and a round of the group, a
//! second and more. If no checker checked what is due meanwhile, a site of a short interval would miss
//! checks at every restart. So the tasks that were read before the revocation stay good for that time. What both
//! have checked is one row, and the one that lost the partition commits nothing of it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use runtime::broker::Broker;
use stream::subscription::TAKEOVER_TIME;

/// How long a checker that stops goes on with its tasks: a part of its time for the stop. Beside an embedded broker
/// there is no other checker that takes them over.
pub(crate) fn time_at_the_end(drain: Duration, broker: &Broker) -> Duration {
    match broker {
        Broker::Embedded(_) => Duration::ZERO,
        Broker::Cluster => TAKEOVER_TIME.min(drain / 4),
    }
}

/// The assignments whose tasks are checked.
#[derive(Debug, Default)]
pub(super) struct Takeover {
    /// The partitions of now, and their assignments.
    own: BTreeMap<i32, u64>,
    /// Those that were lost, their assignments, and until when these are good.
    lost: BTreeMap<i32, (u64, Instant)>,
}

impl Takeover {
    /// Applies what has changed by `now`: new assignments, or that it is time to let go of lost ones. The
    /// assignments whose tasks are checked from now on, if that makes a difference.
    pub(super) fn apply(
        &mut self,
        changed: Option<BTreeMap<i32, u64>>,
        now: Instant,
    ) -> Option<BTreeMap<i32, u64>> {
        let lost = self.lost.len();
        self.lost.retain(|_, (_, until)| *until > now);
        let mut differs = self.lost.len() < lost;
        if let Some(own) = changed {
            differs = true;
            for (partition, assignment) in std::mem::replace(&mut self.own, own) {
                self.lost
                    .insert(partition, (assignment, now + TAKEOVER_TIME));
            }
            self.lost
                .retain(|partition, _| !self.own.contains_key(partition));
        }
        differs.then(|| {
            let lost = self.lost.iter();
            let mut checked: BTreeMap<_, _> = lost
                .map(|(partition, (assignment, _))| (*partition, *assignment))
                .collect();
            checked.extend(&self.own);
            checked
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is checked after a change at `at`.
    fn apply(takeover: &mut Takeover, own: &[(i32, u64)], at: Instant) -> Vec<(i32, u64)> {
        let own = own.iter().copied().collect();
        let checked = takeover.apply(Some(own), at).unwrap();
        checked.into_iter().collect()
    }

    #[test]
    fn a_lost_partition_is_checked_until_the_takeover_is_done() {
        let (mut takeover, start) = (Takeover::default(), Instant::now());
        assert_eq!(
            apply(&mut takeover, &[(0, 1), (1, 2)], start),
            [(0, 1), (1, 2)]
        );
        assert_eq!(apply(&mut takeover, &[(0, 1)], start), [(0, 1), (1, 2)]);
        let nearly = start + TAKEOVER_TIME.mul_f64(0.9);
        assert_eq!(takeover.apply(None, nearly), None);
        let done = takeover.apply(None, start + TAKEOVER_TIME);
        assert_eq!(done, Some(BTreeMap::from([(0, 1)])));
        assert_eq!(takeover.apply(None, start + TAKEOVER_TIME * 2), None);
    }

    #[test]
    fn a_partition_that_comes_back_is_read_anew_at_once() {
        let (mut takeover, start) = (Takeover::default(), Instant::now());
        apply(&mut takeover, &[(0, 1), (1, 2)], start);
        apply(&mut takeover, &[], start);
        assert_eq!(apply(&mut takeover, &[(1, 3)], start), [(0, 1), (1, 3)]);
        let done = takeover.apply(None, start + TAKEOVER_TIME);
        assert_eq!(done, Some(BTreeMap::from([(1, 3)])));
    }
}

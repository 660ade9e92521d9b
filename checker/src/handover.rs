//! Hand-over: whoever loses a partition goes on with its tasks until somebody else has them.
//!
//! Between a revocation and the next assignment lie a heartbeat of every member and a round of the group, a
//! second and more, in which nobody would check what is due; a site of a short interval would miss
//! checks at every restart. So the tasks that were read before the revocation stay good for a while. What both
//! have checked is one row, and nothing of it is committed by the one that lost the partition.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use runtime::broker::Broker;

/// How long a hand-over may take; about what the scheduler's tasks are ahead of their instants.
pub(crate) const LASTS: Duration = Duration::from_secs(2);

/// How long a checker that stops goes on with its tasks: a part of its time for the stop. Beside an embedded broker
/// there is no other checker that takes them over.
pub(crate) fn at_the_end(drain: Duration, broker: &Broker) -> Duration {
    match broker {
        Broker::Embedded(_) => Duration::ZERO,
        Broker::Cluster => LASTS.min(drain / 4),
    }
}

/// The assignments whose tasks are checked.
#[derive(Debug, Default)]
pub(crate) struct HandOver {
    /// The partitions of now, and their assignments.
    own: BTreeMap<i32, u64>,
    /// Those that were lost, their assignments, and until when these are good.
    lost: BTreeMap<i32, (u64, Instant)>,
}

impl HandOver {
    /// Applies what has changed by `now`: new assignments, or that it is time to let go of lost ones. The
    /// assignments whose tasks are checked from now on, if that makes a difference.
    pub(crate) fn apply(
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
                self.lost.insert(partition, (assignment, now + LASTS));
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
    fn apply(hand_over: &mut HandOver, own: &[(i32, u64)], at: Instant) -> Vec<(i32, u64)> {
        let own = own.iter().copied().collect();
        let checked = hand_over.apply(Some(own), at).unwrap();
        checked.into_iter().collect()
    }

    #[test]
    fn a_lost_partition_is_checked_until_the_hand_over_is_done() {
        let (mut hand_over, start) = (HandOver::default(), Instant::now());
        assert_eq!(
            apply(&mut hand_over, &[(0, 1), (1, 2)], start),
            [(0, 1), (1, 2)]
        );
        assert_eq!(apply(&mut hand_over, &[(0, 1)], start), [(0, 1), (1, 2)]);
        let nearly = start + LASTS.mul_f64(0.9);
        assert_eq!(hand_over.apply(None, nearly), None);
        let done = hand_over.apply(None, start + LASTS);
        assert_eq!(done, Some(BTreeMap::from([(0, 1)])));
        assert_eq!(hand_over.apply(None, start + LASTS * 2), None);
    }

    #[test]
    fn a_partition_that_comes_back_is_read_anew_at_once() {
        let (mut hand_over, start) = (HandOver::default(), Instant::now());
        apply(&mut hand_over, &[(0, 1), (1, 2)], start);
        apply(&mut hand_over, &[], start);
        assert_eq!(apply(&mut hand_over, &[(1, 3)], start), [(0, 1), (1, 3)]);
        let done = hand_over.apply(None, start + LASTS);
        assert_eq!(done, Some(BTreeMap::from([(1, 3)])));
    }
}

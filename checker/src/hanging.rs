//! Hanging sites: those whose last check ended in a timeout share a quarter of the slots.
//!
//! A site that hangs holds its slot for all of its timeout. Many of them, as when a hoster has gone, would
//! hold them all, and every other site would wait. Who hung last is remembered in a table of one size however
//! many sites there are: a byte per place, which knows one of the sites that fall on it, the last. Two sites
//! that hang and fall on one place forget each other, and then one of them gets a slot like any other site.

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU8, AtomicUsize, Ordering},
};

/// The places of the table, 16 bits of a hash.
const PLACES: usize = 1 << 16;
/// Sites that hung last get this part of the slots, one in so many.
const SHARE: usize = 4;

/// Who hung last, and how many of them are checked now.
pub(crate) struct Hanging {
    /// By 16 bits of a site's hash 8 others; 0 is nobody.
    table: Vec<AtomicU8>,
    /// Checks that are under way of sites that hung last.
    under_way: AtomicUsize,
    /// The most of them.
    most: AtomicUsize,
    /// Another one in each process: who is taken for another here is not so everywhere.
    hasher: RandomState,
}

/// A check that may be made.
#[derive(Debug)]
pub(crate) struct Admission<'h> {
    /// Where it counts.
    hanging: &'h Hanging,
    /// Whose it is.
    site: Mark,
    /// Whether it counts.
    counted: bool,
}

/// A site, as the table knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    /// Its place.
    place: usize,
    /// What the place holds if it hung last; not 0.
    byte: u8,
}

impl Mark {
    /// The mark of a site with this hash.
    fn of(hash: u64) -> Self {
        let [low, high, byte, ..] = hash.to_le_bytes();
        Self {
            place: usize::from(u16::from_le_bytes([low, high])),
            byte: byte.max(1),
        }
    }
}

impl Hanging {
    /// Nobody has hung yet; there are so many slots.
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            table: (0..PLACES).map(|_| AtomicU8::new(0)).collect(),
            under_way: AtomicUsize::new(0),
            most: AtomicUsize::new(slots / SHARE),
        }
    }

    /// There are so many slots from now on.
    pub(crate) fn share(&self, slots: usize) {
        self.most.store(slots / SHARE, Ordering::Relaxed);
    }

    /// Admits a check of a site, unless the site hung last and the share of such sites is in use.
    pub(crate) fn admit(&self, site_id: i64) -> Option<Admission<'_>> {
        let site = Mark::of(self.hasher.hash_one(site_id));
        let counted = self.place(site).load(Ordering::Relaxed) == site.byte;
        if counted {
            let most = self.most.load(Ordering::Relaxed);
            let enter = |under_way| (under_way < most).then_some(under_way + 1);
            self.under_way
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, enter)
                .ok()?;
        }
        Some(Admission {
            hanging: self,
            site,
            counted,
        })
    }

    /// A site's place.
    #[expect(clippy::indexing_slicing, reason = "16 bits always lie in the table")]
    fn place(&self, site: Mark) -> &AtomicU8 {
        &self.table[site.place]
    }
}

impl Admission<'_> {
    /// Notes how the check ended.
    pub(crate) fn ended(self, in_a_timeout: bool) {
        let place = self.hanging.place(self.site);
        if in_a_timeout {
            place.store(self.site.byte, Ordering::Relaxed);
        } else if self.counted {
            // unless another has taken the place meanwhile
            let forget = |byte| (byte == self.site.byte).then_some(0);
            let order = Ordering::Relaxed;
            let _forgotten = place.fetch_update(order, order, forget).is_ok();
        }
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.counted {
            self.hanging.under_way.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Hanging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hanging")
            .field("under_way", &self.under_way)
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many sites that do not share a place.
    fn apart(hanging: &Hanging, count: usize) -> Vec<i64> {
        let mut places = std::collections::BTreeSet::new();
        let alone = |id: &i64| places.insert(Mark::of(hanging.hasher.hash_one(id)).place);
        (1..).filter(alone).take(count).collect()
    }

    /// A site's check ends.
    fn end(hanging: &Hanging, site_id: i64, in_a_timeout: bool) {
        hanging.admit(site_id).unwrap().ended(in_a_timeout);
    }

    #[test]
    fn sites_that_hung_share_a_quarter_and_others_do_not_notice() {
        let hanging = Hanging::new(32);
        let sites = apart(&hanging, 109);
        let (hung, others) = sites.split_at(9);
        for id in hung {
            end(&hanging, *id, true);
        }
        let admitted = hung[..8].iter().map(|id| hanging.admit(*id).unwrap());
        let mut admitted: Vec<_> = admitted.collect();
        assert!(hanging.admit(hung[8]).is_none());
        assert!(others.iter().all(|id| hanging.admit(*id).is_some()));
        admitted.pop().unwrap().ended(true);
        let ninth = hanging.admit(hung[8]).unwrap();
        assert!(hanging.admit(hung[7]).is_none());
        drop(ninth);
        assert!(hanging.admit(hung[7]).is_some());
    }

    #[test]
    fn a_site_that_answers_again_is_like_any_other() {
        let hanging = Hanging::new(4);
        let sites = apart(&hanging, 2);
        let (one, two) = (sites[0], sites[1]);
        end(&hanging, one, true);
        end(&hanging, two, true);
        let first = hanging.admit(one).unwrap();
        assert!(hanging.admit(two).is_none());
        first.ended(false);
        assert_eq!(hanging.under_way.load(Ordering::Relaxed), 0);
        let _second = hanging.admit(two).unwrap();
        assert!(hanging.admit(one).is_some());
        assert!(hanging.admit(one).is_some());
    }

    #[test]
    fn sites_are_spread_over_the_table() {
        let hasher = RandomState::new();
        let marks: Vec<_> = (1..=5_000_i64)
            .map(|id| Mark::of(hasher.hash_one(id)))
            .collect();
        let places: std::collections::BTreeSet<_> = marks.iter().map(|mark| mark.place).collect();
        // 5,000 balls in 65,536 boxes fill 4,815 of them
        assert!(places.len() > 4_700, "{}", places.len());
        assert!(marks.iter().all(|mark| mark.byte != 0));
    }
}

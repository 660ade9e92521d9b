//! Sites that timed out: those whose last check ended in a timeout share a quarter of the slots.
//!
//! A site that hangs holds its slot for all of its timeout. Many of them, as when a hoster has gone, would
//! hold them all, and every other site would wait. So they get a compartment of their own: the bulkhead
//! pattern (Nygard, "Release It!", 2nd edition, chapter 5).
//!
//! Which sites timed out last is remembered in a table of one size however many sites there are. A place holds
//! one byte, a fingerprint of the last site that timed out of those that fall on it. Two sites that time out
//! and fall on one place forget each other, and then one of them gets a slot like any other site.

use contract::check::SiteId;
use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU8, AtomicUsize, Ordering},
};

/// The places of the table, 16 bits of a hash.
const PLACES: usize = 1 << 16;
/// Sites that timed out last get this part of the slots, one in so many.
const SHARE: usize = 4;

/// Which sites timed out last, and how many of them are checked now.
pub(crate) struct TimedOutSites {
    /// By 16 bits of a site's hash 8 others; 0 is no site.
    table: Vec<AtomicU8>,
    /// Checks that are under way of sites that timed out last.
    under_way: AtomicUsize,
    /// The most of them.
    most: AtomicUsize,
    /// Another one in each process: two sites that fall on one place here do not do so everywhere.
    hasher: RandomState,
}

/// A check that may be made.
#[derive(Debug)]
pub(crate) struct Admission<'s> {
    /// Where it counts.
    sites: &'s TimedOutSites,
    /// Whose it is.
    site: Fingerprint,
    /// Whether it counts.
    counted: bool,
}

/// A site, as the table knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fingerprint {
    /// Its place.
    place: usize,
    /// What the place holds if it timed out last; not 0.
    byte: u8,
}

impl Fingerprint {
    /// The fingerprint of a site with this hash.
    fn of(hash: u64) -> Self {
        let [low, high, byte, ..] = hash.to_le_bytes();
        Self {
            place: usize::from(u16::from_le_bytes([low, high])),
            byte: byte.max(1),
        }
    }
}

impl TimedOutSites {
    /// No site has timed out yet; there are so many slots.
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

    /// Admits a check of a site, unless the site timed out last and the share of such sites is in use.
    pub(crate) fn admit(&self, site_id: SiteId) -> Option<Admission<'_>> {
        let site = Fingerprint::of(self.hasher.hash_one(site_id));
        let counted = self.place(site).load(Ordering::Relaxed) == site.byte;
        if counted {
            let most = self.most.load(Ordering::Relaxed);
            let enter = |under_way| (under_way < most).then_some(under_way + 1);
            self.under_way
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, enter)
                .ok()?;
        }
        Some(Admission {
            sites: self,
            site,
            counted,
        })
    }

    /// A site's place.
    #[expect(clippy::indexing_slicing, reason = "16 bits always lie in the table")]
    fn place(&self, site: Fingerprint) -> &AtomicU8 {
        &self.table[site.place]
    }
}

impl Admission<'_> {
    /// Notes how the check ended.
    pub(crate) fn ended(self, in_a_timeout: bool) {
        let place = self.sites.place(self.site);
        if in_a_timeout {
            place.store(self.site.byte, Ordering::Relaxed);
        } else if self.counted {
            // unless another site has taken the place meanwhile
            let forget = |byte| (byte == self.site.byte).then_some(0);
            let order = Ordering::Relaxed;
            let _forgotten = place.fetch_update(order, order, forget).is_ok();
        }
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.counted {
            self.sites.under_way.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for TimedOutSites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimedOutSites")
            .field("under_way", &self.under_way)
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "timed_out_sites_tests.rs"]
mod tests;

//! How many slots sites that timed out may take, and when a site is free again.

use super::*;

/// So many sites that do not share a place.
fn apart(timed_out: &TimedOutSites, count: usize) -> Vec<i64> {
    let mut places = std::collections::BTreeSet::new();
    let alone = |id: &i64| places.insert(Fingerprint::of(timed_out.hasher.hash_one(id)).place);
    (1..).filter(alone).take(count).collect()
}

/// A site's check ends.
fn end(timed_out: &TimedOutSites, site_id: SiteId, in_a_timeout: bool) {
    timed_out.admit(site_id).unwrap().ended(in_a_timeout);
}

#[test]
fn sites_that_timed_out_share_a_quarter_and_others_do_not_notice() {
    let timed_out = TimedOutSites::new(32);
    let sites = apart(&timed_out, 109);
    let (hung, others) = sites.split_at(9);
    for id in hung {
        end(&timed_out, SiteId(*id), true);
    }
    let admitted = hung[..8]
        .iter()
        .map(|id| timed_out.admit(SiteId(*id)).unwrap());
    let mut admitted: Vec<_> = admitted.collect();
    assert!(timed_out.admit(SiteId(hung[8])).is_none());
    assert!(
        others
            .iter()
            .all(|id| timed_out.admit(SiteId(*id)).is_some())
    );
    admitted.pop().unwrap().ended(true);
    let ninth = timed_out.admit(SiteId(hung[8])).unwrap();
    assert!(timed_out.admit(SiteId(hung[7])).is_none());
    drop(ninth);
    assert!(timed_out.admit(SiteId(hung[7])).is_some());
}

#[test]
fn a_site_that_answers_again_is_like_any_other() {
    let timed_out = TimedOutSites::new(4);
    let sites = apart(&timed_out, 2);
    let (one, two) = (sites[0], sites[1]);
    end(&timed_out, SiteId(one), true);
    end(&timed_out, SiteId(two), true);
    let first = timed_out.admit(SiteId(one)).unwrap();
    assert!(timed_out.admit(SiteId(two)).is_none());
    first.ended(false);
    assert_eq!(timed_out.under_way.load(Ordering::Relaxed), 0);
    let _second = timed_out.admit(SiteId(two)).unwrap();
    assert!(timed_out.admit(SiteId(one)).is_some());
    assert!(timed_out.admit(SiteId(one)).is_some());
}

#[test]
fn sites_are_spread_over_the_table() {
    let hasher = RandomState::new();
    let fingerprints: Vec<_> = (1..=5_000_i64)
        .map(|id| Fingerprint::of(hasher.hash_one(id)))
        .collect();
    let places: std::collections::BTreeSet<_> = fingerprints
        .iter()
        .map(|fingerprint| fingerprint.place)
        .collect();
    // 5,000 balls in 65,536 boxes fill 4,815 of them
    assert!(places.len() > 4_700, "{}", places.len());
    assert!(fingerprints.iter().all(|fingerprint| fingerprint.byte != 0));
}

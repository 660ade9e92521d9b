//! The lines of changes, and the summary.

use contract::{
    check::{CheckKey, SiteId},
    instant::{UnixMs, UnixUs},
    outcome::Reason,
};

use super::*;

fn result(reason: Option<Reason>) -> CheckResult {
    let mut result = CheckResult::unmeasured(
        CheckKey::new(SiteId(7), UnixMs(1_795_449_600_000)),
        Reason::Internal,
    );
    result.reason = reason;
    result.measured.started_at_us = Some(UnixUs(1_795_449_600_000_500));
    result
}

/// The lines of these results, while the table has these sites.
fn lines(
    verdicts: &mut Verdicts,
    batch: &[CheckResult],
    known: Option<&[(i64, Known)]>,
) -> Vec<String> {
    let known = known.map(|known| known.iter().cloned().collect());
    let changes = verdicts.changes(batch);
    verdicts.lines(&changes, known.as_ref())
}

fn site(name: &str, port: u16) -> [(i64, Known); 1] {
    let (name, port) = (name.to_owned(), Some(port));
    [(7, Known { name, port })]
}

#[test]
fn a_change_of_verdict_is_one_line_and_no_change_is_none() {
    let (mut verdicts, shop) = (Verdicts::default(), site("shop", 80));
    let mut told = |results: &[CheckResult]| lines(&mut verdicts, results, Some(&shop));
    assert!(told(&[result(None)])[0].ends_with(" shop up"));
    assert!(told(&[result(None)]).is_empty());
    let mut down = result(Some(Reason::ConnectRefused)).with_detail("connect: refused");
    down.measured.address = Some([127, 0, 0, 1].into());
    let line = told(std::slice::from_ref(&down)).remove(0);
    assert!(
        line.ends_with(" shop up → down (connect_refused, 127.0.0.1:80): connect: refused"),
        "{line}"
    );
    assert!(told(&[down]).is_empty());
    assert!(told(&[result(None)])[0].ends_with(" shop down → up"));
}

#[test]
fn a_line_says_of_its_site_what_the_table_says_now() {
    let mut verdicts = Verdicts::default();
    lines(&mut verdicts, &[result(None)], Some(&site("shop", 80)));
    let mut down = result(Some(Reason::ConnectRefused));
    down.measured.address = Some([127, 0, 0, 1].into());
    let line = lines(&mut verdicts, &[down], Some(&site("store", 8080))).remove(0);
    assert!(
        line.ends_with(" store up → down (connect_refused, 127.0.0.1:8080)"),
        "{line}"
    );
    let line = lines(&mut verdicts, &[result(None)], None).remove(0);
    assert!(line.ends_with(" site 7 down → up"), "{line}");
}

#[test]
fn a_site_that_is_not_checked_any_more_is_neither_told_nor_counted() {
    let mut verdicts = Verdicts::default();
    lines(&mut verdicts, &[result(None)], Some(&site("shop", 80)));
    assert!(verdicts.grown);
    verdicts.keep(&HashSet::from([7]));
    assert!(!verdicts.grown);
    assert!(verdicts.summary().contains(" 1 sites: 1 up"));
    verdicts.keep(&HashSet::new());
    assert!(verdicts.summary().contains(" 0 sites: no verdicts yet"));
    // A check that was under way when its site was removed.
    assert!(lines(&mut verdicts, &[result(None)], Some(&[])).is_empty());
    assert!(verdicts.summary().contains(" 0 sites"));
}

#[test]
fn a_check_that_was_not_made_changes_no_verdict_but_is_counted() {
    let mut verdicts = Verdicts::default();
    verdicts.changes(&[result(None), result(Some(Reason::Late))]);
    let summary = verdicts.summary();
    assert!(
        summary.ends_with(
            " 1 sites: 1 up; 1 checks in 10 s, 1 missed, started 0.5 ms late (p50), 0.5 ms (p99)"
        ),
        "{summary}"
    );
}

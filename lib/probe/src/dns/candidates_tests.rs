//! Which names are asked for, and in which order.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A completion with these domains.
fn completion(search: &[&str], ndots: usize, bare: bool) -> Completion {
    let domain = |text: &&str| Name::from_ascii(text).unwrap();
    Completion {
        search: search.iter().map(domain).collect(),
        ndots,
        bare,
    }
}

/// The names that are asked for, as text.
fn asked(completion: &Completion, name: &str) -> Vec<String> {
    let name = Name::from_ascii(name).unwrap();
    let candidates = completion.candidates(&name);
    candidates.map(|name| name.to_string()).collect()
}

#[test]
fn names_are_completed_as_the_system_does() {
    let kubernetes = &["ns.svc.cluster.local", "svc.cluster.local", "cluster.local"][..];
    for (search, ndots, name, expected) in [
        (&["example"][..], 1, "web", "web.example. web."),
        (&["example"], 1, "web.corp", "web.corp. web.corp.example."),
        (&["example"], 1, "web.corp.", "web.corp."),
        (&["example"], 1, "web.", "web."),
        (&["example"], 0, "web", "web. web.example."),
        (&["example"], 2, "web.corp", "web.corp.example. web.corp."),
        (
            &["a.test.", "b.test"],
            1,
            "web",
            "web.a.test. web.b.test. web.",
        ),
        (&[], 5, "web.corp", "web.corp."),
        (&[], 1, "web", "web."),
        (&["."], 1, "web", "web. web."),
        (
            kubernetes,
            5,
            "my-svc.my-ns",
            "my-svc.my-ns.ns.svc.cluster.local. my-svc.my-ns.svc.cluster.local. \
             my-svc.my-ns.cluster.local. my-svc.my-ns.",
        ),
        (
            kubernetes,
            5,
            "a.b.c.d.e.f",
            "a.b.c.d.e.f. a.b.c.d.e.f.ns.svc.cluster.local. a.b.c.d.e.f.svc.cluster.local. \
             a.b.c.d.e.f.cluster.local.",
        ),
    ] {
        let completion = completion(search, ndots, true);
        assert_eq!(
            asked(&completion, name).join(" "),
            expected,
            "{search:?} {ndots} {name}"
        );
    }
}

#[test]
fn a_top_level_name_is_left_out_only_where_a_list_completes_it() {
    let only_completed = completion(&["a.test"], 1, false);
    assert_eq!(asked(&only_completed, "web"), ["web.a.test."]);
    assert_eq!(asked(&only_completed, "web."), ["web."]);
    assert_eq!(asked(&only_completed, "web.b"), ["web.b.", "web.b.a.test."]);
    assert_eq!(asked(&completion(&[], 1, false), "web"), ["web."]);
}

#[test]
fn what_becomes_too_long_is_left_out() {
    let long = ["a"; 60].join(".");
    let longer = format!("{long}.{long}.example");
    let completion = completion(&[&longer, "a.test"], 1, true);
    let name = format!("{}.web", ["b"; 10].join("."));
    let expected = [format!("{name}."), format!("{name}.a.test.")];
    assert_eq!(asked(&completion, &name), expected);
}

proptest! {
    #[test]
    fn each_domain_has_its_turn_and_the_name_as_it_is_too(
        labels in vec("[a-z]{1,8}", 1..6),
        domains in vec("[a-z]{1,8}(\\.[a-z]{1,8}){0,2}", 0..5),
        ndots in 0_usize..7,
        dot_at_the_end: bool,
        bare: bool,
    ) {
        let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
        let completion = completion(&domains, ndots, bare);
        let name = labels.join(".");
        let completed: Vec<String> = domains.iter().map(|d| format!("{name}.{d}.")).collect();
        let as_is = vec![format!("{name}.")];
        let dots = labels.len() - 1;
        let left_out = !bare && dots == 0 && !domains.is_empty();
        let expected = if dot_at_the_end {
            as_is
        } else if dots >= ndots {
            [as_is, completed].concat()
        } else if left_out {
            completed
        } else {
            [completed, as_is].concat()
        };
        let written = if dot_at_the_end { format!("{name}.") } else { name };
        prop_assert_eq!(asked(&completion, &written), expected);
    }
}

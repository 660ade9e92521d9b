//! Names that are completed, and how often that is asked for.

use super::*;

/// What Kubernetes writes for a pod.
const KUBERNETES: &str =
    "search ns.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5";

#[test]
fn names_are_completed_by_the_search_list() {
    let machine = Machine::of("search a.test b.test");
    machine.says("shop.b.test", 1);
    machine.says("tld", 2);
    machine.says("web.corp.b.test", 3);
    assert_eq!(machine.find("shop").unwrap(), "127.0.0.1");
    assert_eq!(machine.server.asked("shop.a.test", A), 1);
    assert_eq!(machine.find("tld").unwrap(), "127.0.0.2");
    assert_eq!(machine.find("web.corp").unwrap(), "127.0.0.3");
    // with a dot at the end it is what it says
    assert_eq!(machine.find("shop."), Err(Trouble::NotFound));
    assert_eq!(machine.find("web.corp."), Err(Trouble::NotFound));
}

#[test]
fn names_of_kubernetes_are_found() {
    let machine = Machine::of(KUBERNETES);
    machine.says("my-svc.ns.svc.cluster.local", 1);
    machine.says("my-svc.my-ns.svc.cluster.local", 2);
    machine.says("shop.example", 3);
    for (name, address) in [
        ("my-svc", "127.0.0.1"),
        ("my-svc.my-ns", "127.0.0.2"),
        ("my-svc.my-ns.svc", "127.0.0.2"),
        ("my-svc.my-ns.svc.cluster.local", "127.0.0.2"),
        ("shop.example", "127.0.0.3"),
    ] {
        assert_eq!(machine.find(name).as_deref(), Ok(address), "{name}");
    }
}

#[test]
fn a_form_without_an_answer_leaves_its_turn_to_the_next() {
    for (what, first) in [
        ("no such name", Say::Missing),
        ("no address", Say::Empty),
        ("a failure", SERVFAIL),
        ("a refusal", REFUSED),
        ("silence", Say::Silent),
    ] {
        for lines in [
            "search a.test b.test\noptions ndots:2",
            "search b.test\noptions ndots:1",
        ] {
            let machine = Machine::of(lines);
            machine.says("web.corp.b.test", 1);
            let before = if lines.contains("ndots:2") {
                "web.corp.a.test"
            } else {
                "web.corp"
            };
            machine.server.says(before, A, std::slice::from_ref(&first));
            let found = machine.find("web.corp");
            assert_eq!(found.as_deref(), Ok("127.0.0.1"), "{what}: {lines}");
        }
    }
}

#[test]
fn a_name_is_not_found_only_if_each_form_was_answered() {
    let machine = Machine::of("search a.test");
    machine.server.says("mail.a.test", A, &[SERVFAIL]);
    assert!(matches!(machine.find("mail"), Err(Trouble::Failed(_))));
    machine.server.says("post.a.test", A, &[Say::Silent]);
    assert_eq!(machine.find("post"), Err(Trouble::Silent));
    machine.server.says("shop.a.test", A, &[Say::Empty]);
    assert_eq!(machine.find("shop"), Err(Trouble::NotFound));
}

#[test]
fn a_form_that_is_late_still_counts() {
    let machine = Machine::of("search a.test");
    machine.server.says("web.corp", A, &[late(800, at(1))]);
    assert_eq!(machine.find("web.corp").unwrap(), "127.0.0.1");
}

#[test]
fn the_form_that_was_found_is_asked_for_first() {
    let machine = Machine::of(KUBERNETES);
    // no answer holds for any time, so each look-up asks
    machine.server.says("shop.example", A, &[at_once(1)]);
    machine.server.says("shop.example", AAAA, &[Say::EmptyNow]);
    for domain in ["ns.svc.cluster.local", "svc.cluster.local", "cluster.local"] {
        let form = format!("shop.example.{domain}");
        machine.server.says(&form, A, &[Say::EmptyNow]);
        machine.server.says(&form, AAAA, &[Say::EmptyNow]);
    }
    let mut before = 0;
    let questions = [(); 4].map(|()| {
        assert_eq!(
            machine.find_any("shop.example", Family::Any).unwrap(),
            "127.0.0.1"
        );
        let all = machine.server.asked_in_all();
        let questions = all - before;
        before = all;
        questions
    });
    // four forms of two families, then one
    assert_eq!(questions, [8, 2, 2, 2]);
}

#[test]
fn a_form_that_is_gone_leaves_its_turn_to_the_others() {
    let machine = Machine::of("search a.test b.test");
    machine
        .server
        .says("web.a.test", A, &[Say::EmptyNow, at(1)]);
    machine
        .server
        .says("web.b.test", A, &[at_once(2), Say::Missing]);
    assert_eq!(machine.find("web").unwrap(), "127.0.0.2");
    assert_eq!(machine.find("web").unwrap(), "127.0.0.1");
    assert_eq!(machine.server.asked("web.b.test", A), 2);
}

#[test]
fn a_form_that_was_found_as_others_failed_is_not_asked_for_first() {
    // asked with EDNS and without
    let twice = |say: Say| [say.clone(), say, at_once(1)];
    for first in [SERVFAIL, REFUSED] {
        let machine = Machine::of("search a.test b.test");
        machine.server.says("web.a.test", A, &twice(first));
        machine.server.says("web.b.test", A, &[at_once(2)]);
        assert_eq!(machine.find("web").unwrap(), "127.0.0.2");
        assert_eq!(machine.find("web").unwrap(), "127.0.0.1");
    }
    // nor is one that was found as the name itself did not exist for a moment
    let machine = Machine::of("search a.test");
    let missing_at_first = [Say::EmptyNow, at_once(1)];
    machine.server.says("shop.example", A, &missing_at_first);
    machine.server.says("shop.example.a.test", A, &[at_once(2)]);
    assert_eq!(machine.find("shop.example").unwrap(), "127.0.0.2");
    assert_eq!(machine.find("shop.example").unwrap(), "127.0.0.1");
}

#[test]
fn the_machine_and_the_environment_complete_names_too() {
    let machine = Machine::of("");
    machine.write("hostname", "mon1.corp.test\n");
    machine.write("hosts", "# changed\n");
    machine.says("shop.corp.test", 1);
    assert_eq!(machine.find("shop").unwrap(), "127.0.0.1");
    let machine = Machine::with(&Dns {
        search: Some("b.test c.test".to_owned()),
        options: Some("ndots:2".to_owned()),
        ..Dns::default()
    });
    machine.write(
        "resolv.conf",
        "nameserver 127.0.0.1\nsearch a.test\noptions ndots:1\n",
    );
    machine.says("web.corp", 1);
    machine.says("web.corp.a.test", 2);
    machine.says("web.corp.c.test", 3);
    assert_eq!(machine.find("web.corp").unwrap(), "127.0.0.3");
}

#[test]
fn what_may_help_is_said_of_a_name_that_is_not_found() {
    let hint = |lines: &str, name: &str| Machine::of(lines).names.hint(name, Family::Any);
    for (lines, name, said) in [
        ("", "shop.test", None),
        ("", "shop.", None),
        ("search a.test", "shop.test", None),
        (
            "",
            "printer.local",
            Some("webmon asks no machine by multicast DNS"),
        ),
        (
            "",
            "Printer.Local.",
            Some("put the name into the hosts file"),
        ),
        (
            "search a.test",
            "shop",
            Some("asked for: shop.a.test, shop"),
        ),
        (
            "",
            "shop",
            Some("it has no dot, and resolv.conf has no `search`"),
        ),
    ] {
        let hint = hint(lines, name);
        match said {
            None => assert_eq!(hint, None, "{lines} {name}"),
            Some(said) => assert!(hint.unwrap().contains(said), "{lines} {name}"),
        }
    }
}

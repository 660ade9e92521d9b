//! Servers that do not know EDNS, and answers that need TCP.

use super::*;

#[test]
fn a_server_that_does_not_know_edns_is_asked_without() {
    for (what, to_edns) in [
        ("a malformed question", Say::Code(1)),
        ("a header alone", Say::Header(1)),
        ("not implemented", Say::Code(4)),
        ("not implemented, a header alone", Say::Header(4)),
        ("another version", Say::BadVersion),
        ("a failure", SERVFAIL),
        ("a refusal", REFUSED),
        ("nonsense", Say::Garbage),
        ("no answer", Say::Silent),
        ("TCP", Say::Truncated(Box::new(Say::Code(1)))),
    ] {
        let machine = Machine::of("");
        machine
            .server
            .says("shop.test", A, &[to_edns.clone().unless_plain(at(1))]);
        assert_eq!(
            machine.find("shop.test").as_deref(),
            Ok("127.0.0.1"),
            "{what}"
        );
        // and what it says then is what counts
        machine.server.says(
            "none.test",
            A,
            &[to_edns.clone().unless_plain(Say::Missing)],
        );
        assert_eq!(machine.find("none.test"), Err(Trouble::NotFound), "{what}");
        machine
            .server
            .says("down.test", A, &[to_edns.unless_plain(REFUSED)]);
        let down = machine.find("down.test");
        assert!(matches!(down, Err(Trouble::Failed(_))), "{what}: {down:?}");
    }
}

#[test]
fn a_refusal_of_edns_is_remembered_a_failure_is_not() {
    for (to_edns, first, second) in [
        (Say::Code(1), 2, 1),
        (Say::Header(1), 2, 1),
        (Say::Code(4), 2, 1),
        (Say::BadVersion, 2, 1),
        (SERVFAIL, 2, 2),
    ] {
        let machine = Machine::of("");
        for (name, questions) in [("a.test", first), ("b.test", second)] {
            machine
                .server
                .says(name, A, &[to_edns.clone().unless_plain(at(1))]);
            assert!(machine.find(name).is_ok(), "{to_edns:?}");
            let asked = machine.server.asked(name, A);
            assert_eq!(asked, questions, "{to_edns:?} {name}");
        }
    }
}

#[test]
fn silence_that_comes_of_edns_is_found_out() {
    let machine = Machine::of("");
    let take_ms = |name: &str| {
        machine
            .server
            .says(name, A, &[Say::Silent.unless_plain(at(1))]);
        let began = std::time::Instant::now();
        assert!(machine.find(name).is_ok(), "{name}");
        began.elapsed().as_millis()
    };
    let took = ["a.test", "b.test", "c.test", "d.test"].map(take_ms);
    assert!(took[..3].iter().all(|ms| *ms >= 500), "{took:?}");
    assert!(took[3] < 400, "{took:?}");
}

#[test]
fn a_long_answer_comes_over_tcp_and_so_do_all_where_it_is_said() {
    let long: Vec<_> = (1..=100).map(|n| [127, 0, 1, n].into()).collect();
    let machine = Machine::of("");
    machine.server.says(
        "long.test",
        A,
        &[Say::Truncated(Box::new(Say::Addresses(long, 60)))],
    );
    let found = machine.find("long.test").unwrap();
    assert_eq!(
        found.split(' ').count(),
        super::super::super::servers::MAX_ADDRESSES
    );
    let machine = Machine::of("options use-vc");
    machine
        .server
        .says("tcp.test", A, &[Say::Truncated(Box::new(at(1)))]);
    assert_eq!(machine.find("tcp.test").unwrap(), "127.0.0.1");
    assert_eq!(machine.server.asked("tcp.test", A), 1);
}

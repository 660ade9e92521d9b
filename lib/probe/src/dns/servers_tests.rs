//! How several servers share the work, and how one is asked.

use super::*;

#[test]
fn addresses_of_a_family_that_is_not_wanted_are_not_asked_for() {
    let machine = Machine::of("options no-aaaa");
    machine.says("shop.test", 1);
    machine.server.says("shop.test", AAAA, &[Say::Silent]);
    assert_eq!(
        machine.find_any("shop.test", Family::Any).unwrap(),
        "127.0.0.1"
    );
    let six = machine.find_any("shop.test", Family::V6);
    assert_eq!(six, Err(Trouble::NotFound));
    assert_eq!(machine.server.asked("shop.test", AAAA), 0);
    let hint = machine.names.hint("shop.test", Family::V6).unwrap();
    assert!(hint.contains("no-aaaa"), "{hint}");
}

#[test]
fn a_server_that_takes_one_question_at_a_time_gets_one() {
    let machine = Machine::of("options single-request");
    machine
        .server
        .says("shop.test", A, &[late(100, at_once(1))]);
    let six = Say::Addresses(vec!["::1".parse().unwrap()], 0);
    machine.server.says("shop.test", AAAA, &[six]);
    // together the answer that is there first would be alone for as long
    assert_eq!(
        machine.find_any("shop.test", Family::Any).unwrap(),
        "::1 127.0.0.1"
    );
    assert_eq!(machine.server.asked_in_all(), 2);
}

#[test]
fn a_slow_server_is_heard() {
    // each answer comes later than another server, or this one again, is asked
    let machine = Machine::of("");
    machine.server.says("slow.test", A, &[late(700, at(1))]);
    assert_eq!(machine.find("slow.test").unwrap(), "127.0.0.1");
    let (dead, machine) = (DnsServer::start(), Machine::new(&[]));
    dead.says("slow.test", A, &[Say::Silent]);
    machine.server.says("slow.test", A, &[late(450, at(2))]);
    let servers = [dead.address, machine.server.address];
    let dns = Dns {
        servers: servers.map(Into::into).to_vec(),
        ..Dns::default()
    };
    let names = files(machine.folder.path(), &machine.server);
    let names = Names::new(&dns, names, machine.names.runtime()).unwrap();
    assert!(names.look_up("slow.test", Family::V4, LEFT).is_ok());
}

#[test]
fn a_name_that_was_not_asked_for_is_not_missing() {
    let machine = Machine::of("");
    let found = machine
        .names
        .look_up("shop.test", Family::V4, Duration::ZERO);
    assert_eq!(found.err(), Some(Trouble::Silent));
    assert_eq!(machine.server.asked_in_all(), 0);
}

#[test]
fn one_server_that_fails_leaves_the_word_to_a_slow_one() {
    let (failing, slow) = (DnsServer::start(), DnsServer::start());
    failing.says("shop.test", A, &[REFUSED]);
    slow.says("shop.test", A, &[late(700, at(1))]);
    let machine = Machine::new(&[failing.address, slow.address]);
    assert_eq!(machine.find("shop.test").unwrap(), "127.0.0.1");
    slow.says("down.test", A, &[Say::Silent]);
    failing.says("down.test", A, &[SERVFAIL]);
    assert!(matches!(machine.find("down.test"), Err(Trouble::Failed(_))));
}

#[test]
fn servers_take_turns_where_they_should() {
    for (options, each) in [("", [4, 0]), ("rotate", [2, 2])] {
        let servers = [DnsServer::start(), DnsServer::start()];
        for server in &servers {
            server.says("shop.test", A, &[at_once(1)]);
        }
        let machine = Machine::with(&Dns {
            servers: servers.iter().map(|server| server.address.into()).collect(),
            options: Some(options.to_owned()),
            ..Dns::default()
        });
        for _ in 0..4 {
            assert!(machine.find("shop.test").is_ok());
        }
        let asked = servers.map(|server| server.asked("shop.test", A));
        assert_eq!(asked, each, "{options}");
    }
}

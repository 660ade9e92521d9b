//! What is read of `resolv.conf`, and what is said of the rest.

use super::*;

/// The file's text, read.
fn parse(text: &str) -> ResolvConf {
    ResolvConf::parse(text, 53)
}

/// Values as text.
fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

#[test]
fn resolv_conf_is_read_as_its_other_readers_read_it() {
    let conf = parse(
        "# nameserver 192.0.2.9\n; a remark\ndomain old.example\n\
         nameserver 192.0.2.1 # ours\n\tnameserver\t2001:db8::1\r\nnameserver fe80::1%eth0\n\
         sortlist 192.0.2.0/24\nsearch a.example b.example. . _tcp.example\n\
         options ndots:5 edns0\noptions timeout:3 attempts:4 rotate trust-ad\n",
    );
    assert_eq!(conf.faults, [""; 0]);
    let servers = ["192.0.2.1:53", "[2001:db8::1]:53", "[fe80::1%eth0]:53"];
    assert_eq!(texts(&conf.servers), servers);
    let search = ["a.example", "b.example.", ".", "_tcp.example"];
    assert_eq!(texts(&conf.completion.search), search);
    assert_eq!((conf.completion.ndots, conf.completion.bare), (5, true));
    let expected = Manner {
        timeout: Some(Duration::from_secs(3)),
        attempts: 4,
        rotate: true,
        ..Manner::default()
    };
    assert_eq!(conf.manner, expected);
}

#[test]
fn the_last_search_list_counts() {
    for (text, expected) in [
        ("search a.test b.test\ndomain c.test\n", &["c.test"][..]),
        (
            "domain c.test\nsearch a.test b.test\n",
            &["a.test", "b.test"],
        ),
        ("search a.test\nsearch\n", &[]),
    ] {
        assert_eq!(texts(&parse(text).completion.search), expected, "{text}");
    }
}

#[test]
fn options_that_change_what_is_found_are_honoured() {
    let manner = |text: &str| parse(&format!("options {text}\n")).manner;
    let plain = Manner::default();
    for (text, expected) in [
        (
            "timeout:90",
            Manner {
                timeout: Some(Duration::from_secs(30)),
                ..plain
            },
        ),
        (
            "timeout:0",
            Manner {
                timeout: Some(Duration::from_secs(1)),
                ..plain
            },
        ),
        (
            "attempts:9",
            Manner {
                attempts: 5,
                ..plain
            },
        ),
        (
            "use-vc",
            Manner {
                over_tcp: true,
                ..plain
            },
        ),
        (
            "no-aaaa",
            Manner {
                families: Families::V4Only,
                ..plain
            },
        ),
        (
            "single-request",
            Manner {
                families: Families::OneByOne,
                ..plain
            },
        ),
        (
            "no-aaaa single-request",
            Manner {
                families: Families::V4Only,
                ..plain
            },
        ),
        ("single-request-reopen", plain),
    ] {
        assert_eq!(manner(text), expected, "{text}");
    }
    assert_eq!(parse("options ndots:99\n").completion.ndots, 15);
    assert_eq!(parse("options ndots:0\n").completion.ndots, 0);
    assert!(!parse("options no-tld-query\n").completion.bare);
}

#[test]
fn what_cannot_be_read_is_named_with_its_line() {
    let address = "no address like 192.0.2.53 or fe80::1%eth0";
    for (line, why) in [
        ("nameserver nonsense", address),
        ("nameserver 192.0.2.1:53", address),
        ("nameserver [2001:db8::1]", address),
        ("nameserver", address),
        (
            "nameserver fe80::1",
            "the address of one link lacks its interface, as in fe80::1%eth0",
        ),
        ("search a.test -- ..", "\"--\" is no domain"),
        ("options ndots:five", "\"ndots:five\" is no known option"),
        ("options rotate:1", "\"rotate:1\" is no known option"),
        ("nameservers 192.0.2.1", "no known keyword"),
    ] {
        let faults = parse(&format!("{line}\n")).faults;
        let first = faults.first().map(String::as_str);
        assert_eq!(first, Some(format!("`{line}`: {why}").as_str()));
    }
    let four = (1..=4).map(|n| format!("nameserver 192.0.2.{n}\n"));
    let conf = parse(&four.collect::<String>());
    assert_eq!(conf.servers.len(), 3);
    let said =
        "`nameserver 192.0.2.4`: a fourth name server is never asked: dns.servers may name more";
    assert_eq!(conf.faults, [said]);
}

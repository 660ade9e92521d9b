//! The network's errors, told from the site's: in network namespaces that the tests make themselves.
//!
//! Each test starts this program once more, for itself alone, in a namespace of its own, so that
//! nothing outside changes. That takes root, or a system that lets users have namespaces.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "what helps a test may fail it by panicking"
)]

use std::fs::File;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _, UdpSocket};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use contract::check::SiteId;
use contract::installation::Installation;
use contract::instant::UnixMs;
use contract::instant::UnixUs;
use contract::outcome::{Outcome, Reason, outcome_of};
use contract::result::CheckResult;
use contract::task::Task;
use probe::{Addresses, Dns, NameServer, ProbeOptions, Prober, Reference};
use rustls::RootCertStore;
use tokio::runtime::Runtime;

/// Is set where a test is inside its namespace.
const INSIDE: &str = "WEBMON_TEST_NAMESPACE";
/// A set-up ends so when this system lacks what it needs.
const LACKS: i32 = 77;
/// The checks' time. Linux misses what a router says while it still sends, and asks again after 1 s.
const TIMEOUT: Duration = Duration::from_secs(2);
/// What takes no packet takes no longer than this.
const AT_ONCE: Duration = Duration::from_millis(500);
/// A pair of linked interfaces; at the far end no host has the addresses that are asked for. The first
/// address is there at once, instead of after a second's look for duplicates.
const PAIR: &str = "
    ip link set lo up
    ip link add near type veth peer name far
    ip link set near up
    ip link set far up
    ip addr add 10.1.0.1/24 dev near
    ip addr add fd01::1/64 dev near nodad";

/// Runs a test's case in a namespace of its own, once the shell has set it up.
fn in_namespace(test: &str, setup: &str, case: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return case();
    }
    let root = rustix::process::geteuid().is_root();
    let as_user = ["--user", "--map-root-user"];
    let unshare = |command: &[&str]| {
        Command::new("unshare")
            .args(as_user.iter().filter(|_| !root))
            .arg("--net")
            .args(command)
            .env(INSIDE, "1")
            .output()
            .unwrap()
    };
    let tried = unshare(&["true"]);
    if !tried.status.success() {
        return skip(test, &tried);
    }
    let program = std::env::current_exe().unwrap();
    // the shell stays until the end, and with it the namespace
    let script = format!("PATH=$PATH:/usr/sbin:/sbin\n{setup}\n\"$@\"\n:");
    let program = [program.to_str().unwrap(), "--exact", test];
    let output = unshare(&[&["sh", "-ec", &script, "sh"], &program[..]].concat());
    if output.status.code() == Some(LACKS) {
        return skip(test, &output);
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    let passed = output.status.success() && said.contains("1 passed");
    assert!(passed, "{}: {said}{complaint}", output.status);
}

/// Says past the harness, which swallows what passing tests print, that a test was not made.
fn skip(test: &str, output: &Output) {
    let why = String::from_utf8_lossy(&output.stderr);
    let how = "sudo env \"PATH=$PATH\" cargo test -p checker --test netns";
    let line = format!("{test} NOT MADE HERE ({}); to make it: {how}\n", why.trim());
    io::stderr().write_all(line.as_bytes()).unwrap();
}

/// A host that answers as long as there is a loopback, if only by a refusal.
fn reference() -> Reference {
    let host = "127.0.0.1".to_owned();
    Reference { host, port: 9 }
}

/// A prober that may dial the namespaces' addresses, and has a host to ask in doubt or not.
fn prober(runtime: &Runtime, reference: Option<Reference>) -> Prober {
    let options = options(reference);
    Prober::with_roots(&options, runtime.handle(), RootCertStore::empty()).unwrap()
}

/// The options of such a prober.
fn options(reference: Option<Reference>) -> ProbeOptions {
    let allow = ["10.0.0.0/8", "127.0.0.0/8", "fd00::/8", "::1/128"];
    ProbeOptions {
        addresses: Addresses {
            allow: allow.map(|net| net.parse().unwrap()).to_vec(),
            deny: vec![],
        },
        reference,
        ..ProbeOptions::default()
    }
}

/// Checks `host` over HTTP.
fn check(prober: &Prober, host: &str) -> CheckResult {
    let raw = || serde_json::value::RawValue::from_string("{}".to_owned()).unwrap();
    let task = Task {
        v: 1,
        installation: Installation::default(),
        site_id: SiteId(7),
        name: "site".to_owned(),
        scheduled_at: UnixMs(1_000),
        expires_at: UnixMs(61_000),
        url: format!("http://{host}/"),
        timeout_ms: TIMEOUT.as_millis().try_into().unwrap(),
        request: raw(),
        expect: raw(),
    };
    prober.check(&task, UnixUs(5))
}

/// Checks `host`: the verdict, that the connection was the last phase, and the time it took.
fn assert_verdict(host: &str, verdict: (Outcome, Reason), at_most: Duration) {
    let runtime = Runtime::new().unwrap();
    assert_verdict_of(&prober(&runtime, Some(reference())), host, verdict, at_most);
}

/// The same, with a prober that is there already.
fn assert_verdict_of(
    prober: &Prober,
    host: &str,
    (outcome, reason): (Outcome, Reason),
    at_most: Duration,
) {
    let began = Instant::now();
    let result = check(prober, host);
    let took = began.elapsed();
    assert_eq!(result.reason, Some(reason), "{host}: {result:?}");
    assert_eq!(outcome_of(result.reason), outcome, "{host}: {result:?}");
    let p = result.measured.phases;
    assert!(p.dns_us.is_some() && p.connect_us.is_some(), "{result:?}");
    assert_eq!((p.tls_us, p.wait_us, p.receive_us), (None, None, None));
    assert!(took <= at_most, "{host}: {took:?}: {result:?}");
    let address = result.measured.address.unwrap().to_string();
    assert!(host.contains(&address), "{host}: {result:?}");
}

/// The verdict of a machine that has no way out.
const NO_WAY: (Outcome, Reason) = (Outcome::Inconclusive, Reason::LocalNetwork);
/// The verdict of a machine that ran out of something.
const USED_UP: (Outcome, Reason) = (Outcome::Inconclusive, Reason::LocalResources);
/// The verdict where another host says that there is no way.
const FAILED: (Outcome, Reason) = (Outcome::Down, Reason::ConnectFailed);
/// The verdict where the target says no.
const REFUSED: (Outcome, Reason) = (Outcome::Down, Reason::ConnectRefused);

#[test]
fn no_route_is_our_own_trouble() {
    let test = "no_route_is_our_own_trouble";
    in_namespace(test, "ip link set lo up", || {
        for host in ["10.1.0.2", "[fd01::2]"] {
            assert_verdict(host, NO_WAY, AT_ONCE);
        }
        // the network works as far as it goes
        for host in ["127.0.0.1", "[::1]"] {
            assert_verdict(host, REFUSED, AT_ONCE);
        }
    });
}

#[test]
fn a_link_that_is_down_is_our_own_trouble() {
    let setup = format!("{PAIR}\nip link set near down");
    in_namespace("a_link_that_is_down_is_our_own_trouble", &setup, || {
        for host in ["10.1.0.2", "[fd01::2]"] {
            assert_verdict(host, NO_WAY, AT_ONCE);
        }
    });
}

#[test]
fn a_route_that_leads_nowhere_is_our_own_trouble() {
    let setup = "
        ip link set lo up
        for net in 10.2.0.0/16 fd02::/16; do ip route add unreachable $net; done
        for net in 10.3.0.0/16 fd03::/16; do ip route add prohibit $net; done
        for net in 10.4.0.0/16 fd04::/16; do ip route add blackhole $net; done";
    let test = "a_route_that_leads_nowhere_is_our_own_trouble";
    in_namespace(test, setup, || {
        for net in 2..=4 {
            assert_verdict(&format!("10.{net}.0.1"), NO_WAY, AT_ONCE);
            assert_verdict(&format!("[fd0{net}::1]"), NO_WAY, AT_ONCE);
        }
    });
}

#[test]
fn a_neighbour_that_is_not_there_is_a_failed_connection() {
    // asks for the neighbour three times, every 50 ms instead of every second
    let setup = format!(
        "{PAIR}
        ip ntable change name arp_cache dev near retrans 50
        ip ntable change name ndisc_cache dev near retrans 50"
    );
    let test = "a_neighbour_that_is_not_there_is_a_failed_connection";
    in_namespace(test, &setup, || {
        let runtime = Runtime::new().unwrap();
        let nobody_to_ask = prober(&runtime, None);
        for host in ["10.1.0.2", "[fd01::2]"] {
            assert_verdict(host, FAILED, Duration::from_millis(1_500));
            // it is not known whose trouble it is, so the site is not blamed
            assert_verdict_of(&nobody_to_ask, host, NO_WAY, Duration::from_millis(1_500));
        }
    });
}

#[test]
fn what_a_router_says_is_a_failed_connection() {
    // This namespace is the router's, the test's own is another behind it. The router answers each
    // time: Linux's would do so once a second.
    let setup = r#"
        ip link set lo up
        ip link add far type veth peer name near
        ip link set far up
        ip addr add 10.1.0.2/24 dev far
        ip addr add fd01::2/64 dev far nodad
        echo 1 >/proc/sys/net/ipv4/ip_forward
        echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
        echo 0 >/proc/sys/net/ipv4/icmp_ratelimit
        echo 0 >/proc/sys/net/ipv6/icmp/ratelimit
        for net in 10.2.0.0/16 fd02::/16; do ip route add unreachable $net; done
        for net in 10.3.0.0/16 fd03::/16; do ip route add prohibit $net; done
        ip route add blackhole 10.4.0.0/16
        export ROUTER=$$
        set -- unshare --net sh -ec '
            nsenter --target $ROUTER --net ip link set near netns $$
            ip link set lo up
            ip link set near up
            ip addr add 10.1.0.1/24 dev near
            ip addr add fd01::1/64 dev near nodad
            ip route add default via 10.1.0.2
            ip route add default via fd01::2
            "$@"
            :' sh "$@""#;
    let test = "what_a_router_says_is_a_failed_connection";
    in_namespace(test, setup, || {
        let hosts = [
            ("10.1.0.2", REFUSED),
            ("[fd01::2]", REFUSED),
            ("10.2.0.1", FAILED),
            ("10.3.0.1", FAILED),
            ("10.9.0.1", FAILED),
            // over IPv6 that a way is forbidden is EACCES, the same as our own system's at once
            ("[fd02::1]", FAILED),
            ("[fd03::1]", FAILED),
            ("10.4.0.1", (Outcome::Down, Reason::ConnectTimeout)),
        ];
        std::thread::scope(|scope| {
            for (host, verdict) in hosts {
                scope.spawn(move || assert_verdict(host, verdict, TIMEOUT + AT_ONCE));
            }
        });
    });
}

#[test]
fn a_name_server_is_asked_behind_its_interface() {
    let setup = format!("{PAIR}\nip addr add fe80::53/64 dev near nodad");
    let test = "a_name_server_is_asked_behind_its_interface";
    in_namespace(test, &setup, || {
        let place = ("fe80::53%near", 0).to_socket_addrs().unwrap().next();
        let Some(SocketAddr::V6(place)) = place else {
            panic!("{place:?}")
        };
        let (server, scope) = (UdpSocket::bind(place).unwrap(), place.scope_id());
        let port = server.local_addr().unwrap().port();
        std::thread::spawn(move || answer_with_loopback(&server));
        let with = |server: &str| {
            let servers = vec![NameServer::parse(server, port).unwrap()];
            let runtime = Runtime::new().unwrap();
            let options = ProbeOptions {
                dns: Dns {
                    servers,
                    ..Dns::default()
                },
                ..options(Some(reference()))
            };
            let prober = Prober::with_roots(&options, runtime.handle(), RootCertStore::empty());
            check(&prober.unwrap(), "shop.test.")
        };
        for zone in ["near".to_owned(), scope.to_string()] {
            let result = with(&format!("fe80::53%{zone}"));
            assert_eq!(
                result.reason,
                Some(Reason::ConnectRefused),
                "{zone}: {result:?}"
            );
        }
        for (server, said) in [
            ("fe80::53", "cannot be reached: Invalid argument"),
            ("fe80::53%gone0", "cannot be reached: no interface gone0"),
        ] {
            let result = with(server);
            assert_eq!(
                result.reason,
                Some(Reason::ResolverUnreachable),
                "{result:?}"
            );
            assert!(result.detail.clone().unwrap().contains(said), "{result:?}");
        }
    });
}

/// A name server that says of `shop.test` that it is at 127.0.0.1.
fn answer_with_loopback(server: &UdpSocket) {
    let mut question = [0; 512];
    loop {
        let (_, client) = server.recv_from(&mut question).unwrap();
        // 12 bytes of header, 11 of the name, then the kind and the class
        let is_v4 = question[24] == 1;
        let address: &[u8] = &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1];
        let counts = [0x81, 0x80, 0, 1, 0, u8::from(is_v4), 0, 0, 0, 0];
        let answer = if is_v4 { address } else { &[] };
        let message = [&question[..2], &counts, &question[12..27], answer].concat();
        server.send_to(&message, client).unwrap();
    }
}

#[test]
fn ports_that_are_used_up_are_our_own_trouble() {
    let setup = "
        ip link set lo up
        echo 50000 50001 >/proc/sys/net/ipv4/ip_local_port_range";
    in_namespace("ports_that_are_used_up_are_our_own_trouble", setup, || {
        let first = TcpListener::bind("127.0.0.1:50000").unwrap();
        assert_verdict("127.0.0.1:50009", REFUSED, AT_ONCE);
        let second = TcpListener::bind("127.0.0.1:50001").unwrap();
        assert_verdict("127.0.0.1:50009", USED_UP, AT_ONCE);
        drop((first, second));
    });
}

#[test]
fn descriptors_that_are_used_up_are_our_own_trouble() {
    let setup = "ip link set lo up\nulimit -n 64";
    let test = "descriptors_that_are_used_up_are_our_own_trouble";
    in_namespace(test, setup, || {
        let runtime = Runtime::new().unwrap();
        let prober = prober(&runtime, Some(reference()));
        assert_verdict_of(&prober, "127.0.0.1", REFUSED, AT_ONCE);
        let open = || File::open("/dev/null");
        let all: Vec<File> = std::iter::from_fn(|| open().ok()).collect();
        assert_eq!(open().unwrap_err().raw_os_error(), Some(libc::EMFILE));
        assert_verdict_of(&prober, "127.0.0.1", USED_UP, AT_ONCE);
        drop(all);
        assert_verdict_of(&prober, "127.0.0.1", REFUSED, AT_ONCE);
    });
}

#[test]
fn when_many_sites_fall_silent_and_the_reference_too_none_is_blamed() {
    let setup = format!(
        "
        ip link set lo up
        command -v nft >/dev/null || {{ echo needs nft >&2; exit {LACKS}; }}
        nft add table inet t || exit {LACKS}
        nft 'add chain inet t in {{ type filter hook input priority 0; }}'
        nft add rule inet t in tcp dport 80 drop"
    );
    let test = "when_many_sites_fall_silent_and_the_reference_too_none_is_blamed";
    in_namespace(test, &setup, || {
        let timeout = (Outcome::Down, Reason::ConnectTimeout);
        let silent = || Reference {
            port: 80,
            ..reference()
        };
        // that no answer comes for a few sites is no news of the network
        for (sites, reference, verdict) in [
            (6, Some(silent()), NO_WAY),
            (6, Some(reference()), timeout),
            (6, None, timeout),
            (4, Some(silent()), timeout),
        ] {
            let runtime = Runtime::new().unwrap();
            let prober = &prober(&runtime, reference);
            std::thread::scope(|scope| {
                for n in 1..=sites {
                    let host = format!("127.0.0.{}", n + 1);
                    // the question takes 2 s at most
                    scope.spawn(move || {
                        assert_verdict_of(prober, &host, verdict, TIMEOUT * 2 + AT_ONCE);
                    });
                }
            });
        }
    });
}

#[test]
fn what_a_firewall_rejects_is_a_failed_or_refused_connection() {
    let setup = format!(
        "
        ip link set lo up
        command -v nft >/dev/null || {{ echo needs nft >&2; exit {LACKS}; }}
        nft add table inet t || exit {LACKS}
        nft 'add chain inet t in {{ type filter hook input priority 0; }}'
        nft add rule inet t in tcp dport 81 reject with icmpx type admin-prohibited
        nft add rule inet t in tcp dport 82 reject with tcp reset"
    );
    let test = "what_a_firewall_rejects_is_a_failed_or_refused_connection";
    in_namespace(test, &setup, || {
        for host in ["127.0.0.1", "[::1]"] {
            assert_verdict(&format!("{host}:81"), FAILED, TIMEOUT);
            assert_verdict(&format!("{host}:82"), REFUSED, AT_ONCE);
        }
    });
}

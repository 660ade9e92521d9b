//! What goes wrong on the way by a proxy: when it is the proxy's, when it is the site's, and what is said.

use std::thread;

use contract::outcome::Reason::ProxyUnreachable;
use probe::Prober;
use serde_json::json;

use crate::dns_server::DnsServer;
use crate::hostile::Server;
use crate::proxy_server::{Pass, ProxyServer};
use crate::tables::Table;
use crate::{STARTED, config, detail, prober, runtime, task};

/// A site that has TLS, so that it is asked through a tunnel.
const TUNNEL: &str = "https://shop.invalid/";
/// A site that has none, so that the proxy is asked for the whole URL.
const WHOLE: &str = "http://shop.invalid/";

/// What a proxy does, and the site that is asked by way of it.
struct Case {
    name: &'static str,
    url: &'static str,
    pass: Pass,
    /// Whether the proxy answers what is not to be passed on.
    alive: bool,
    /// Whether it gets a login.
    login: bool,
}

/// A case of a proxy that answers other requests, and gets no login.
fn case(name: &'static str, url: &'static str, pass: Pass) -> Case {
    Case {
        name,
        url,
        pass,
        alive: true,
        login: false,
    }
}

/// A case of a proxy that answers this to CONNECT.
fn answers(name: &'static str, text: &str) -> Case {
    case(name, TUNNEL, Pass::say(&format!("HTTP/1.1 {text}\r\n\r\n")))
}

/// A case of a proxy that wants a login; the challenges.
fn wants(name: &'static str, url: &'static str, challenges: &str) -> Case {
    let text = format!(
        "HTTP/1.1 407 Proxy Authentication Required\r\n{challenges}\r\nContent-Length: 0\r\n\r\n"
    );
    case(name, url, Pass::say(&text))
}

impl Case {
    /// The same, with a proxy that hangs whatever it is asked.
    fn hanging(self) -> Self {
        Self {
            alive: false,
            ..self
        }
    }

    /// The same, with a login for the proxy.
    fn with_login(self) -> Self {
        Self {
            login: true,
            ..self
        }
    }

    /// Checks the site, and notes what is said.
    fn note(&self, table: &mut Table, prober: &Prober) {
        let watched = table.check(self.name, (prober, None), || {
            let start = if self.alive {
                ProxyServer::start
            } else {
                ProxyServer::hanging
            };
            let server = start(self.pass.clone());
            let mut proxy = json!({"url": server.url()});
            if self.login {
                proxy["username"] = json!("me");
                proxy["password"] = json!("wrong");
            }
            let request = json!({ "proxy": proxy }).to_string();
            (server, task(self.url, &request, "{}"))
        });
        assert_eq!(watched.hops.len(), 1, "{}: {watched:?}", self.name);
    }
}

/// Proxies that open no tunnel, and say so.
fn refusals() -> Vec<Case> {
    vec![
        answers("502", "502 Bad Gateway\r\nContent-Length: 0"),
        answers("503", "503 Service Unavailable"),
        answers("504", "504 Gateway Timeout"),
        answers("tinyproxy's 500", "500 Unable to connect"),
        answers("another 500", "500 Internal Server Error"),
        answers("403", "403 Forbidden"),
        answers("405 of a web server", "405 Not Allowed"),
        answers(
            "a redirect to a portal",
            "302 Found\r\nLocation: http://portal.example/",
        ),
        answers(
            "an interim response before 502",
            "100 Continue\r\nX: y\r\n\r\nHTTP/1.1 502 Bad Gateway",
        ),
        case(
            "403 that ends early",
            TUNNEL,
            Pass::say("HTTP/1.0 403 Forbidden\r\n"),
        ),
    ]
}

/// Proxies that want a login.
fn logins() -> Vec<Case> {
    let basic = "Proxy-Authenticate: Basic realm=\"a\"";
    let several = "proxy-authenticate: Negotiate\r\nProxy-Authenticate: Basic";
    let other = "Proxy-Authenticate: Negotiate";
    vec![
        wants("a login, for a tunnel", TUNNEL, basic),
        wants("a login, for the whole URL", WHOLE, basic),
        wants("one of several logins", TUNNEL, several),
        wants("no login that is spoken", WHOLE, other),
        wants("another login, for a tunnel", TUNNEL, basic).with_login(),
        wants("another login, for the whole URL", WHOLE, basic).with_login(),
    ]
}

/// What answers, and is no HTTP proxy.
fn strangers() -> Vec<Case> {
    let says = |name, bytes: &[u8]| case(name, TUNNEL, Pass::Say(bytes.to_vec())).hanging();
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(17_000));
    vec![
        says("TLS", b"\x15\x03\x01\x00\x02\x02\x16"),
        says("SOCKS", b"\x05\xff"),
        says("SSH", b"SSH-2.0-OpenSSH_9.2\r\n"),
        says("nothing", b""),
        says("the half of an answer", b"HTTP/1.1 200 OK\r\nX: y\r\n"),
        case("a reset", TUNNEL, Pass::Reset).hanging(),
        case("a head without end", TUNNEL, Pass::say(&endless)),
        case("nothing, for the whole URL", WHOLE, Pass::say("")),
        case(
            "TLS, for the whole URL",
            WHOLE,
            Pass::Say(b"\x15\x03\x01\x00\x02\x02\x16".to_vec()),
        )
        .hanging(),
    ]
}

/// Proxies that are silent, or wait for a site that is.
fn silent() -> Vec<Case> {
    let slow = "HTTP/1.1 200 OK and so on and on and on";
    vec![
        case("a silent site, by a tunnel", TUNNEL, Pass::Hang("")),
        case("a slow answer", TUNNEL, Pass::Drip(slow)),
        case("a silent proxy, by a tunnel", TUNNEL, Pass::Hang("")).hanging(),
        case("a silent site, by the whole URL", WHOLE, Pass::Hang("")),
        case("a silent proxy, by the whole URL", WHOLE, Pass::Hang("")).hanging(),
    ]
}

/// Proxies that pass on what a site does.
fn sites() -> Vec<Case> {
    let tunnel = "HTTP/1.1 200 OK\r\n\r\n";
    let bad = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe";
    vec![
        case("502 for the whole URL", WHOLE, Pass::say(bad)),
        case("a body that is cut off", WHOLE, Pass::say(cut)),
        case("no TLS in the tunnel", TUNNEL, Pass::say(tunnel)),
        case("silence in the tunnel", TUNNEL, Pass::Hang(tunnel)),
    ]
}

#[test]
fn a_proxys_failure_is_told_apart_from_the_sites() {
    let mut table = Table::new("proxies");
    let prober = prober();
    for cases in [refusals(), logins(), strangers(), silent(), sites()] {
        for case in cases {
            case.note(&mut table, &prober);
        }
    }
    table.finish();
}

#[test]
fn many_checks_ask_a_silent_proxy_once() {
    let proxy = ProxyServer::hanging(Pass::Hang(""));
    let prober = prober();
    let request = json!({"proxy": proxy.url()}).to_string();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (prober, request) = (prober.for_another_lane(), request.clone());
            thread::spawn(move || {
                let task = task(TUNNEL, &request, "{}");
                prober.check(&task, STARTED).reason
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), Some(ProxyUnreachable));
    }
    assert_eq!(proxy.questions(), 1);
}

#[test]
fn a_proxy_that_is_not_there_is_not_the_sites_fault() {
    let dns = DnsServer::start();
    let mut options = config();
    options.dns.servers = vec![dns.address.into()];
    let prober = Prober::new(&options, runtime()).unwrap();
    let gone = Server::refused_url();
    let gone = gone.trim_end_matches('/');
    let address = gone.trim_start_matches("http://");
    for (proxy, said) in [
        (
            "http://proxy.test:3128",
            "proxy: http://proxy.test:3128 cannot be reached: dns: the name has no address"
                .to_owned(),
        ),
        (
            gone,
            format!("proxy: {gone} cannot be reached: connect: {address}: refused"),
        ),
    ] {
        for url in ["https://shop.invalid/", "http://shop.invalid/"] {
            let request = json!({ "proxy": proxy }).to_string();
            let result = prober.check(&task(url, &request, "{}"), STARTED);
            assert_eq!(result.reason, Some(ProxyUnreachable), "{result:?}");
            assert_eq!(detail(&result), said);
        }
    }
}

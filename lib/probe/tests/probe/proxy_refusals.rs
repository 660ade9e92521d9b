//! What goes wrong on the way by a proxy: when it is the proxy's, when it is the site's, and what is said.

use std::thread;

use contract::outcome::Reason::{
    self, ConnectFailed, ConnectTimeout, ProxyRefused, ProxyUnreachable, Reset, ResponseTimeout,
    Status, TlsHandshake, TlsTimeout,
};
use probe::Prober;
use serde_json::json;

use crate::dns_server::DnsServer;
use crate::hostile::Server;
use crate::proxy_server::{Pass, ProxyServer};
use crate::{STARTED, TIMEOUT_MS, config, detail, prober, runtime, task};

/// A case: its name, whether the site has TLS, the proxy, the reason, and what is said.
type Case = (&'static str, bool, ProxyServer, Reason, &'static str);

/// Checks `https` or `http://shop.invalid/` by way of a proxy, and compares; `PROXY` stands for its address.
fn compare(prober: &Prober, (name, tls, proxy, reason, said): &Case) -> Result<(), String> {
    let scheme = if *tls { "https" } else { "http" };
    let request = json!({"proxy": proxy.url()}).to_string();
    let task = task(&format!("{scheme}://shop.invalid/"), &request, "{}");
    let result = prober.check(&task, STARTED);
    let found = detail(&result).replace(&proxy.url(), "PROXY");
    let limit = TIMEOUT_MS.to_string();
    let said = said.replace("LIMIT", &limit);
    if result.reason == Some(*reason) && found == said {
        return Ok(());
    }
    let found_reason = result.reason.map_or("up", Reason::as_str);
    Err(format!(
        "{name}:\n  {reason}: {said}\n  {found_reason}: {found}"
    ))
}

/// Runs all cases at once, and fails with those that do.
fn run(cases: Vec<Case>) {
    let prober = prober();
    let threads = cases.into_iter().map(|case| {
        let prober = prober.for_another_lane();
        thread::spawn(move || compare(&prober, &case))
    });
    let threads: Vec<_> = threads.collect();
    let verdicts = threads.into_iter().map(|thread| thread.join().unwrap());
    let failed: Vec<_> = verdicts.filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_proxy_that_opens_no_tunnel_says_why() {
    let says = |name, text: &str, reason, said| {
        let proxy = ProxyServer::start(Pass::say(&format!("HTTP/1.1 {text}\r\n\r\n")));
        (name, true, proxy, reason, said)
    };
    run(vec![
        says(
            "502",
            "502 Bad Gateway\r\nContent-Length: 0",
            ConnectFailed,
            r#"proxy: PROXY could not reach shop.invalid:443: it answers "HTTP/1.1 502 Bad Gateway""#,
        ),
        says(
            "503",
            "503 Service Unavailable",
            ConnectFailed,
            r#"proxy: PROXY could not reach shop.invalid:443: it answers "HTTP/1.1 503 Service Unavailable""#,
        ),
        says(
            "504",
            "504 Gateway Timeout",
            ConnectTimeout,
            r#"proxy: PROXY could not reach shop.invalid:443: it answers "HTTP/1.1 504 Gateway Timeout""#,
        ),
        says(
            "tinyproxy's 500",
            "500 Unable to connect",
            ConnectFailed,
            r#"proxy: PROXY could not reach shop.invalid:443: it answers "HTTP/1.1 500 Unable to connect""#,
        ),
        says(
            "another 500",
            "500 Internal Server Error",
            ProxyRefused,
            "proxy: PROXY refuses CONNECT shop.invalid:443: it answers \"HTTP/1.1 500 Internal Server Error\"; \
             it may be no proxy, or one without CONNECT",
        ),
        says(
            "403",
            "403 Forbidden",
            ProxyRefused,
            "proxy: PROXY refuses CONNECT shop.invalid:443: it answers \"HTTP/1.1 403 Forbidden\"; let it allow \
             this host and port",
        ),
        says(
            "405 of a web server",
            "405 Not Allowed",
            ProxyRefused,
            "proxy: PROXY refuses CONNECT shop.invalid:443: it answers \"HTTP/1.1 405 Not Allowed\"; it may be no \
             proxy, or one without CONNECT",
        ),
        says(
            "a redirect to a portal",
            "302 Found\r\nLocation: http://portal.example/",
            ProxyRefused,
            "proxy: PROXY refuses CONNECT shop.invalid:443: it answers \"HTTP/1.1 302 Found\"; it may be no proxy, \
             or one without CONNECT",
        ),
        says(
            "an interim response before",
            "100 Continue\r\nX: y\r\n\r\nHTTP/1.1 502 Bad Gateway",
            ConnectFailed,
            r#"proxy: PROXY could not reach shop.invalid:443: it answers "HTTP/1.1 502 Bad Gateway""#,
        ),
    ]);
}

#[test]
fn a_proxy_that_wants_a_login_is_told_how_to_get_it() {
    let answer = |challenge: &str| {
        let text = format!(
            "HTTP/1.1 407 Proxy Authentication Required\r\n{challenge}Content-Length: 0\r\n\r\n"
        );
        ProxyServer::start(Pass::say(&text))
    };
    let basic = "Proxy-Authenticate: Basic realm=\"a\"\r\n";
    let said = "proxy: PROXY asks for a login, \"Basic realm=\"a\"\"; write username and password into request.proxy";
    run(vec![
        (
            "basic, by a tunnel",
            true,
            answer(basic),
            ProxyRefused,
            said,
        ),
        (
            "basic, by the whole URL",
            false,
            answer(basic),
            ProxyRefused,
            said,
        ),
        (
            "one of several",
            true,
            answer("proxy-authenticate: Negotiate\r\nProxy-Authenticate: Basic\r\n"),
            ProxyRefused,
            "proxy: PROXY asks for a login, \"Negotiate, Basic\"; write username and password into request.proxy",
        ),
        (
            "none that is spoken",
            false,
            answer("Proxy-Authenticate: Negotiate\r\n"),
            ProxyRefused,
            "proxy: PROXY asks for a login, \"Negotiate\"; webmon speaks Basic alone",
        ),
    ]);
    let proxy = answer(basic);
    let login = json!({"url": proxy.url(), "username": "me", "password": "wrong"});
    let request = json!({ "proxy": login }).to_string();
    for url in ["https://shop.invalid/", "http://shop.invalid/"] {
        let result = prober().check(&task(url, &request, "{}"), STARTED);
        assert_eq!(result.reason, Some(ProxyRefused), "{result:?}");
        let said =
            "refuses the username and password of request.proxy; it asks for \"Basic realm=\"a\"\"";
        assert!(detail(&result).contains(said), "{result:?}");
    }
}

#[test]
fn what_is_no_proxy_is_not_the_sites_fault() {
    let says = |name, bytes: &[u8], said| {
        let proxy = ProxyServer::hanging(Pass::Say(bytes.to_vec()));
        (name, true, proxy, ProxyUnreachable, said)
    };
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(17_000));
    run(vec![
        says(
            "TLS",
            b"\x15\x03\x01\x00\x02\x02\x16",
            "proxy: PROXY is no HTTP proxy: its answer to CONNECT is TLS; name a port where it speaks HTTP without TLS",
        ),
        says(
            "SOCKS",
            b"\x05\xff",
            "proxy: PROXY is no HTTP proxy: its answer to CONNECT is SOCKS; name a port where it speaks HTTP without TLS",
        ),
        says(
            "SSH",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            "proxy: PROXY is no HTTP proxy: its answer to CONNECT is \"SSH-2.0-OpenSSH_9.2\"; name a port where it \
             speaks HTTP without TLS",
        ),
        says(
            "nothing",
            b"",
            "proxy: PROXY closed the connection without an answer to CONNECT shop.invalid:443",
        ),
        says(
            "the half of an answer",
            b"HTTP/1.1 200 OK\r\nX: y\r\n",
            "proxy: PROXY closed the connection without an answer to CONNECT shop.invalid:443",
        ),
        (
            "a reset",
            true,
            ProxyServer::hanging(Pass::Reset),
            ProxyUnreachable,
            "proxy: PROXY closed the connection without an answer to CONNECT shop.invalid:443",
        ),
        (
            "a head without end",
            true,
            ProxyServer::start(Pass::say(&endless)),
            ProxyRefused,
            "proxy: PROXY answers CONNECT shop.invalid:443 with a head of more than 16 KiB",
        ),
        (
            "nothing, for the whole URL",
            false,
            ProxyServer::start(Pass::say("")),
            ProxyUnreachable,
            "proxy: PROXY closed the connection without an answer",
        ),
    ]);
}

#[test]
fn a_silent_proxy_is_asked_whether_it_or_the_site_is_silent() {
    let slow = "HTTP/1.1 200 OK and so on and on and on";
    run(vec![
        (
            "a tunnel, and the proxy answers",
            true,
            ProxyServer::start(Pass::Hang("")),
            ConnectTimeout,
            "proxy: PROXY opened no tunnel to shop.invalid:443 within LIMIT ms; the proxy answers other requests",
        ),
        (
            "a slow answer, and the proxy answers others at once",
            true,
            ProxyServer::start(Pass::Drip(slow)),
            ConnectTimeout,
            "proxy: PROXY opened no tunnel to shop.invalid:443 within LIMIT ms; the proxy answers other requests",
        ),
        (
            "a tunnel, and the proxy is silent",
            true,
            ProxyServer::hanging(Pass::Hang("")),
            ProxyUnreachable,
            "proxy: PROXY opened no tunnel to shop.invalid:443 within LIMIT ms; nor does the proxy answer another \
             request over HTTP",
        ),
        (
            "the whole URL, and the proxy answers",
            false,
            ProxyServer::start(Pass::Hang("")),
            ResponseTimeout,
            "wait: the response's head did not come within LIMIT ms (by way of the proxy PROXY); the proxy answers \
             other requests",
        ),
        (
            "the whole URL, and the proxy is silent",
            false,
            ProxyServer::hanging(Pass::Hang("")),
            ProxyUnreachable,
            "wait: the response's head did not come within LIMIT ms (by way of the proxy PROXY); nor does the proxy \
             answer another request over HTTP",
        ),
    ]);
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
                let task = task("https://shop.invalid/", &request, "{}");
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
fn what_is_behind_a_proxy_is_judged_as_ever() {
    let tunnel = "HTTP/1.1 200 OK\r\n\r\n";
    run(vec![
        (
            "502 for the whole URL",
            false,
            ProxyServer::start(Pass::say(
                "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            )),
            Status,
            "expect: status 502, expected 2xx (by way of the proxy PROXY)",
        ),
        (
            "a body that is cut off",
            false,
            ProxyServer::start(Pass::say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")),
            Reset,
            "receive: the server closed the connection before the response was complete (by way of the proxy PROXY)",
        ),
        (
            "no TLS in the tunnel",
            true,
            ProxyServer::start(Pass::say(tunnel)),
            TlsHandshake,
            "tls: the server closed the connection (by way of the proxy PROXY)",
        ),
        (
            "silence in the tunnel",
            true,
            ProxyServer::start(Pass::Hang(tunnel)),
            TlsTimeout,
            "tls: the handshake did not end within LIMIT ms (by way of the proxy PROXY)",
        ),
    ]);
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

//! Checks by way of a proxy: what the proxy gets, what the site gets, and what is measured.

use std::net::SocketAddr;

use contract::outcome::Reason;
use probe::show::Report;
use probe::{ProbeOptions, Prober, Watched};
use serde_json::{Value, json};

use crate::authority::{Authority, VALID};
use crate::dns_server::{A, AAAA, DnsServer, Say};
use crate::hostile::{Act, Server};
use crate::proxy_server::{Pass, ProxyServer};
use crate::secrets::{bound, secrets};
use crate::tls::{LIMIT_MS, TLS_ALL};
use crate::tls_server::{TlsServer, Turn};
use crate::{ALL, STARTED, config, detail, phases, prober, runtime, task};

/// How webmon names itself.
const AGENT: &str = concat!("webmon/", env!("CARGO_PKG_VERSION"));

/// Checks `url` with this request and these expectations.
fn watch(prober: &Prober, url: &str, request: &Value, expect: &Value) -> Watched {
    let mut task = task(url, &request.to_string(), &expect.to_string());
    task.timeout_ms = LIMIT_MS;
    prober.watch(&task, STARTED)
}

/// A site over TLS whose name only a proxy knows; the authority of its certificate.
fn site(turns: Vec<Turn>) -> (SocketAddr, String) {
    let root = Authority::new("root");
    let server = TlsServer::start(root.leaf(&["shop.invalid"], VALID), turns);
    (server.address(), root.pem())
}

/// A prober that asks this name server.
fn asking(dns: &DnsServer) -> Prober {
    let mut options = config();
    options.dns.servers = vec![dns.address.into()];
    Prober::new(&options, runtime()).unwrap()
}

#[test]
fn https_goes_through_a_tunnel_and_only_the_proxys_name_is_looked_up() {
    let dns = DnsServer::start();
    let here = Say::Addresses(vec!["127.0.0.1".parse().unwrap()], 60);
    dns.says("proxy.test", A, &[here]);
    let (site, ca) = site(vec![Turn::Echo]);
    let proxy = ProxyServer::start(Pass::To(site));
    let port = proxy.address.port();
    let request = json!({
        "proxy": format!("http://proxy.test:{port}"),
        "tls": {"ca": ca},
        "headers": {"X-Key": "of the site"},
    });
    let expect = json!({"body": [
        {"matches": "(?i)^GET /a\\?b HTTP/1.1\r\nhost: shop.invalid\r\n"},
        {"matches": "(?i)\r\nx-key: of the site\r\n"},
        {"not_matches": "(?i)proxy"},
    ]});
    let watched = watch(&asking(&dns), "https://shop.invalid/a?b", &request, &expect);
    let Watched { result, hops } = &watched;
    assert_eq!(result.reason, None, "{watched:?}");
    let head = format!(
        "CONNECT shop.invalid:443 HTTP/1.1\r\nHost: shop.invalid:443\r\nUser-Agent: {AGENT}\r\n\r\n"
    );
    assert_eq!(proxy.heads(), [head]);
    for kind in [A, AAAA] {
        assert_eq!(dns.asked("shop.invalid", kind), 0);
        assert_eq!(dns.asked("proxy.test", kind), 1);
    }
    assert_eq!(hops[0].proxy, Some(format!("http://proxy.test:{port}")));
    assert_eq!(hops[0].address, Some("127.0.0.1".parse().unwrap()));
    assert_eq!(phases(result), TLS_ALL);
    let (of_hop, all) = (hops[0].phases, result.measured.phases);
    let tunnel = hops[0].proxy_us.unwrap();
    assert_eq!(all.connect_us, Some(of_hop.connect_us.unwrap() + tunnel));
    let parts = [
        all.dns_us,
        all.connect_us,
        all.tls_us,
        all.wait_us,
        all.receive_us,
    ];
    assert_eq!(of_hop.total_us, Some(parts.into_iter().flatten().sum()));
}

#[test]
fn a_tunnel_is_shown_as_a_phase_of_its_own() {
    let (site, ca) = site(vec![Turn::ok()]);
    let proxy = ProxyServer::start(Pass::To(site));
    let request = json!({"proxy": proxy.url(), "tls": {"ca": ca}});
    let mut task = task("https://shop.invalid:8443/", &request.to_string(), "{}");
    task.timeout_ms = LIMIT_MS;
    let watched = prober().watch(&task, STARTED);
    let report = Report::new(&task, &watched);
    let shown = report.to_string();
    let lines: Vec<_> = shown.lines().map(str::trim_start).collect();
    assert_eq!(
        lines[1],
        format!("by way of the proxy {}", proxy.url()),
        "{shown}"
    );
    let names = ["dns ", "connect ", "proxy ", "tls ", "wait ", "receive "];
    let bars = lines.iter().filter(|line| line.contains('█'));
    for (line, name) in bars.zip(names) {
        assert!(line.starts_with(name), "{shown}");
    }
    let option = format!(" --proxy {} ", proxy.url());
    assert!(shown.contains(&option), "{shown}");
    let json: Value = serde_json::from_str(&report.json().unwrap()).unwrap();
    assert_eq!(json["hops"][0]["proxy"], proxy.url());
    assert!(json["hops"][0]["proxy_us"].as_u64().is_some(), "{json}");
    assert!(proxy.heads()[0].starts_with("CONNECT shop.invalid:8443 "));
}

#[test]
fn http_is_asked_for_by_the_whole_url() {
    let body = "x".repeat(20_000);
    let site = Server::start(vec![Act::ok("hello"), Act::ok("hello")]);
    let proxy = ProxyServer::start(Pass::To(site.address()));
    let long = "y".repeat(1_900);
    for (url, request, line, host) in [
        (
            "http://shop.invalid/a?b#c",
            json!({"proxy": proxy.url()}),
            "GET http://shop.invalid/a?b HTTP/1.1\r\n",
            "\r\nhost: shop.invalid\r\n",
        ),
        (
            &format!("http://shop.invalid:8080/{long}"),
            json!({"proxy": proxy.url(), "method": "POST", "body": body}),
            &format!("POST http://shop.invalid:8080/{long} HTTP/1.1\r\n"),
            "\r\nhost: shop.invalid:8080\r\n",
        ),
    ] {
        let watched = watch(&prober(), url, &request, &json!({}));
        assert_eq!(watched.result.reason, None, "{watched:?}");
        let head = proxy.heads().pop().unwrap();
        assert!(head.starts_with(line), "{head}");
        assert!(head.to_lowercase().contains(host), "{head}");
        assert_eq!(watched.hops[0].proxy_us, None, "there is no tunnel");
        assert_eq!(phases(&watched.result), ALL);
    }
    let sent = site.requests();
    assert!(sent[0].starts_with("GET /a?b HTTP/1.1\r\n"), "{sent:?}");
    assert!(sent[1].ends_with(&body), "{sent:?}");
}

#[test]
fn a_login_goes_to_the_proxy_alone_and_on_every_hop() {
    let (secure, ca) = site(vec![Turn::Echo]);
    let second = ProxyServer::start(Pass::To(secure));
    let first = Server::start(vec![Act::to("https://shop.invalid/")]);
    let proxy = ProxyServer::start(Pass::To(first.address()));
    let login = |proxy: &ProxyServer| json!({"url": proxy.url(), "username": "me", "password": "${secret:TOKEN}"});
    let line = "Proxy-Authorization: Basic bWU6dDBrZW4tb2YtdGhlLXNob3A=\r\n";
    let prober = crate::secrets::prober(secrets(None));
    // a redirect goes by the same proxy, which leads to the first site again: TLS fails there
    let request = json!({"proxy": login(&proxy)});
    let watched = watch(&prober, "http://first.invalid/", &request, &json!({}));
    assert_eq!(watched.hops.len(), 2, "{watched:?}");
    let heads = proxy.heads();
    assert!(
        heads[0].starts_with("GET http://first.invalid/ "),
        "{heads:?}"
    );
    assert!(
        heads[1].starts_with("CONNECT shop.invalid:443 "),
        "{heads:?}"
    );
    for head in &heads {
        let head = head.replace("proxy-authorization", "Proxy-Authorization");
        assert!(head.contains(line), "{head}");
    }
    let request = json!({"proxy": login(&second), "tls": {"ca": ca}});
    let expect = json!({"body": [{"not_contains": "uthorization"}]});
    let watched = watch(&prober, "https://shop.invalid/", &request, &expect);
    assert_eq!(watched.result.reason, None, "{watched:?}");
    assert!(second.heads()[0].contains(line));
}

#[test]
fn a_bound_secret_goes_to_no_other_proxy_and_past_none_that_could_read_it() {
    let proxy = ProxyServer::start(Pass::say("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
    let port = proxy.address.port();
    let login = json!({"url": proxy.url(), "username": "me", "password": "${secret:TOKEN}"});
    let plain = json!(proxy.url());
    let bearer = |proxy: &Value| json!({"proxy": proxy, "bearer": "${secret:TOKEN}"});
    let site = "https://shop.invalid/";
    for (origins, url, request, said) in [
        (
            vec![site],
            site,
            json!({"proxy": login}),
            Some(format!(
                "secret TOKEN: is not for http://127.0.0.1:{port}; use an origin of"
            )),
        ),
        (
            vec![proxy.url().as_str()],
            site,
            json!({"proxy": login}),
            None,
        ),
        // through a tunnel nothing can be read
        (vec![site], site, bearer(&plain), None),
        (
            vec!["http://shop.invalid"],
            "http://shop.invalid/",
            bearer(&plain),
            Some(
                "request.proxy: the secret TOKEN is bound by secrets.hosts, and a proxy reads"
                    .to_owned(),
            ),
        ),
        (
            vec!["http://shop.invalid", proxy.url().as_str()],
            "http://shop.invalid/",
            bearer(&plain),
            None,
        ),
    ] {
        let prober = crate::secrets::prober(bound(secrets(None), &origins));
        let result = watch(&prober, url, &request, &json!({})).result;
        let missing = result.reason == Some(Reason::SecretMissing);
        assert_eq!(missing, said.is_some(), "{request} {origins:?}: {result:?}");
        let said = said.unwrap_or_default();
        assert!(detail(&result).starts_with(&said), "{request}: {result:?}");
    }
    assert_eq!(proxy.heads().len(), 3);
}

#[test]
fn the_policy_judges_the_proxy_and_not_what_is_behind() {
    let site = Server::start(vec![Act::to("http://169.254.169.254/"), Act::ok("hello")]);
    let proxy = ProxyServer::start(Pass::To(site.address()));
    let request = json!({"proxy": proxy.url()});
    let watched = watch(&prober(), "http://10.0.0.1/", &request, &json!({}));
    assert_eq!(watched.result.reason, None, "{watched:?}");
    let nothing = Prober::new(&ProbeOptions::default(), runtime()).unwrap();
    let result = watch(&nothing, "http://example.com/", &request, &json!({})).result;
    assert_eq!(result.reason, Some(Reason::AddressRefused), "{result:?}");
    let said = format!(
        "proxy: {} cannot be reached: connect: 127.0.0.1 is not a public address; addresses.allow can admit it",
        proxy.url()
    );
    assert_eq!(detail(&result), said);
}

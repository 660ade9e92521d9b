//! Which requests redirects lead to, and what goes along.

use super::*;

fn step(method: &str, url: &str, with_body: bool) -> Step {
    Step {
        url: url.parse().unwrap(),
        method: method.parse().unwrap(),
        trusted: true,
        with_body,
        cookies: None,
        answer: None,
    }
}

#[test]
fn what_belongs_to_a_site_stays_with_its_origin() {
    for (from, to, trusted) in [
        ("http://a.example/x", "http://a.example/y", true),
        ("http://a.example/x", "https://a.example/y", true),
        ("http://a.example:80/", "https://a.example:443/", true),
        ("https://a.example/", "http://a.example/", false),
        ("http://a.example:8080/", "https://a.example/", false),
        ("http://a.example/", "https://a.example:8443/", false),
        ("http://a.example/", "http://www.a.example/", false),
        ("http://a.example/", "http://a.example./", false),
        ("http://a.example/", "http://a.example:81/", false),
    ] {
        let (from, to): (Url, Url) = (from.parse().unwrap(), to.parse().unwrap());
        let found = stays_trusted(&from, &to, |_| Ok(()));
        assert_eq!(found, trusted, "{from} {to}");
        // another origin gets nothing where one of the secrets may not go there
        let same = trusted && from.scheme() == to.scheme();
        let found = stays_trusted(&from, &to, |_| Err("secret A is bound".to_owned()));
        assert_eq!(found, same, "{from} {to}");
    }
}

#[test]
fn a_check_says_what_a_later_server_was_not_given() {
    observed::begin(std::time::Duration::ZERO, 0);
    let (from, to) = ("http://a.example/", "https://a.example/");
    let (from, to): (Url, Url) = (from.parse().unwrap(), to.parse().unwrap());
    let failed = || Fault::at("expect", Reason::Status, "status 401").with_what_was_withheld();
    stays_trusted(&from, &to, |_| Ok(()));
    assert_eq!(failed().detail(2), "hop 2: expect: status 401");
    stays_trusted(&from, &to, |_| Err("secret A is not for it".to_owned()));
    assert_eq!(
        failed().detail(2),
        "hop 2: expect: status 401 (asked without the site's headers: secret A is not for it)"
    );
}

#[test]
fn methods_and_bodies_are_repeated_only_where_they_should_be() {
    let same = "http://a.example/y";
    let other = "http://b.example/";
    for (method, body, status, to, expected) in [
        ("GET", false, 302, other, Some(("GET", false))),
        ("HEAD", false, 301, other, Some(("HEAD", false))),
        ("POST", true, 301, same, Some(("GET", false))),
        ("PUT", true, 303, same, Some(("GET", false))),
        ("POST", true, 307, same, Some(("POST", true))),
        (
            "POST",
            true,
            308,
            "https://a.example/",
            Some(("POST", true)),
        ),
        ("POST", true, 308, other, None),
        ("DELETE", false, 307, other, None),
        ("GET", true, 307, other, None),
        ("GET", false, 308, other, Some(("GET", false))),
    ] {
        let from = step(method, "http://a.example/x", body);
        let next = next_step(&from, to.parse().unwrap(), status, to != other);
        let found = next.as_ref().ok().map(|n| (n.method.as_str(), n.with_body));
        assert_eq!(found, expected, "{method} {body} {status} {to}");
    }
}

//! What is within a domain, and what within a path.

use super::*;

#[test]
fn a_domain_is_that_of_the_server_or_one_above_it() {
    let other = Err("its Domain is not this server's");
    let top = Err("its Domain is a whole top-level domain");
    for (host, written, found) in [
        ("a.b.example", None, Ok(("a.b.example", true))),
        (
            "a.b.example",
            Some("a.b.example"),
            Ok(("a.b.example", false)),
        ),
        ("a.b.example", Some("B.Example"), Ok(("b.example", false))),
        ("a.b.example", Some("example"), top),
        ("a.b.example", Some("x.a.b.example"), other),
        ("ab.example", Some("b.example"), other),
        ("example", Some("example"), Ok(("example", true))),
        ("localhost", Some("localhost"), Ok(("localhost", true))),
        (
            "b\u{fc}cher.example",
            Some("B\u{dc}CHER.example"),
            Ok(("xn--bcher-kva.example", false)),
        ),
        ("127.0.0.1", Some("127.0.0.1"), Ok(("127.0.0.1", true))),
        ("127.0.0.1", Some("0.1"), other),
        ("127.0.0.1", Some("0.0.1"), other),
        ("[::1]", Some("[::1]"), Ok(("[::1]", true))),
        ("a.example", Some("a b"), other),
    ] {
        let url = Url::parse(&format!("https://{host}/")).unwrap();
        let said = domain(written.map(str::as_bytes), &url);
        let found = found.map(|(domain, alone): (&str, bool)| (domain.to_owned(), alone));
        assert_eq!(said, found, "{host} {written:?}");
    }
}

#[test]
fn a_host_is_within_its_domain() {
    for (host, domain, within) in [
        ("a.example", "a.example", true),
        ("b.a.example", "a.example", true),
        ("ba.example", "a.example", false),
        ("a.example", "b.a.example", false),
        ("127.0.0.1", "0.0.1", false),
    ] {
        assert_eq!(is_within(host, domain), within, "{host} {domain}");
    }
}

#[test]
fn a_path_is_within_its_folder() {
    for (path, folder, within) in [
        ("/a/b", "/", true),
        ("/a/b", "/a", true),
        ("/a/b", "/a/", true),
        ("/a/b", "/a/b", true),
        ("/ab", "/a", false),
        ("/a", "/a/", false),
        ("/A", "/a", false),
    ] {
        let found = path_within(path.as_bytes(), folder.as_bytes());
        assert_eq!(found, within, "{path} {folder}");
    }
    for (path, folder) in [("/", "/"), ("/a", "/"), ("/a/", "/a"), ("/a/b?c/d", "/a")] {
        let url = Url::parse(&format!("https://a.example{path}")).unwrap();
        assert_eq!(default_path(&url), folder, "{path}");
    }
}

#[test]
fn secure_cookies_travel_over_https_and_within_this_machine() {
    for (url, safe) in [
        ("https://a.example/", true),
        ("http://a.example/", false),
        ("http://localhost/", true),
        ("http://a.localhost/", true),
        ("http://127.9.9.9/", true),
        ("http://[::1]/", true),
        ("http://10.0.0.1/", false),
    ] {
        assert_eq!(is_safe(&Url::parse(url).unwrap()), safe, "{url}");
    }
}

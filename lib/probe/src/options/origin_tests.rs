//! Which texts name the same server, and what is said of those that name none.

use super::*;

/// The origin of a URL, as text.
fn of(url: &str) -> String {
    Origin::of(&parse_url(url).unwrap()).to_string()
}

#[test]
fn texts_that_mean_one_server_are_one_origin() {
    for (texts, origin) in [
        (
            &[
                "https://shop.example",
                "https://shop.example/",
                "https://shop.example:443",
                "HTTPS://Shop.Example.:443/",
                "https://shop%2Eexample",
                "https://ｓｈｏｐ.example",
            ][..],
            "https://shop.example",
        ),
        (
            &["http://bücher.example:80", "http://XN--BCHER-KVA.example"],
            "http://xn--bcher-kva.example",
        ),
        (
            &[
                "http://127.0.0.1:8080",
                "http://0x7f.1:8080/",
                "http://2130706433:08080",
            ],
            "http://127.0.0.1:8080",
        ),
        (
            &[
                "https://[::1]",
                "https://[0:0:0:0:0:0:0:1]:443",
                "https://[::0.0.0.1]",
            ],
            "https://[::1]",
        ),
        (&["http://intranet."], "http://intranet."),
        (&["http://intranet"], "http://intranet"),
    ] {
        for text in texts {
            assert_eq!(Origin::parse(text).unwrap().to_string(), origin, "{text}");
            assert_eq!(of(text), origin, "{text}");
        }
    }
}

#[test]
fn what_a_url_has_behind_its_port_is_not_of_its_origin() {
    assert_eq!(of("https://shop.example/a/b?c=d#e"), "https://shop.example");
    assert_eq!(
        of("https://shop.example:8443/a"),
        "https://shop.example:8443"
    );
    // the other scheme's usual port is not usual
    assert_eq!(of("https://shop.example:80/"), "https://shop.example:80");
    assert_eq!(of("http://shop.example:443/"), "http://shop.example:443");
}

#[test]
fn what_is_no_origin_says_what_would_be_one() {
    for (text, said) in [
        (
            "shop.example",
            "lacks the scheme: write `https://shop.example`",
        ),
        (
            "Shop.Example:443",
            "lacks the scheme: write `https://shop.example`",
        ),
        (
            "//shop.example",
            "lacks the scheme: write `https://shop.example`",
        ),
        (
            "localhost:8080",
            "lacks the scheme: write `https://localhost:8080`",
        ),
        ("::1", "lacks the scheme: write `https://[::1]`"),
        ("[::1]:8443", "lacks the scheme: write `https://[::1]:8443`"),
        ("127.0.0.1", "lacks the scheme: write `https://127.0.0.1`"),
        (
            "https://shop.example/login",
            "has more than scheme, host and port, which binds nothing: write `https://shop.example`",
        ),
        (
            "https://shop.example/?a",
            "has more than scheme, host and port, which binds nothing: write `https://shop.example`",
        ),
        (
            "https://me:hunter2@shop.example:444",
            "holds a user name or password: write `https://shop.example:444` alone",
        ),
        (
            "https://*.shop.example",
            "must be one origin, without `*`: list each origin",
        ),
        (
            "ftp://shop.example",
            "must be an origin like `https://shop.example` or `http://127.0.0.1:8080`, of http or https",
        ),
        ("", EXAMPLES),
        ("https://", EXAMPLES),
        ("https://shop.example:70000", EXAMPLES),
        ("https://a b", EXAMPLES),
        ("https://s`op.example", EXAMPLES),
        ("me:hunter2@shop.example", EXAMPLES),
        ("shop.example/path", EXAMPLES),
        ("https:shop.example", EXAMPLES),
    ] {
        assert_eq!(Origin::parse(text).unwrap_err(), said, "{text}");
    }
}

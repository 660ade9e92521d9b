//! Which URLs and times of a site are accepted, and how the rest is refused.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_url_that_is_accepted_is_accepted_again_as_it_is_shown(
        text in r"(https?|ftp):/{0,3}(\PC{0,8}@)?(\[[0-9a-f:.]{0,9}\]|[a-z0-9._%-]{0,12}|\PC{0,9})(:\PC{0,3})?(/\PC{0,9})?(\?\PC{0,5})?(#\PC{0,5})?|\PC{0,30}",
    ) {
        if let Ok(url) = parse_url(&text) {
            prop_assert_eq!(parse_url(url.as_str()).ok(), Some(url.clone()));
            prop_assert!(url.host().is_some() && url.username().is_empty());
        }
    }
}

#[test]
fn urls_are_read_as_browsers_read_them() {
    assert_eq!(
        parse_url("http://0x7f.1/a b").unwrap().as_str(),
        "http://127.0.0.1/a%20b"
    );
    assert_eq!(
        parse_url("https://bücher.example").unwrap().host_str(),
        Some("xn--bcher-kva.example")
    );
}

#[test]
fn what_cannot_be_probed_is_refused_with_the_remedy() {
    for (text, fault) in [
        (
            "shop.example",
            "url: \"shop.example\" is no URL (relative URL without a base); write https://host/path",
        ),
        (
            "https://me:ge/heim@shop.example:x",
            "url: \"***@shop.example:x\" is no URL (invalid port number); write https://host/path",
        ),
        (
            "ftp://shop.example",
            "url: scheme \"ftp\" is not probed; use http or https",
        ),
        (
            "https://me:pw@shop.example",
            "url: carries a user name or password; use request.basic",
        ),
        (
            "https://s`op.example",
            "url: host \"s`op.example\" can be no name; write letters, digits and hyphens between dots",
        ),
    ] {
        assert_eq!(parse_url(text).unwrap_err().to_string(), fault);
    }
    let long = format!("https://shop.example/{}", "a".repeat(2_048));
    assert_eq!(
        parse_url(&long).unwrap_err().to_string(),
        "url: 2069 bytes long; at most 2048"
    );
}

#[test]
fn a_host_is_an_address_or_what_the_dns_has_names_for() {
    let label = "a".repeat(63);
    // 253 bytes, and 254
    let rest = "a".repeat(61);
    let name = format!("{label}.{label}.{label}.{rest}");
    let longer = format!("{name}a");
    for (host, right) in [
        ("localhost", true),
        ("a_b.1-c.example.", true),
        ("[::1]", true),
        (&name, true),
        (&format!("{name}."), true),
        (&longer, false),
        (&format!("{label}a.example"), false),
        ("a..example", false),
        (".", false),
        ("a'b.example", false),
        ("*.example", false),
    ] {
        assert_eq!(
            parse_url(&format!("http://{host}/")).is_ok(),
            right,
            "{host}"
        );
    }
}

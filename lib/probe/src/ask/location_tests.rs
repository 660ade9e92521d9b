//! Which addresses redirects lead to.

use super::*;

fn leads_to(locations: &[&[u8]]) -> Result<Option<String>, Fault> {
    let from = Url::parse("http://a.example/x/y?z#f").unwrap();
    let value = |location: &&[u8]| HeaderValue::from_bytes(location).unwrap();
    let headers = locations
        .iter()
        .map(|location| (header::LOCATION, value(location)));
    let found = destination(&from, &headers.collect())?;
    Ok(found.map(String::from))
}

#[test]
fn a_location_is_read_as_browsers_read_it() {
    for (location, url) in [
        (&b"/caf\xe9"[..], "http://a.example/caf%E9"),
        (
            "/caf\u{e9}?\u{e9}".as_bytes(),
            "http://a.example/caf%C3%A9?%C3%A9",
        ),
        (b"/?\xe9", "http://a.example/?%E9"),
        (b"/caf%e9", "http://a.example/caf%e9"),
        (
            "http://b\u{fc}cher.example/".as_bytes(),
            "http://xn--bcher-kva.example/",
        ),
        (b"  /b\t", "http://a.example/b"),
        (b"/a b", "http://a.example/a%20b"),
        (b"\\b\\c", "http://a.example/b/c"),
        (b"//b.example/c", "http://b.example/c"),
        (b"\\\\b.example\\c", "http://b.example/c"),
        (b"https:b", "https://b/"),
        (b"http:b", "http://a.example/x/b"),
        (b"HTTP://B.Example:80/c", "http://b.example/c"),
        (b"?q", "http://a.example/x/y?q"),
        (b"#there", "http://a.example/x/y?z"),
        (b"../../../b", "http://a.example/b"),
        (b"b#c", "http://a.example/x/b"),
    ] {
        let found = leads_to(&[location]).unwrap();
        assert_eq!(found.as_deref(), Some(url), "{}", location.escape_ascii());
    }
    assert_eq!(
        leads_to(&[b" ", b"/b", b"/c"]).unwrap().as_deref(),
        Some("http://a.example/b")
    );
    assert_eq!(leads_to(&[b""]).unwrap(), None);
    assert_eq!(leads_to(&[]).unwrap(), None);
}

#[test]
fn a_location_may_be_as_long_as_a_request_can_say() {
    let long = |bytes: usize| format!("/{}", "a".repeat(bytes - "http://a.example/".len()));
    assert!(leads_to(&[long(MAX_BYTES).as_bytes()]).unwrap().is_some());
    let fault = leads_to(&[long(MAX_BYTES + 1).as_bytes()]).unwrap_err();
    assert!(
        fault.message.ends_with("is 8129 bytes long; at most 8128"),
        "{fault}"
    );
}

#[test]
fn a_password_in_a_location_is_not_shown() {
    let fault = leads_to(&[b"http://me:hunter2@b.example/"]).unwrap_err();
    let said = "redirect: Location carries a user name or password for \"b.example\"";
    assert_eq!(fault.to_string(), said);
}

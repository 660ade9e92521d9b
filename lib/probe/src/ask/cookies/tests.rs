//! Which cookies are kept, and where they are sent.

use proptest::prelude::*;

use super::*;

const NOW_S: i64 = 1_800_000_000;

/// The jar after these responses, each from a URL with one cookie, and what became of the last.
fn jar(responses: &[(&str, &str)]) -> (Jar, Option<Told>) {
    let (mut jar, mut told) = (Jar::default(), None);
    for (url, line) in responses {
        let headers = HeaderMap::from_iter([(header::SET_COOKIE, line.parse().unwrap())]);
        told = jar.keep(&headers, &url.parse().unwrap(), NOW_S);
    }
    (jar, told)
}

/// What is sent to a URL.
fn sent(jar: &Jar, url: &str) -> String {
    let header = jar.header(&url.parse().unwrap(), None, MAX_BYTES);
    header.map_or(String::new(), |value| {
        String::from_utf8_lossy(value.as_bytes()).into_owned()
    })
}

#[test]
fn cookies_are_sent_where_a_browser_would_send_them() {
    let a = "https://a.example/x/y";
    for (set, url, cookies) in [
        (&[(a, "c=1")][..], "https://a.example/x/z", "c=1"),
        (&[(a, "c=1")], "https://a.example/", ""),
        (&[(a, "c=1; path=/")], "https://a.example/", "c=1"),
        // the port and the scheme are none of a cookie's
        (&[(a, "c=1; path=/")], "http://a.example:8080/", "c=1"),
        (&[(a, "c=1; path=/; secure")], "http://a.example/", ""),
        (&[(a, "c=1; path=/")], "https://www.a.example/", ""),
        (
            &[(a, "c=1; path=/; domain=a.example")],
            "https://www.a.example/",
            "c=1",
        ),
        (
            &[("https://www.a.example/", "c=1; domain=.a.example")],
            "https://b.a.example/",
            "c=1",
        ),
        (
            &[("https://www.a.example/", "c=1; domain=a.example")],
            "https://ba.example/",
            "",
        ),
        (
            &[(a, "c=1; path=/"), (a, "d=2; path=/x"), (a, "e=3; path=/")],
            "https://a.example/x",
            "d=2; c=1; e=3",
        ),
        (
            &[(a, "c=1; path=/"), (a, "d=1; path=/"), (a, "c=2; path=/")],
            "https://a.example/",
            "c=2; d=1",
        ),
        (&[(a, "c=1; path=/"), (a, "c=2; path=/x/")], a, "c=2; c=1"),
        (&[(a, "c=1; path=/"), (a, "c=; path=/; max-age=0")], a, ""),
        (
            &[
                (a, "c=1; path=/"),
                (a, "c=; expires=Thu, 01-Jan-1970 00:00:01 GMT"),
            ],
            a,
            "c=1",
        ),
        (&[(a, "value alone")], a, "value alone"),
        (&[(a, "c=\"a, b\"; Path=/")], a, "c=\"a, b\""),
        (&[(a, "__Host-c=1; secure; path=/")], a, "__Host-c=1"),
    ] {
        assert_eq!(sent(&jar(set).0, url), cookies, "{set:?} {url}");
    }
}

#[test]
fn what_a_browser_would_not_keep_is_refused() {
    let (https, http) = ("https://a.example/", "http://a.example/");
    let prefix = "its name asks for Secure, for Path=/, and for no Domain";
    for (url, line, why) in [
        (
            http,
            "c=1; secure",
            "it is Secure, and came over plain HTTP",
        ),
        (
            https,
            "c=1; domain=b.example",
            "its Domain is not this server's",
        ),
        (
            https,
            "c=1; domain=example",
            "its Domain is a whole top-level domain",
        ),
        (https, "__Secure-c=1", "its name asks for Secure"),
        (https, "__host-c=1; secure", prefix),
        (
            https,
            "__Host-c=1; secure; path=/; domain=a.example",
            prefix,
        ),
        (https, "__Host-c=1; path=/", prefix),
    ] {
        let (jar, told) = jar(&[(url, line)]);
        assert_eq!(told.unwrap().fate, Fate::Refused(why), "{line}");
        assert_eq!(sent(&jar, url), "", "{line}");
    }
    // a plain connection does not take the place of what was set over a safe one
    let (jar, told) = jar(&[(https, "c=1; secure"), (http, "c=2")]);
    assert_eq!(
        told.unwrap().fate,
        Fate::Refused("a Secure one of its name was set over HTTPS")
    );
    assert_eq!(sent(&jar, https), "c=1");
}

#[test]
fn no_server_fills_the_memory_with_cookies() {
    let url = "https://a.example/";
    let many: Vec<_> = (0..=MAX_COOKIES).map(|n| format!("c{n}=1")).collect();
    let set: Vec<_> = many.iter().map(|line| (url, line.as_str())).collect();
    let (jar_of_many, told) = jar(&set);
    assert_eq!(
        told.unwrap().fate,
        Fate::Refused("there are too many cookies")
    );
    assert_eq!(jar_of_many.0.len(), MAX_COOKIES);
    let big = |name: &str, bytes: usize| format!("{name}={}", "x".repeat(bytes - name.len()));
    let (_, told) = jar(&[(url, &big("c", MAX_COOKIE_BYTES + 1))]);
    assert_eq!(told.unwrap().fate, Fate::Refused("it is too long"));
    let (first, second) = (big("c", MAX_COOKIE_BYTES), big("d", MAX_COOKIE_BYTES));
    let (jar_of_two, told) = jar(&[(url, &first), (url, &second)]);
    assert_eq!(
        told.unwrap().fate,
        Fate::Refused("there are too many bytes of cookies")
    );
    assert!(jar_of_two.bytes() <= MAX_BYTES);
    // and no line is longer than a server reads
    let own = "o".repeat(MAX_BYTES - 100);
    let header = jar_of_two.header(&url.parse().unwrap(), Some(own.as_bytes()), MAX_BYTES);
    assert_eq!(header, None);
}

#[test]
fn values_are_not_printed() {
    let (jar, told) = jar(&[("https://a.example/", "sid=hunter2")]);
    let printed = format!("{jar:?} {told:?}");
    assert!(
        printed.contains("sid=***") && !printed.contains("hunter2"),
        "{printed}"
    );
}

#[test]
fn the_first_cookie_that_tells_most_is_told() {
    let lines = [
        "a=; max-age=0",
        "b=1",
        "c=1; secure",
        "d=1; domain=b.example",
        "b=2",
    ];
    let headers = lines.map(|line| (header::SET_COOKIE, HeaderValue::from_static(line)));
    let url = "http://a.example/".parse().unwrap();
    let told = Jar::default().keep(&headers.into_iter().collect(), &url, NOW_S);
    let said = "; the server sets the cookie \"c\", which is not sent back: it is Secure, and came over plain HTTP";
    assert_eq!(told.unwrap().of_loop(None), said);
}

proptest! {
    #[test]
    fn a_jar_keeps_its_bounds_whatever_servers_set(
        lines in prop::collection::vec(r"[a-c_]{0,2}=?[a-z]{0,9}x{0,3000}(; ?(domain|path|max-age|secure)=?[a-z./0-9\-]{0,9}){0,3}", 0..80),
    ) {
        let headers = lines.iter().filter_map(|line| line.parse().ok());
        let headers: HeaderMap = headers.map(|value| (header::SET_COOKIE, value)).collect();
        let mut jar = Jar::default();
        let url = "https://a.example/b/c".parse().unwrap();
        jar.keep(&headers, &url, NOW_S);
        prop_assert!(jar.0.len() <= MAX_COOKIES && jar.bytes() <= MAX_BYTES);
        let sent = jar.header(&url, Some(b"own=1"), 1_000);
        prop_assert!(sent.is_none_or(|line| line.len() <= 1_000));
    }
}

//! What is read of a `Set-Cookie`.

use super::*;

/// The name and value, and the rest as it would be written.
fn read(text: &str) -> Option<String> {
    let cookie = SetCookie::read(text.as_bytes(), 1_000)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut said = format!("{}={}", text(cookie.name), text(cookie.value));
    for (name, value) in [(" D=", cookie.domain), (" P=", cookie.path)] {
        said.extend(value.map(|value| name.to_owned() + &text(value)));
    }
    for (word, there) in [(" secure", cookie.secure), (" expired", cookie.expired)] {
        said.extend(there.then_some(word));
    }
    Some(said)
}

#[test]
fn set_cookie_is_read_as_browsers_read_it() {
    for (text, said) in [
        ("a=b", Some("a=b")),
        ("  a  =  b c  ;", Some("a=b c")),
        ("a=b=c==", Some("a=b=c==")),
        ("a=\"b, c\"", Some("a=\"b, c\"")),
        ("a=", Some("a=")),
        ("=b", Some("=b")),
        ("b", Some("=b")),
        (
            "a=b; PATH=/x;secure ;HttpOnly; SameSite=Lax",
            Some("a=b P=/x secure"),
        ),
        (
            "a=b; domain=.x.example; Secure=no",
            Some("a=b D=x.example secure"),
        ),
        ("a=b; domain=x; domain=", Some("a=b")),
        ("a=b; path=x", Some("a=b")),
        ("a=b; path=/x; path", Some("a=b")),
        ("a=b; max-age=0", Some("a=b expired")),
        ("a=b; max-age=-1", Some("a=b expired")),
        ("a=b; max-age=99999999999999999999", Some("a=b")),
        ("a=b; max-age=1.5", Some("a=b")),
        ("a=b; max-age=-", Some("a=b")),
        (
            "a=b; expires=Thu, 01 Jan 1970 00:16:40 GMT",
            Some("a=b expired"),
        ),
        ("a=b; expires=Thu, 01 Jan 1970 00:16:41 GMT", Some("a=b")),
        ("a=b; expires=0", Some("a=b")),
        (
            "a=b; expires=Thu, 01 Jan 1970 00:00:00 GMT; max-age=9",
            Some("a=b"),
        ),
        (
            "a=b; max-age=0; expires=Fri, 31 Dec 9999 23:59:59 GMT",
            Some("a=b expired"),
        ),
        ("", None),
        (" = ; path=/", None),
    ] {
        assert_eq!(read(text).as_deref(), said, "{text}");
    }
    let long = format!("a=b; path=/{}", "x".repeat(1_024));
    assert_eq!(read(&long).as_deref(), Some("a=b"));
}

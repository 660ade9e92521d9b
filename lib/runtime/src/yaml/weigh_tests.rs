//! Which YAML is refused before it is read.

use std::fmt::Write as _;

use super::*;

/// What is said of a text; nothing if it may be read.
fn said(text: &str) -> Option<String> {
    check_bounds(text).err().map(|error| error.to_string())
}

#[test]
fn what_would_take_long_is_refused_at_once() {
    let deep = "lists and maps lie more than 64 deep in each other at line 1";
    for text in ["[", "{a: ", "- ", "? "] {
        assert_eq!(said(&text.repeat(50_000)).as_deref(), Some(deep), "{text}");
    }
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in "bcdefgh".chars().zip("abcdefg".chars()) {
        let aliases = vec![format!("*{of}"); 10].join(", ");
        writeln!(bomb, "{name}: &{name} [{aliases}]").unwrap();
    }
    let said = said(&bomb).unwrap_or_default();
    assert_eq!(
        said,
        "its aliases expand to far too much: write the values out"
    );
}

#[test]
fn what_people_write_passes() {
    for text in [
        "",
        "a: 1",
        "a: &a {b: [1, 2]}\nc: *a\nd: {<<: *a}\n",
        "a: [",
        "\u{feff}a: 1\r\nb: 2\r\n",
    ] {
        assert_eq!(said(text), None, "{text}");
    }
    let nested = format!("{}{}", "[".repeat(64), "]".repeat(64));
    assert_eq!(said(&nested), None);
}

#[test]
fn what_is_no_text_is_named() {
    for (text, words) in [
        ("a: 1\nb: \0", "a NUL character at line 2"),
        ("a: \u{1b}[31m", "the control character U+001B at line 1"),
    ] {
        let said = said(text).unwrap_or_default();
        assert!(said.starts_with(words), "{said}");
    }
    let wide: Vec<u8> = "\u{feff}a: 1"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let error = Events::new(wide.as_slice()).next_event().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the text is UTF-16; save the file as UTF-8"
    );
}

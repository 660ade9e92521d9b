//! What texts become of bodies, and what memory they take.

use proptest::prelude::*;
use ureq::http::{HeaderValue, header};

use super::*;

/// A budget that is large enough.
fn memory(bytes: u64) -> Arc<Budget> {
    Arc::new(Budget::new(bytes, "nothing is left"))
}

/// The head of an answer.
fn head(content_type: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_str(content_type).unwrap(),
    );
    headers
}

/// The text of a body.
fn text(content_type: &str, body: &[u8], cut: Cut) -> String {
    let memory = memory(1 << 20);
    let text = Text::of(&head(content_type), body, cut, &memory).unwrap();
    String::from_utf8(text.text().to_vec()).unwrap()
}

#[test]
fn a_body_in_utf_8_is_not_copied() {
    for body in ["Störung".as_bytes(), b"\xef\xbb\xbfhello", b""] {
        for content_type in ["text/html", "text/html; charset=utf-8", "application/json"] {
            let memory = memory(0);
            let text = Text::of(&head(content_type), body, Cut::Whole, &memory).unwrap();
            assert!(matches!(text.bytes, Cow::Borrowed(_)), "{content_type}");
        }
    }
}

#[test]
fn a_copy_is_taken_from_the_budget_and_given_back() {
    let latin = head("text/html; charset=iso-8859-1");
    let memory = memory(10_000);
    let held = Text::of(&latin, &[b'a'; 3_000], Cut::Whole, &memory).unwrap();
    assert!(memory.left() < 1_100);
    let fault = Text::of(&latin, &[b'a'; 3_000], Cut::Whole, &memory).unwrap_err();
    assert_eq!(fault.reason, Reason::LocalResources);
    drop(held);
    assert_eq!(memory.left(), 10_000);
}

#[test]
fn half_a_character_at_a_cut_is_left_out() {
    let gbk = "text/html; charset=gbk";
    assert_eq!(text(gbk, b"a\xca\xd7", Cut::Whole), "a首");
    assert_eq!(text(gbk, b"a\xca", Cut::Limit), "a");
    assert_eq!(text(gbk, b"a\xca", Cut::Whole), "a\u{fffd}");
    assert_eq!(
        text("text/plain; charset=utf-16le", b"a\0b", Cut::Limit),
        "a"
    );
    assert_eq!(
        text("text/plain; charset=utf-32be", b"\0\0\0a\0", Cut::Limit),
        "a"
    );
}

#[test]
fn a_mark_is_shown_where_the_text_is_quoted() {
    let memory = memory(1 << 10);
    let start = |body: &[u8]| {
        Text::of(&head("a/json"), body, Cut::Whole, &memory)
            .unwrap()
            .start()
    };
    assert_eq!(start(b"\xef\xbb\xbf{}"), r#""\u{feff}{}""#);
    assert_eq!(start(b"\xff\xfe{\0"), r#""\u{feff}{""#);
    assert_eq!(start(b"{}"), "\"{}\"");
}

proptest! {
    #[test]
    fn a_text_in_any_unicode_reads_as_it_was_written(written in "[a-zé日😀]{1,9}") {
        let utf16: Vec<u16> = written.encode_utf16().collect();
        let low: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let high: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let wide: Vec<u8> = written.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        for (label, body) in [("utf-16le", &low), ("utf-16be", &high), ("utf-32be", &wide)] {
            let declared = format!("text/plain; charset={label}");
            prop_assert_eq!(text(&declared, body, Cut::Whole), written.clone());
        }
        prop_assert_eq!(text("a/b", &[b"\xff\xfe", &*low].concat(), Cut::Whole), written.clone());
        prop_assert_eq!(text("a/b", &[b"\xfe\xff", &*high].concat(), Cut::Whole), written.clone());
        prop_assert_eq!(text("a/b", &[b"\0\0\xfe\xff", &*wide].concat(), Cut::Whole), written);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        body in prop::collection::vec(any::<u8>(), 0..40),
        label in prop::sample::select(vec!["gb18030", "iso-2022-jp", "utf-16", "utf-32", "big5", "euc-jp"]),
        cut in any::<bool>(),
    ) {
        let cut = if cut { Cut::Limit } else { Cut::Whole };
        text(&format!("text/html; charset={label}"), &body, cut);
    }
}

//! Text from a file, a row, a server or a message, as it may stand on a terminal, in a table or in a log.
//!
//! A terminal obeys control characters; characters that set the direction of writing, or that are not seen
//! at all, make a name look like another one. They are escaped, here alone: `\n`, `\u{1b}`, `\u{202e}`.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character shows itself and changes nothing around it. Marks that belong to the letter before
/// them (accents, variation selectors) do.
pub fn is_harmless(c: char) -> bool {
    // most characters of most texts
    if matches!(c, ' '..='~') {
        return true;
    }
    !c.is_control()
        && !matches!(c,
            '\u{ad}' // soft hyphen
            | '\u{34f}' // grapheme joiner
            | '\u{61c}' // Arabic letter mark
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // fillers of Hangul
            | '\u{17b4}' | '\u{17b5}' // vowels of Khmer that are not seen
            | '\u{180e}' // Mongolian vowel separator
            | '\u{200b}'..='\u{200f}' // zero width, and marks of direction
            | '\u{2028}'..='\u{202e}' // separators of lines and paragraphs, and directions
            | '\u{2060}'..='\u{206f}' // operators that are not seen, and isolated directions
            | '\u{feff}' // byte order mark
            | '\u{fff0}'..='\u{fffb}' // annotations
            | '\u{fffe}' | '\u{ffff}' // no characters
            | '\u{1bca0}'..='\u{1bca3}' // shorthand
            | '\u{1d173}'..='\u{1d17a}' // music
            | '\u{e0000}'..='\u{e00ff}' // tags
        )
}

/// The text on one line, with everything escaped that is not harmless.
pub fn harmless(text: &str) -> Cow<'_, str> {
    escaped(text, is_harmless, |out, c| out.extend(c.escape_default()))
}

/// The same, but lines stay lines: what a program says on several of them.
pub fn harmless_lines(text: &str) -> Cow<'_, str> {
    let stays = |c| c == '\n' || is_harmless(c);
    escaped(text, stays, |out, c| out.extend(c.escape_default()))
}

/// The text in double quotes, so that its ends are seen, as one line.
pub fn quoted(text: &str) -> String {
    let stays = |c| c != '"' && c != '\\' && is_harmless(c);
    format!(
        "\"{}\"",
        escaped(text, stays, |out, c| out.extend(c.escape_default()))
    )
}

/// A text of JSON that means the same and is harmless: what has to be escaped can only stand in strings.
/// Line breaks between values stay.
pub fn harmless_json(json: &str) -> Cow<'_, str> {
    let stays = |c| c == '\n' || is_harmless(c);
    escaped(json, stays, |out, c| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            // writing to a String cannot fail
            let _infallible = write!(out, "\\u{unit:04x}");
        }
    })
}

/// At most `limit` characters of a text; `…` stands for the rest.
pub fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let (start, _) = text.split_at_checked(end).unwrap_or((text, ""));
            Cow::Owned(format!("{start}…"))
        }
    }
}

/// The text with `escape` in place of each character that does not stay.
fn escaped(
    text: &str,
    stays: impl Fn(char) -> bool,
    escape: impl Fn(&mut String, char),
) -> Cow<'_, str> {
    if text.chars().all(&stays) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if stays(c) {
            out.push(c);
        } else {
            escape(&mut out, c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_obeys_or_does_not_show_is_escaped() {
        for (text, shown) in [
            ("shop é 日本語　サイト 🦀 ❤\u{fe0f} a\u{301} \u{a0}", None),
            ("a\u{1b}[31mb", Some(r"a\u{1b}[31mb")),
            ("a\nb\tc\rd\0", Some(r"a\nb\tc\rd\u{0}")),
            ("\u{7f}\u{9b}31m\u{85}", Some(r"\u{7f}\u{9b}31m\u{85}")),
            ("abc\u{202e}cba\u{2069}", Some(r"abc\u{202e}cba\u{2069}")),
            (
                "a\u{200b}b\u{feff}\u{61c}\u{180e}",
                Some(r"a\u{200b}b\u{feff}\u{61c}\u{180e}"),
            ),
            ("👩\u{200d}👩", Some(r"👩\u{200d}👩")),
            (
                "a\u{2028}b\u{e0041}\u{e007f}\u{e0001}",
                Some(r"a\u{2028}b\u{e0041}\u{e007f}\u{e0001}"),
            ),
        ] {
            assert_eq!(harmless(text), shown.unwrap_or(text));
        }
        assert_eq!(harmless_lines("a\n\u{1b}b"), "a\n\\u{1b}b");
        assert_eq!(quoted("a\"\\\u{202e}\n"), r#""a\"\\\u{202e}\n""#);
    }

    #[test]
    fn a_long_text_is_cut_where_a_character_ends() {
        assert_eq!(shortened("日本語", 3), "日本語");
        assert_eq!(shortened("日本語", 2), "日本…");
        assert_eq!(shortened("", 0), "");
    }

    proptest! {
        #[test]
        fn nothing_that_is_shown_can_do_harm(text in any::<String>()) {
            prop_assert!(harmless(&text).chars().all(is_harmless));
            prop_assert!(quoted(&text).chars().all(is_harmless));
        }

        #[test]
        fn json_means_the_same_and_is_harmless(text in any::<String>(), odd in "[\u{7f}-\u{9f}\u{200b}-\u{202e}\u{e0001}-\u{e007f}]*") {
            let json = serde_json::to_string(&[&text, &odd]).unwrap();
            let shown = harmless_json(&json);
            prop_assert!(shown.chars().all(is_harmless));
            prop_assert_eq!(serde_json::from_str::<[String; 2]>(&shown).unwrap(), [text, odd]);
        }
    }
}

//! A string of JSON, as rules see it.

use std::borrow::Cow;

use contract::json_cursor;

/// An escape of a character: `\uXXXX`.
const ESCAPE_BYTES: usize = 6;

/// The text of a string that is written like this; none if it is no UTF-8. Half a surrogate pair is U+FFFD.
pub(super) fn text(written: &[u8]) -> Option<Cow<'_, str>> {
    json_cursor::text(written).or_else(|| {
        let mended = mended(written)?;
        json_cursor::text(&mended).map(|text| Cow::Owned(text.into_owned()))
    })
}

/// The same string with U+FFFD for each half of a surrogate pair that stands alone.
#[inline(never)]
fn mended(written: &[u8]) -> Option<Vec<u8>> {
    let mut mended = Vec::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at_checked(at)?;
        mended.extend_from_slice(before);
        let taken = match (unit(escape), escape.get(ESCAPE_BYTES..).and_then(unit)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 2 * ESCAPE_BYTES,
            (Some(0xd800..0xe000), _) => {
                mended.extend_from_slice(br"\ufffd");
                rest = escape.get(ESCAPE_BYTES..)?;
                continue;
            }
            (Some(_), _) => ESCAPE_BYTES,
            // a backslash and what it escapes
            (None, _) => 2,
        };
        let (escape, behind) = escape.split_at_checked(taken)?;
        mended.extend_from_slice(escape);
        rest = behind;
    }
    mended.extend_from_slice(rest);
    Some(mended)
}

/// The number that an escape begins the text with, if one does.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(br"\u")?.get(..4)?;
    let digits = str::from_utf8(digits).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_pair_reads_as_the_replacement_character() {
        for (written, read) in [
            (r#""A\udc00B""#, "A\u{fffd}B"),
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\uD83D\uDE00\uDE00""#, "😀\u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\ud83dA\u0041""#, "\u{fffd}AA"),
            (r#""\\\ud83d""#, "\\\u{fffd}"),
            (r#""\\ud83d""#, "\\ud83d"),
            (r#""\ud83d\n""#, "\u{fffd}\n"),
        ] {
            assert_eq!(text(written.as_bytes()).as_deref(), Some(read), "{written}");
        }
        assert_eq!(text(b"\"\xff\\ud83d\""), None);
    }

    proptest! {
        #[test]
        fn any_string_of_json_reads_as_utf_16_does(units in prop::collection::vec(
            prop_oneof![any::<u16>(), 0xd7f0..0xe010_u16, 0x20..0x80_u16], 0..12,
        )) {
            let escapes: Vec<_> = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let written = format!("\"{}\"", escapes.concat());
            let read = text(written.as_bytes()).map(Cow::into_owned);
            prop_assert_eq!(read, Some(String::from_utf16_lossy(&units)));
        }
    }
}

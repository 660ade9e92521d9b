//! What may stand in a header of HTTP.

use super::SiteError;

/// The longest header line, in bytes, with its colon and line end.
pub const MAX_HEADER_LINE_BYTES: usize = 8_192;

/// Whether `text` is a token of RFC 9110: a method or the name of a header.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Checks the name of a header at `key`.
pub(super) fn check_name(key: &str, name: &str) -> Result<(), SiteError> {
    if is_token(name) {
        return Ok(());
    }
    Err(SiteError::new(
        key,
        format!("{name:?} is no header name; use letters, digits and hyphens"),
    ))
}

/// Checks a value at `key` for the header `name`; in the checker again, with its secrets.
pub fn check_value(key: &str, name: &str, value: &str) -> Result<(), SiteError> {
    if value.bytes().any(|b| (b < 32 && b != b'\t') || b == 127) {
        return Err(SiteError::new(
            key,
            "contains a line break or another control character; remove it",
        ));
    }
    // name, colon, space, value, CR and LF
    let line = name.len() + value.len() + 4;
    if line > MAX_HEADER_LINE_BYTES {
        return Err(SiteError::new(
            key,
            format!("the header line is {line} bytes long; at most {MAX_HEADER_LINE_BYTES}"),
        ));
    }
    Ok(())
}

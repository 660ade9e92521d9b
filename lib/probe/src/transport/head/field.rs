//! A header line.

/// A header line in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field<'a> {
    /// The name: letters, digits and what else may stand in one.
    pub(super) name: &'a [u8],
    /// What stands behind the colon.
    pub(super) value: &'a [u8],
}

impl<'a> Field<'a> {
    /// A line without its end as the library reads it.
    pub(super) fn plain(line: &'a [u8]) -> Option<Self> {
        let length = line.iter().take_while(|byte| is_in_names(**byte)).count();
        let (name, rest) = line.split_at_checked(length)?;
        let value = rest.strip_prefix(b":")?;
        (!name.is_empty() && is_text(value)).then_some(Self { name, value })
    }

    /// A line as browsers read it: blanks may stand before the colon, and anything behind it. `None` if it is no header.
    pub(super) fn sloppy(line: &'a [u8]) -> Option<Self> {
        let length = line.iter().take_while(|byte| is_in_names(**byte)).count();
        let (name, rest) = line.split_at_checked(length)?;
        let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
        let value = rest.get(blanks..)?.strip_prefix(b":")?;
        (!name.is_empty()).then_some(Self { name, value })
    }

    /// Whether it says how long the body is.
    pub(super) fn is_length(&self) -> bool {
        self.name.eq_ignore_ascii_case(b"content-length")
    }

    /// Whether it says how the body is sent.
    pub(super) fn is_coding(&self) -> bool {
        self.name.eq_ignore_ascii_case(b"transfer-encoding")
    }
}

/// A line without LF, and without the CR before it, of which careless servers send more than one.
pub(in crate::transport) fn without_cr(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| *byte != b'\r');
    line.get(..end.map_or(0, |last| last + 1))
        .unwrap_or_default()
}

/// Whether a byte is a blank within a line.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Whether all bytes may stand in a value: none of ASCII's control characters but the tab. There is no early return, so
/// that many are looked at in one step.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let bad = |byte: u8| (byte < b' ' && byte != b'\t') || byte == 0x7f;
    !bytes.iter().fold(false, |found, byte| found | bad(*byte))
}

/// Whether a byte may stand in a name (RFC 9110, 5.6.2).
fn is_in_names(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
            | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z'
    )
}

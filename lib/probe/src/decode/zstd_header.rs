//! How much memory a frame of zstd takes, read off its header: it chooses its window itself.

/// The largest window of zstd on the web, in bytes (RFC 9659).
pub(super) const MOST: u64 = 8 << 20;
/// The most bytes of a zstd frame's header (RFC 8878, 3.1.1.1).
pub(super) const HEADER_BYTES: usize = 18;
/// What a decoder of zstd takes beside what it decoded, in bytes: tables, and the parts of a block of 128 KiB.
pub(super) const TABLES_BYTES: u64 = 3 << 19;
/// What a decoded block of zstd takes at most, in bytes: a buffer that has grown is twice as large as what is in it,
/// and was copied.
pub(super) const BLOCK_BYTES: u64 = 3 * (128 << 10);

/// What begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// A frame whose window takes so many bytes.
    Frame(u64),
    /// A frame to be passed over, of so many bytes (RFC 8878, 3.1.2).
    Skippable(u64),
}

/// What begins like this in zstd; none if nothing of it does.
pub(super) fn begin(start: &[u8]) -> Option<Begin> {
    let (magic, header) = start.split_first_chunk::<4>()?;
    match u32::from_le_bytes(*magic) {
        0xfd2f_b528 => {
            let window = window_of(header)?.min(MOST);
            Some(Begin::Frame(3 * window + BLOCK_BYTES))
        }
        0x184d_2a50..=0x184d_2a5f => {
            let length = u32::from_le_bytes(*header.first_chunk()?);
            Some(Begin::Skippable(8 + u64::from(length)))
        }
        _ => None,
    }
}

/// The window of a zstd frame, in bytes.
fn window_of(header: &[u8]) -> Option<u64> {
    let (descriptor, fields) = header.split_first()?;
    let single = descriptor & 0x20 != 0;
    if !single {
        let window = fields.first()?;
        let base = 1_u64 << (10 + u32::from(window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    // one segment: its size is the window
    let dictionary = match descriptor & 3 {
        3 => 4,
        bytes => usize::from(bytes),
    };
    let bytes = 1 << (descriptor >> 6);
    let size = fields.get(dictionary..dictionary + bytes)?;
    let little_endian = size.iter().rev();
    Some(little_endian.fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_read_as_the_format_has_it() {
        let frame = |window: u64| Some(Begin::Frame(3 * window + BLOCK_BYTES));
        let begins = |rest: &[u8]| begin(&[&[0x28, 0xb5, 0x2f, 0xfd], rest].concat());
        assert_eq!(begins(&[0x20, 5]), frame(5));
        assert_eq!(begins(&[0x00, 0x00]), frame(1_024));
        assert_eq!(begins(&[0x00, 0x69]), frame(8 << 20));
        assert_eq!(
            begins(&[0xe3, 1, 2, 3, 4, 9, 0, 0, 0, 0, 0, 0, 0]),
            frame(9)
        );
        assert_eq!(
            begins(&[0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            frame(8 << 20)
        );
        assert_eq!(begins(&[0xe0, 0xff]), None);
        assert_eq!(
            begin(&[0x5f, 0x2a, 0x4d, 0x18, 1, 1, 0, 0]),
            Some(Begin::Skippable(265))
        );
        assert_eq!(begin(b"hello"), None);
        assert_eq!(begin(b""), None);
    }
}

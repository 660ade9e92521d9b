//! What decoders do with bytes that come one by one, and with little memory.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::*;

/// A source that gives a byte at a time.
struct Bytes(Vec<u8>);

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(first) = buffer.first_mut().filter(|_| !self.0.is_empty()) else {
            return Ok(0);
        };
        *first = self.0.remove(0);
        Ok(1)
    }
}

/// `hello` in br, in a window of 64 KiB.
const BROTLI: &[u8] = &[0x0f, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 3];
/// `hello` in zstd.
const ZSTD: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x29, 0, 0, b'h', b'e', b'l', b'l', b'o',
];

/// `hello` in gzip and zlib.
fn gzip_and_zlib() -> (Vec<u8>, Vec<u8>) {
    let mut gzip = GzEncoder::new(vec![], Compression::default());
    let mut zlib = ZlibEncoder::new(vec![], Compression::default());
    gzip.write_all(b"hello").unwrap();
    zlib.write_all(b"hello").unwrap();
    (gzip.finish().unwrap(), zlib.finish().unwrap())
}

/// What a coding decodes to, with so much memory.
fn decoded(coding: Coding, bytes: &[u8], most: u64) -> Result<Vec<u8>, Fault> {
    let memory = Arc::new(Budget::new(most, "nothing is left"));
    let mut layer = Layer::new(coding, Box::new(Bytes(bytes.to_vec())), &memory);
    let mut decoded = vec![];
    let read = layer.read_to_end(&mut decoded);
    drop(layer);
    assert_eq!(memory.left(), most, "all is given back");
    match read {
        Ok(_) => Ok(decoded),
        Err(error) => Err(blame::explain(error.into())),
    }
}

#[test]
fn bytes_that_come_one_by_one_are_decoded() {
    let (gzip, zlib) = gzip_and_zlib();
    for (coding, bytes) in [
        (Coding::Gzip, &*gzip),
        (Coding::Deflate, &*zlib),
        (Coding::Brotli, BROTLI),
        (Coding::Zstd, ZSTD),
    ] {
        let decoded = decoded(coding, bytes, 8 << 20);
        assert_eq!(decoded.as_deref(), Ok(&b"hello"[..]), "{coding:?}");
    }
}

#[test]
fn a_decoder_that_finds_too_little_memory_says_so() {
    let (gzip, _) = gzip_and_zlib();
    assert_eq!(
        decoded(Coding::Gzip, &gzip, 0).unwrap(),
        b"hello",
        "it has its room"
    );
    for (coding, bytes) in [(Coding::Brotli, BROTLI), (Coding::Zstd, ZSTD)] {
        let fault = decoded(coding, bytes, 1_000).unwrap_err();
        assert_eq!(fault.reason, Reason::LocalResources, "{coding:?} {fault}");
        assert_eq!(fault.message, "nothing is left");
    }
}

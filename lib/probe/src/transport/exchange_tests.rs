//! What the library makes of a response, however it comes.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Mutex;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use ureq::Agent;
use ureq::http::Method;
use ureq::unversioned::resolver::DefaultResolver;

use super::*;
use crate::prober::agent_config;

/// What comes over a connection, a piece at each read.
#[derive(Debug)]
struct Pieces {
    buffers: GrowingBuffers,
    pieces: VecDeque<Vec<u8>>,
}

impl Buffered for Pieces {
    fn growing(&mut self) -> &mut GrowingBuffers {
        &mut self.buffers
    }
}

impl Transport for Pieces {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let Some(mut piece) = self.pieces.pop_front() else {
            return Ok(false);
        };
        let room = self.buffers.input_append_buf();
        let rest = piece.split_off(piece.len().min(room.len()));
        room[..piece.len()].copy_from_slice(&piece);
        self.buffers.input_appended(piece.len());
        if !rest.is_empty() {
            self.pieces.push_front(rest);
        }
        Ok(true)
    }

    fn is_open(&mut self) -> bool {
        false
    }
}

/// Connects once.
#[derive(Debug)]
struct Once(Mutex<Option<Pieces>>);

impl Connector for Once {
    type Out = Pieces;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Pieces>, ureq::Error> {
        Ok(self.0.lock().unwrap().take())
    }
}

/// A response as the library reads it: status, headers and body; or the reason and the status that were noted.
type Seen = Result<(u16, Vec<String>, Vec<u8>), (Reason, Option<u16>)>;

/// What comes in these pieces. None of them is empty, as that would be the end.
fn pieces(bytes: &[u8], cuts: &[usize]) -> VecDeque<Vec<u8>> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % bytes.len().max(1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2)
        .map(|pair| bytes[pair[0]..pair[1]].to_vec())
        .collect()
}

/// A hop of its own.
fn begin() {
    observed::begin(Duration::from_mins(1), u64::MAX);
    observed::begin_hop(&Method::GET, "http://127.0.0.1/", 100);
}

/// Reads what comes in these pieces as the library does.
fn read(pieces: VecDeque<Vec<u8>>) -> Seen {
    begin();
    let buffers = GrowingBuffers::default();
    let connector = Once(Mutex::new(Some(Pieces { buffers, pieces }))).chain(ExchangeConnector);
    let agent = Agent::with_parts(agent_config(), connector, DefaultResolver::default());
    let refused = |fault: Fault| {
        let status = observed::with(|observed| observed.status());
        (fault.reason, status)
    };
    let response = agent.get("http://127.0.0.1/").call();
    let mut response = response.map_err(|error| refused(blame::explain(error)))?;
    head::framing::unhide(response.headers_mut());
    let status = response.status().as_u16();
    observed::with(|observed| observed.hop().map(|hop| hop.status = Some(status)));
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    let mut body = Vec::new();
    let read = response.into_body().into_reader().read_to_end(&mut body);
    read.map_err(|error| refused(blame::explain(error.into())))?;
    Ok((status, headers, body))
}

/// Parts of responses, sound and not.
const PARTS: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 404\r\n",
    "http/2 \t200stuck\r\n",
    "HTTP/1.1 100 Continue\r\nA: b\r\n\r\n",
    "HTTP/1.1 101 S\r\n",
    "HTTP",
    "Content-Length: 5\r\n",
    "Content-Length : 05\r\n",
    "content-length:\r\n 5\r\n",
    "Content-Length: 6, 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "transfer-encoding:\n\tgzip,\r\n\tCHUNKED \r\n",
    "X-A: b\r\n",
    "X-A:b\n",
    "X-A: \u{e9}\u{1}c\r\n",
    " folded\r\n",
    "no header\r\n",
    "\u{e9}: b\r\n",
    ": b\r\n",
    "\r\n",
    "\n",
    "\r",
    " ",
    "\0",
    ":",
    "5\r\nhello\r\n",
    "5;a=b\nhello\n",
    "0\r\n\r\n",
    "0\r\nX-T: a\r\n\r\n",
    "hello",
    "ffffffffffffffffff\r\n",
];

proptest! {
    #[test]
    fn any_pieces_give_the_same_verdict(
        begin in 0..4_usize,
        parts in vec(select(PARTS), 0..12),
        cuts in vec(any::<Index>(), 0..6),
    ) {
        // most begin as a response does
        let all = [&PARTS[..begin.min(1)], &parts[..]].concat().concat();
        let bytes = all.as_bytes();
        let whole = read(pieces(bytes, &[]));
        let cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len().max(1))).collect();
        prop_assert_eq!(&read(pieces(bytes, &cuts)), &whole, "{:?} cut at {:?}", all, cuts);
        let single: Vec<_> = (0..bytes.len()).collect();
        prop_assert_eq!(&read(pieces(bytes, &single)), &whole, "{:?} byte by byte", all);
        // what is left for the library to refuse is nothing
        let internal = matches!(whole, Err((Reason::Internal, _)));
        prop_assert!(!internal, "{:?}: {:?}", all, whole);
    }

    #[test]
    fn a_response_as_the_standard_writes_it_comes_through_byte_by_byte(
        head in r"HTTP/1\.[01] [1-9][0-9][0-9]( [a-zé ]{0,9})?(\r\n[A-Za-z0-9!#$%&'*+.^_`|~-]{1,9}:[ \t]?[!-~é]{0,9}){0,9}",
        body in vec(any::<u8>(), 0..100),
        cut in any::<Index>(),
    ) {
        let interim = head.starts_with("HTTP/1.1 1") || head.starts_with("HTTP/1.0 1");
        prop_assume!(!interim);
        begin();
        let bytes = [head.as_bytes(), b"\r\n\r\n", &body].concat();
        let pieces = pieces(&bytes, &[cut.index(bytes.len())]);
        let buffers = GrowingBuffers::default();
        let mut exchange = Exchange::new(Pieces { buffers, pieces });
        while exchange.await_input(NextTimeout::default()).unwrap() {}
        prop_assert_eq!(exchange.buffers().input(), bytes);
    }
}

#[test]
fn the_library_can_read_all_that_it_is_shown() {
    for (head, headers) in [
        (
            "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\t \r\n  d  \r\n\r\n",
            &["a: \"b c d\""][..],
        ),
        ("HTTP/1.1 200 OK\r\nA:\r\n b\r\n\r\n", &["a: \"b\""]),
        ("HTTP/1.1 200 OK\r\nA \t: b\r\n\r\n", &["a: \"b\""]),
        ("HTTP/1.1 200 OK\r\n A: b\r\nC: d\r\n\r\n", &["c: \"d\""]),
        (
            "HTTP/1.1 200 OK\r\nno header\r\n of two lines\r\nC: d\r\n\r\n",
            &["c: \"d\""],
        ),
        (
            "HTTP/1.1 200 OK\r\nA: b\rc\u{7f}\u{1b}d\r\n\r\n",
            &["a: \"b c  d\""],
        ),
        ("HTTP/1.1 200 OK\r\r\nA: b\r\r\n\r\r\n", &["a: \"b\""]),
        ("HTTP/2 200\nA:b\n\n", &["a: \"b\""]),
        ("HTTP/3 200\n\n", &[]),
        (
            "HTTP/1.1 200 OK\r\n!ransfer-Encoding: chunked\r\n\r\n",
            &["!ransfer-encoding: \"chunked\""],
        ),
    ] {
        let body = [head, "0\r\nhello"].concat();
        let (status, seen, read) = read(pieces(body.as_bytes(), &[])).unwrap();
        assert_eq!(
            (status, seen),
            (200, headers.iter().map(ToString::to_string).collect()),
            "{head:?}"
        );
        assert_eq!(read, b"0\r\nhello", "{head:?}");
    }
}

#[test]
fn chunks_are_taken_apart_and_their_headers_are_still_seen() {
    let lines = "Content-Length: 3\r\nTransfer-Encoding: gzip, Chunked\r\nContent-Length: none\r\n";
    let bytes = format!("HTTP/1.1 200 OK\r\n{lines}\r\n5;a\nhello\n1\r\n!\r\n0\r\n\r\nmore");
    let seen = read(pieces(bytes.as_bytes(), &[])).unwrap();
    let headers = [
        "transfer-encoding: \"gzip, Chunked\"",
        "content-length: \"3\"",
        "content-length: \"none\"",
    ];
    assert_eq!(
        seen,
        (200, headers.map(str::to_owned).to_vec(), b"hello!".to_vec())
    );
}

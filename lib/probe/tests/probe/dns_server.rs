//! A name server on loopback that says what it is told, over UDP and TCP.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The question for IPv4 addresses.
pub(crate) const A: u16 = 1;
/// The question for IPv6 addresses.
pub(crate) const AAAA: u16 = 28;
/// How long answers without an address say that they hold, in seconds.
const NEGATIVE_TTL_S: u32 = 3_600;

/// What the server says to a question.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    /// These addresses, for so many seconds.
    Addresses(Vec<IpAddr>, u32),
    /// The name has nothing of the kind.
    Empty,
    /// The same, and not for how long.
    EmptyNow,
    /// The name does not exist.
    Missing,
    /// The name is another name for this one.
    Alias(&'static str),
    /// A name server further on, which a client is to ask itself.
    Referral,
    /// This code of a failure.
    Code(u8),
    /// Nothing.
    Silent,
    /// This, so much later.
    Late(Duration, Box<Say>),
    /// Over UDP that there is more, over TCP this.
    Truncated(Box<Say>),
    /// The question's number and nonsense.
    Garbage,
    /// The first to a question with EDNS, the second to one without.
    ByEdns(Box<Say>, Box<Say>),
    /// A header alone with this code.
    Header(u8),
    /// That it does not know the question's version of EDNS.
    BadVersion,
}

impl Say {
    /// Says this to a question with EDNS, and `plain` to one without.
    pub(crate) fn unless_plain(self, plain: Say) -> Say {
        Say::ByEdns(Box::new(self), Box::new(plain))
    }
}

/// The code of a server's own failure.
pub(crate) const SERVFAIL: Say = Say::Code(2);
/// The code of a server that does not want to.
pub(crate) const REFUSED: Say = Say::Code(5);

/// What is said to which question, in turn; the last of each for ever.
type Zone = HashMap<(String, u16), Vec<Say>>;

/// A running server.
#[derive(Clone, Debug)]
pub(crate) struct DnsServer {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// What the server says, and what it was asked.
#[derive(Debug, Default)]
struct State {
    zone: Zone,
    asked: Vec<(String, u16)>,
}

impl DnsServer {
    /// A server that says of every name that it does not exist.
    pub(crate) fn start() -> Self {
        let (udp, tcp) = sockets();
        let server = Self {
            address: udp.local_addr().unwrap(),
            state: Arc::default(),
        };
        let (over_udp, over_tcp) = (server.clone(), server.clone());
        thread::spawn(move || over_udp.serve_udp(&udp));
        thread::spawn(move || {
            for stream in tcp.incoming() {
                // an error here is the client's leaving
                drop(over_tcp.serve_tcp(stream.unwrap()));
            }
        });
        server
    }

    /// From now on says this to questions for `name`, in turn.
    pub(crate) fn says(&self, name: &str, kind: u16, answers: &[Say]) {
        let key = (name.to_owned(), kind);
        self.state
            .lock()
            .unwrap()
            .zone
            .insert(key, answers.to_vec());
    }

    /// How often this was asked.
    pub(crate) fn asked(&self, name: &str, kind: u16) -> usize {
        let state = self.state.lock().unwrap();
        let questions = state.asked.iter();
        questions.filter(|(n, k)| n == name && *k == kind).count()
    }

    /// How many questions were asked.
    pub(crate) fn asked_in_all(&self) -> usize {
        self.state.lock().unwrap().asked.len()
    }

    fn serve_udp(&self, socket: &UdpSocket) {
        let mut bytes = [0; 4_096];
        loop {
            // an error here is a refusal of an answer that came too late
            let Ok((length, client)) = socket.recv_from(&mut bytes) else {
                continue;
            };
            let question = bytes[..length].to_vec();
            let (mut say, mut delay) = (self.hear(&question), Duration::ZERO);
            if let Say::Late(by, then) = say {
                (say, delay) = (*then, by);
            }
            let Some(answer) = answer(&question, &say, false) else {
                continue;
            };
            let socket = socket.try_clone().unwrap();
            thread::spawn(move || {
                if !delay.is_zero() {
                    thread::park_timeout(delay);
                }
                drop(socket.send_to(&answer, client));
            });
        }
    }

    fn serve_tcp(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut question)?;
        if let Some(answer) = answer(&question, &self.hear(&question), true) {
            let length = u16::try_from(answer.len()).unwrap();
            stream.write_all(&[&length.to_be_bytes(), answer.as_slice()].concat())?;
        }
        Ok(())
    }

    /// Notes a question; what is to be said.
    fn hear(&self, message: &[u8]) -> Say {
        let (name, kind, _) = question(message);
        let mut state = self.state.lock().unwrap();
        state.asked.push((name.clone(), kind));
        let say = match state.zone.get_mut(&(name, kind)) {
            Some(says) if says.len() > 1 => says.remove(0),
            Some(says) => says[0].clone(),
            None => Say::Missing,
        };
        // the only record that a question has is the one of EDNS
        let edns = message[11] > 0;
        match say {
            Say::ByEdns(with, _) if edns => *with,
            Say::ByEdns(_, without) => *without,
            say => say,
        }
    }
}

/// Sockets for both, at one port.
fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
            return (udp, tcp);
        }
    }
}

/// The name, the kind and the end of a message's question.
fn question(message: &[u8]) -> (String, u16, usize) {
    let mut labels = Vec::new();
    let mut at = 12;
    while message[at] != 0 {
        let end = at + 1 + usize::from(message[at]);
        labels.push(String::from_utf8_lossy(&message[at + 1..end]).into_owned());
        at = end;
    }
    let kind = u16::from_be_bytes([message[at + 1], message[at + 2]]);
    (labels.join("."), kind, at + 5)
}

/// The answer's bytes (RFC 1035), if there is one.
fn answer(message: &[u8], say: &Say, over_tcp: bool) -> Option<Vec<u8>> {
    let (_, kind, end) = question(message);
    let asked = &message[12..end];
    let reply = |code: u8, flags: u8, answers: &[Vec<u8>], authority: &[Vec<u8>]| {
        let count = |records: &[Vec<u8>]| u8::try_from(records.len()).unwrap();
        let mut bytes = message[..2].to_vec();
        bytes.extend([0x81 | flags, 0x80 | code, 0, 1]);
        bytes.extend([0, count(answers), 0, count(authority), 0, 0]);
        bytes.extend(asked);
        bytes.extend([answers, authority].concat().concat());
        Some(bytes)
    };
    // a name server, a mailbox, five numbers
    let authority = [b"\0\0".as_slice(), &[0; 16], &NEGATIVE_TTL_S.to_be_bytes()].concat();
    let authority = [record(6, NEGATIVE_TTL_S, &authority)];
    match say {
        Say::Addresses(addresses, ttl_s) => {
            let records = addresses.iter().map(|address| match address {
                IpAddr::V4(v4) => record(A, *ttl_s, &v4.octets()),
                IpAddr::V6(v6) => record(AAAA, *ttl_s, &v6.octets()),
            });
            reply(0, 0, &records.collect::<Vec<_>>(), &[])
        }
        Say::Alias(name) => reply(0, 0, &[record(5, 60, &wire(name))], &[]),
        Say::Empty => reply(0, 0, &[], &authority),
        Say::EmptyNow => reply(0, 0, &[], &[]),
        Say::Missing => reply(3, 0, &[], &authority),
        Say::Referral => reply(0, 0, &[], &[record(2, 60, b"\x01a\x02ns\0")]),
        Say::Code(code) => reply(*code, 0, &[], &[]),
        Say::Silent => None,
        Say::Late(..) | Say::ByEdns(..) => unreachable!("chosen before: {kind}"),
        Say::Header(code) => Some([&message[..2], &[0x81, 0x80 | code], &[0; 8]].concat()),
        Say::BadVersion => {
            let (ends, opt) = (
                [0, 1, 0, 0, 0, 0, 0, 1],
                [0, 0, 41, 4, 208, 1, 0, 0, 0, 0, 0],
            );
            Some([&message[..2], &[0x81, 0x80], &ends, asked, &opt].concat())
        }
        Say::Truncated(_) if !over_tcp => reply(0, 0x02, &[], &[]),
        Say::Truncated(then) => answer(message, then, over_tcp),
        Say::Garbage => Some([&message[..2], b"nonsense, and more of it"].concat()),
    }
}

/// A name's bytes.
fn wire(name: &str) -> Vec<u8> {
    let labels = name.split('.');
    let labels = labels.map(|label| {
        let length = u8::try_from(label.len()).unwrap();
        [&[length], label.as_bytes()].concat()
    });
    [labels.collect::<Vec<_>>().concat(), vec![0]].concat()
}

/// A record of the name that was asked for.
fn record(kind: u16, ttl_s: u32, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    [
        &[0xc0, 12],
        kind.to_be_bytes().as_slice(),
        &[0, 1],
        &ttl_s.to_be_bytes(),
        &length.to_be_bytes(),
        data,
    ]
    .concat()
}

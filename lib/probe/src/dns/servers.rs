//! One question to the name servers, and what they make of it.
//!
//! Each server has a resolver of the library's for itself, without a cache and without retries: among
//! several the library takes the first answer, be it a failure that the next server does not share,
//! and counts a name that does not exist as a mark against its server. So the servers are asked in
//! turn here, where an answer, a failure, silence and a server that is not there stay apart. A server that
//! says nothing is still listened to while the next one is asked, as it may be slow only.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::time::{Instant, timeout_at};

use super::resolv_conf::Manner;
use super::server::Server;
use crate::options::NameServer;

/// The longest wait for one server before another is asked too, or the same one again, unless `resolv.conf` says
/// otherwise: a server may be gone, and a check has several seconds.
const MAX_PATIENCE: Duration = Duration::from_secs(1);
/// The shortest, so that a check with hardly any time left does not flood the servers.
const MIN_PATIENCE: Duration = Duration::from_millis(10);
/// How long a silent server is waited for where another has failed: that may be the answer already.
const SECOND_OPINION: Duration = Duration::from_secs(5);
/// So often each server is asked at least, whatever `attempts` says: silence may come of EDNS.
const MIN_ROUNDS: usize = 2;
/// The most addresses that are taken from an answer: the HTTP library has places for no more.
pub(crate) const MAX_ADDRESSES: usize = 16;

/// Why there is no address, the least weighty first: what a later one says of the look-up counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// Every question was answered, with nothing.
    NotFound,
    /// No name server can be reached.
    Unreachable(String),
    /// No answer in time.
    Silent,
    /// A name server answered that it has no answer.
    Failed(String),
    /// This machine lacks what it takes to ask.
    Exhausted(String),
    /// A defect of webmon's own.
    Lost,
    /// The name can be asked of no name server.
    Unaskable(String),
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// The addresses; possibly none.
    pub(crate) addresses: Vec<IpAddr>,
    /// Until when that holds.
    pub(crate) until: std::time::Instant,
}

/// The answer to a question, or why there is none.
pub(crate) type Reply = Result<Known, Trouble>;

/// The name servers.
#[derive(Debug)]
pub(crate) struct Servers {
    /// In the operator's order; at least one.
    all: Vec<Server>,
    /// How they are asked.
    manner: Manner,
    /// Which to ask first: the one that answered last, or the one behind it.
    first: AtomicUsize,
    /// Why these servers are asked, where no file names them.
    why: Option<String>,
}

/// What came of a question so far, by server: nothing, or why the server has no answer.
struct Heard(Vec<Option<Trouble>>);

impl Servers {
    /// These servers; `why` says why they are asked, where no file names them.
    pub(crate) fn new(
        addresses: &[NameServer],
        manner: Manner,
        why: Option<String>,
    ) -> Result<Self, NetError> {
        let servers = addresses.iter();
        let servers = servers.map(|address| Server::new(address, manner.over_tcp));
        Ok(Self {
            all: servers.collect::<Result<_, _>>()?,
            manner,
            first: AtomicUsize::new(0),
            why,
        })
    }

    /// How the servers are asked.
    pub(super) fn manner(&self) -> &Manner {
        &self.manner
    }

    /// How long to wait for each server when the look-up has `left`: all are asked twice in that time.
    fn patience(&self, left: Duration) -> Duration {
        let questions = self.all.len().saturating_mul(2).max(1);
        let share = left / u32::try_from(questions).unwrap_or(u32::MAX);
        let most = self.manner.timeout.unwrap_or(MAX_PATIENCE);
        share.clamp(MIN_PATIENCE, most)
    }

    /// Asks one server after the other, and again those that say nothing. There is a reply by `deadline`.
    pub(crate) async fn ask(&self, name: &Name, kind: RecordType, deadline: Instant) -> Reply {
        match self.first_answer(name, kind, deadline).await {
            Ok((index, known)) => {
                let next = if self.manner.rotate { index + 1 } else { index };
                self.first.store(next, Ordering::Relaxed);
                Ok(known)
            }
            Err(Trouble::Unreachable(how)) => Err(Trouble::Unreachable(match &self.why {
                Some(why) => format!("{why}, and {how}"),
                None => how,
            })),
            Err(trouble) => Err(trouble),
        }
    }

    /// The first answer and the server that has it, or the gravest trouble.
    async fn first_answer(
        &self,
        name: &Name,
        kind: RecordType,
        deadline: Instant,
    ) -> Result<(usize, Known), Trouble> {
        let (began, count) = (Instant::now(), self.all.len());
        let patience = self.patience(deadline.saturating_duration_since(began));
        let first = self.first.load(Ordering::Relaxed) % count.max(1);
        let mut heard = Heard(vec![None; count]);
        let mut asked = FuturesUnordered::new();
        for round in 0..self.manner.attempts.max(MIN_ROUNDS) {
            let in_turn = self.all.iter().enumerate().cycle().skip(first);
            for (turn, server) in in_turn.take(count) {
                if heard.of(turn) {
                    continue;
                }
                asked.push(async move { (turn, server.ask(name, kind, round > 0).await) });
                let until = deadline.min(Instant::now() + patience);
                while !heard.of(turn)
                    && let Ok(Some((index, reply))) = timeout_at(until, asked.next()).await
                {
                    match reply {
                        Ok(known) => return Ok((index, known)),
                        Err(trouble) => heard.note(index, trouble),
                    }
                }
            }
            if heard.failure() {
                break;
            }
        }
        let until = if heard.failure() {
            deadline.min(began + SECOND_OPINION)
        } else {
            deadline
        };
        while let Ok(Some((index, reply))) = timeout_at(until, asked.next()).await {
            match reply {
                Ok(known) => return Ok((index, known)),
                Err(trouble) => heard.note(index, trouble),
            }
        }
        Err(heard.gravest())
    }
}

impl Heard {
    /// Whether a server has said that it has no answer, or cannot be asked.
    fn of(&self, index: usize) -> bool {
        self.0.get(index).is_some_and(Option::is_some)
    }

    /// Notes why a server has no answer.
    fn note(&mut self, index: usize, trouble: Trouble) {
        if let Some(heard) = self.0.get_mut(index) {
            *heard = heard.take().max(Some(trouble));
        }
    }

    /// Whether there is worse than silence.
    fn failure(&self) -> bool {
        self.0
            .iter()
            .flatten()
            .any(|trouble| *trouble > Trouble::Silent)
    }

    /// The gravest trouble; a server that was not heard is silent.
    fn gravest(self) -> Trouble {
        let troubles = self.0.into_iter();
        let troubles = troubles.map(|trouble| trouble.unwrap_or(Trouble::Silent));
        troubles.max().unwrap_or(Trouble::Silent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_is_asked_twice_within_a_check() {
        let servers = |count: u16, manner| {
            let address = |index| std::net::SocketAddr::from(([127, 0, 0, 1], 5_300 + index));
            let addresses: Vec<NameServer> = (0..count).map(|n| address(n).into()).collect();
            Servers::new(&addresses, manner, None).unwrap()
        };
        let (plain, timeout) = (Manner::default(), Some(Duration::from_secs(3)));
        let patient = Manner { timeout, ..plain };
        for (manner, count, left_ms, expected_ms) in [
            (plain, 1, 400, 200),
            (plain, 2, 400, 100),
            (plain, 3, 60_000, 1_000),
            (plain, 1, 1, 10),
            (patient, 1, 60_000, 3_000),
            (patient, 2, 400, 100),
        ] {
            let patience = servers(count, manner).patience(Duration::from_millis(left_ms));
            assert_eq!(
                patience,
                Duration::from_millis(expected_ms),
                "{count} {left_ms}"
            );
        }
    }
}

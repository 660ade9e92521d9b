//! Addresses to one connection: the first that connects wins (Happy Eyeballs, RFC 8305).

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::{Errno, ioctl_fionbio};
use socket2::{Domain, Protocol, Socket, Type};

use super::policy;
use crate::blame::{self, dialling};
use crate::fault::Fault;
use crate::sockets::{SocketBudget, SocketPermit};
use crate::{exact, observed};

/// The next address starts so long after the last one, unless one fails before (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// A race between the addresses of a host.
#[derive(Debug)]
struct Race<'s> {
    /// The sockets that may be opened.
    sockets: &'s Arc<SocketBudget>,
    /// Those that have not started, in order.
    waiting: VecDeque<SocketAddr>,
    /// Those that are on their way, in order.
    running: Vec<Runner>,
    /// When the next one starts.
    next_at: Instant,
    /// Of those that have failed, the one with the fault that counts.
    loser: Option<(SocketAddr, Fault)>,
}

/// An address that is being dialled.
#[derive(Debug)]
struct Runner {
    /// The address.
    address: SocketAddr,
    /// Its socket, which does not block.
    socket: Socket,
    /// That the socket may be open.
    opened: SocketPermit,
}

/// A connection, and that it may be open.
pub(crate) type Connection = (TcpStream, SocketPermit);

/// Dials addresses until one connects, within the time that is left for the check; the others are
/// closed. The connection blocks, and sends without delay.
pub(crate) fn race(
    addresses: Vec<SocketAddr>,
    sockets: &Arc<SocketBudget>,
) -> Result<Connection, Fault> {
    let mut race = Race {
        sockets,
        running: Vec::with_capacity(addresses.len()),
        waiting: interleave(addresses).into(),
        next_at: Instant::now(),
        loser: None,
    };
    let end = match race.run() {
        Some((address, stream)) => Some((address, Ok(stream))),
        None => race.loser.map(|(address, fault)| (address, Err(fault))),
    };
    let (address, result) = end.ok_or_else(blame::timeout)?;
    observed::with(|observed| {
        observed.public = policy::is_public(address.ip());
        if let Some(hop) = observed.hop() {
            hop.address = Some(address.ip());
        }
    });
    result
}

/// The families by turns, IPv6 first, each in its own order (RFC 8305, section 4).
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    if addresses.len() == 1 {
        return addresses;
    }
    let (six, four): (Vec<_>, Vec<_>) = addresses.iter().partition(|address| address.is_ipv6());
    let turns = 0..six.len().max(four.len());
    let by_turns = turns.flat_map(|turn| [six.get(turn), four.get(turn)]);
    by_turns.flatten().copied().collect()
}

impl Race<'_> {
    /// Runs until one wins; `None` when all have lost.
    fn run(&mut self) -> Option<(SocketAddr, Connection)> {
        loop {
            self.start_those_due();
            if self.running.is_empty() {
                return None;
            }
            let Some(left) = observed::left() else {
                self.stop(&blame::timeout());
                return None;
            };
            let winner = self.watch(left);
            if winner.is_some() {
                return winner;
            }
        }
    }

    /// Starts the addresses whose time has come.
    fn start_those_due(&mut self) {
        while !self.waiting.is_empty()
            && self.next_at <= Instant::now()
            && let Some(address) = self.waiting.pop_front()
        {
            let started = self.sockets.take(1);
            match started.and_then(|opened| Ok((start(address)?, opened))) {
                Ok((socket, opened)) => {
                    self.running.push(Runner {
                        address,
                        socket,
                        opened,
                    });
                    if !self.waiting.is_empty() {
                        self.next_at = Instant::now() + HEAD_START;
                    }
                }
                Err(error) => self.lose(address, dialling::at_once(&error)),
            }
        }
    }

    /// Waits for news until the next address is due, or the time is up; the winner, if there is one.
    fn watch(&mut self, left: Duration) -> Option<(SocketAddr, Connection)> {
        let time = if self.waiting.is_empty() {
            left
        } else {
            left.min(self.next_at.saturating_duration_since(Instant::now()))
        };
        let (place, news) = match first_news(&self.running, time) {
            Ok(first) => first?,
            Err(Errno::INTR) => return None,
            Err(error) => {
                self.stop(&dialling::at_once(&error.into()));
                return None;
            }
        };
        let runner = self.running.remove(place);
        let address = runner.address;
        match runner.finish(news) {
            Ok(stream) => Some((address, stream)),
            Err(error) => {
                self.lose(address, dialling::late(&error));
                None
            }
        }
    }

    /// All that run have lost.
    fn stop(&mut self, fault: &Fault) {
        for Runner { address, .. } in mem::take(&mut self.running) {
            self.lose(address, fault.clone());
        }
    }

    /// An address has lost, so that the next one need not wait.
    fn lose(&mut self, address: SocketAddr, mut fault: Fault) {
        fault.message = format!("{address}: {}", fault.message);
        self.next_at = Instant::now();
        // Of two faults alike IPv4's counts: that a machine has no IPv6 is nothing unusual.
        let weight =
            |(address, fault): &(SocketAddr, Fault)| (dialling::distance(fault), address.is_ipv4());
        let loser = (address, fault);
        if self
            .loser
            .as_ref()
            .is_none_or(|known| weight(&loser) > weight(known))
        {
            self.loser = Some(loser);
        }
    }
}

impl Runner {
    /// The connection, now that the socket has news; those of a failure are more than room to send.
    fn finish(self, news: PollFlags) -> io::Result<Connection> {
        if news != PollFlags::OUT
            && let Some(error) = self.socket.take_error()?
        {
            return Err(error);
        }
        ioctl_fionbio(&self.socket, false)?;
        Ok((self.socket.into(), self.opened))
    }
}

/// Begins to connect.
fn start(address: SocketAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(address);
    let kind = Type::STREAM.nonblocking();
    let socket = Socket::new(domain, kind, Some(Protocol::TCP))?;
    socket.set_tcp_nodelay(true)?;
    // The request goes with the handshake's last packet: one packet less to send and to receive, and the
    // other side wakes once.
    #[cfg(target_os = "linux")]
    socket.set_tcp_quickack(false)?;
    match socket.connect(&address.into()) {
        // an attempt goes on although a signal came (POSIX)
        Err(error) if !matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR)) => {
            Err(error)
        }
        _ => Ok(socket),
    }
}

/// The first of the runners that has news, and these, after at most this time; it may be none before.
fn first_news(runners: &[Runner], time: Duration) -> Result<Option<(usize, PollFlags)>, Errno> {
    let watched = |runner| PollFd::new(runner, PollFlags::OUT);
    let mut polled: Vec<_> = runners.iter().map(|r| &r.socket).map(watched).collect();
    exact::poll(&mut polled, time)?;
    let mut news = polled.iter().map(PollFd::revents).enumerate();
    Ok(news.find(|(_, news)| !news.is_empty()))
}

#[cfg(test)]
#[path = "race_tests.rs"]
mod tests;

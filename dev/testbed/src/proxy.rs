//! A network that can be made bad: a TCP proxy on loopback, one for each link of a test.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// What is read at once. What was read waits out the delay before more is read, so this bounds what
/// a slow link carries: 2.5 MiB/s at 100 ms.
const CHUNK_BYTES: usize = 256 * 1024;

/// How a link behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As it should.
    Pass,
    /// Everything takes so much longer, at most twice that, in either direction.
    Delay(Duration),
    /// Nothing goes through; what is on its way arrives when it passes again.
    Stall,
    /// Everything is taken and nothing goes on, as when the other end is gone without a word. When it
    /// passes again these connections are reset, unless they are to be forgotten.
    Swallow,
    /// Connections are reset, and new ones as well.
    Cut,
    /// New connections pass; those that there are go on taking everything and never say anything again,
    /// as when the other end was started anew while nothing went through.
    Forget,
}

/// The state of a link.
#[derive(Clone, Copy, Debug)]
struct State {
    /// How it behaves.
    mode: Mode,
    /// How often all connections were reset.
    resets: u64,
    /// How often all connections were forgotten.
    forgotten: u64,
}

/// A link to a server.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    address: SocketAddr,
    /// How it behaves.
    state: watch::Sender<State>,
    /// Accepts connections.
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// A link that passes everything on to `server`, which need not be there yet.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port on 127.0.0.1");
        let address = listener.local_addr().expect("the proxy's address");
        let first = State {
            mode: Mode::Pass,
            resets: 0,
            forgotten: 0,
        };
        let (state, watched) = watch::channel(first);
        let accepting = tokio::spawn(accept(listener, server, watched));
        Self {
            address,
            state,
            accepting,
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes how it behaves, also for the connections that there are.
    pub fn set(&self, mode: Mode) {
        self.state.send_modify(|state| {
            // A stream with a hole in it cannot go on.
            let goes_on = matches!(mode, Mode::Swallow | Mode::Forget);
            if mode == Mode::Cut || (state.mode == Mode::Swallow && !goes_on) {
                state.resets += 1;
            }
            state.forgotten += u64::from(mode == Mode::Forget);
            state.mode = mode;
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves every connection in a task of its own; they end with the proxy.
async fn accept(listener: TcpListener, server: SocketAddr, state: watch::Receiver<State>) {
    loop {
        // A connection that is gone before it is accepted is its client's affair.
        if let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client, server, state.clone()));
        }
    }
}

/// Serves one connection.
async fn serve(mut client: TcpStream, server: SocketAddr, mut state: watch::Receiver<State>) {
    let born = *state.borrow_and_update();
    let mut reset = state.clone();
    let reset = async { drop(reset.wait_for(|state| state.resets != born.resets).await) };
    let ended = match born.mode {
        Mode::Cut => true,
        Mode::Swallow => {
            let (mut from, _) = client.split();
            tokio::select! {
                () = reset => true,
                () = swallow(&mut from) => true,
            }
        }
        Mode::Pass | Mode::Delay(_) | Mode::Stall | Mode::Forget => {
            let Ok(mut server) = TcpStream::connect(server).await else {
                drop(client.set_zero_linger());
                return;
            };
            drop((client.set_nodelay(true), server.set_nodelay(true)));
            let was_reset = tokio::select! {
                () = reset => true,
                _ = carry(&mut client, &mut server, (&state, born)) => false,
            };
            if was_reset {
                drop(server.set_zero_linger());
            }
            was_reset
        }
    };
    if ended {
        drop(client.set_zero_linger());
    }
}

/// Reads until the client is gone.
async fn swallow(from: &mut ReadHalf<'_>) {
    let mut nothing = vec![0; CHUNK_BYTES];
    while from.read(&mut nothing).await.is_ok_and(|read| read > 0) {}
}

/// Carries both directions until either ends: no program here closes only one of them.
async fn carry(
    client: &mut TcpStream,
    server: &mut TcpStream,
    (state, born): (&watch::Receiver<State>, State),
) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    tokio::select! {
        ended = pump(&mut from_client, &mut to_server, (state.clone(), born)) => ended,
        ended = pump(&mut from_server, &mut to_client, (state.clone(), born)) => ended,
    }
}

/// Carries one direction until it ends.
async fn pump(
    from: &mut ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    (mut state, born): (watch::Receiver<State>, State),
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = from.read(&mut chunk).await?;
        let arrived = Instant::now();
        let passing = state.wait_for(|state| state.mode != Mode::Stall).await;
        let Ok(now) = passing.map(|state| *state) else {
            return Ok(());
        };
        if now.mode == Mode::Swallow || now.forgotten != born.forgotten {
            if read == 0 {
                // Not even its end is passed on.
                pending::<()>().await;
            }
            continue;
        }
        if let Mode::Delay(delay) = now.mode {
            sleep_until(arrived + delay).await;
        }
        if read == 0 {
            return Ok(());
        }
        to.write_all(chunk.get(..read).unwrap_or_default()).await?;
    }
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;

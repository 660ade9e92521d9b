//! Sockets for questions to name servers.
//!
//! The DNS library asks over sockets that know no peer, and the system tells those of no refusal: a
//! name server that is not there would look like one that is slow. So they are connected here. It also
//! forgets what went wrong with a socket, which is remembered here too. It knows no zones of addresses, and it
//! waits for ever where a server answers with a header alone.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hickory_resolver::net::runtime::{
    DnsUdpSocket, RuntimeProvider, TokioHandle, TokioRuntimeProvider, TokioTime,
};
use tokio::io::{Interest, ReadBuf};
use tokio::net::UdpSocket;

use super::refusal::Refusal;
use super::zone::in_zone;

/// What the DNS library is given to become a socket.
type Opening<T> = Pin<Box<dyn Send + Future<Output = io::Result<T>>>>;

/// Sockets for one name server, on the tokio runtime.
#[derive(Clone, Default)]
pub(crate) struct Sockets {
    /// The library's own.
    tokio: TokioRuntimeProvider,
    /// What went wrong last.
    failure: Failure,
    /// The zone of the server's address.
    zone: Option<Arc<str>>,
}

/// What went wrong last with the sockets for one name server. Of questions at the same time one may see
/// the other's error, which is as true for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<Arc<io::Error>>>>);

/// A socket for datagrams from and to one name server.
#[derive(Debug)]
pub(crate) struct Connected {
    /// The socket.
    socket: UdpSocket,
    /// The name server, as the library knows it: without a zone.
    peer: SocketAddr,
    /// The number of the question that was sent last.
    asked: AtomicU16,
    /// What went wrong last.
    failure: Failure,
}

/// A datagram that is to come: its length and its sender.
type Receiving<'a> = Pin<Box<dyn Send + Future<Output = io::Result<(usize, SocketAddr)>> + 'a>>;

impl Sockets {
    /// Sockets for a server whose address is in this zone.
    pub(crate) fn new(zone: Option<&str>) -> Self {
        Self {
            zone: zone.map(Arc::from),
            ..Self::default()
        }
    }

    /// What goes wrong with these sockets.
    pub(crate) fn failure(&self) -> Failure {
        self.failure.clone()
    }
}

impl Failure {
    /// What went wrong last.
    pub(crate) fn last(&self) -> Option<Arc<io::Error>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes an error on its way to the library.
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let error = Arc::new(error);
            let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *last = Some(Arc::clone(&error));
            io::Error::new(error.kind(), error)
        })
    }
}

impl Connected {
    /// A socket from a local address to a name server.
    async fn open(local: SocketAddr, peer: SocketAddr) -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind(local).await?;
        socket.connect(peer).await?;
        Ok(socket)
    }

    /// The next datagram's length; the library takes no refusal without its question for an answer.
    async fn receive(&self, bytes: &mut [u8]) -> io::Result<usize> {
        let length = self.receive_any(bytes).await?;
        let asked = self.asked.load(Ordering::Relaxed);
        match Refusal::in_header(bytes.get(..length).unwrap_or_default(), asked) {
            Some(refusal) => Err(io::Error::other(refusal)),
            None => Ok(length),
        }
    }

    /// The next datagram's length. What is readable does not include errors.
    async fn receive_any(&self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            let wanted = Interest::READABLE | Interest::ERROR;
            self.socket.ready(wanted).await?;
            match self.socket.try_io(Interest::ERROR, || self.error()) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
            match self.socket.try_recv(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                received => return received,
            }
        }
    }

    /// The error that the system keeps for this socket; there is none yet is `WouldBlock`.
    fn error(&self) -> io::Result<()> {
        let kept = self.socket.take_error()?;
        Err(kept.unwrap_or_else(|| ErrorKind::WouldBlock.into()))
    }
}

impl RuntimeProvider for Sockets {
    type Handle = TokioHandle;
    type Timer = TokioTime;
    type Udp = Connected;
    type Tcp = <TokioRuntimeProvider as RuntimeProvider>::Tcp;

    fn create_handle(&self) -> TokioHandle {
        self.tokio.create_handle()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        local: Option<SocketAddr>,
        limit: Option<Duration>,
    ) -> Opening<Self::Tcp> {
        let (tokio, failure, zone) = (self.tokio.clone(), self.failure(), self.zone.clone());
        Box::pin(async move {
            let server = failure.note(in_zone(server, zone.as_deref()))?;
            failure.note(tokio.connect_tcp(server, local, limit).await)
        })
    }

    fn bind_udp(&self, local: SocketAddr, peer: SocketAddr) -> Opening<Connected> {
        let (failure, zone) = (self.failure(), self.zone.clone());
        Box::pin(async move {
            let server = failure.note(in_zone(peer, zone.as_deref()))?;
            let socket = failure.note(Connected::open(local, server).await)?;
            Ok(Connected {
                socket,
                peer,
                asked: AtomicU16::default(),
                failure,
            })
        })
    }
}

impl DnsUdpSocket for Connected {
    type Time = TokioTime;

    fn poll_recv_from(
        &self,
        context: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut buffer = ReadBuf::new(bytes);
        ready!(self.socket.poll_recv(context, &mut buffer))?;
        Poll::Ready(Ok((buffer.filled().len(), self.peer)))
    }

    fn recv_from<'a, 'b, 'c>(&'a self, bytes: &'b mut [u8]) -> Receiving<'c>
    where
        'a: 'c,
        'b: 'c,
    {
        Box::pin(async move {
            let received = self.failure.note(self.receive(bytes).await)?;
            Ok((received, self.peer))
        })
    }

    fn poll_send_to(
        &self,
        context: &mut Context<'_>,
        bytes: &[u8],
        _: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        if let Some(number) = bytes.first_chunk() {
            self.asked
                .store(u16::from_be_bytes(*number), Ordering::Relaxed);
        }
        let sent = ready!(self.socket.poll_send(context, bytes));
        Poll::Ready(self.failure.note(sent))
    }
}

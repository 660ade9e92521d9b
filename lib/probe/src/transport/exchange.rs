//! A request and its response over one connection: when the first byte arrives, the border between waiting and
//! receiving; whether more may come; and what of it the library sees.

use std::io::ErrorKind;

use contract::outcome::Reason;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport,
};

use super::buffers::GrowingBuffers;
use super::chunks::{Chunks, Step};
use super::head::{self, Scan};
use super::request_names::RequestNames;
use super::tcp::TcpTransport;
use crate::blame;
use crate::fault::Fault;
use crate::observed::{self, ConnectionEnd, Phase, ResponseState};

/// A connection whose buffers are webmon's own.
pub(crate) trait Buffered: Transport {
    /// Bytes on their way.
    fn growing(&mut self) -> &mut GrowingBuffers;
}

impl Buffered for TcpTransport {
    fn growing(&mut self) -> &mut GrowingBuffers {
        &mut self.buffers
    }
}

impl<A: Buffered, B: Buffered> Buffered for Either<A, B> {
    fn growing(&mut self) -> &mut GrowingBuffers {
        match self {
            Self::A(a) => a.growing(),
            Self::B(b) => b.growing(),
        }
    }
}

/// Reads what comes over a connection before the library does, above TLS: the records of a handshake are no part of
/// the response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExchangeConnector;

/// A connection over which one request is sent and its response comes.
#[derive(Debug)]
pub(crate) struct Exchange<T> {
    /// The connection.
    connection: T,
    /// The names of the request's headers.
    names: RequestNames,
    /// What is read next.
    next: Next,
}

/// What is read next.
#[derive(Debug)]
enum Next {
    /// The head.
    Head(Scan),
    /// A body that the library reads as it comes.
    Body,
    /// A body in chunks.
    Chunks(Chunks),
}

impl<T: Buffered> Connector<T> for ExchangeConnector {
    type Out = Exchange<T>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        connection: Option<T>,
    ) -> Result<Option<Exchange<T>>, ureq::Error> {
        observed::enter(Phase::Wait);
        observed::with(|observed| observed.response = ResponseState::Open);
        Ok(connection.map(Exchange::new))
    }
}

impl<T: Buffered> Exchange<T> {
    /// An exchange over a connection that was just made.
    fn new(mut connection: T) -> Self {
        connection.growing().show(Some(0));
        Self {
            connection,
            names: RequestNames::default(),
            next: Next::Head(Scan::default()),
        }
    }

    /// Reads more; whether more came.
    fn read(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        // reading into no room would look like the connection's end
        if self.connection.growing().input_append_buf().is_empty() {
            return Err(self.full().into());
        }
        let awaited = self.connection.await_input(timeout);
        if !matches!(awaited, Ok(true)) {
            observed::with(|observed| {
                if observed.connection_end == ConnectionEnd::Open {
                    observed.connection_end = ConnectionEnd::Closed;
                }
            });
        } else if observed::phase() == Phase::Wait {
            observed::enter(Phase::Receive);
        }
        awaited
    }

    /// Shows the library what it can read of that which came: whether there is any, or `None` if more must come.
    fn show(&mut self) -> Result<Option<bool>, ureq::Error> {
        let buffers = self.connection.growing();
        match &mut self.next {
            Next::Head(scan) => {
                let Some(head) = head::take(scan, buffers)? else {
                    return Ok(None);
                };
                if head.chunked {
                    buffers.show(Some(head.bytes));
                    self.next = Next::Chunks(Chunks::default());
                } else {
                    buffers.show(None);
                    self.next = Next::Body;
                }
                Ok(Some(true))
            }
            Next::Body => Ok(Some(true)),
            Next::Chunks(chunks) => loop {
                match chunks.step(buffers.all())? {
                    Step::Skip(bytes) => buffers.skip(bytes),
                    Step::Data(bytes) => {
                        buffers.show(Some(bytes));
                        return Ok(Some(true));
                    }
                    Step::More => return Ok(None),
                    Step::End => return Ok(Some(false)),
                }
            },
        }
    }

    /// The connection ended before there was more to show. To the library that is the end of a body without a length,
    /// which a body in chunks is not.
    fn cut(&self, ended: Result<bool, ureq::Error>) -> Result<bool, ureq::Error> {
        match (&self.next, ended) {
            (Next::Chunks(chunks), Ok(_)) if !chunks.is_whole() => {
                Err(blame::explain_io(&ErrorKind::UnexpectedEof.into()).into())
            }
            (Next::Chunks(_), Err(ureq::Error::Io(error))) => Err(blame::explain_io(&error).into()),
            (_, ended) => ended,
        }
    }

    /// More must come before what fills the buffer already can be used.
    #[inline(never)]
    fn full(&self) -> Fault {
        let what = match &self.next {
            Next::Head(scan) => {
                scan.note_status();
                "the response's head"
            }
            Next::Body | Next::Chunks(_) => "a line between the body's chunks",
        };
        Fault::here(Reason::TooLarge, format!("{what} is longer than 16 KiB"))
    }
}

impl<T: Buffered> Transport for Exchange<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.connection.growing()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if self.names.are_to_come() {
            let output = self.connection.growing().output();
            self.names
                .write(output.get_mut(..amount).unwrap_or_default());
        }
        self.connection.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        if matches!(self.next, Next::Body) {
            return self.read(timeout);
        }
        loop {
            if let Some(shown) = self.show()? {
                return Ok(shown);
            }
            match self.read(timeout) {
                Ok(true) => {}
                ended => return self.cut(ended),
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.connection.is_open()
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }
}

impl<T> Drop for Exchange<T> {
    /// The library lets go of a connection as soon as nothing more is to come over it.
    fn drop(&mut self) {
        observed::with(|observed| observed.response = ResponseState::Done);
    }
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;

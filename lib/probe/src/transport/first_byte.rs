//! When the first byte of a response arrives, the border between waiting and receiving; and whether
//! more may come.

use contract::outcome::Reason;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use crate::fault::Fault;
use crate::observed::{self, ConnectionEnd, Phase, ResponseState};

/// Puts a watch on a connection, above TLS: the records of a handshake are no part of the response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstByteConnector;

/// A connection that is watched.
#[derive(Debug)]
pub(crate) struct FirstByteWatch<T>(T);

impl<T: Transport> Connector<T> for FirstByteConnector {
    type Out = FirstByteWatch<T>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        transport: Option<T>,
    ) -> Result<Option<FirstByteWatch<T>>, ureq::Error> {
        observed::enter(Phase::Wait);
        observed::with(|observed| observed.response = ResponseState::Open);
        Ok(transport.map(FirstByteWatch))
    }
}

impl<T: Transport> Transport for FirstByteWatch<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        // reading into no room would look like the connection's end
        if self.0.buffers().input_append_buf().is_empty() {
            return Err(full().into());
        }
        let awaited = self.0.await_input(timeout);
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

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}

impl<T> Drop for FirstByteWatch<T> {
    /// The library lets go of a connection as soon as nothing more is to come over it.
    fn drop(&mut self) {
        observed::with(|observed| observed.response = ResponseState::Done);
    }
}

/// The library wants more before it uses what fills the buffer already.
fn full() -> Fault {
    let what = match observed::with(|observed| observed.status()) {
        Some(_) => "a line between the body's chunks",
        None => "the response's head",
    };
    Fault::here(Reason::TooLarge, format!("{what} is longer than 16 KiB"))
}

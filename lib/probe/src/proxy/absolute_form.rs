//! A request as a proxy wants it: with the whole URL in its first line (RFC 9112, 3.2.2).

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use crate::observed;
use crate::transport::{Buffered, GrowingBuffers};

/// Puts scheme, host and port into the first line of what is sent to a proxy, unless there is a tunnel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AbsoluteFormConnector;

/// A connection to a site, or to a proxy that is to be asked for the whole URL.
#[derive(Debug)]
pub(crate) struct AbsoluteForm<T> {
    /// The connection.
    inner: T,
    /// What the first line lacks, until that is sent.
    origin: Option<Box<str>>,
}

impl<T: Transport> Connector<T> for AbsoluteFormConnector {
    type Out = AbsoluteForm<T>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        transport: Option<T>,
    ) -> Result<Option<AbsoluteForm<T>>, ureq::Error> {
        let proxied = !details.needs_tls() && observed::with(|observed| observed.route.is_some());
        let origin = proxied.then(|| origin(details));
        Ok(transport.map(|inner| AbsoluteForm { inner, origin }))
    }
}

/// Scheme, host and port of the URL.
fn origin(details: &ConnectionDetails<'_>) -> Box<str> {
    let authority = details.uri.authority().map_or("", |a| a.as_str());
    format!("http://{authority}").into()
}

impl<T: Transport> AbsoluteForm<T> {
    /// Sends what begins with a first line, with `origin` in it. The library knows the origin form alone.
    #[inline(never)]
    fn transmit_first(
        &mut self,
        amount: usize,
        timeout: NextTimeout,
        origin: &str,
    ) -> Result<(), ureq::Error> {
        let output = self.inner.buffers().output();
        let text = output.get(..amount).unwrap_or_default();
        let method = text.iter().position(|byte| *byte == b' ');
        let (before, after) = text
            .split_at_checked(method.map_or(0, |blank| blank + 1))
            .unwrap_or_default();
        let whole = [before, origin.as_bytes(), after].concat();
        for piece in whole.chunks(output.len().max(1)) {
            let output = self.inner.buffers().output();
            if let Some(room) = output.get_mut(..piece.len()) {
                room.copy_from_slice(piece);
            }
            self.inner.transmit_output(piece.len(), timeout)?;
        }
        Ok(())
    }
}

impl<T: Buffered> Buffered for AbsoluteForm<T> {
    fn growing(&mut self) -> &mut GrowingBuffers {
        self.inner.growing()
    }
}

impl<T: Transport> Transport for AbsoluteForm<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        match self.origin.take() {
            None => self.inner.transmit_output(amount, timeout),
            Some(origin) => self.transmit_first(amount, timeout, &origin),
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

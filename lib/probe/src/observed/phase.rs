//! How far a check has come, and its connection.

/// What a check is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Looking up the name.
    Dns,
    /// Connecting.
    Connect,
    /// Opening a tunnel through a proxy.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// Connected, no byte of the response yet.
    Wait,
    /// From the first byte of the response.
    Receive,
}

/// The response, as far as the library needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseState {
    /// More may come.
    Open,
    /// The response is complete, or there will be none.
    Done,
}

/// How a connection ended, as far as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionEnd {
    /// It has not.
    Open,
    /// In whatever way but a reset.
    Closed,
    /// By a reset.
    Reset,
}

impl Phase {
    /// The name, as details begin with it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Wait => "wait",
            Self::Receive => "receive",
        }
    }
}

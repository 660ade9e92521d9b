//! How TLS is spoken on one connection.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

/// How TLS is spoken on one connection of a site with options of its own.
#[derive(Clone, Debug)]
pub(crate) struct Handshake {
    /// The client's configuration.
    pub(crate) config: Arc<ClientConfig>,
    /// The name to ask for, instead of the URL's host.
    pub(crate) server_name: Option<ServerName<'static>>,
}

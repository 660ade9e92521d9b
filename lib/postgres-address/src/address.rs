//! What an address says.

use std::fmt;
use std::path::PathBuf;

use crate::tls::TlsMode;

/// A text that is not printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hidden(pub(crate) String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A name or an IP address, without brackets.
    Name(String),
    /// The folder of a socket.
    Socket(PathBuf),
}

/// What an address says. What it leaves out is taken from libpq's variables, as by `psql`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The host, or the folder of the socket.
    pub(crate) host: Option<Host>,
    /// The port.
    pub(crate) port: Option<u16>,
    /// The user.
    pub(crate) user: Option<String>,
    /// The password.
    pub(crate) password: Option<Hidden>,
    /// The database.
    pub(crate) database: Option<String>,
    /// How TLS is used.
    pub(crate) tls_mode: Option<TlsMode>,
    /// The rest of what follows `?`.
    pub(crate) parameters: Parameters,
}

/// What the parameters of an address say, apart from what has a place before `?` as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// `sslrootcert`.
    pub(crate) root: Option<PathBuf>,
    /// `sslcert`.
    pub(crate) certificate: Option<PathBuf>,
    /// `sslkey`.
    pub(crate) key: Option<PathBuf>,
    /// `statement-cache-capacity`, sqlx's own.
    pub(crate) statements: Option<usize>,
    /// Settings of the session: `options=-c name=value`, and `options[name]=value`, which is sqlx's own.
    pub(crate) settings: Vec<(String, Hidden)>,
}

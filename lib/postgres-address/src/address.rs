//! What an address says, and what can be wrong with it.

use std::fmt;
use std::path::PathBuf;

use contract::passwords::FORM;

use crate::parameters::Parameters;
use crate::split::{Parts, decoded};
use crate::tls::TlsMode;

/// The remedy for special characters, which are all that can be wrong with most addresses.
pub(crate) const ENCODE: &str = "percent-encode special characters of the password: `/` is %2F, `?` %3F, `#` %23, `@` %40, `:` %3A, `%` %25";

/// Why a text is no address that can be used. No variant holds a part of the text but a parameter's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Another scheme, or none.
    #[error("must begin with `postgres://`, as {FORM}")]
    Scheme,
    /// A control character, such as a line break.
    #[error("holds a line break or another control character: {ENCODE}")]
    Control,
    /// An `@` where none can be.
    #[error("has an `@` after a `/`, `?` or `#`: {ENCODE}")]
    At,
    /// A `#`, which has no meaning in an address.
    #[error("has a `#`: {ENCODE}")]
    Fragment,
    /// A `%` without two hexadecimal digits, or one that makes no text.
    #[error("has a `%` that encodes no character: {ENCODE}")]
    Percent,
    /// A user with a `:`, which is the end of a user that was encoded as well.
    #[error(
        "the user has a `:` or an `@`: write {FORM}, with the `:` and the `@` around the password as they are"
    )]
    User,
    /// A host that none can be.
    #[error(
        "the host must be a name, an IP address (IPv6 in brackets: `[::1]`) or %2Fa%2Ffolder of a socket: {ENCODE}"
    )]
    Host,
    /// Several hosts.
    #[error(
        "names several hosts: name one, or the virtual address or pooler that leads to the one that can be written"
    )]
    Several,
    /// A port that none can be.
    #[error("the port must be a number from 1 to 65535: {ENCODE}")]
    Port,
    /// A database's name with a `/`.
    #[error("the name of the database has a `/`: {ENCODE}")]
    Database,
    /// A parameter without a value.
    #[error("a parameter after `?` has no `=`: write `?name=value`, and percent-encode `&` as %26")]
    Bare,
    /// A parameter that webmon does not know, whose name may be shown.
    #[error("the parameter `{0}` is not known: correct or remove it")]
    Unknown(String),
    /// A parameter that webmon does not know; its name may be a part of a password.
    #[error(
        "the parameter number {0} after `?` is not known: remove it, or percent-encode `&` as %26 if it is a part of a value"
    )]
    UnknownNumber(usize),
    /// A parameter that webmon cannot honour.
    #[error("the parameter `{name}` is not supported: {remedy}")]
    Unsupported {
        /// The parameter.
        name: &'static str,
        /// What to do instead.
        remedy: &'static str,
    },
    /// A value that a parameter or a variable of the environment cannot have.
    #[error("`{name}` must be {expected}")]
    Value {
        /// The parameter or the variable.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// A file that cannot be used.
    #[error("`{name}` names {}: {problem}", path.display())]
    File {
        /// The parameter or the variable.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A user is missing, and the process has none.
    #[error("names no user, and this process's user id has no name: write {FORM}, or set PGUSER")]
    NoUser,
}

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

impl Address {
    /// Reads an address. The error says what is wrong and shows nothing that may be a part of a password.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let Parts {
            login,
            host,
            path,
            query,
        } = Parts::of(text)?;
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, "")))
        {
            Some((user, password)) => (decoded(user)?, decoded(password)?),
            None => (String::new(), String::new()),
        };
        // What looks like the end of a password must not be taken for a user: servers show the user in their messages.
        if login.is_some_and(|login| !is_user(login)) || user.contains(':') {
            return Err(AddressError::User);
        }
        let (host, port) = crate::split::host_and_port(host)?;
        let database = decoded(path)?;
        if path.contains('/') {
            return Err(AddressError::Database);
        }
        let mut address = Self {
            host,
            port,
            user: some(user),
            password: some(password).map(Hidden),
            database: some(database),
            tls_mode: None,
            parameters: Parameters::default(),
        };
        // `postgres://user:password?…`, with the host forgotten.
        address.read_parameters(query, login.is_none() && path.is_empty())?;
        Ok(address)
    }
}

/// Whether a login begins with a user whose special characters are percent-encoded.
fn is_user(login: &str) -> bool {
    let user = login.split_once(':').map_or(login, |(user, _)| user);
    let legal = |c: char| c.is_alphanumeric() || "-._~$+%".contains(c);
    user.chars().all(legal)
}

/// A text that is not empty.
fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

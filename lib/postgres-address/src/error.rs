//! What can be wrong with an address.

use std::path::PathBuf;

use contract::passwords::FORM;

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

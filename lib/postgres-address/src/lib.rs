//! The address of a `PostgreSQL` database, from the text to a connection.
//!
//! The path of an address: text → [`Address`] ([`parse`] reads it, [`split`] cuts it up, [`parameters`] reads
//! what follows `?`) → [options](Address::options), together with libpq's [environment] variables, its [password
//! file](passfile) and the [files] of TLS → [one connection](attempt), or the [reason](Failure) why there
//! is none, with its remedy.
//!
//! What the codes of the server's errors mean is said by [`sqlstate`].
//!
//! All programs read addresses here, so that one rule holds everywhere: **no message shows a part of an
//! address that may be a part of a password.** A password that was not percent-encoded may end up in any
//! part of the address. So an address is refused as a whole when such a mistake is possible, and its
//! message is made of fixed text. What an accepted address names (host, port, database) is shown.
//!
//! sqlx's own parser is not used: it shows the whole address in errors, it logs the values of parameters
//! that it does not know, and it logs malformed lines of the password file.

mod address;
mod attempt;
mod environment;
mod error;
mod failure;
mod files;
mod options;
mod parameters;
mod parse;
mod passfile;
mod split;
pub mod sqlstate;
mod tls;

pub use address::Address;
pub use attempt::{CONNECT_TIMEOUT, attempt, refuse_shared_sessions};
pub use environment::Environment;
pub use error::AddressError;
pub use failure::{Failure, Server};

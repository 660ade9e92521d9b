//! The path of a check: one site asked once over HTTP/1.1, from a task to a result. A site that is down is a value
//! here, never an error.
//!
//! ```text
//! task ──► parsed_task ──► ask ──► dns ──► dial ──► tls ──► transport ──► body ──► decode ──► judge ──► result
//! ```
//!
//! A [`Prober`] makes the [check]. The task is [parsed](parsed_task), and its request filled with the values of
//! [secrets], for the origins that may have them. Then it [asks](ask): [`dns`] finds addresses, [`dial`] lets only those
//! into the race that its policy allows, [`tls`] shakes hands and notes the server's certificate, and [`transport`]
//! carries bytes within the check's time and size. Where a site has a [proxy], that is dialled in the site's stead. A
//! redirect asks again. The last [answer]'s [body] is read, and [decoded](decode) to text. [`judge`] compares all with
//! what was expected; an [endless] body it judges while it comes.
//!
//! What is seen on the way is [observed], and what goes wrong is a [fault]. [`blame`] decides whose fault it is, the
//! site's or this machine's. No text leaves the probe before it is [redacted](redact). [`show`] prints a check for
//! people and machines.
//!
//! The probe knows neither Kafka nor PostgreSQL, and it reads no configuration: its callers build [`ProbeOptions`]. Of
//! files it reads the secrets' and `resolv.conf` alone, as both may change while checks are made.
//!
//! How a reason is added to the verdicts is told at the start of `lib/contract/src/outcome.rs`.

mod answer;
mod ask;
mod blame;
mod body;
mod budget;
mod check;
mod check_memory;
mod decode;
mod dial;
mod dns;
mod endless;
mod exact;
mod fault;
#[cfg(test)]
mod fixtures;
mod judge;
mod memory_bound;
mod observed;
mod options;
mod parsed_task;
mod prober;
mod proxy;
mod redact;
mod replaceable;
mod secrets;
pub mod show;
mod sockets;
mod tls;
mod transport;
mod waiting;

pub use self::check::Watched;
pub use self::judge::meets;
pub use self::memory_bound::{CHECK_BYTES, shared_memory};
pub use self::observed::Hop;
pub use self::options::{
    Addresses, DEFAULT_BODY_LIMIT, DEFAULT_BODY_MEMORY, Dns, NameServer, Origin, ProbeOptions,
    Reference, SECRET_VARIABLE_PREFIX, Secrets,
};
pub use self::prober::Prober;
pub use self::tls::{CertificateSeen, TlsSeen};

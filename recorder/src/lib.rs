//! The path of a result: from a check that has ended to a row of `check_result`.
//!
//! ```text
//! results ──► record ──► rows ──► done
//! ```
//!
//! A service puts each [result](finished) into the bounded [queue](results), together with a position. The
//! [recorder](record) takes what waits, ten times a second or when a batch is full, and writes it as
//! [rows], one statement for a batch. Then it gives the positions back: what they stand for is durable.
//! The recorder does not look into a position; the service that reads tasks or results commits by it.
//!
//! No result is dropped while `PostgreSQL` is away: the recorder tries again, the queue fills up, and what
//! fills it has to wait.
//!
//! A task may be read a second time, after a crash or by the checker that takes a partition over. [Repeats](repeats) tells which tasks have a row already.

mod finished;
mod metrics;
mod record;
mod repeats;
mod results;
mod rows;

pub use finished::{Finished, Times};
pub use metrics::Metrics;
pub use record::Recorder;
pub use repeats::{Repeats, SUSPICIOUS_MS};
pub use results::{BYTES, Results};
pub use rows::SETTINGS;

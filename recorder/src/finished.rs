//! A result on its way to a row, and what is given back once the row is durable.

use contract::{instant::UnixUs, result::CheckResult};

/// A result, and the position of what is done once it is durable.
#[derive(Debug)]
pub struct Finished<P> {
    /// What becomes a row.
    pub result: CheckResult,
    /// Given back as it is.
    pub position: P,
    /// When its check went through which stage.
    pub times: Times,
}

/// When a check went through which stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// Its task was read from Kafka.
    pub read_at: UnixUs,
    /// Its result was there.
    pub ended_at: UnixUs,
}

impl<P> Finished<P> {
    /// What it occupies, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.result.detail.as_ref().map_or(0, String::capacity)
    }
}

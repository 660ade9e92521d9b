//! A result on its way to a row, and what is given back once the row is durable.

use contract::result::CheckResult;

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

/// When a check went through which stage, in microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// Its task was read from Kafka.
    pub read_us: i64,
    /// Its result was there.
    pub ended_us: i64,
}

impl<P> Finished<P> {
    /// What it occupies, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.result.detail.as_ref().map_or(0, String::capacity)
    }
}

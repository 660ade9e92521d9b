//! How far an apply is.

use std::fmt;

/// How far an apply is: for a person who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The file is being read and checked.
    Reading,
    /// The file was read, and is in order.
    Read {
        /// How many it names.
        sites: usize,
    },
    /// Another apply is under way; this one waits for its end.
    Waiting,
    /// Some of the sites were sent to the database.
    Sent {
        /// How many up to now.
        sites: usize,
        /// How many there are.
        of: usize,
    },
    /// All were sent; the database compares them with those it has.
    Comparing,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reading => f.write_str("reading the sites file"),
            Self::Read { sites } => write!(f, "read {sites} sites"),
            Self::Waiting => f.write_str("waiting for another apply to end"),
            Self::Sent { sites, of } => write!(f, "sent {sites} of {of} sites"),
            Self::Comparing => f.write_str("comparing with the sites of the database"),
        }
    }
}

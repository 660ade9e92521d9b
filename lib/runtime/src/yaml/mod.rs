//! YAML of a stranger, event by event: memory and time are bounded whatever the text says.
//!
//! [`text`] decodes bytes into characters and names what no text has; [`Events`] takes the parser's events
//! from them, bounds their nesting, and knows one document only. A file of any length is read so, a value
//! at a time. What a plain word means, `serde_yaml` says: `config/yaml.rs`.

mod events;
mod text;
mod weigh;

use std::io;

pub use events::{Event, Events, MAX_DEPTH};
pub use text::MAX_VALUE_CHARS;
pub use weigh::{MAX_WHOLE_BYTES, check_bounds, is_cheap};

/// Why a text cannot be read as YAML.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum YamlError {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// It is no text, or no YAML of reasonable size; with the line, and the remedy.
    #[error("{0}")]
    Refused(String),
    /// It breaks the rules of YAML; with line and column.
    #[error("{0}")]
    Syntax(String),
}

//! The path of a setting: YAML on disk → [substitution](ProcessEnvironment) on scalars → raw values that
//! know their keys → valid values.
//!
//! Nothing else in webmon reads the environment or a configuration file, and code past this module
//! cannot meet an invalid value. What every program is told is here (`http`, `log`, `traces`); `database`
//! is in `store`, `kafka` in `stream`, and what only one program is told in the `config` of that one. All of it is read
//! by the same [`Document`].
//!
//! # Substitution
//!
//! In scalars, after the YAML was parsed (so that no value can change the structure of the file):
//!
//! | written | becomes |
//! |---|---|
//! | `${VAR}` | the environment variable; unset, it is an error |
//! | `${VAR:-default}` | the same, or the default when it is unset or empty |
//! | `${file:PATH}` | what the file holds, without its last newline |
//! | `$${` | a literal `${` |
//!
//! A replaced scalar is typed again: `slots: ${SLOTS}` is a number where a number is wanted.
//! Relative paths, here and in `kafka.ssl`, start at the working directory, not at the file.
//! In a flow list (`[a, b]`) write the quotes: `["${VAR}"]`, as YAML itself gives `{` a meaning there.

mod configuration;
mod deserialize;
mod document;
mod environment;
mod error;
mod http;
mod limits;
mod log;
mod node;
mod scalar;
mod secret;
mod substitute;
mod traces;
mod yaml;

pub use configuration::{Configuration, copy_the_example};
pub use document::Document;
pub use environment::ProcessEnvironment;
pub use error::{ConfigError, Fault};
pub use http::HttpConfig;
pub use limits::Limits;
pub use log::{LogConfig, LogFormat};
pub use scalar::Scalar;
pub use secret::Secret;
pub use traces::TracesConfig;
pub use yaml::{from_yaml, tab_line};

//! What is wrong with a sites file: all of it, in one report.

use std::fmt;
use std::path::{Path, PathBuf};

use contract::site::SiteError;

/// How many faults are printed; the others are counted. A screen or two: more would hide the first ones.
const PRINTED: usize = 50;

/// The sites file cannot be applied; the database was not touched.
///
/// Whoever ends a program with it exits with code 2, unlike trouble with the database (1).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadFile {
    /// There is no such file, or it is no text.
    #[error("cannot read the sites file {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// It is not YAML.
    #[error("{}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// It is YAML, and what it says about sites makes no sense.
    #[error("{}", Report { path, faults })]
    Faults {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong, in the order of the file.
        faults: Vec<Fault>,
    },
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The entry: `sites[12] shop`, `defaults`, or empty for the file itself.
    pub entry: String,
    /// The key, what is wrong there, and the remedy.
    pub error: SiteError,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, error } = self;
        match entry.as_str() {
            "" => write!(f, "{error}"),
            entry => write!(f, "{entry}: {error}"),
        }
    }
}

/// The text of [`BadFile::Faults`].
struct Report<'a> {
    /// The file.
    path: &'a Path,
    /// Everything that is wrong.
    faults: &'a [Fault],
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, faults } = self;
        let noun = if faults.len() == 1 { "fault" } else { "faults" };
        write!(
            f,
            "{}: {} {noun}, so nothing was changed",
            path.display(),
            faults.len()
        )?;
        for fault in faults.iter().take(PRINTED) {
            write!(f, "\n  {fault}")?;
        }
        match faults.len().saturating_sub(PRINTED) {
            0 => Ok(()),
            more => write!(f, "\n  … and {more} more"),
        }
    }
}

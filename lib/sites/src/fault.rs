//! What is wrong with a sites file: all of it, in one report.

use std::fmt;
use std::path::{Path, PathBuf};

use contract::site::SiteError;

/// How many faults are printed; the others are counted. A screen or two: more would hide the first ones.
const PRINTED: usize = 50;
/// How many faults of sites are kept; the others are counted, as a long file may have very many.
const KEPT: usize = 1_000;

/// The sites file cannot be applied; the database was not touched.
///
/// A program that ends with it exits with code 2, unlike trouble with the database (1).
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
    /// It is not YAML, or not within reasonable bounds.
    #[error("{}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// It is YAML, and what it says about sites makes no sense.
    #[error("{}", Report { path, faults, more: *more })]
    Faults {
        /// The file.
        path: PathBuf,
        /// What is wrong, in the order of the file.
        faults: Vec<Fault>,
        /// How many more faults there are than were kept.
        more: usize,
    },
}

/// What is wrong with the sites of a file: the first of it, and how much there is.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// The first.
    kept: Vec<Fault>,
    /// How many more.
    more: usize,
}

impl Faults {
    /// Adds a fault.
    pub(crate) fn push(&mut self, fault: impl FnOnce() -> Fault) {
        if self.kept.len() < KEPT {
            self.kept.push(fault());
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// All faults, after others, and how many more there are.
    pub(crate) fn after(self, others: impl Iterator<Item = Fault>) -> (Vec<Fault>, usize) {
        (others.chain(self.kept).collect(), self.more)
    }
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
    /// What is wrong.
    faults: &'a [Fault],
    /// How much more.
    more: usize,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, faults, more } = self;
        let count = faults.len().saturating_add(*more);
        let noun = if count == 1 { "fault" } else { "faults" };
        let path = path.display();
        write!(f, "{path}: {count} {noun}, so nothing was changed")?;
        for fault in faults.iter().take(PRINTED) {
            write!(f, "\n  {fault}")?;
        }
        match count.saturating_sub(PRINTED) {
            0 => Ok(()),
            more => write!(f, "\n  … and {more} more"),
        }
    }
}

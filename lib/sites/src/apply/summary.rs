//! What an apply did, for people.

use std::fmt;

use crate::name::shown;

/// How many names are listed; of more only the number is told.
pub(super) const LISTED: u64 = 20;

/// What an apply did, or, as a dry run, would have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Whether all of it was taken back.
    pub dry_run: bool,
    /// Sites that are new.
    pub created: Touched,
    /// Sites that say something else than before.
    pub changed: Touched,
    /// Sites that were as the file says.
    pub unchanged: u64,
    /// Sites that were not in the file, and are gone: only with `--prune`.
    pub removed: Touched,
    /// Sites that are not in the file, and stay.
    pub not_in_file: u64,
}

/// Sites to which the same happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// How many they are.
    pub count: u64,
    /// Their names, in order, if they are at most 20.
    pub names: Vec<String>,
}

impl Summary {
    /// Whether there was nothing to do.
    pub fn is_empty(&self) -> bool {
        self.created.count == 0 && self.changed.count == 0 && self.removed.count == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            dry_run,
            created,
            changed,
            unchanged,
            removed,
            not_in_file,
        } = self;
        if self.is_empty() {
            f.write_str("nothing to change: ")?;
        } else if *dry_run {
            f.write_str("dry run, nothing was written: ")?;
        }
        let (created_count, changed_count) = (created.count, changed.count);
        write!(f, "created {created_count}, changed {changed_count}, ")?;
        write!(f, "left alone {unchanged}, removed {}", removed.count)?;
        for (what, touched) in [
            ("created", created),
            ("changed", changed),
            ("removed", removed),
        ] {
            if !touched.names.is_empty() {
                let names: Vec<_> = touched.names.iter().map(|name| shown(name)).collect();
                write!(f, "\n  {what}: {}", names.join(", "))?;
            }
        }
        match not_in_file {
            0 => Ok(()),
            1 => f.write_str("\n  1 site is not in the file and stays; --prune removes it"),
            n => write!(
                f,
                "\n  {n} sites are not in the file and stay; --prune removes them"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(names: &[&str]) -> Touched {
        Touched {
            count: names.len() as u64,
            names: names.iter().map(ToString::to_string).collect(),
        }
    }

    fn summary() -> Summary {
        Summary {
            dry_run: false,
            created: touched(&["a", "b", "c\td"]),
            changed: touched(&["d"]),
            unchanged: 96,
            removed: touched(&[]),
            not_in_file: 0,
        }
    }

    #[test]
    fn what_was_done_is_told_with_names_when_they_are_few() {
        assert_eq!(
            summary().to_string(),
            "created 3, changed 1, left alone 96, removed 0\n  created: a, b, \"c\\td\"\n  changed: d"
        );
        let many = Summary {
            created: Touched {
                count: 21,
                names: Vec::new(),
            },
            changed: touched(&[]),
            dry_run: true,
            not_in_file: 2,
            ..summary()
        };
        assert_eq!(
            many.to_string(),
            "dry run, nothing was written: created 21, changed 0, left alone 96, removed 0\n  \
             2 sites are not in the file and stay; --prune removes them"
        );
    }

    #[test]
    fn nothing_to_change_is_said() {
        let nothing = Summary {
            created: touched(&[]),
            changed: touched(&[]),
            not_in_file: 1,
            ..summary()
        };
        assert_eq!(
            nothing.to_string(),
            "nothing to change: created 0, changed 0, left alone 96, removed 0\n  \
             1 site is not in the file and stays; --prune removes it"
        );
    }
}

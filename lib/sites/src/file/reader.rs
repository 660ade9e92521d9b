//! The parts of a sites file → valid sites, and everything that is wrong.

use std::collections::HashMap;
use std::path::Path;

use contract::site::SiteError;
use store::site::apply::Site;

use crate::check::EntryValidator;
use crate::check::fields::unknown;
use crate::fault::{BadFile, Fault, Faults};
use crate::name::shown;
use crate::yaml::node::{Node, key_text};

/// The keys of the file.
const KEYS: &[&str] = &["defaults", "sites"];

/// A part of a sites file.
pub(super) enum Part {
    /// The whole file, which is no map.
    File(Node),
    /// A key and its value, unless they are `sites` and a list.
    Key(Node, Node),
    /// `sites` and the beginning of a list.
    Sites,
    /// An entry of it.
    Entry(Node),
}

/// Takes the parts of a file in its order.
pub(super) struct Reader {
    /// What is wrong with the file itself.
    file: Vec<SiteError>,
    /// What is wrong with the defaults.
    defaults: Vec<SiteError>,
    /// What is wrong with the sites.
    faults: Faults,
    /// Checks entries.
    validator: EntryValidator,
    /// How often there was each of [`KEYS`].
    seen: [usize; 2],
    /// Whether the defaults are known from before.
    known: bool,
    /// Defaults that came after sites.
    late: Option<Node>,
    /// The sites that are valid.
    valid: Vec<Site>,
    /// Where each name was first.
    names: HashMap<Box<str>, usize>,
    /// Entries so far.
    position: usize,
}

impl Reader {
    /// Takes parts from the beginning of a file.
    pub(super) fn new() -> Self {
        Self::over(Node::Nothing, false)
    }

    /// The same, where the defaults are known.
    pub(super) fn with_defaults(defaults: Node) -> Self {
        Self::over(defaults, true)
    }

    /// A reader with these defaults.
    fn over(defaults: Node, known: bool) -> Self {
        let (validator, wrong) = EntryValidator::new(defaults);
        Self {
            file: Vec::new(),
            defaults: wrong,
            faults: Faults::default(),
            validator,
            seen: [0; 2],
            known,
            late: None,
            valid: Vec::new(),
            names: HashMap::new(),
            position: 0,
        }
    }

    /// Takes the next part.
    pub(super) fn take(&mut self, part: Part) {
        match part {
            Part::File(Node::Nothing) => {}
            Part::File(file) => {
                let fault = format!("{file} is no sites file; write `sites:` and list them below");
                self.file.push(SiteError::new("file", fault));
            }
            Part::Key(key, value) => {
                let taken = key_text(key)
                    .map_err(|fault| SiteError::new("file", fault))
                    .and_then(|key| self.key(&key, value));
                self.file.extend(taken.err());
            }
            Part::Sites => {
                let counted = self.count("sites");
                self.file.extend(counted.err());
            }
            Part::Entry(entry) => self.entry(entry),
        }
    }

    /// Takes the value of one key.
    fn key(&mut self, key: &str, value: Node) -> Result<(), SiteError> {
        self.count(key)?;
        if key == "sites" {
            return match value {
                Node::Nothing => Err(no_sites()),
                Node::Odd(fault) => Err(SiteError::new(key, fault)),
                other => {
                    let fault = format!("{other} is no list; write `- name: …` for each site");
                    Err(SiteError::new(key, fault))
                }
            };
        }
        if self.known {
            return Ok(());
        }
        if self.position > 0 {
            self.late = Some(value);
            return Ok(());
        }
        (self.validator, self.defaults) = EntryValidator::new(value);
        Ok(())
    }

    /// Counts a key, and refuses it the second time.
    fn count(&mut self, key: &str) -> Result<(), SiteError> {
        let known = KEYS
            .iter()
            .zip(&mut self.seen)
            .find(|(known, _)| **known == key);
        let Some((_, times)) = known else {
            return Err(SiteError::new(key, unknown(KEYS)));
        };
        *times = times.saturating_add(1);
        if *times > 1 {
            return Err(SiteError::new(key, "is there twice; keep one"));
        }
        Ok(())
    }

    /// Takes an entry of `sites`.
    fn entry(&mut self, entry: Node) {
        let position = self.position;
        self.position = position.saturating_add(1);
        let (name, site) = self.validator.check(entry);
        if let Some(name) = &name
            && let Some(wrong) = self.refuse_repeat(name, position)
        {
            self.faults.push(|| fault(position, Some(name), wrong));
        }
        match site {
            Ok(site) if self.faults.is_empty() => self.valid.push(site),
            // nothing is applied any more
            Ok(_) => self.valid = Vec::new(),
            Err(wrong) => {
                for wrong in wrong {
                    self.faults.push(|| fault(position, name.as_deref(), wrong));
                }
            }
        }
    }

    /// Remembers a name, and refuses it the second time.
    fn refuse_repeat(&mut self, name: &str, position: usize) -> Option<SiteError> {
        if let Some(first) = self.names.get(name) {
            let message = format!("is also the name of sites[{first}]; names are unique");
            return Some(SiteError::new("name", message));
        }
        self.names.insert(name.into(), position);
        None
    }

    /// Defaults that came after sites, if the file is otherwise in order so far.
    pub(super) fn late_defaults(&mut self) -> Option<Node> {
        self.late.take()
    }

    /// The sites, unless anything is wrong. A file without `sites` is refused, as with `--prune` it would
    /// remove every site.
    pub(super) fn finish(self, path: &Path) -> Result<Vec<Site>, BadFile> {
        let Self {
            mut file,
            defaults,
            faults,
            valid,
            seen: [_, lists],
            ..
        } = self;
        // one fault is enough for a file whose only key is misspelt
        if lists == 0 && file.is_empty() {
            file.push(no_sites());
        }
        let of = |entry: &str, error| Fault {
            entry: entry.to_owned(),
            error,
        };
        let first = file.into_iter().map(|error| of("", error));
        let second = defaults.into_iter().map(|error| of("defaults", error));
        let (faults, more) = faults.after(first.chain(second));
        if faults.is_empty() {
            return Ok(valid);
        }
        Err(BadFile::Faults {
            path: path.to_owned(),
            faults,
            more,
        })
    }
}

/// The fault of a file that names no site.
fn no_sites() -> SiteError {
    let fault = "names no site; list them, or write `sites: []` for none";
    SiteError::new("sites", fault)
}

/// What is wrong with an entry, which is called `sites[12] shop`.
fn fault(position: usize, name: Option<&str>, error: SiteError) -> Fault {
    let entry = name.map_or_else(
        || format!("sites[{position}]"),
        |name| format!("sites[{position}] {}", shown(name)),
    );
    Fault { entry, error }
}

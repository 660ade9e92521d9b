//! YAML on disk → sites, or a [`BadFile`] that names everything that is wrong.

use std::collections::HashMap;
use std::path::Path;

use contract::site::SiteError;
use runtime::config::from_yaml;

use super::fault::{BadFile, Fault};
use super::fields::unknown;
use super::node::{Node, key_text};
use super::site::{Judge, Site, shown};

/// The keys of the file.
const KEYS: &[&str] = &["defaults", "sites"];

/// Reads and checks a sites file; the database is not needed for it.
pub fn load(path: &Path) -> Result<Vec<Site>, BadFile> {
    let text = std::fs::read_to_string(path).map_err(|cause| BadFile::Unreadable {
        path: path.to_owned(),
        cause,
    })?;
    read(path, text)
}

/// The same for a text that is at hand; what is wrong with it is said of `path`.
pub fn read(path: &Path, text: String) -> Result<Vec<Site>, BadFile> {
    let file: Node = from_yaml(&text).map_err(|message| BadFile::Syntax {
        path: path.to_owned(),
        message,
    })?;
    // both the text and the tree of a long file are large
    drop(text);
    judge(file).map_err(|faults| BadFile::Faults {
        path: path.to_owned(),
        faults,
    })
}

/// Makes sites of what the file says.
fn judge(file: Node) -> Result<Vec<Site>, Vec<Fault>> {
    let mut wrong = Vec::new();
    let Halves { defaults, sites } = Halves::read(file, &mut wrong);
    let sites = site_list(sites, &mut wrong);
    let mut faults: Vec<Fault> = at(String::new, wrong).collect();
    let (mut judge, wrong) = Judge::new(defaults.unwrap_or(Node::Nothing));
    faults.extend(at(|| "defaults".to_owned(), wrong));

    let mut valid = Vec::with_capacity(sites.len());
    let mut names = HashMap::with_capacity(sites.len());
    for (position, entry) in sites.into_iter().enumerate() {
        let (name, site) = judge.judge(entry);
        let entry = || place(position, name.as_deref());
        if let Some(name) = &name {
            faults.extend(at(entry, refuse_repeat(name, position, &mut names)));
        }
        match site {
            Ok(site) => valid.push(site),
            Err(wrong) => faults.extend(at(entry, wrong)),
        }
    }
    if faults.is_empty() {
        Ok(valid)
    } else {
        Err(faults)
    }
}

/// The two halves of a file.
#[derive(Default)]
struct Halves {
    /// What `defaults` holds, if it is there.
    defaults: Option<Node>,
    /// What `sites` holds, if it is there.
    sites: Option<Node>,
}

impl Halves {
    /// Takes the file apart.
    fn read(file: Node, faults: &mut Vec<SiteError>) -> Self {
        let mut halves = Self::default();
        let entries = match file {
            Node::Map(entries) => entries,
            Node::Nothing => Vec::new(),
            file => {
                let fault = format!("{file} is no sites file; write `sites:` and list them below");
                faults.push(SiteError::new("file", fault));
                Vec::new()
            }
        };
        for (key, value) in entries {
            let taken = key_text(key)
                .map_err(|fault| SiteError::new("file", fault))
                .and_then(|key| halves.take(&key, value));
            faults.extend(taken.err());
        }
        halves
    }

    /// Takes the value of one key.
    fn take(&mut self, key: &str, value: Node) -> Result<(), SiteError> {
        let half = match key {
            "defaults" => &mut self.defaults,
            "sites" => &mut self.sites,
            _ => return Err(SiteError::new(key, unknown(KEYS))),
        };
        match half.replace(value) {
            None => Ok(()),
            Some(_) => Err(SiteError::new(key, "is there twice; keep one")),
        }
    }
}

/// The entries of `sites`. A file without them is refused, as with `--prune` it would remove every site.
fn site_list(sites: Option<Node>, faults: &mut Vec<SiteError>) -> Vec<Node> {
    let fault = match sites {
        Some(Node::List(sites)) => return sites,
        None | Some(Node::Nothing) => {
            "names no site; list them, or write `sites: []` for none".to_owned()
        }
        Some(other) => format!("{other} is no list; write `- name: …` for each site"),
    };
    // one fault is enough for a file whose only key is misspelt
    if faults.is_empty() {
        faults.push(SiteError::new("sites", fault));
    }
    Vec::new()
}

/// Remembers a name, and refuses it the second time.
fn refuse_repeat(
    name: &str,
    position: usize,
    names: &mut HashMap<String, usize>,
) -> Option<SiteError> {
    if let Some(first) = names.get(name) {
        let message = format!("is also the name of sites[{first}]; names are unique");
        return Some(SiteError::new("name", message));
    }
    names.insert(name.to_owned(), position);
    None
}

/// How an entry is called in a fault: `sites[12] shop`.
fn place(position: usize, name: Option<&str>) -> String {
    name.map_or_else(
        || format!("sites[{position}]"),
        |name| format!("sites[{position}] {}", shown(name)),
    )
}

/// What is wrong, with the entry where it is.
fn at(
    entry: impl Fn() -> String,
    wrong: impl IntoIterator<Item = SiteError>,
) -> impl Iterator<Item = Fault> {
    wrong.into_iter().map(move |error| Fault {
        entry: entry(),
        error,
    })
}

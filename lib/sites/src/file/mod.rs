//! File: YAML on disk → sites, or a [`BadFile`] that names everything that is wrong.
//!
//! The file is read once, site by site: neither its text nor its tree is ever in memory as a whole. Only
//! where `defaults` stand behind the sites is it read again.

mod reader;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use runtime::config::{from_yaml, tab_line};
use runtime::yaml::{Event, MAX_WHOLE_BYTES, YamlError, is_cheap};
use store::site::apply::Site;

use self::reader::{Part, Reader};
use crate::fault::BadFile;
use crate::yaml::node::Node;
use crate::yaml::scalar::local;
use crate::yaml::values::Values;

/// The longest file, in bytes: about a million sites.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// The name of the file that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Reads and checks a sites file; the database is not needed for it.
pub fn load(path: &Path) -> Result<Vec<Site>, BadFile> {
    let unreadable = |cause| BadFile::Unreadable {
        path: path.to_owned(),
        cause,
    };
    if path.as_os_str() == STANDARD_INPUT {
        return finish(path, once(io::stdin().lock()), |_| None);
    }
    let open = || File::open(path).map_err(unreadable);
    let file = open()?;
    // a pipe can be read only once
    let regular = file.metadata().map_err(unreadable)?.is_file();
    let mut pass = once(file);
    if let Pass::Late(defaults) = pass {
        if !regular {
            let message =
                "write `defaults` before `sites`: what is no regular file is read only once";
            return Err(refused(path, message));
        }
        pass = again(open()?, defaults);
    }
    finish(path, pass, |max| {
        let small = regular.then(|| text_of(path, max));
        small.flatten()
    })
}

/// The same for a text that is at hand; what is wrong with it is said of `path`.
pub fn read(path: &Path, text: String) -> Result<Vec<Site>, BadFile> {
    let mut pass = once(text.as_bytes());
    if let Pass::Late(defaults) = pass {
        pass = again(text.as_bytes(), defaults);
    }
    finish(path, pass, |max| (text.len() <= max).then_some(text))
}

/// How reading a file ended.
enum Pass {
    /// With everything that it says.
    Whole(Box<Reader>),
    /// With defaults that should have been known before.
    Late(Node),
    /// With something that is no YAML.
    Broken(YamlError),
}

/// Reads a file for the first time.
fn once(source: impl Read) -> Pass {
    pass(source, Reader::new())
}

/// Reads a file again, now that its defaults are known.
fn again(source: impl Read, defaults: Node) -> Pass {
    pass(source, Reader::with_defaults(defaults))
}

/// Reads a file.
fn pass(source: impl Read, mut reader: Reader) -> Pass {
    // one more, by which a longer file is known
    let mut source = source.take(MAX_FILE_BYTES.saturating_add(1));
    let mut read = parts(&mut source, &mut reader);
    if source.limit() == 0 {
        let message = format!(
            "is longer than {MAX_FILE_BYTES} bytes; split it, and apply each part without --prune"
        );
        read = Err(YamlError::Refused(message));
    }
    match (read, reader.late_defaults()) {
        (Err(error), _) => Pass::Broken(error),
        (Ok(()), Some(defaults)) => Pass::Late(defaults),
        (Ok(()), None) => Pass::Whole(Box::new(reader)),
    }
}

/// Gives each part of a file to the reader.
fn parts(source: impl Read, reader: &mut Reader) -> Result<(), YamlError> {
    let mut values = Values::new(source);
    let Some(event) = values.next_event()? else {
        reader.take(Part::File(Node::Nothing));
        return Ok(());
    };
    if !matches!(&event, Event::Map { tag, .. } if local(tag.as_deref()).is_none()) {
        let file = values.value(event)?;
        reader.take(Part::File(file));
        return expect_end(&mut values);
    }
    loop {
        let event = values.need_event()?;
        if event == Event::End {
            return expect_end(&mut values);
        }
        let key = values.value(event)?;
        let event = values.need_event()?;
        let list = matches!(&event, Event::List { tag, .. } if local(tag.as_deref()).is_none());
        if list && matches!(&key, Node::Text(key) if key == "sites") {
            sites(&mut values, reader)?;
        } else {
            let value = values.value(event)?;
            reader.take(Part::Key(key, value));
        }
    }
}

/// Gives each entry of `sites` to the reader.
fn sites<'t, R: Read + 't>(
    values: &mut Values<'t, R>,
    reader: &mut Reader,
) -> Result<(), YamlError> {
    reader.take(Part::Sites);
    loop {
        let event = values.need_event()?;
        if event == Event::End {
            return Ok(());
        }
        let entry = values.value(event)?;
        reader.take(Part::Entry(entry));
    }
}

/// Reads what must be the end of the text.
fn expect_end<'t, R: Read + 't>(values: &mut Values<'t, R>) -> Result<(), YamlError> {
    match values.next_event()? {
        None => Ok(()),
        Some(_) => Err(YamlError::Syntax("there is more behind the end".to_owned())),
    }
}

/// The sites, or what is wrong. The text, if it has no more bytes than asked for, is read in another way
/// where its syntax is in doubt.
fn finish(
    path: &Path,
    pass: Pass,
    text: impl FnOnce(usize) -> Option<String>,
) -> Result<Vec<Site>, BadFile> {
    match pass {
        Pass::Whole(reader) => reader.finish(path),
        // what was late before is known now
        Pass::Late(_) => Err(refused(path, "write `defaults` before `sites`")),
        Pass::Broken(YamlError::Unreadable(cause)) => Err(BadFile::Unreadable {
            path: path.to_owned(),
            cause,
        }),
        Pass::Broken(YamlError::Syntax(message)) => match text(MAX_WHOLE_BYTES) {
            Some(text) if is_cheap(&text) => whole(path, &text),
            _ => Err(refused(path, &message)),
        },
        Pass::Broken(error) => Err(refused(path, &error.to_string())),
    }
}

/// Reads a small text as a whole, by a parser that is more lenient and says better where it fails.
fn whole(path: &Path, text: &str) -> Result<Vec<Site>, BadFile> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file: Node = from_yaml(text).map_err(|message| {
        let tab = tab_line(text, text.lines().count());
        let hint = tab.map(|line| format!("; line {line} begins with a tab, indent by spaces"));
        refused(path, &(message + &hint.unwrap_or_default()))
    })?;
    let mut reader = Reader::new();
    // `defaults` first, wherever they stand
    let is = |key: &Node, name: &str| matches!(key, Node::Text(key) if key == name);
    match file {
        Node::Map(mut entries) => {
            entries.sort_by_key(|(key, _)| !is(key, "defaults"));
            for (key, value) in entries {
                match value {
                    Node::List(list) if is(&key, "sites") => {
                        reader.take(Part::Sites);
                        for entry in list {
                            reader.take(Part::Entry(entry));
                        }
                    }
                    value => reader.take(Part::Key(key, value)),
                }
            }
        }
        file => reader.take(Part::File(file)),
    }
    reader.finish(path)
}

/// The text of a file that has at most so many bytes.
fn text_of(path: &Path, max: usize) -> Option<String> {
    let mut text = String::new();
    let source = File::open(path).ok()?;
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    source.take(limit).read_to_string(&mut text).ok()?;
    (text.len() <= max).then_some(text)
}

/// The file is no YAML of reasonable size.
fn refused(path: &Path, message: &str) -> BadFile {
    BadFile::Syntax {
        path: path.to_owned(),
        message: message.to_owned(),
    }
}

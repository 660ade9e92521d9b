//! Characters → events: the parts of values, in the order of the text.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::io::Read;
use std::rc::Rc;

use saphyr_parser::{BufferedInput, Event as Parsed, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::YamlError;
use super::text::{Progress, Text};

/// How deep lists and maps may lie in each other. Whatever reads values calls itself for each level.
pub const MAX_DEPTH: usize = 64;

/// A part of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A text, a number, or another value without parts.
    Scalar {
        /// As it stands there, without quotes.
        value: String,
        /// Whether it has no quotes, and is no block: its form says what it is.
        plain: bool,
        /// Its tag in full.
        tag: Option<String>,
        /// The number of its anchor; 0 for none.
        anchor: usize,
    },
    /// A list begins.
    List {
        /// Its tag in full.
        tag: Option<String>,
        /// The number of its anchor; 0 for none.
        anchor: usize,
    },
    /// A map begins: a key, its value, and so on.
    Map {
        /// Its tag in full.
        tag: Option<String>,
        /// The number of its anchor; 0 for none.
        anchor: usize,
    },
    /// The list or map that began last ends.
    End,
    /// What the anchor of this number names.
    Alias(usize),
}

/// The events of a text, which is one document.
pub struct Events<'t, R: Read> {
    /// The parser, which takes the characters as it needs them.
    parser: Parser<'t, BufferedInput<Text<R>>>,
    /// What the characters told.
    progress: Rc<RefCell<Progress>>,
    /// Lists and maps that are open.
    depth: usize,
    /// Documents that began.
    documents: usize,
    /// The line of the last event, from 1.
    line: usize,
}

impl<'t, R: Read + 't> fmt::Debug for Events<'t, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { depth, line, .. } = self;
        f.debug_struct("Events")
            .field("depth", depth)
            .field("line", line)
            .finish_non_exhaustive()
    }
}

impl<'t, R: Read + 't> Events<'t, R> {
    /// The events of the text in `source`.
    pub fn new(source: R) -> Self {
        let progress = Rc::<RefCell<Progress>>::default();
        let text = Text::new(source, Rc::clone(&progress));
        Self {
            parser: Parser::new_from_iter(text),
            progress,
            depth: 0,
            documents: 0,
            line: 1,
        }
    }

    /// The line of the last event, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// How many lists and maps are open.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The next event; none at the end of the text.
    pub fn next_event(&mut self) -> Result<Option<Event>, YamlError> {
        loop {
            let next = self.parser.next_event();
            let mut progress = self.progress.borrow_mut();
            progress.since_event = 0;
            // To the parser, trouble is the end of the text.
            if let Some(trouble) = progress.trouble.take() {
                return Err(trouble);
            }
            drop(progress);
            let (event, span) = match next {
                None => return Ok(None),
                Some(Err(error)) => return Err(Self::broken(&error)),
                Some(Ok(event)) => event,
            };
            self.line = span.start.line();
            if let Some(event) = self.taken(event, &span.start)? {
                return Ok(Some(event));
            }
        }
    }

    /// An event as it is passed on; none for what is no part of a value.
    fn taken(&mut self, event: Parsed<'_>, at: &Marker) -> Result<Option<Event>, YamlError> {
        Ok(Some(match event {
            Parsed::Scalar(value, style, anchor, tag) => Event::Scalar {
                value: value.into_owned(),
                plain: style == ScalarStyle::Plain,
                tag: tag.map(in_full),
                anchor,
            },
            Parsed::SequenceStart(anchor, tag) => {
                self.open(at)?;
                let tag = tag.map(in_full);
                Event::List { tag, anchor }
            }
            Parsed::MappingStart(anchor, tag) => {
                self.open(at)?;
                let tag = tag.map(in_full);
                Event::Map { tag, anchor }
            }
            Parsed::SequenceEnd | Parsed::MappingEnd => {
                self.depth = self.depth.saturating_sub(1);
                Event::End
            }
            Parsed::Alias(anchor) => Event::Alias(anchor),
            Parsed::DocumentStart(_) => {
                self.documents = self.documents.saturating_add(1);
                if self.documents > 1 {
                    let line = at.line();
                    let message = format!("another document begins at line {line}; keep one");
                    return Err(YamlError::Syntax(message));
                }
                return Ok(None);
            }
            Parsed::Nothing | Parsed::StreamStart | Parsed::StreamEnd | Parsed::DocumentEnd => {
                return Ok(None);
            }
        }))
    }

    /// Counts a list or map that begins.
    fn open(&mut self, at: &Marker) -> Result<(), YamlError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(too_deep(at.line()));
        }
        Ok(())
    }

    /// What the parser does not understand.
    fn broken(error: &ScanError) -> YamlError {
        let (at, said) = (error.marker(), error.info());
        // The parser has a limit of its own, for brackets that it meets while it looks for a key's end.
        if said.contains("recursion limit") {
            return too_deep(at.line());
        }
        let column = at.col().saturating_add(1);
        YamlError::Syntax(format!("{said} at line {} column {column}", at.line()))
    }
}

/// The refusal of lists and maps that lie too deep in each other.
fn too_deep(line: usize) -> YamlError {
    YamlError::Refused(format!(
        "lists and maps lie more than {MAX_DEPTH} deep in each other at line {line}"
    ))
}

/// A tag in full, such as `!shop` or `tag:yaml.org,2002:int`.
fn in_full(tag: Cow<'_, Tag>) -> String {
    let Tag { handle, suffix } = tag.into_owned();
    handle + &suffix
}

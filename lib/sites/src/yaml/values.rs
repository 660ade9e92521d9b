//! Events of YAML → whole values, each within bounds of its own.

use std::collections::HashMap;
use std::io::Read;

use runtime::yaml::{Event, Events, MAX_DEPTH, YamlError};

use super::node::Node;
use super::scalar::{local, scalar};

/// The most that one value may hold, in bytes of its texts and [`NODE_BYTES`] for each part: more than the
/// largest site that is valid.
const MAX_VALUE_BYTES: usize = 1 << 20;
/// The most that all values with anchors may hold: they are kept to the end of the file.
const MAX_NAMED_BYTES: usize = 4 << 20;
/// What a part of a value counts for, beside its text.
const NODE_BYTES: usize = 8;
/// The values of a text, in its order.
#[derive(Debug)]
pub(crate) struct Values<'t, R: Read + 't> {
    /// What they are made of.
    events: Events<'t, R>,
    /// Those with an anchor, by its number.
    named: HashMap<usize, Built>,
    /// What these hold.
    named_bytes: usize,
}

/// A value that is complete.
#[derive(Clone, Debug)]
struct Built {
    /// The value.
    node: Node,
    /// What it holds.
    bytes: usize,
    /// How many levels it has below it.
    height: usize,
}

/// A list or map that is not complete.
#[derive(Debug)]
struct Open {
    /// The number of its anchor; 0 for none.
    anchor: usize,
    /// Its tag.
    tag: Option<String>,
    /// What it holds so far.
    parts: Parts,
    /// In bytes.
    bytes: usize,
    /// How many levels there are below it.
    height: usize,
}

/// What a list or map holds so far.
#[derive(Debug)]
enum Parts {
    /// Items of a list.
    Items(Vec<Node>),
    /// Entries of a map, and a key whose value is still to come.
    Entries(Vec<(Node, Node)>, Option<Node>),
}

impl<'t, R: Read + 't> Values<'t, R> {
    /// The values of the text in `source`.
    pub(crate) fn new(source: R) -> Self {
        Self {
            events: Events::new(source),
            named: HashMap::new(),
            named_bytes: 0,
        }
    }

    /// The next event; none at the end of the text.
    pub(crate) fn next_event(&mut self) -> Result<Option<Event>, YamlError> {
        self.events.next_event()
    }

    /// The next event, of a value that is not complete.
    pub(crate) fn need_event(&mut self) -> Result<Event, YamlError> {
        let line = self.events.line();
        let end = || YamlError::Syntax(format!("the text ends within a value at line {line}"));
        self.events.next_event()?.ok_or_else(end)
    }

    /// The whole of the value that begins with `event`. One that holds too much is read to its end, and is
    /// [`Node::Odd`].
    pub(crate) fn value(&mut self, mut event: Event) -> Result<Node, YamlError> {
        let mut open: Vec<Open> = Vec::new();
        let mut bytes = 0_usize;
        loop {
            let part = self.part(event, &mut open, MAX_VALUE_BYTES.saturating_sub(bytes))?;
            if let Some((part, anchor, new_bytes)) = part {
                bytes = bytes.saturating_add(new_bytes);
                self.name(anchor, &part)?;
                match open.last_mut() {
                    Some(around) => around.add(part, bytes <= MAX_VALUE_BYTES),
                    None if bytes > MAX_VALUE_BYTES => return Ok(too_large()),
                    None => return Ok(part.node),
                }
            }
            event = self.need_event()?;
        }
    }

    /// What an event completes, the number of its anchor, and what it adds to all; an alias whose value has
    /// no room in `room` is left out.
    fn part(
        &mut self,
        event: Event,
        open: &mut Vec<Open>,
        room: usize,
    ) -> Result<Option<(Built, usize, usize)>, YamlError> {
        Ok(match event {
            Event::Scalar {
                value,
                plain,
                tag,
                anchor,
            } => {
                let bytes = NODE_BYTES.saturating_add(value.len());
                let node = scalar(value, plain, tag.as_deref());
                Some((
                    Built {
                        node,
                        bytes,
                        height: 0,
                    },
                    anchor,
                    bytes,
                ))
            }
            Event::List { tag, anchor } => {
                open.push(Open::new(Parts::Items(Vec::new()), tag, anchor));
                None
            }
            Event::Map { tag, anchor } => {
                open.push(Open::new(Parts::Entries(Vec::new(), None), tag, anchor));
                None
            }
            Event::End => open.pop().map(|done| {
                let anchor = done.anchor;
                (done.close(), anchor, NODE_BYTES)
            }),
            Event::Alias(anchor) => {
                let built = self.repeated(anchor, room)?;
                let bytes = built.bytes;
                Some((built, 0, bytes))
            }
        })
    }

    /// The value that an alias names.
    fn repeated(&self, anchor: usize, room: usize) -> Result<Built, YamlError> {
        let line = self.events.line();
        let Some(named) = self.named.get(&anchor) else {
            let message = format!(
                "an alias at line {line} names the value that it stands in, or the list of sites"
            );
            return Err(YamlError::Refused(message));
        };
        if self.events.depth().saturating_add(named.height) > MAX_DEPTH {
            let message = format!(
                "an alias at line {line} makes lists and maps lie more than {MAX_DEPTH} deep in each other"
            );
            return Err(YamlError::Refused(message));
        }
        if named.bytes > room {
            let &Built { bytes, height, .. } = named;
            let node = Node::Nothing;
            return Ok(Built {
                node,
                bytes,
                height,
            });
        }
        Ok(named.clone())
    }

    /// Keeps a value with an anchor.
    fn name(&mut self, anchor: usize, built: &Built) -> Result<(), YamlError> {
        if anchor == 0 {
            return Ok(());
        }
        self.named_bytes = self.named_bytes.saturating_add(built.bytes);
        if self.named_bytes > MAX_NAMED_BYTES {
            let line = self.events.line();
            let message =
                format!("the values with anchors are too large at line {line}; write `defaults:`");
            return Err(YamlError::Refused(message));
        }
        self.named.insert(anchor, built.clone());
        Ok(())
    }
}

impl Open {
    /// A list or map that begins.
    fn new(parts: Parts, tag: Option<String>, anchor: usize) -> Self {
        Self {
            anchor,
            tag,
            parts,
            bytes: NODE_BYTES,
            height: 1,
        }
    }

    /// Adds a part, unless there is no room left.
    fn add(&mut self, part: Built, fits: bool) {
        let Built {
            node,
            bytes,
            height,
        } = part;
        self.bytes = self.bytes.saturating_add(bytes);
        self.height = self.height.max(height.saturating_add(1));
        if !fits {
            return;
        }
        match &mut self.parts {
            Parts::Items(items) => items.push(node),
            Parts::Entries(entries, key) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => *key = Some(node),
            },
        }
    }

    /// The whole list or map.
    fn close(self) -> Built {
        let Self {
            tag,
            parts,
            bytes,
            height,
            anchor: _,
        } = self;
        let node = match (local(tag.as_deref()), parts) {
            (Some(tag), _) => Node::tagged(tag),
            (None, Parts::Items(items)) => Node::List(items),
            (None, Parts::Entries(entries, _)) => Node::Map(entries),
        };
        Built {
            node,
            bytes,
            height,
        }
    }
}

/// What stands for a value that holds too much.
fn too_large() -> Node {
    Node::Odd(format!(
        "is larger than {MAX_VALUE_BYTES} bytes; a site is far smaller"
    ))
}

#[cfg(test)]
#[path = "values_tests.rs"]
mod tests;

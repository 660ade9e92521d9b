//! A span: one stage of a check, with its times and what there is to say.

use std::borrow::Cow;

use contract::instant::UnixUs;
use contract::trace::Trace;

/// A part of a check's way, with the times of the database's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The check.
    pub(super) trace: Trace,
    /// What it is called.
    pub(super) name: &'static str,
    /// Its own id.
    pub id: u64,
    /// The span that it is a part of; none for the whole check.
    pub(super) parent: Option<u64>,
    /// What it is to those that it talks to.
    pub(super) kind: Kind,
    /// When it began.
    pub(super) start: UnixUs,
    /// When it ended.
    pub(super) end: UnixUs,
    /// What else there is to say.
    pub(super) attributes: Vec<(&'static str, Value)>,
    /// How it failed, if it did.
    pub(super) error: Option<&'static str>,
}

/// How a span relates to other programs, by the numbers of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It stays in this process.
    Internal = 1,
    /// It asks another program.
    Client = 3,
    /// It sends a message to another program.
    Producer = 4,
}

/// What an attribute says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(Cow<'static, str>),
    /// A whole number.
    Whole(i64),
}

impl Span {
    /// The whole of a check.
    pub const fn root(trace: Trace, name: &'static str, (start, end): (UnixUs, UnixUs)) -> Self {
        Self {
            trace,
            name,
            id: trace.root,
            parent: None,
            kind: Kind::Internal,
            start,
            end,
            attributes: Vec::new(),
            error: None,
        }
    }

    /// A part of the span `parent`.
    pub fn below(
        parent: u64,
        trace: Trace,
        name: &'static str,
        (start, end): (UnixUs, UnixUs),
    ) -> Self {
        Self {
            id: trace.span(name, start),
            parent: Some(parent),
            ..Self::root(trace, name, (start, end))
        }
    }

    /// The same, as one that talks to others.
    #[must_use]
    pub const fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// The same with one thing more to say.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push((key, value.into()));
        self
    }

    /// The same, failed for this reason: one of a few.
    #[must_use]
    pub fn failed(mut self, error: &'static str) -> Self {
        self.error = Some(error);
        self.with("error.type", error)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

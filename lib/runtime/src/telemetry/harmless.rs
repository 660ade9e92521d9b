//! Lines of the log, made harmless: what a server, a row or a message says does nothing to a terminal that
//! shows them.

use std::borrow::Cow;
use std::io;

use contract::text::{harmless_json, harmless_lines};
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

/// How lines are made harmless.
#[derive(Clone, Copy, Debug)]
struct Form {
    /// Whether each is JSON.
    json: bool,
    /// Whether they have colours, which are control characters that webmon itself puts there; the formatter
    /// escapes those of others.
    colours: bool,
}

/// A writer whose lines are harmless.
#[derive(Debug)]
pub(super) struct Harmless<W> {
    /// Where they go.
    inner: W,
    /// How.
    form: Form,
}

impl<W> Harmless<W> {
    /// Lines for `inner`.
    pub(super) fn new(inner: W, json: bool, colours: bool) -> Self {
        let form = Form { json, colours };
        Self { inner, form }
    }
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Harmless<W> {
    type Writer = Harmless<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        let (inner, form) = (self.inner.make_writer(), self.form);
        Harmless { inner, form }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Self::Writer {
        let (inner, form) = (self.inner.make_writer_for(meta), self.form);
        Harmless { inner, form }
    }
}

impl Form {
    /// A line as it is written.
    fn apply(self, line: &str) -> Cow<'_, str> {
        if self.json {
            return harmless_json(line);
        }
        if !self.colours {
            return harmless_lines(line);
        }
        let parts: Vec<_> = line.split('\u{1b}').map(harmless_lines).collect();
        Cow::Owned(parts.join("\u{1b}"))
    }
}

impl<W: io::Write> io::Write for Harmless<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.inner.write_all(self.form.apply(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

//! A parsed value of a configuration file.

/// A value of a configuration file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Nothing: `key:`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// A number with a fraction, or beyond 64 bits.
    Fraction(f64),
    /// Text as written.
    Text(String),
    /// What substitution made: text where text is wanted, else typed again.
    Replaced(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the file's order.
    Section(Vec<(String, Node)>),
}

impl Node {
    /// What it is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Whole(_) => "a number",
            Self::Fraction(_) => "a fraction or a number too large",
            Self::Text(_) | Self::Replaced(_) => "text",
            Self::List(_) => "a list",
            Self::Section(_) => "a section",
        }
    }
}

//! A text of the site's owner in which secrets may stand, as `${secret:NAME}`.
//!
//! Only the name travels: the value is put in by the checker, when it asks. Nothing else is replaced,
//! so that a person who can write a site cannot read the checker's environment.

use std::fmt;

/// The longest name of a secret, in bytes.
const MAX_SECRET_NAME_BYTES: usize = 64;
/// The most secrets of one text.
const MAX_SECRETS: usize = 64;
/// How a secret begins.
const OPEN: &str = "${secret:";

/// A text with secrets in it; of what stands there in the clear it prints nothing, as that too may be a
/// credential.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// The text as it was written.
    text: String,
    /// What it is made of, in order.
    pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Clone, PartialEq, Eq)]
enum Piece {
    /// What stands there as it is.
    Plain(String),
    /// The name of a secret.
    Secret(String),
}

impl Template {
    /// Reads a text; the error says what is wrong with it and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut secrets) = (Vec::new(), 0);
        let mut rest = text;
        while let Some((plain, opened)) = rest.split_once(OPEN) {
            let (name, after) = opened
                .split_once('}')
                .ok_or("${secret: is not closed; write ${secret:NAME}")?;
            if !is_secret_name(name) {
                return Err(format!(
                    "{name:?} is no name of a secret; write at most {MAX_SECRET_NAME_BYTES} of A-Z, 0-9 and _"
                ));
            }
            push_plain(&mut pieces, plain);
            pieces.push(Piece::Secret(name.to_owned()));
            secrets += 1;
            if secrets > MAX_SECRETS {
                return Err(format!("has more than {MAX_SECRETS} secrets; name fewer"));
            }
            rest = after;
        }
        push_plain(&mut pieces, rest);
        Ok(Self {
            text: text.to_owned(),
            pieces,
        })
    }

    /// The text as it was written, with the names of its secrets.
    pub fn as_written(&self) -> &str {
        &self.text
    }

    /// The names of its secrets, in order.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Secret(name) => Some(name.as_str()),
            Piece::Plain(_) => None,
        })
    }

    /// The name of the secret, if the text is one and nothing else.
    pub fn only_secret(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Piece::Secret(name)] => Some(name),
            _ => None,
        }
    }

    /// The text with its secrets' values, as `reveal` knows them.
    pub fn fill<E>(&self, mut reveal: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
        let mut filled = String::with_capacity(self.text.len());
        for piece in &self.pieces {
            match piece {
                Piece::Plain(text) => filled.push_str(text),
                Piece::Secret(name) => filled.push_str(&reveal(name)?),
            }
        }
        Ok(filled)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Plain(_) => f.write_str("***"),
            Piece::Secret(name) => write!(f, "{OPEN}{name}}}"),
        })
    }
}

/// Whether this may be the name of a secret.
pub fn is_secret_name(name: &str) -> bool {
    (1..=MAX_SECRET_NAME_BYTES).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Adds a plain part, if there is anything in it.
fn push_plain(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Plain(text.to_owned()));
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;

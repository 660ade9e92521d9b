//! What people are told of a cookie where it leads nowhere.

use crate::redact::quote;

/// How a sentence ends that tells of a cookie.
const SETS: &str = "; the server sets the cookie";

/// A cookie that a response has set, and what became of it: what people should know where it leads nowhere.
#[derive(Debug)]
pub(in crate::ask) struct Told {
    /// Its name.
    pub(super) name: Box<[u8]>,
    /// What became of it.
    pub(super) fate: Fate,
}

/// What becomes of a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It ended before it came.
    Deleted,
    /// It is kept.
    New,
    /// It is kept, and one of its name was there before.
    Again,
    /// It is not kept, for this reason.
    Refused(&'static str),
}

impl Fate {
    /// How much it tells of a loop, by comparison.
    pub(super) fn tells(self) -> u8 {
        match self {
            Self::Deleted => 0,
            Self::New => 1,
            Self::Again => 2,
            Self::Refused(_) => 3,
        }
    }
}

impl Told {
    /// What is known after another response, which tells `new`. A cookie that is not sent back may be missed by any
    /// later server.
    pub(in crate::ask) fn after(old: Option<Self>, new: Option<Self>) -> Option<Self> {
        let refused = |told: &Self| matches!(told.fate, Fate::Refused(_));
        let old = old.filter(refused);
        if new.as_ref().is_some_and(refused) {
            return new;
        }
        old.or(new)
    }

    /// The end of a sentence about a loop; `own` is the site's own header.
    pub(in crate::ask) fn of_loop(&self, own: Option<&[u8]>) -> String {
        let cookie = quote(&self.name);
        let why = match self.fate {
            Fate::Refused(why) => return format!("{SETS} {cookie}, which is not sent back: {why}"),
            _ if own.is_some_and(|own| has(own, &self.name)) => {
                ", for which request.headers has another value"
            }
            Fate::Again => " again and again",
            Fate::New => ", which is not for that address",
            Fate::Deleted => return format!("; the server deletes the cookie {cookie}"),
        };
        format!("{SETS} {cookie}{why}")
    }

    /// The end of a sentence about too many redirects.
    pub(in crate::ask) fn of_many(&self, own: Option<&[u8]>) -> String {
        match self.fate {
            Fate::New | Fate::Deleted => String::new(),
            Fate::Again | Fate::Refused(_) => self.of_loop(own),
        }
    }
}

/// Whether a `Cookie` header has a cookie of this name.
pub(super) fn has(header: &[u8], name: &[u8]) -> bool {
    let mut pairs = header.split(|byte| *byte == b';');
    pairs.any(|pair| {
        let named = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        pair.contains(&b'=') && named.trim_ascii() == name
    })
}

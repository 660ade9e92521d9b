//! The name of a site in messages.

use std::borrow::Cow;

use contract::text::{is_harmless, quoted, shortened};

/// The longest name that is shown, in characters: longer than any that is valid.
const MAX_SHOWN_CHARS: usize = 300;

/// A name for people's eyes: as it is, unless it would be unseen or upset a terminal.
pub(crate) fn shown(name: &str) -> Cow<'_, str> {
    let name = shortened(name, MAX_SHOWN_CHARS);
    if name.is_empty() || !name.chars().all(is_harmless) {
        Cow::Owned(quoted(&name))
    } else {
        name
    }
}

//! `expect.status`: the statuses of a healthy answer.

use super::SiteError;
use super::json::Field;
use super::rules::at_most_rules;

/// Statuses from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// Reads `expect.status`.
pub(super) fn status(field: Field) -> Result<Vec<StatusRange>, SiteError> {
    let entries = field.array(r#"a list like [200, "301-303", "2xx"]"#)?;
    if entries.is_empty() {
        return Err(SiteError::new(
            "expect.status",
            "is empty, so nothing would be healthy; leave it out for 2xx",
        ));
    }
    at_most_rules("expect.status", entries)?
        .iter()
        .map(status_range)
        .collect()
}

/// Reads an entry of `expect.status`.
fn status_range(field: &Field) -> Result<StatusRange, SiteError> {
    const EXAMPLE: &str = r#"a status like 200, "301-303" or "2xx""#;
    let (text, range) = if field.is_number() {
        let number = field.whole(EXAMPLE)?;
        let status = u16::try_from(number).ok();
        (number.to_string(), status.map(|status| (status, status)))
    } else {
        let text = field.text(EXAMPLE)?;
        (text.to_owned(), range_of(text))
    };
    match range {
        Some((first, last)) if first > last => {
            Err(field.fault(format!("{text:?} runs backwards; write \"{last}-{first}\"")))
        }
        Some((first, last)) if first >= 100 && last <= 999 => Ok(StatusRange { first, last }),
        _ => Err(field.fault(format!("{text} is no status; write {EXAMPLE}"))),
    }
}

/// The range that a text means, not checked.
fn range_of(text: &str) -> Option<(u16, u16)> {
    let number = |digits: &str| {
        let three = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
        three.then(|| digits.parse::<u16>().ok()).flatten()
    };
    if let Some(class) = text.strip_suffix("xx") {
        let first = number(&format!("{class}00"))?;
        return Some((first, first + 99));
    }
    match text.split_once('-') {
        Some((first, last)) => Some((number(first.trim())?, number(last.trim())?)),
        None => number(text).map(|status| (status, status)),
    }
}

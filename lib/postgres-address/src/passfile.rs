//! The password file, `~/.pgpass`: lines of `host:port:database:user:password`, where `*` fits anything.
//!
//! A line that cannot be read is passed over, as by libpq; it may hold a password, so no message shows it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What a line must fit: host, port, database and user. Any of the hosts will do.
pub(crate) struct Wanted<'a> {
    /// The host; a socket has two names, its folder and `localhost`.
    pub(crate) hosts: &'a [String],
    /// The port, the database and the user.
    pub(crate) rest: [&'a str; 3],
}

/// The password of the first line that fits.
pub(crate) fn password(path: &Path, wanted: &Wanted<'_>) -> Result<Option<String>, String> {
    let metadata = fs::metadata(path).map_err(|error| crate::files::problem(&error))?;
    if metadata.mode() & 0o077 != 0 {
        return Err("others may read it: use `chmod 600`".to_owned());
    }
    let text = fs::read_to_string(path).map_err(|error| crate::files::problem(&error))?;
    Ok(text.lines().find_map(|line| of_line(line, wanted)))
}

/// The password of a line, if the line fits.
fn of_line(line: &str, wanted: &Wanted<'_>) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let (host, mut rest) = field(line)?;
    if host != "*" && !wanted.hosts.contains(&host) {
        return None;
    }
    for value in wanted.rest {
        let (field, after) = field(rest)?;
        if field != "*" && field != value {
            return None;
        }
        rest = after;
    }
    Some(unescaped(rest).0)
}

/// The next field, and what follows its `:`.
fn field(line: &str) -> Option<(String, &str)> {
    let mut escaped = false;
    let end = line.find(|c| {
        let ends = c == ':' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    let (field, rest) = line.split_at(end);
    Some((unescaped(field).0, rest.strip_prefix(':')?))
}

/// A text without the `\` before its `:` and `\`, and whether the last `\` stands alone.
fn unescaped(text: &str) -> (String, bool) {
    let mut escaped = false;
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(c);
            escaped = false;
        }
    }
    (plain, escaped)
}

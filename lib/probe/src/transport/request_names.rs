//! The names of a request's headers, as they are sent.
//!
//! HTTP knows no case there (RFC 9110, 5.1), and the library writes small letters. But some devices know only one
//! spelling. So the site's own headers are sent as the site writes them, and all others as curl and browsers do:
//! `User-Agent`.

use crate::observed;

/// What of a request's head is sent next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum RequestNames {
    /// Its first line.
    #[default]
    Line,
    /// Header lines.
    Fields,
    /// Nothing: what is sent now is a body.
    Sent,
}

impl RequestNames {
    /// Whether names are to be sent.
    pub(super) fn are_to_come(self) -> bool {
        self != Self::Sent
    }

    /// Writes the names in lines of the head, which are whole.
    pub(super) fn write(&mut self, lines: &mut [u8]) {
        observed::with(|observed| {
            let own = observed.own_names.as_deref();
            for line in lines.split_inclusive_mut(|byte| *byte == b'\n') {
                match *self {
                    Self::Line => *self = Self::Fields,
                    Self::Fields if *line == *b"\r\n" => *self = Self::Sent,
                    Self::Fields => write_name(line, own),
                    Self::Sent => {}
                }
            }
        });
    }
}

/// Writes the name that a line begins with; `own` are names that the site writes.
fn write_name(line: &mut [u8], own: Option<&str>) {
    let Some(name) = line.splitn_mut(2, |byte| *byte == b':').next() else {
        return;
    };
    let same = |written: &&str| written.as_bytes().eq_ignore_ascii_case(name);
    match own.and_then(|own| own.split('\n').find(same)) {
        Some(written) => name.copy_from_slice(written.as_bytes()),
        None => capitalise(name),
    }
}

/// Makes the first letter of each word of a name large.
fn capitalise(name: &mut [u8]) {
    for word in name.split_mut(|byte| *byte == b'-') {
        if let Some(first) = word.first_mut() {
            first.make_ascii_uppercase();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head as it is sent, in pieces that end after these lines.
    fn sent(own: Option<&str>, pieces: &[&str]) -> String {
        observed::begin(std::time::Duration::ZERO, 0);
        observed::with(|observed| observed.own_names = own.map(Into::into));
        let mut names = RequestNames::default();
        let mut sent = String::new();
        for piece in pieces {
            let mut piece = piece.as_bytes().to_vec();
            if names.are_to_come() {
                names.write(&mut piece);
            }
            sent.push_str(str::from_utf8(&piece).unwrap());
        }
        sent
    }

    #[test]
    fn names_are_sent_as_the_site_writes_them_and_others_with_capitals() {
        let line = "GET /a:b HTTP/1.1\r\n";
        let head = [
            "host: a.example\r\nx-api-key: k-e:y\r\n",
            "x-small: a\r\nuser-agent: webmon/1\r\n\r\n",
        ];
        let body = "x-api-key: body\r\n";
        let plain = sent(None, &[line, head[0], head[1], body]);
        assert_eq!(
            plain,
            "GET /a:b HTTP/1.1\r\nHost: a.example\r\nX-Api-Key: k-e:y\r\nX-Small: a\r\nUser-Agent: webmon/1\r\n\r\nx-api-key: body\r\n"
        );
        let whole = format!("{line}{}{}", head[0], head[1]);
        let own = sent(Some("x-small\nX-API-Key"), &[&whole, body]);
        assert_eq!(
            own,
            "GET /a:b HTTP/1.1\r\nHost: a.example\r\nX-API-Key: k-e:y\r\nx-small: a\r\nUser-Agent: webmon/1\r\n\r\nx-api-key: body\r\n"
        );
    }
}

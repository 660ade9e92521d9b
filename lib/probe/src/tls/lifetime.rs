//! How long a server's certificate lasts, with all that lead from it to an authority.

/// While when a chain of certificates is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    /// From when, in seconds since the Unix epoch.
    from_s: i64,
    /// Until when.
    until_s: i64,
    /// The place of the one that ends first among those that were presented; the server's own has place 0.
    ends_first: usize,
}

/// When the first certificate ends that a connection needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChainEnd {
    /// When, in seconds since the Unix epoch.
    pub(crate) at_s: i64,
    /// Its subject, unless it is the server's own.
    pub(crate) between: Option<String>,
}

impl ChainEnd {
    /// The certificate that ends, for people.
    pub(crate) fn which(&self) -> String {
        match &self.between {
            Some(subject) => {
                format!("a certificate between the server's and its authority ({subject})")
            }
            None => "the certificate".to_owned(),
        }
    }
}

impl Lifetime {
    /// That of the server's certificate alone, from its dates in seconds since the Unix epoch.
    pub(super) fn of_leaf((from_s, until_s): (i64, i64)) -> Self {
        Self {
            from_s,
            until_s,
            ends_first: 0,
        }
    }

    /// The same, with the certificate at `place`, that leads to an authority and has these dates.
    pub(super) fn through(self, place: usize, (from_s, until_s): (i64, i64)) -> Self {
        Self {
            from_s: self.from_s.max(from_s),
            until_s: self.until_s.min(until_s),
            ends_first: if until_s < self.until_s {
                place
            } else {
                self.ends_first
            },
        }
    }

    /// Whether all of them are valid at this second since the Unix epoch.
    pub(super) fn contains(self, second: i64) -> bool {
        (self.from_s..=self.until_s).contains(&second)
    }

    /// When the first one ends, and its place.
    pub(super) fn end(self) -> (i64, usize) {
        (self.until_s, self.ends_first)
    }
}

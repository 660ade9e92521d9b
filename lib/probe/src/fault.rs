//! Why a check did not end as `up`, in code and in words.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use contract::outcome::Reason;
use contract::result::MAX_DETAIL_CHARS;
use contract::site::SiteError;

use crate::observed::{self, Phase};
use crate::redact::printable;

/// A reason and what people should know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The reason.
    pub(crate) reason: Reason,
    /// Where it happened: a phase, or what was judged.
    pub(crate) place: Cow<'static, str>,
    /// What happened.
    pub(crate) message: String,
    /// What on this machine's side may be to blame, until that is decided.
    pub(crate) suspect: Option<Suspect>,
}

/// What on this machine's side may be to blame for a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suspect {
    /// The resolver.
    Resolver,
    /// The network, as an error said.
    Network,
    /// The network, as no host answers.
    NoAnswers,
    /// The proxy that the check went by.
    Proxy,
}

impl Fault {
    /// A fault in the phase that is running.
    pub(crate) fn here(reason: Reason, message: impl Into<String>) -> Self {
        Self::at(observed::phase().as_str(), reason, message)
    }

    /// A fault at `place`.
    pub(crate) fn at(
        place: impl Into<Cow<'static, str>>,
        reason: Reason,
        message: impl Into<String>,
    ) -> Self {
        Self {
            reason,
            place: place.into(),
            message: message.into(),
            suspect: None,
        }
    }

    /// The same, for which this machine may be to blame.
    pub(crate) fn suspecting(self, suspect: Suspect) -> Self {
        Self {
            suspect: Some(suspect),
            ..self
        }
    }

    /// The same, with what this check's last server was not given: it may have answered otherwise.
    pub(crate) fn with_what_was_withheld(self) -> Self {
        let Some(why) = observed::with(|observed| observed.withheld.take()) else {
            return self;
        };
        let message = format!("{} (asked without the site's headers: {why})", self.message);
        Self { message, ..self }
    }

    /// The same, with the proxy that the check went by: what it says may come from there.
    pub(crate) fn with_its_proxy(self) -> Self {
        if self.place == Phase::Proxy.as_str() {
            return self;
        }
        let proxy = observed::with(|observed| observed.hop().and_then(|hop| hop.proxy.clone()));
        match proxy {
            None => self,
            Some(proxy) => {
                let message = format!("{} (by way of the proxy {proxy})", self.message);
                Self { message, ..self }
            }
        }
    }

    /// The same, with what the response of an unexpected status asks for.
    pub(crate) fn with_what_was_asked_for(self) -> Self {
        let remark = observed::with(|observed| observed.remark.take());
        let Some(remark) = remark.filter(|_| self.reason == Reason::Status) else {
            return self;
        };
        let message = format!("{}; {remark}", self.message);
        Self { message, ..self }
    }

    /// The sentence for people; `hop` counts from 1.
    pub(crate) fn detail(&self, hop: usize) -> String {
        let sentence = match hop {
            0 | 1 => format!("{}: {}", self.place, self.message),
            _ => format!("hop {hop}: {}: {}", self.place, self.message),
        };
        printable(&sentence, MAX_DETAIL_CHARS)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl Error for Fault {}

impl From<SiteError> for Fault {
    fn from(error: SiteError) -> Self {
        Self::at(error.key, Reason::InvalidSite, error.message)
    }
}

impl From<Fault> for ureq::Error {
    fn from(fault: Fault) -> Self {
        Self::Other(Box::new(fault))
    }
}

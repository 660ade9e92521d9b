//! Digest authentication (RFC 7616): the answer to a challenge proves that webmon knows the password, and does not
//! send it.

use contract::outcome::Reason;
use contract::site::header::MAX_HEADER_LINE_BYTES;

use super::algorithm::{Algorithm, Qop, hex};
use super::challenge::Challenge;
use super::line::Line;
use crate::ask::filled::Login;
use crate::fault::Fault;
use crate::redact::quote;

/// The headers of a challenge are at most half of the line that repeats them, so that each byte may need a quote.
const MAX_CHALLENGE_BYTES: usize = MAX_HEADER_LINE_BYTES / 2;

/// A challenge that can be answered, and how often it was.
#[derive(Debug)]
pub(in crate::ask) struct Digest {
    /// How digests are made.
    algorithm: Algorithm,
    /// Whether the challenge names it.
    named: bool,
    /// What of the request is protected; nothing is said by servers of RFC 2069.
    qop: Option<Qop>,
    /// What the password is for.
    realm: Box<[u8]>,
    /// The server's nonce.
    nonce: Box<[u8]>,
    /// What the server wants back as it is.
    opaque: Option<Box<[u8]>>,
    /// How the user's name is sent.
    name_form: NameForm,
    /// Whether the nonce before this one was only too old.
    pub(in crate::ask) stale: bool,
    /// webmon's own nonce.
    client_nonce: String,
    /// How many requests were sent with these nonces.
    count: u32,
}

/// How a user's name is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameForm {
    /// As it is.
    Plain,
    /// In UTF-8, where it is not in ASCII.
    Utf8,
    /// As a digest.
    Hashed,
}

/// What an answer is for.
#[derive(Clone, Copy, Debug)]
pub(in crate::ask) struct Target<'a> {
    /// The method.
    pub(in crate::ask) method: &'a str,
    /// The path with the query.
    pub(in crate::ask) uri: &'a str,
    /// The body.
    pub(in crate::ask) body: &'a str,
}

/// An answer to a challenge.
pub(in crate::ask) struct Answer {
    /// The value of `Authorization`.
    pub(in crate::ask) header: Vec<u8>,
    /// What of it could be tried against guesses of the password.
    pub(in crate::ask) response: String,
}

impl Digest {
    /// The strongest challenge that can be answered; of several the first.
    pub(in crate::ask) fn choose(challenges: &[Challenge<'_>]) -> Option<Self> {
        let digests = challenges
            .iter()
            .rev()
            .filter(|challenge| challenge.is("Digest"));
        let known = digests.filter_map(|challenge| Self::of(challenge).ok());
        known.max_by_key(|digest| digest.algorithm.function)
    }

    /// A challenge that can be answered; the error says why it cannot.
    pub(super) fn of(challenge: &Challenge<'_>) -> Result<Self, String> {
        let get = |name| challenge.get(name);
        let named = get("algorithm");
        let algorithm = Algorithm::of(named.unwrap_or(b"MD5")).ok_or_else(|| {
            let name = quote(named.unwrap_or_default());
            format!("its algorithm {name} is none of MD5, SHA-256 and SHA-512-256")
        })?;
        let qop = get("qop").map(|qop| {
            Qop::choose(qop)
                .ok_or_else(|| format!("its qop {} is neither auth nor auth-int", quote(qop)))
        });
        let nonce = get("nonce").ok_or("it has no nonce")?;
        let says = |name, word: &str| {
            get(name).is_some_and(|value| value.eq_ignore_ascii_case(word.as_bytes()))
        };
        let digest = Self {
            algorithm,
            named: named.is_some(),
            qop: qop.transpose()?,
            realm: get("realm").unwrap_or_default().into(),
            nonce: nonce.into(),
            opaque: challenge.get_any("opaque").map(Into::into),
            name_form: match (says("userhash", "true"), says("charset", "UTF-8")) {
                (true, _) => NameForm::Hashed,
                (false, true) => NameForm::Utf8,
                (false, false) => NameForm::Plain,
            },
            stale: says("stale", "true"),
            client_nonce: String::new(),
            count: 0,
        };
        if digest.bytes() > MAX_CHALLENGE_BYTES {
            return Err(format!("it is longer than {MAX_CHALLENGE_BYTES} bytes"));
        }
        Ok(digest)
    }

    /// Answers for one request more.
    pub(in crate::ask) fn answer(
        &mut self,
        login: &Login,
        target: Target<'_>,
    ) -> Result<Answer, Fault> {
        if self.client_nonce.is_empty() {
            self.client_nonce = client_nonce()?;
        }
        self.count += 1;
        let count = format!("{:08x}", self.count);
        let response = self.response(login, target, &count);
        let mut line = Line::of("Digest");
        self.add_name(&mut line, &login.username);
        line.quoted("realm", &self.realm);
        line.quoted("nonce", &self.nonce);
        line.quoted("uri", target.uri.as_bytes());
        if self.named {
            line.plain("algorithm", self.algorithm.name());
        }
        if let Some(qop) = self.qop {
            line.plain("qop", qop.name());
            line.plain("nc", &count);
        }
        if self.qop.is_some() || self.algorithm.session {
            line.quoted("cnonce", self.client_nonce.as_bytes());
        }
        line.quoted("response", response.as_bytes());
        if let Some(opaque) = &self.opaque {
            line.quoted("opaque", opaque);
        }
        if self.name_form == NameForm::Hashed {
            line.plain("userhash", "true");
        }
        let header = line.into_bytes();
        Ok(Answer { header, response })
    }

    /// Adds the user's name as the server wants it (RFC 7616, 3.4).
    fn add_name(&self, line: &mut Line, name: &str) {
        match self.name_form {
            NameForm::Hashed => {
                let hash = self.algorithm.hash(&[name.as_bytes(), &self.realm]);
                line.quoted("username", hash.as_bytes());
            }
            NameForm::Utf8 if !name.is_ascii() => line.extended("username", name),
            NameForm::Plain | NameForm::Utf8 => line.quoted("username", name.as_bytes()),
        }
    }

    /// What proves that the password is known (RFC 7616, 3.4.1).
    fn response(&self, login: &Login, target: Target<'_>, count: &str) -> String {
        let Login {
            username, password, ..
        } = login;
        let own = self.client_nonce.as_bytes();
        let mut secret =
            self.algorithm
                .hash(&[username.as_bytes(), &self.realm, password.as_bytes()]);
        if self.algorithm.session {
            secret = self.algorithm.hash(&[secret.as_bytes(), &self.nonce, own]);
        }
        let (method, uri) = (target.method.as_bytes(), target.uri.as_bytes());
        let asked = match self.qop {
            Some(Qop::AuthInt) => {
                let body = self.algorithm.hash(&[target.body.as_bytes()]);
                self.algorithm.hash(&[method, uri, body.as_bytes()])
            }
            _ => self.algorithm.hash(&[method, uri]),
        };
        let (secret, asked) = (secret.as_bytes(), asked.as_bytes());
        match self.qop {
            Some(qop) => {
                let (count, qop) = (count.as_bytes(), qop.name().as_bytes());
                self.algorithm
                    .hash(&[secret, &self.nonce, count, own, qop, asked])
            }
            None => self.algorithm.hash(&[secret, &self.nonce, asked]),
        }
    }

    /// The bytes that it keeps of the server's.
    pub(in crate::ask) fn bytes(&self) -> usize {
        let opaque = self.opaque.as_deref().map_or(0, <[u8]>::len);
        self.realm.len() + self.nonce.len() + opaque
    }
}

/// A nonce that no server can know beforehand.
fn client_nonce() -> Result<String, Fault> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = format!("this machine gives no random bytes: {error}");
        Fault::at("request.digest", Reason::LocalResources, message)
    })?;
    Ok(hex(&bytes))
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;

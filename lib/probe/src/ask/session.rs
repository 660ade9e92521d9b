//! What servers want to have again: cookies, and answers to their challenge.

use contract::outcome::Reason;
use contract::site::header::MAX_HEADER_LINE_BYTES;
use ureq::http::{HeaderMap, HeaderValue};
use url::{Position, Url};

use super::auth::digest::{Answer, Digest, Target};
use super::cookies::{Jar, Told};
use super::filled::{FilledRequest, Login};
use super::{Step, nonsense};
use crate::check_memory;
use crate::fault::Fault;
use crate::observed;

/// The most bytes of a header's value: its line has the name, a colon, a blank and its end as well.
const MAX_VALUE_BYTES: usize = MAX_HEADER_LINE_BYTES - "authorization: \r\n".len();

/// What servers want to have again.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The cookies.
    jar: Jar,
    /// What people should know of them where they lead nowhere.
    pub(super) told: Option<Told>,
    /// The challenge that was answered last.
    pub(super) digest: Option<Digest>,
    /// How many challenges were answered since the last redirect.
    pub(super) answers: u8,
    /// The bytes that memory was taken for.
    bytes: usize,
}

impl Session {
    /// Keeps the cookies that a response from `url` sets at `now_s`, in seconds since the Unix epoch.
    pub(super) fn keep(&mut self, headers: &HeaderMap, url: &Url, now_s: i64) {
        let new = self.jar.keep(headers, url, now_s);
        self.told = Told::after(self.told.take(), new);
    }

    /// Gives a request what its server wants to have again.
    pub(super) fn equip(
        &mut self,
        step: &mut Step,
        filled: &FilledRequest<'_>,
    ) -> Result<(), Fault> {
        let bytes = self.jar.bytes() + self.digest.as_ref().map_or(0, Digest::bytes);
        check_memory::take_for_hops(bytes.saturating_sub(self.bytes))?;
        self.bytes = self.bytes.max(bytes);
        let own = filled.cookies(step);
        step.cookies = self
            .jar
            .header(&step.url, own, MAX_VALUE_BYTES)
            .map(Box::new);
        if let (Some(digest), Some(login)) = (&mut self.digest, &filled.login) {
            let target = Target {
                method: step.method.as_str(),
                uri: &step.url[Position::BeforePath..Position::AfterQuery],
                body: filled
                    .body
                    .as_deref()
                    .filter(|_| step.with_body)
                    .unwrap_or_default(),
            };
            let value = authorization(digest.answer(login, target)?, login)?;
            step.answer = Some(Box::new(value));
        }
        Ok(())
    }
}

/// An answer as it is sent. What could be tried against guesses of the password is not shown.
fn authorization(answer: Answer, login: &Login) -> Result<HeaderValue, Fault> {
    let Answer { header, response } = answer;
    let bytes = header.len();
    if bytes > MAX_VALUE_BYTES {
        let message = format!(
            "the answer to the server's challenge has {bytes} bytes; at most {MAX_VALUE_BYTES}"
        );
        return Err(Fault::at("request.digest", Reason::TooLarge, message));
    }
    if !login.shown.is_empty() {
        observed::with(|observed| observed.revealed.add(login.shown.clone(), &response));
    }
    let mut value = HeaderValue::try_from(header).map_err(|error| nonsense(&error.into()))?;
    value.set_sensitive(true);
    Ok(value)
}

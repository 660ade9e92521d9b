//! The requests of a check, one after the other, and what of the responses goes into the later ones.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use chrono::Utc;
use contract::site::Request;
use ureq::http::{HeaderMap, Response, header};
use url::Url;

use super::Step;
use super::auth::challenge::Challenge;
use super::auth::digest::Digest;
use super::auth::refusal;
use super::cookies::Told;
use super::filled::FilledRequest;
use super::location::destination;
use super::redirect::{fault, next_step, shown, stays_trusted};
use super::session::Session;
use crate::fault::Fault;
use crate::observed;

/// The requests of a check so far.
#[derive(Debug)]
pub(crate) struct Trail {
    /// The request that was sent last.
    pub(crate) step: Step,
    /// Those that were answered by a redirect, each by a number: their URLs would take much memory.
    passed: Vec<u64>,
    /// What the servers want to have again, once there is something.
    session: Option<Box<Session>>,
}

impl Trail {
    /// A trail that begins with `step`.
    pub(crate) fn new(step: Step) -> Self {
        Self {
            step,
            passed: Vec::new(),
            session: None,
        }
    }

    /// Goes on to the request that a response asks for; `false` if the response is the last. `admit` says
    /// whether the request's secrets may go to another origin, or why not.
    pub(crate) fn follow<B>(
        &mut self,
        response: &Response<B>,
        request: &Request,
        filled: &FilledRequest<'_>,
        admit: impl FnOnce(&Url) -> Result<(), String>,
    ) -> Result<bool, Fault> {
        match response.status().as_u16() {
            301 | 302 | 303 | 307 | 308 | 401 | 407 => self.turn(response, request, filled, admit),
            _ => Ok(false),
        }
    }

    /// The same, where the response may ask for another request. It is not inlined: most do not.
    #[inline(never)]
    fn turn<B>(
        &mut self,
        response: &Response<B>,
        request: &Request,
        filled: &FilledRequest<'_>,
        admit: impl FnOnce(&Url) -> Result<(), String>,
    ) -> Result<bool, Fault> {
        let headers = response.headers();
        match response.status().as_u16() {
            status @ (301 | 302 | 303 | 307 | 308) if request.redirects > 0 => {
                let Some(url) = destination(&self.step.url, headers)? else {
                    remark("it has no Location to follow".to_owned());
                    return Ok(false);
                };
                self.keep_cookies(headers);
                let limit = request.redirects;
                if self.passed.len() >= usize::from(limit) {
                    let to = shown(&url);
                    let cookie = self.told(|told| told.of_many(filled.cookies(&self.step)));
                    let message =
                        format!("more than {limit} redirects; the next is to {to}{cookie}");
                    return Err(fault(message));
                }
                let trusted = self.step.trusted && stays_trusted(&self.step.url, &url, admit);
                let next = next_step(&self.step, url, status, trusted)?;
                self.go_on(next, filled)?;
                Ok(true)
            }
            401 => self.answer(headers, request, filled),
            407 => {
                remark(refusal::of_proxy(headers));
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// Goes on to `next`, with what its server wants to have again, unless that was asked before.
    fn go_on(&mut self, mut next: Step, filled: &FilledRequest<'_>) -> Result<(), Fault> {
        if let Some(session) = &mut self.session {
            session.answers = 0;
            if !next.trusted || next.url.origin() != self.step.url.origin() {
                session.digest = None;
            }
            session.equip(&mut next, filled)?;
        }
        let (last, number) = (number(&self.step), number(&next));
        if number == last || self.passed.contains(&number) {
            let to = shown(&next.url);
            let cookie = self.told(|told| told.of_loop(filled.cookies(&next)));
            return Err(fault(format!("a loop: back to {to}{cookie}")));
        }
        self.passed.push(last);
        self.step = next;
        Ok(())
    }

    /// Keeps the cookies that a response sets.
    fn keep_cookies(&mut self, headers: &HeaderMap) {
        if self.session.is_some() || headers.contains_key(header::SET_COOKIE) {
            let session = self.session.get_or_insert_default();
            session.keep(headers, &self.step.url, Utc::now().timestamp());
        }
    }

    /// What is said of a cookie; nothing if there is nothing to tell.
    fn told(&self, said: impl FnOnce(&Told) -> String) -> String {
        let session = self.session.as_ref();
        let told = session.and_then(|session| session.told.as_ref());
        told.map(said).unwrap_or_default()
    }

    /// Asks once more with an answer to a challenge of digest authentication, if the site has one. A second answer
    /// to the same request is tried only where the first was too late.
    fn answer(
        &mut self,
        headers: &HeaderMap,
        request: &Request,
        filled: &FilledRequest<'_>,
    ) -> Result<bool, Fault> {
        let answers = self.session.as_ref().map_or(0, |session| session.answers);
        if self.step.trusted
            && filled.login.is_some()
            && let Some(digest) =
                Digest::choose(&Challenge::all(headers, &header::WWW_AUTHENTICATE))
            && (answers == 0 || answers == 1 && digest.stale)
        {
            self.keep_cookies(headers);
            let session = self.session.get_or_insert_default();
            session.digest = Some(digest);
            session.answers = answers + 1;
            session.equip(&mut self.step, filled)?;
            return Ok(true);
        }
        remark(refusal::of_server(headers, request, self.step.trusted));
        Ok(false)
    }
}

/// A number that stands for a request. With other cookies, or with an answer to a challenge, it is another one.
fn number(step: &Step) -> u64 {
    let Step {
        url,
        method,
        trusted,
        with_body,
        cookies,
        answer,
    } = step;
    let mut hasher = DefaultHasher::new();
    (url, method, trusted, with_body, cookies, answer.is_some()).hash(&mut hasher);
    hasher.finish()
}

/// Notes what the last response asks for.
fn remark(text: String) {
    observed::with(|observed| observed.remark = Some(text.into()));
}

#[cfg(test)]
#[path = "trail_tests.rs"]
mod tests;

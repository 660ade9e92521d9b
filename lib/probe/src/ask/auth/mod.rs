//! What a server wants to know before it answers: the [challenges](challenge) of a 401, the answer to those of
//! [digest] authentication, and what people are [told](refusal) of the others.

mod algorithm;
pub(super) mod challenge;
pub(super) mod digest;
mod line;
pub(super) mod refusal;

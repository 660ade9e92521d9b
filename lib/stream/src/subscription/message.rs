//! A message as a subscription hands it to its service.

use rdkafka::{
    Message as _,
    message::{BorrowedMessage, Headers},
};

/// A message as it stands in librdkafka's memory.
#[derive(Debug)]
pub struct Message<'a>(pub(super) BorrowedMessage<'a>);

impl Message<'_> {
    /// Its topic.
    pub fn topic(&self) -> &str {
        self.0.topic()
    }

    /// Its partition.
    pub fn partition(&self) -> i32 {
        self.0.partition()
    }

    /// Its offset in the partition.
    pub fn offset(&self) -> i64 {
        self.0.offset()
    }

    /// Its key.
    pub fn key(&self) -> &[u8] {
        self.0.key().unwrap_or_default()
    }

    /// The values of its headers of this name.
    pub fn headers<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m [u8]> {
        let headers = self.0.headers().into_iter().flat_map(Headers::iter);
        headers
            .filter(move |header| header.key == name)
            .map(|header| header.value.unwrap_or_default())
    }

    /// Its bytes.
    pub fn payload(&self) -> &[u8] {
        self.0.payload().unwrap_or_default()
    }
}

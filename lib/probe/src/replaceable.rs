//! A setting that may be replaced while checks are made.

use std::sync::{Arc, PoisonError, RwLock};

/// A setting that may be replaced while checks are made: a check goes on with the one that it took.
#[derive(Debug)]
pub(super) struct Replaceable<T>(RwLock<Arc<T>>);

impl<T> Replaceable<T> {
    /// With this value at first.
    pub(super) fn new(value: T) -> Self {
        Self(RwLock::new(Arc::new(value)))
    }

    /// The value that is in force.
    pub(super) fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another value in force.
    pub(super) fn set(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}

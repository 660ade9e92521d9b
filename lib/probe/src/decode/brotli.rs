//! Br, with the memory that its decoder asks for.
//!
//! A stream names a window of up to 16 MiB, and may have hundreds of code tables. Most take a small part of that, so
//! each allocation is taken out of a budget when it is made; the library ends with an error where one fails.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;

use brotli_decompressor::reader::DecompressorCustomAlloc;
use brotli_decompressor::{Allocator, SliceWrapper, SliceWrapperMut};
use contract::outcome::Reason;

use super::input::{BUFFER_BYTES, Input};
use crate::budget::Share;
use crate::fault::Fault;

/// A body in br.
pub(super) struct Brotli {
    /// Decodes it.
    decoder: DecompressorCustomAlloc<Input, Memory<u8>, Metered, Metered, Metered>,
    /// What is said if its memory did not suffice.
    spent: Rc<Cell<Option<&'static str>>>,
}

/// Memory out of a budget.
#[derive(Clone)]
struct Metered {
    /// What was taken.
    share: Rc<RefCell<Share>>,
    /// What is said if there is too little.
    spent: Rc<Cell<Option<&'static str>>>,
}

/// An allocation; empty if it failed.
struct Memory<T>(Vec<T>);

impl Brotli {
    /// A body that begins at `input`; memory comes out of `share`.
    pub(super) fn new(input: Input, share: Share) -> Self {
        let memory = Metered {
            share: Rc::new(RefCell::new(share)),
            spent: Rc::default(),
        };
        let spent = Rc::clone(&memory.spent);
        let buffer = Memory(vec![0; BUFFER_BYTES]);
        Self {
            decoder: DecompressorCustomAlloc::new(
                input,
                buffer,
                memory.clone(),
                memory.clone(),
                memory,
            ),
            spent,
        }
    }

    /// What follows the end.
    pub(super) fn into_inner(self) -> Input {
        self.decoder.into_inner()
    }
}

impl Read for Brotli {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer);
        match self.spent.take() {
            Some(spent) => {
                let fault = Fault::here(Reason::LocalResources, spent);
                Err(ureq::Error::from(fault).into_io())
            }
            None => read,
        }
    }
}

/// Bytes of so many values.
fn bytes<T>(count: usize) -> u64 {
    u64::try_from(count.saturating_mul(size_of::<T>())).unwrap_or(u64::MAX)
}

impl<T: Clone + Default> Allocator<T> for Metered {
    type AllocatedMemory = Memory<T>;

    fn alloc_cell(&mut self, len: usize) -> Memory<T> {
        match self.share.borrow_mut().take(bytes::<T>(len)) {
            Ok(()) => Memory(vec![T::default(); len]),
            Err(spent) => {
                self.spent.set(Some(spent));
                Memory::default()
            }
        }
    }

    fn free_cell(&mut self, memory: Memory<T>) {
        self.share.borrow_mut().give(bytes::<T>(memory.0.len()));
    }
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> SliceWrapper<T> for Memory<T> {
    fn slice(&self) -> &[T] {
        &self.0
    }
}

impl<T> SliceWrapperMut<T> for Memory<T> {
    fn slice_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

//! How much of files is in memory at a time: for triggers that get bytes, and from forms that name what is done with a file before
//! it comes.
//!
//! A file that finds no room is refused, not kept waiting: a trigger may read files itself, and would wait for its own.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{ParseError, Result};

/// Bytes in one permit: semaphores count in 32 bits.
const UNIT: usize = 1024;

/// The room there is.
#[derive(Debug)]
pub struct Held(Arc<Semaphore>);

/// A share of it; dropping it gives it back.
#[derive(Debug)]
pub struct Share {
    room: Arc<Semaphore>,
    permits: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Held {
    /// Room for so many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let permits = usize::try_from(bytes).unwrap_or(usize::MAX) / UNIT;
        Self(Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))))
    }

    /// A share of so many bytes.
    ///
    /// # Errors
    /// 503 when there is no room.
    pub fn share(&self, bytes: usize) -> Result<Share> {
        let mut share = Share { room: self.0.clone(), permits: None, bytes: 0 };
        share.grow(bytes)?;
        Ok(share)
    }
}

impl Share {
    /// Takes more room.
    ///
    /// # Errors
    /// 503 when there is none.
    pub fn grow(&mut self, bytes: usize) -> Result<()> {
        let after = self.bytes.saturating_add(bytes);
        let more = u32::try_from(after.div_ceil(UNIT) - self.bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        if more > 0 {
            let permit = self.room.clone().try_acquire_many_owned(more);
            let permit = permit.map_err(|_| ParseError::unavailable("Too many files are in memory.", 1))?;
            match &mut self.permits {
                Some(permits) => permits.merge(permit),
                none => *none = Some(permit),
            }
        }
        self.bytes = after;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_and_given_back() {
        let held = Held::new(4 * UNIT as u64);
        let mut first = held.share(1).unwrap();
        first.grow(UNIT - 1).unwrap();
        let second = held.share(3 * UNIT).unwrap();
        assert_eq!(first.grow(1).unwrap_err().status, 503);
        drop(second);
        first.grow(1).unwrap();
        assert!(held.share(3 * UNIT).is_err());
        drop(first);
        assert!(held.share(4 * UNIT).is_ok());
    }
}

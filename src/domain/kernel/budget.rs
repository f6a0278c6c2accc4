//! The budget of a request.
//!
//! Each request of a client has one budget. The parts of a batch, the fields of a GraphQL document and all reads on
//! their behalf share it. Each limit is an option (`limits`). Work is charged before it is done, and work above a limit
//! is refused with a Parse error.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::limits::Limits;
use crate::error::{ErrorCode, ParseError, Result};

/// What a request has used.
#[derive(Debug)]
pub struct Budget {
    included: Counter,
    bytes: Counter,
    rows: Counter,
}

/// Used and maximum amount of a resource.
#[derive(Debug)]
struct Counter {
    used: AtomicUsize,
    most: usize,
}

/// The amounts that a request has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// Pointers that `include` was to replace by their objects.
    pub included: usize,
    /// Bytes of objects read for the response.
    pub bytes: usize,
    /// Objects read.
    pub rows: usize,
}

impl Counter {
    fn new(most: usize) -> Self {
        Self { used: AtomicUsize::new(0), most }
    }

    fn charge(&self, amount: usize, refusal: impl FnOnce(usize) -> String) -> Result<()> {
        let add = |used: usize| Some(used.saturating_add(amount));
        let before = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).unwrap_or_default();
        if before.saturating_add(amount) > self.most {
            return Err(ParseError::new(ErrorCode::InvalidQuery, refusal(self.most)));
        }
        Ok(())
    }
}

impl Budget {
    /// An unused budget.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            included: Counter::new(limits.included_objects),
            bytes: Counter::new(limits.answer_bytes),
            rows: Counter::new(limits.rows),
        }
    }

    /// How many more objects `include` may add.
    #[must_use]
    pub fn room_for_included(&self) -> usize {
        self.included.most.saturating_sub(self.included.used.load(Ordering::Relaxed))
    }

    /// Charges objects that `include` is about to add: one for each pointer.
    ///
    /// # Errors
    /// 102 if the budget is exceeded.
    pub fn charge_included(&self, places: usize) -> Result<()> {
        self.included.charge(places, |most| format!("Includes may put {most} objects into an answer; ask for fewer"))
    }

    /// Charges bytes of objects for the response.
    ///
    /// # Errors
    /// 102 if the budget is exceeded.
    pub fn charge_bytes(&self, bytes: usize) -> Result<()> {
        self.bytes.charge(bytes, |most| format!("The answer may have {most} bytes; ask for fewer objects at a time"))
    }

    /// Charges objects that were read.
    ///
    /// # Errors
    /// 102 if the budget is exceeded.
    pub fn charge_rows(&self, rows: usize) -> Result<()> {
        self.rows.charge(rows, |most| format!("A request may read {most} objects; ask for fewer at a time"))
    }

    /// Refuses further reads once a budget is exceeded: what one costs is known when it has its answer.
    ///
    /// # Errors
    /// 102 if a budget is exceeded.
    pub fn refuse_exceeded(&self) -> Result<()> {
        self.charge_rows(0)?;
        self.charge_bytes(0)
    }

    /// The amounts used so far.
    #[must_use]
    pub fn used(&self) -> Used {
        let of = |counter: &Counter| counter.used.load(Ordering::Relaxed);
        Used { included: of(&self.included), bytes: of(&self.bytes), rows: of(&self.rows) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_add_up_and_the_bound_is_met() {
        let limits = Limits { included_objects: 3, answer_bytes: 10, rows: 2, ..Limits::default() };
        let budget = Budget::new(&limits);
        budget.charge_included(2).unwrap();
        budget.charge_included(1).unwrap();
        assert_eq!(budget.charge_included(1).unwrap_err().code, Some(ErrorCode::InvalidQuery));
        budget.charge_bytes(10).unwrap();
        assert!(budget.charge_bytes(usize::MAX).is_err());
        budget.charge_rows(2).unwrap();
        assert!(budget.charge_rows(1).is_err());
        assert_eq!(budget.used().rows, 3);
    }
}

//! What a request has used of its budget.
//!
//! One budget belongs to one request of a client; the parts of a batch, the fields of a GraphQL document and everything the server reads
//! on behalf of them share it. Each bound is an option (`limits`), each charge is made before the work, and what is over a bound is
//! refused with a Parse error.

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

/// How much of one thing was used, and how much may be.
#[derive(Debug)]
struct Counter {
    used: AtomicUsize,
    most: usize,
}

/// What a request has used so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// Objects that includes put into rows, each place counted.
    pub included: usize,
    /// Bytes of objects read for the answer.
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
    /// A full budget.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            included: Counter::new(limits.included_objects),
            bytes: Counter::new(limits.answer_bytes),
            rows: Counter::new(limits.rows),
        }
    }

    /// Charges objects that are about to be put into the rows of an answer, each place counted.
    ///
    /// # Errors
    /// 102 when the request has no more.
    pub fn charge_included(&self, places: usize) -> Result<()> {
        self.included.charge(places, |most| format!("Includes may put {most} objects into an answer; ask for fewer"))
    }

    /// Charges bytes of objects that are about to become part of the answer.
    ///
    /// # Errors
    /// 102 when the request has no more.
    pub fn charge_bytes(&self, bytes: usize) -> Result<()> {
        self.bytes.charge(bytes, |most| format!("The answer may have {most} bytes; ask for fewer objects at a time"))
    }

    /// Charges objects that were read.
    ///
    /// # Errors
    /// 102 when the request has no more.
    pub fn charge_rows(&self, rows: usize) -> Result<()> {
        self.rows.charge(rows, |most| format!("A request may read {most} objects; ask for fewer at a time"))
    }

    /// What was used so far.
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

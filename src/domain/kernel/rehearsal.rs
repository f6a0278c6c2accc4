//! What triggers say to the parts of a transaction before it begins.
//!
//! A transaction may hold up all other writers, and code of the app may write by itself. So the triggers that come before the writes of a
//! transaction are called before it begins; what they answer is used when the parts are carried out.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::triggers::{Answer, Target};
use crate::error::{ErrorCode, ParseError, Result};

/// What was asked for one part, and the answer.
type Recorded = (Target, Result<Answer>);

/// The answers of a transaction's triggers, as one of its parts sees them.
#[derive(Clone, Default)]
pub struct Rehearsal {
    answers: Arc<Mutex<HashMap<usize, Recorded>>>,
    part: usize,
    over: bool,
}

impl fmt::Debug for Rehearsal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rehearsal").field("part", &self.part).field("over", &self.over).finish_non_exhaustive()
    }
}

impl Rehearsal {
    /// As the part with this number sees it.
    #[must_use]
    pub fn of_part(&self, part: usize) -> Self {
        Self { part, ..self.clone() }
    }

    /// From here on answers are used.
    #[must_use]
    pub fn over(&self) -> Self {
        Self { over: true, ..self.clone() }
    }

    /// Whether the parts are only asked for, not carried out.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        !self.over
    }

    /// Notes the answer to what the part asked.
    pub fn note(&self, target: Target, answer: Result<Answer>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(self.part, (target, answer));
    }

    /// The answer to what the part asks now, if it asked the same before.
    #[must_use]
    pub fn take(&self, target: &Target) -> Option<Result<Answer>> {
        let asked = self.answers.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.part);
        asked.filter(|(known, _)| known == target).map(|(_, answer)| answer)
    }
}

/// Ends a part that is only asked for. No client sees it.
#[must_use]
pub fn ended() -> ParseError {
    ParseError::new(ErrorCode::OtherCause, "The part of a transaction was only asked for.")
}

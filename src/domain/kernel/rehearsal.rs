//! What triggers and other services say to the parts of a transaction before it begins.
//!
//! A transaction may hold up all other writers, and code of the app may write by itself. So the triggers that come before the writes of a
//! transaction are called, and identity providers are asked, before it begins; what they answer is used when the parts are carried out.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value as Json};

use super::triggers::{Answer, Target};
use crate::error::{ErrorCode, ParseError, Result};

/// What was asked for one part, and the answer.
type Recorded = (Target, Result<Answer>);

/// What came from outside of the server, by the part and its question.
type Outside = HashMap<(usize, String), Box<dyn Any + Send>>;

/// The answers of a transaction's triggers, as one of its parts sees them.
#[derive(Clone, Default)]
pub struct Rehearsal {
    answers: Arc<Mutex<HashMap<usize, Recorded>>>,
    found: Arc<Mutex<HashMap<usize, Map<String, Json>>>>,
    outside: Arc<Mutex<Outside>>,
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

    /// For another attempt: triggers are called again, what came from outside holds.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { outside: self.outside.clone(), ..Self::default() }
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

    /// Notes the object that the part is about, as triggers let the caller read it.
    pub fn note_found(&self, object: Map<String, Json>) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(self.part, object);
    }

    /// The object that the part is about, if it was found before.
    #[must_use]
    pub fn take_found(&self) -> Option<Map<String, Json>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.part)
    }

    /// The answer to what the part asks now, if it asked the same before.
    #[must_use]
    pub fn take(&self, target: &Target) -> Option<Result<Answer>> {
        let asked = self.answers.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.part);
        asked.filter(|(known, _)| known == target).map(|(_, answer)| answer)
    }
}

impl Rehearsal {
    /// Asks outside of the server, once for each question of the part. What answers within the transaction, if the part has another
    /// question than before, holds it up.
    ///
    /// # Errors
    /// That of the answer; before the transaction, the end of the part, which gets the error when it is carried out.
    pub async fn ask_once<T, Answer>(&self, question: String, ask: Answer) -> Result<T>
    where
        T: Clone + Send + 'static,
        Answer: Future<Output = Result<T>>,
    {
        let key = (self.part, question);
        if let Some(known) = self.known::<T>(&key) {
            return known;
        }
        let answer = ask.await;
        if self.over {
            return answer;
        }
        let shown = answer.as_ref().map(T::clone).map_err(|_| ended());
        self.outside.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Box::new(answer));
        shown
    }

    /// The answer that is known; an error once.
    fn known<T: Clone + 'static>(&self, key: &(usize, String)) -> Option<Result<T>> {
        let mut outside = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(value) = outside.get(key)?.downcast_ref::<Result<T>>()? {
            return Some(Ok(value.clone()));
        }
        if !self.over {
            return Some(Err(ended()));
        }
        outside.remove(key)?.downcast::<Result<T>>().ok().map(|answer| *answer)
    }
}

/// Ends a part that is only asked for. No client sees it.
#[must_use]
pub fn ended() -> ParseError {
    ParseError::new(ErrorCode::OtherCause, "The part of a transaction was only asked for.")
}

//! What a special class adds to the pipelines.

use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;

use super::clp::Operation;
use super::context::Context;
use super::rule_state::RuleState;
use super::stages::{Checked, Draft, Saved, Stored};
use crate::error::{ParseError, Result};
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::query::{Filter, Resolved};

/// Points of the write, delete and read pipelines where a class may have a say. Every method does nothing by default.
#[async_trait]
pub trait ClassRules: Send + Sync {
    /// Refuses callers that may not carry out this operation on the class at all.
    fn refuse(&self, _cx: &Context, _operation: Operation) -> Result<()> {
        Ok(())
    }

    /// Before anything is checked: may change the draft, or finish the request by itself.
    async fn prepare(&self, _cx: &Context, draft: Draft) -> Result<ControlFlow<Saved, Draft>> {
        Ok(ControlFlow::Continue(draft))
    }

    /// Fields that [`ClassRules::prepare`] has judged: beforeSave cannot set them.
    fn judged_before(&self) -> &'static [&'static str] {
        &[]
    }

    /// Fields that the answer to a write holds where the class has an afterSave trigger.
    fn told_with_after_save(&self) -> &'static [&'static str] {
        &[]
    }

    /// Before the write: works out what is stored.
    async fn transform(&self, _cx: &Context, checked: Checked) -> Result<Checked> {
        Ok(checked)
    }

    /// The Parse error for a unique index that refused a write; `None`: the general one. `row`: the row that was to be made; empty for an
    /// update.
    async fn conflict(&self, _cx: &Context, _index: &str, _creating: bool, _row: &Object) -> Option<ParseError> {
        None
    }

    /// What the client of an update is told of an error: 101 when no row was within its reach, and what other stages refuse.
    fn refused_update(&self, _cx: &Context, error: ParseError) -> ParseError {
        error
    }

    /// After the write.
    async fn follow_up(&self, _cx: &Context, stored: Stored) -> Result<Stored> {
        Ok(stored)
    }

    /// Adds to the answer of a write what the rules found out. Fields that are hidden from the caller are gone from it already.
    fn answer(&self, _state: RuleState, _body: &mut Object) {}

    /// Before a row is deleted.
    async fn before_delete(&self, _cx: &Context, _id: &str) -> Result<()> {
        Ok(())
    }

    /// After a row was deleted.
    async fn after_delete(&self, _cx: &Context, _id: &str) -> Result<()> {
        Ok(())
    }

    /// Narrows what the caller can read of the class at all.
    fn read_filter(&self, _cx: &Context) -> Result<Resolved> {
        Ok(Filter::All)
    }

    /// Whether [`ClassRules::redact`] and what completes rows may do anything. Rows are written for their readers without
    /// being looked into where nothing does.
    fn look_into_rows(&self) -> bool {
        true
    }

    /// Columns that [`ClassRules::redact`] needs, whatever fields were asked for.
    fn needed_columns(&self) -> &'static [&'static str] {
        &[]
    }

    /// Turns the stored form of a row into the one its readers see. Columns that begin with an underscore go away afterwards.
    fn redact(&self, _cx: &Context, _row: &mut Object) {}

    /// Completes rows as their readers see them, where a service outside has a say.
    async fn redact_remotely(&self, _cx: &Context, _rows: &mut [Object]) {}

    /// Completes a row that was asked for by its id.
    fn complete_get(&self, _cx: &Context, _row: &mut Object) {}

    /// The Parse error when no row was within reach of a deletion.
    fn undeletable(&self, _cx: &Context) -> ParseError {
        ParseError::not_found()
    }
}

/// A class without rules of its own.
struct Plain;

impl ClassRules for Plain {
    fn look_into_rows(&self) -> bool {
        false
    }
}

/// The rules by class. This table is the only place that tells special classes apart in the pipelines.
pub struct RuleTable {
    special: HashMap<&'static str, Arc<dyn ClassRules>>,
    plain: Arc<dyn ClassRules>,
}

impl RuleTable {
    /// Adds rules of classes.
    pub fn extend(&mut self, rules: Vec<(&'static str, Arc<dyn ClassRules>)>) {
        self.special.extend(rules);
    }

    /// The rules of a class.
    #[must_use]
    pub fn of(&self, class: &ClassName) -> Arc<dyn ClassRules> {
        self.special.get(class.as_str()).unwrap_or(&self.plain).clone()
    }
}

impl Default for RuleTable {
    fn default() -> Self {
        Self { special: HashMap::default(), plain: Arc::new(Plain) }
    }
}

impl fmt::Debug for RuleTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.special.keys()).finish()
    }
}

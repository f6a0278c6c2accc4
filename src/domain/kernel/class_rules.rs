//! Rules of special classes in the pipelines.

use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::audit::Audited;
use super::clp::Operation;
use super::context::Context;
use super::rule_state::RuleState;
use super::stages::{Checked, Draft, Saved, Stored};
use crate::error::{ParseError, Result};
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::query::{Filter, Resolved};

/// The hooks of a class in the write, delete and read pipelines. Every method does nothing by default.
pub trait ClassRules: Send + Sync {
    /// Refuses callers who may never run this operation on the class.
    fn refuse(&self, _cx: &Context, _operation: Operation) -> Result<()> {
        Ok(())
    }

    /// Runs before the checks of a write. May change the draft, or finish the request. In a rehearsal
    /// ([`Context::is_rehearsed`]) it writes nothing, because it runs again in the transaction.
    fn prepare<'a>(&'a self, _cx: &'a Context, draft: Draft) -> BoxFuture<'a, Result<ControlFlow<Saved, Draft>>> {
        Box::pin(async move { Ok(ControlFlow::Continue(draft)) })
    }

    /// Asks what [`ClassRules::transform`] and [`ClassRules::follow_up`] want to know from outside of the server, and
    /// does what takes long ([`Context::ask_once`]), for a part of a transaction before that begins. Writes nothing.
    fn rehearse<'a>(&'a self, _cx: &'a Context, _draft: &'a Draft) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Ok(()) })
    }

    /// Whether [`ClassRules::prepare`] or [`ClassRules::rehearse`] does anything before a transaction begins.
    fn rehearses(&self) -> bool {
        false
    }

    /// Fields that [`ClassRules::prepare`] has checked; beforeSave cannot set them.
    fn judged_before(&self) -> &'static [&'static str] {
        &[]
    }

    /// Fields in the response to a write if the class has an afterSave trigger.
    fn told_with_after_save(&self) -> &'static [&'static str] {
        &[]
    }

    /// Runs before the write; determines what is stored.
    fn transform<'a>(&'a self, _cx: &'a Context, checked: Checked) -> BoxFuture<'a, Result<Checked>> {
        Box::pin(async move { Ok(checked) })
    }

    /// Whether [`ClassRules::precede`] writes anything.
    fn precedes(&self, _cx: &Context, _checked: &Checked) -> bool {
        false
    }

    /// Writes what must be stored before the row, so that a crash between the two hurts no retry. Where the store has
    /// cheap transactions, both are part of one.
    fn precede<'a>(&'a self, _cx: &'a Context, _checked: &'a mut Checked) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Ok(()) })
    }

    /// Removes what [`ClassRules::precede`] wrote, after the row could not be stored.
    fn retract<'a>(&'a self, _cx: &'a Context, _state: &'a RuleState) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Ok(()) })
    }

    /// The Parse error for a violated unique index; `None` means the general one. `row`: the row to be created; empty
    /// for an update.
    fn conflict<'a>(
        &'a self,
        _cx: &'a Context,
        _index: &'a str,
        _creating: bool,
        _row: &'a Object,
    ) -> BoxFuture<'a, Option<ParseError>> {
        Box::pin(async move { None })
    }

    /// Converts the error of an update for the client: 101 if the caller could reach no row, and errors of other
    /// stages.
    fn refused_update(&self, _cx: &Context, error: ParseError) -> ParseError {
        error
    }

    /// Runs after the write.
    fn follow_up<'a>(&'a self, _cx: &'a Context, stored: Stored) -> BoxFuture<'a, Result<Stored>> {
        Box::pin(async move { Ok(stored) })
    }

    /// Adds values to the response to a write, from which fields that are hidden from the caller have already been
    /// removed.
    fn answer(&self, _state: RuleState, _body: &mut Object) {}

    /// Runs before a row is deleted.
    fn before_delete<'a>(&'a self, _cx: &'a Context, _id: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Ok(()) })
    }

    /// Runs after a row was deleted.
    fn after_delete<'a>(&'a self, _cx: &'a Context, _id: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Ok(()) })
    }

    /// Narrows the rows of the class that the caller can ever read.
    fn read_filter(&self, _cx: &Context) -> Result<Resolved> {
        Ok(Filter::All)
    }

    /// Whether [`ClassRules::redact`] or the methods that complete rows do anything. If not, the store may write rows
    /// as JSON directly.
    fn look_into_rows(&self) -> bool {
        true
    }

    /// Columns that [`ClassRules::redact`] needs, whatever fields were requested.
    fn needed_columns(&self) -> &'static [&'static str] {
        &[]
    }

    /// Fields that [`ClassRules::redact`] puts together from columns of other names: whoever asks for one reads the whole row.
    fn composed_fields(&self) -> &'static [&'static str] {
        &[]
    }

    /// Converts the stored form of a row to the one that readers see. Columns that begin with an underscore are
    /// removed afterwards.
    fn redact(&self, _cx: &Context, _row: &mut Object) {}

    /// Completes rows with data of an external service.
    fn redact_remotely<'a>(&'a self, _cx: &'a Context, _rows: &'a mut [Object]) -> BoxFuture<'a, ()> {
        Box::pin(async move {})
    }

    /// Completes a row that was requested by its id.
    fn complete_get(&self, _cx: &Context, _row: &mut Object) {}

    /// Which writes are noted in the audit log, whoever makes them.
    fn audited(&self) -> Audited {
        Audited::OfMaster
    }

    /// The Parse error of a deletion that could reach no row.
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

/// The rules by class. The pipelines distinguish special classes only by this table.
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

//! Filters that are narrowed to the rows that the caller may reach.

use super::Operation;
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::error::Result;
use crate::model::names::{self, ClassName};
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::schema::FieldType;
use crate::model::value::Value;

/// A filter with the caller's permissions. Only this module can create one.
#[derive(Debug)]
pub struct Scoped(Resolved);

impl Scoped {
    /// A filter of a look-up by the server itself, without a caller's permissions. `_why` documents its purpose at
    /// the call.
    #[must_use]
    pub fn internal(filter: Resolved, _why: &'static str) -> Self {
        Self(filter)
    }

    /// The filter.
    #[must_use]
    pub fn filter(&self) -> &Resolved {
        &self.0
    }

    /// Whether no row can match.
    #[must_use]
    pub fn is_never(&self) -> bool {
        matches!(self.0, Filter::Never)
    }
}

/// Checks the class level permissions for an operation.
///
/// # Errors
/// 119 or 101, sanitised, if the caller may not run the operation.
pub async fn admit(cx: &Context, class: &Class, operation: Operation) -> Result<()> {
    if cx.auth.is_master() {
        return Ok(());
    }
    class.permissions.admit(&class.schema.name, operation, &cx.entities().await?, false)
}

/// Narrows a filter to the rows on which the caller may run the operation, by pointer permissions and ACLs. `also`: a
/// second operation of the same request that must be permitted too (adding a field). No row is in a class that cannot
/// exist: clients name such classes in pointers, and databases do not take every name.
///
/// # Errors
/// If the caller's roles cannot be read.
pub async fn scope(
    cx: &Context,
    class: &Class,
    operation: Operation,
    filter: Resolved,
    also: Option<Operation>,
) -> Result<Scoped> {
    if !cx.schemas().may_hold(&class.schema.name) {
        return Ok(Scoped(Filter::Never));
    }
    if cx.auth.is_master() {
        return Ok(Scoped(filter));
    }
    let entities = cx.entities().await?;
    let mut filter = filter.and(pointer_filter(cx, class, operation, &entities));
    if let Some(also) = also {
        filter = filter.and(pointer_filter(cx, class, also, &entities));
    }
    let column = if operation.reads() { "_rperm" } else { "_wperm" };
    let holders = std::iter::once(Value::Null).chain(entities.iter().cloned().map(Value::String)).collect();
    Ok(Scoped(filter.and(Filter::field(column, Constraint::In(holders)))))
}

/// Whether the caller may reach different rows with two operations, because of pointer permissions.
#[must_use]
pub fn differ(cx: &Context, class: &Class, one: Operation, other: Operation) -> bool {
    let goes_by_rows = |operation| !class.permissions.row_fields(operation).is_empty();
    !cx.auth.is_master() && (goes_by_rows(one) || goes_by_rows(other))
}

fn pointer_filter(cx: &Context, class: &Class, operation: Operation, entities: &[String]) -> Resolved {
    if class.permissions.is_open_to(operation, entities) {
        return Filter::All;
    }
    let fields = class.permissions.row_fields(operation);
    if fields.is_empty() {
        return Filter::All;
    }
    let Some(user) = cx.auth.user_id() else {
        return Filter::Never;
    };
    let pointer = Value::pointer(&ClassName::unchecked(names::USER), user);
    let mut parts: Vec<Resolved> = fields
        .into_iter()
        .filter_map(|field| match class.schema.kind(field) {
            Some(FieldType::Array) => Some(Filter::field(field, Constraint::All(vec![pointer.clone()]))),
            Some(FieldType::Pointer(_) | FieldType::Object) => Some(Filter::eq(field, pointer.clone())),
            _ => None,
        })
        .collect();
    match (parts.len(), parts.pop()) {
        (_, None) => Filter::Never,
        (1, Some(part)) => part,
        (_, Some(part)) => {
            parts.push(part);
            Filter::Or(parts)
        }
    }
}

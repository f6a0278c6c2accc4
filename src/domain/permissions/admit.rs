//! Checks of the caller and the class before any row is read.

use super::Operation;
use crate::domain::kernel::context::Context;
use crate::error::{ParseError, Result};
use crate::model::names::{self, ClassName};

/// Refuses callers who may not run this operation on this class, whatever the row.
///
/// # Errors
/// 119, sanitised.
pub fn refuse_caller(cx: &Context, class: &ClassName, operation: Operation) -> Result<()> {
    if class.is_internal() && !cx.auth.is_master() {
        return Err(ParseError::forbidden(format!(
            "Clients aren't allowed to perform the {} operation on the {class} collection.",
            operation.name()
        )));
    }
    if !operation.reads() {
        cx.refuse_read_only_write(operation)?;
    }
    cx.app.rules.of(class).refuse(cx, operation)
}

/// Refuses clients on classes that do not exist, if they may not create classes.
///
/// # Errors
/// 119, sanitised.
pub fn refuse_unknown_class(cx: &Context, class: &ClassName) -> Result<()> {
    let allowed = cx.app.options.schema.allow_client_class_creation
        || cx.auth.is_master()
        || names::is_system_class(class.as_str());
    if allowed || cx.schemas().get(class).is_some() {
        return Ok(());
    }
    Err(ParseError::forbidden(format!("This user is not allowed to access non-existent class: {class}")))
}

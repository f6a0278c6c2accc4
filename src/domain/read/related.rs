//! Reads the relations of many objects at once, for lists of objects with their relations.

use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::permissions::protected_fields::Visibility;
use crate::error::{ParseError, Result};
use crate::model::names::ClassName;

/// The members of a relation of several objects, as pairs `(owner id, member id)`. The owners must be objects that the
/// caller has read in the same request, because that permission is not checked again. The members themselves are not
/// read.
///
/// # Errors
/// 119 if the field is hidden from the caller, or the class is not accessible.
pub async fn members_of(cx: &Context, class: &str, key: &str, owners: &[String]) -> Result<Vec<(String, String)>> {
    let name = ClassName::unchecked(class);
    let class = cx.class(&name);
    if !cx.auth.is_master() {
        if name.is_internal() {
            return Err(ParseError::forbidden("Clients aren't allowed to read relations of this class."));
        }
        Visibility::of(cx, &class, None).await?.refuse(&class, key, "query")?;
    }
    cx.app.storage.members(&name.join(key), owners, cx.transaction.as_ref()).await.map_err(failure)
}

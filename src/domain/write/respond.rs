//! Builds the response to a write.

use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::stages::{Concerned, Saved, Stored};
use crate::domain::permissions::protected_fields::Visibility;
use crate::error::Result;
use crate::model::acl::Acl;
use crate::model::json;
use crate::model::object::Object;
use crate::model::value::Value;

/// Builds the response: id and date, results of operations, values that the server set.
///
/// # Errors
/// If the caller's roles are needed and cannot be read.
pub async fn respond(
    cx: &Context,
    stored: Stored,
    concerned: Option<&Concerned>,
    rules: &dyn ClassRules,
) -> Result<Saved> {
    let Stored { class, created, id, row, operations, facts, state } = stored;
    let mut body = Object::new();
    let time = |field: &str| row.get(field).and_then(Value::as_date).map(|date| Value::String(date.to_iso()));
    if created {
        body.insert("objectId", id.clone());
        body.insert("createdAt", time("createdAt").unwrap_or(Value::Null));
    } else {
        body.insert("updatedAt", time("updatedAt").unwrap_or(Value::Null));
    }
    for path in &operations {
        insert_result(&mut body, path, &row);
    }
    for field in &facts.filled_in {
        if let Some(value) = row.get(field) {
            body.insert(field.clone(), value.clone());
        }
    }
    if let Some(concerned) = concerned {
        tell_changes(&mut body, concerned, &row, rules);
    }
    if let Some(acl) = facts.given_acl {
        body.insert("ACL", json::decode_stored(acl));
    }
    if !cx.app.options.security.protected_fields_save_response_exempt {
        Visibility::of(cx, &class, Some(&id)).await?.redact(&mut body);
    }
    rules.answer(state, &mut body);
    let location = created.then(|| (class.schema.name.as_str().to_owned(), id));
    Ok(Saved { created, location, body, row: Some(row) })
}

/// Adds the changes of triggers to the response.
fn tell_changes(body: &mut Object, concerned: &Concerned, row: &Object, rules: &dyn ClassRules) {
    let told: &[&str] = if concerned.has_after_save() { rules.told_with_after_save() } else { &[] };
    for field in concerned.changed.iter().map(String::as_str).chain(told.iter().copied()) {
        if field == "ACL" {
            if let Some(acl) = Acl::from_permissions(row.get("_rperm"), row.get("_wperm")) {
                body.insert(field, &acl);
            }
        } else if let Some(value) = row.get(field).filter(|_| !body.contains(field)) {
            body.insert(field, value.clone());
        }
    }
    // A field that the trigger removes from a new row can have a default.
    for field in concerned.removed.iter().filter(|field| row.get(field).is_none()) {
        let mut removed = Object::new();
        removed.insert("__op", "Delete");
        body.insert(field.clone(), removed);
    }
}

/// Copies the value at a path of the row to the response; for a path into an array, the whole array.
fn insert_result(body: &mut Object, path: &str, row: &Object) {
    let Some((root, rest)) = path.split_once('.') else {
        if let Some(value) = row.get(path) {
            body.insert(path, value.clone());
        }
        return;
    };
    match row.get(root) {
        Some(Value::Object(inner)) => {
            if !matches!(body.get(root), Some(Value::Object(_))) {
                body.insert(root, Object::new());
            }
            if let Some(Value::Object(target)) = body.get_mut(root) {
                insert_result(target, rest, inner);
            }
        }
        Some(value) => {
            body.insert(root, value.clone());
        }
        None => {}
    }
}

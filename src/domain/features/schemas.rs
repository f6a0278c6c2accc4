//! The schema API, which lists, creates, changes and deletes classes; needs the master key.

use serde_json::{Map, Value as Json, json};

use crate::config::Options;
use crate::domain::kernel::classes::{Class, Schemas};
use crate::domain::kernel::context::Context;
use crate::domain::kernel::feature::Feature;
use crate::domain::schema::change::{self, ClassChange};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json;
use crate::model::names::{self, ClassName};
use crate::model::schema::{Field, FieldType};

/// The schema API, for the kernel.
#[must_use]
pub fn feature() -> Feature {
    Feature { server_info: Some(server_info), ..Feature::new("schemas") }
}

fn server_info(_options: &Options) -> Json {
    json!({ "schemas": {
        "addField": true,
        "removeField": true,
        "addClass": true,
        "removeClass": true,
        "clearAllDataFromClass": true,
        "editClassLevelPermissions": true,
        "editPointerPermissions": true,
    } })
}

/// Classes that exist only in memory are not listed until they have a schema document.
fn listed(schemas: &Schemas) -> Vec<&std::sync::Arc<Class>> {
    let mut classes: Vec<_> = schemas.iter().filter(|class| class.stored).collect();
    classes.sort_by(|one, other| one.schema.name.cmp(&other.schema.name));
    classes
}

/// All classes.
///
/// # Errors
/// 403 without a master key.
pub async fn all(cx: &Context) -> Result<Vec<Json>> {
    cx.require_master()?;
    let schemas = cx.reload_schemas().await?;
    Ok(listed(&schemas).into_iter().map(|class| describe(class)).collect())
}

/// One class.
///
/// # Errors
/// 403 without a master key, 103 if the class does not exist.
pub async fn get(cx: &Context, name: &str) -> Result<Json> {
    cx.require_master()?;
    let schemas = cx.reload_schemas().await?;
    schemas.get(&ClassName::unchecked(name)).map(|class| describe(class)).ok_or_else(|| change::no_such_class(name))
}

/// Creates a class. `name`: the name in the path, if it contains one.
///
/// # Errors
/// As [`change`].
pub async fn create(cx: &Context, name: Option<&str>, body: Map<String, Json>) -> Result<Json> {
    writable(cx, "read-only masterKey isn't allowed to create a schema.")?;
    let sent = body.get("className").and_then(Json::as_str);
    let name = match (name, sent) {
        (Some(path), Some(sent)) if path != sent => return Err(name_mismatch(sent, path)),
        (Some(name), _) | (None, Some(name)) => name.to_owned(),
        (None, None) => {
            return Err(ParseError::new(ErrorCode::InvalidInstallation, "POST /schemas needs a class name."));
        }
    };
    let wanted = ClassChange::read(body)?;
    Ok(describe(&*change::create(cx, &name, wanted).await?))
}

/// Changes a class.
///
/// # Errors
/// As [`change`].
pub async fn update(cx: &Context, name: &str, body: Map<String, Json>) -> Result<Json> {
    writable(cx, "read-only masterKey isn't allowed to update a schema.")?;
    if let Some(sent) = body.get("className").and_then(Json::as_str)
        && sent != name
    {
        return Err(name_mismatch(sent, name));
    }
    let wanted = ClassChange::read(body)?;
    Ok(describe(&*change::update(cx, name, wanted).await?))
}

/// Deletes a class without objects.
///
/// # Errors
/// 403 without a master key, 103 for a malformed name, 255 if the class has objects.
pub async fn delete(cx: &Context, name: &str) -> Result<()> {
    writable(cx, "read-only masterKey isn't allowed to delete a schema.")?;
    if !names::is_valid_class_name(name) {
        return Err(ParseError::new(ErrorCode::InvalidClassName, names::invalid_class_name_message(name)));
    }
    change::drop(cx, &ClassName::unchecked(name)).await
}

/// Deletes all objects of a class.
///
/// # Errors
/// 403 without a master key.
pub async fn purge(cx: &Context, name: &str) -> Result<()> {
    cx.require_master()?;
    cx.refuse_read_only("read-only masterKey isn't allowed to purge a schema.")?;
    change::purge(cx, &ClassName::unchecked(name)).await
}

fn writable(cx: &Context, refusal: &'static str) -> Result<()> {
    cx.require_master()?;
    cx.refuse_read_only(refusal)?;
    if cx.app.options.schema.definitions.as_ref().is_some_and(|schema| schema.lock_schemas) {
        return Err(ParseError::new(
            ErrorCode::OperationForbidden,
            "Cannot perform this operation when schemas options is used.",
        ));
    }
    Ok(())
}

fn name_mismatch(sent: &str, path: &str) -> ParseError {
    ParseError::new(ErrorCode::InvalidClassName, format!("Class name mismatch between {sent} and {path}."))
}

/// A class in the form of the schema API.
#[must_use]
pub fn describe(class: &Class) -> Json {
    let schema = &class.schema;
    let fields: Map<String, Json> =
        schema.fields.iter().map(|(name, field)| (name.clone(), describe_field(field))).collect();
    let permissions = match &schema.permissions {
        // Classes that only the master key can access have no permissions.
        None if schema.name.is_internal() => json!({}),
        permissions => describe_permissions(permissions.as_ref()),
    };
    let mut description = json!({
        "className": schema.name.as_str(),
        "fields": fields,
        "classLevelPermissions": permissions,
    });
    if !schema.indexes.is_empty()
        && let Some(map) = description.as_object_mut()
    {
        map.insert("indexes".to_owned(), json!(schema.indexes));
    }
    description
}

fn describe_field(field: &Field) -> Json {
    let mut described = Map::new();
    described.insert("type".to_owned(), field.kind.name().into());
    if let FieldType::Pointer(target) | FieldType::Relation(target) = &field.kind {
        described.insert("targetClass".to_owned(), target.as_str().into());
    }
    if field.required {
        described.insert("required".to_owned(), true.into());
    }
    if let Some(default) = &field.default {
        described.insert("defaultValue".to_owned(), json::encode(default));
    }
    Json::Object(described)
}

/// Permissions in the form of the schema API: a class without permissions is open to everyone; otherwise missing
/// operations are closed.
fn describe_permissions(stored: Option<&Map<String, Json>>) -> Json {
    let operations = ["find", "count", "get", "create", "update", "delete", "addField"];
    let mut shown = Map::new();
    let Some(stored) = stored else {
        for operation in operations {
            shown.insert(operation.to_owned(), json!({"*": true}));
        }
        shown.insert("protectedFields".to_owned(), json!({"*": []}));
        shown.insert("ACL".to_owned(), json!({"*": {"read": true, "write": true}}));
        return Json::Object(shown);
    };
    for operation in operations.into_iter().chain(["protectedFields"]) {
        shown.insert(operation.to_owned(), json!({}));
    }
    shown.extend(stored.iter().map(|(name, value)| (name.clone(), value.clone())));
    Json::Object(shown)
}

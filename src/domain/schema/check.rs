//! Checks the types of a write against the schema, and creates missing classes and fields.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::domain::kernel::classes::Class;
use crate::domain::kernel::clp::Operation;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::system_classes;
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::{self, ClassName};
use crate::model::operation::Change;
use crate::model::operation::parse::ParsedWrite;
use crate::model::schema::{ClassSchema, Field, FieldType};
use crate::model::value::Value;
use crate::storage::StorageError;

/// Maximum number of retries if other requests change the class at the same time.
const ROUNDS: usize = 4;

/// A class whose schema matches the write.
pub struct AdaptedClass {
    /// The class as it is after fields were added.
    pub class: Arc<Class>,
    /// Whether the write adds a field to the class.
    pub adds_field: bool,
}

/// Checks a write and adds missing fields to the class. `updating`: the row exists already.
///
/// # Errors
/// 105 for an invalid field name, 111 for a wrong type, 119 if the caller may not add fields, 107 for an invalid
/// class name.
pub async fn adapt_class(
    cx: &Context,
    class_name: &ClassName,
    write: &ParsedWrite,
    updating: bool,
) -> Result<AdaptedClass> {
    let mut class = cx.class(class_name);
    let wanted = wanted_fields(cx, class_name, write)?;
    let is_new = |class: &Class, field: &WantedField| !class.schema.fields.contains_key(&field.name);
    let missing = |class: &Class| -> Vec<(String, FieldType)> {
        let new = wanted.iter().filter(|field| is_new(class, field));
        new.filter_map(|field| Some((field.name.clone(), field.kind.clone()?))).collect()
    };
    let new = missing(&class);
    let adds_field = class.stored && wanted.iter().any(|field| !field.removed && is_new(&class, field));
    if adds_field && !cx.auth.is_master() {
        class.permissions.admit(class_name, Operation::AddField, &cx.entities().await?, updating)?;
    }
    check_types(&class.schema, &wanted)?;
    check_geo_points(&class.schema, &new)?;
    // One attempt is enough unless other requests change the class at the same time.
    for _ in 0..ROUNDS {
        let new = missing(&class);
        if class.stored && new.is_empty() {
            break;
        }
        if class.stored {
            for (name, kind) in &new {
                add_field(cx, &class, name, kind).await?;
            }
        } else {
            create_class(cx, class_name, &new).await?;
        }
        class = reload(cx, class_name).await?;
        check_types(&class.schema, &wanted)?;
    }
    Ok(AdaptedClass { class, adds_field })
}

/// Reads the class from the database.
///
/// # Errors
/// If the schema cannot be read.
pub(super) async fn reload(cx: &Context, name: &ClassName) -> Result<Arc<Class>> {
    let schemas = cx.reload_schemas().await?;
    Ok(schemas.get(name).cloned().unwrap_or_else(|| cx.app.schemas.unknown_class(name)))
}

/// Creates a class with its first fields. If another process creates it first, fields may still be missing.
async fn create_class(cx: &Context, name: &ClassName, fields: &[(String, FieldType)]) -> Result<()> {
    if !names::is_valid_class_name(name.as_str()) {
        return Err(ParseError::new(ErrorCode::InvalidJson, "schema class name does not revalidate"));
    }
    let mut schema = ClassSchema::new(name.clone());
    system_classes::add_default_columns(&mut schema);
    for (field, kind) in fields {
        schema.fields.entry(field.clone()).or_insert_with(|| Field::new(kind.clone()));
    }
    match cx.app.storage.create_class(&schema).await {
        Ok(()) | Err(StorageError::Duplicate { .. }) => {}
        Err(error) => return Err(failure(error)),
    }
    for (field, kind) in fields {
        prepare_column(cx, &schema, field, kind).await?;
    }
    Ok(())
}

async fn add_field(cx: &Context, class: &Class, name: &str, kind: &FieldType) -> Result<()> {
    match cx.app.storage.add_field(&class.schema.name, name, &Field::new(kind.clone())).await {
        Ok(()) => prepare_column(cx, &class.schema, name, kind).await,
        Err(StorageError::FieldExists(_)) => Ok(()),
        Err(error) => Err(failure(error)),
    }
}

/// Creates the indexes of a field: `2dsphere` for polygons, those of the join class for relations.
async fn prepare_column(cx: &Context, schema: &ClassSchema, name: &str, kind: &FieldType) -> Result<()> {
    match kind {
        FieldType::Polygon => {
            let class = cx.app.schemas.unknown_class(&schema.name);
            store::create_index_on_demand(cx, &class, name, "2dsphere").await
        }
        FieldType::Relation(_) if cx.app.options.own.create_indexes => {
            let mut join = ClassSchema::new(schema.name.join(name));
            system_classes::add_default_columns(&mut join);
            cx.app.storage.create_indexes(&join, &super::bootstrap::join_indexes()).await.map_err(failure)
        }
        _ => Ok(()),
    }
}

/// A field in a write.
struct WantedField {
    /// Its name, without a path below it.
    name: String,
    /// The type of the value; `None` if any type matches, because the value is null or deleted.
    kind: Option<FieldType>,
    /// Whether the write deletes it or a part of it. Null is a value, not a deletion.
    removed: bool,
}

fn wanted_fields(cx: &Context, class: &ClassName, write: &ParsedWrite) -> Result<Vec<WantedField>> {
    let mut wanted = Vec::with_capacity(write.update.0.len() + write.relations.len());
    let mut geo_points = 0;
    for (path, change) in &write.update.0 {
        let (root, rest) = path.split_once('.').map_or((path.as_str(), None), |(root, rest)| (root, Some(rest)));
        if path == "ACL" {
            continue;
        }
        // A part of an ACL cannot be written: the columns of the permissions are written as a whole.
        if root == "ACL" {
            return Err(mismatch(class, "ACL", &FieldType::Acl, "Object"));
        }
        check_name(cx, class, root)?;
        // Internal columns, which the maintenance key may write, are not part of any schema.
        if root.starts_with('_') {
            continue;
        }
        let kind = if matches!(change, Change::Unset | Change::Set(Value::Null)) {
            None
        } else if let Some(rest) = rest {
            let into_array = rest.split('.').next().is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
            Some(if into_array { FieldType::Array } else { FieldType::Object })
        } else {
            match change {
                Change::Set(value) => FieldType::of(value),
                Change::Unset => None,
                Change::Increment(_) => Some(FieldType::Number),
                Change::Add(_) | Change::AddUnique(_) | Change::Remove(_) => Some(FieldType::Array),
            }
        };
        let removed = matches!(change, Change::Unset);
        if kind == Some(FieldType::GeoPoint) {
            geo_points += 1;
        }
        wanted.push(WantedField { name: root.to_owned(), kind, removed });
    }
    if geo_points > 1 {
        return Err(ParseError::new(ErrorCode::IncorrectType, "there can only be one geopoint field in a class"));
    }
    for relation in &write.relations {
        check_name(cx, class, &relation.field)?;
        wanted.push(WantedField {
            name: relation.field.clone(),
            kind: Some(FieldType::Relation(relation.class.clone())),
            removed: false,
        });
    }
    Ok(wanted)
}

fn check_name(cx: &Context, class: &ClassName, field: &str) -> Result<()> {
    if names::is_valid_field_name(field)
        || system_classes::is_default_column(class, field)
        || (cx.auth.is_maintenance() && field.starts_with('_'))
    {
        Ok(())
    } else {
        Err(ParseError::new(ErrorCode::InvalidKeyName, format!("Invalid field name: {field}.")))
    }
}

fn check_types(schema: &ClassSchema, wanted: &[WantedField]) -> Result<()> {
    for WantedField { name, kind, .. } in wanted {
        let (Some(kind), Some(known)) = (kind, schema.kind(name)) else {
            continue;
        };
        if kind != known {
            return Err(mismatch(&schema.name, name, known, &kind.to_string()));
        }
    }
    Ok(())
}

/// 111 `schema mismatch for C.F; expected X but got Y`.
#[must_use]
pub fn mismatch(class: &ClassName, field: &str, expected: &FieldType, got: &str) -> ParseError {
    ParseError::new(
        ErrorCode::IncorrectType,
        format!("schema mismatch for {class}.{field}; expected {expected} but got {got}"),
    )
}

fn check_geo_points(schema: &ClassSchema, new: &[(String, FieldType)]) -> Result<()> {
    let has_one = schema.fields.values().any(|field| field.kind == FieldType::GeoPoint);
    if has_one && new.iter().any(|(_, kind)| *kind == FieldType::GeoPoint) {
        return Err(ParseError::new(ErrorCode::IncorrectType, "MongoDB only supports one GeoPoint field in a class."));
    }
    Ok(())
}

/// Whether a JSON value counts as missing for a required field.
#[must_use]
pub fn is_blank(value: Option<&Json>) -> bool {
    match value {
        None | Some(Json::Null) => true,
        Some(Json::String(text)) => text.is_empty(),
        Some(Json::Object(map)) => map.get("__op").and_then(Json::as_str) == Some("Delete"),
        Some(_) => false,
    }
}

//! Validates and applies changes of classes by the schema API.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::clp_check;
use crate::domain::kernel::audit::{Deed, What};
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::noting;
use crate::domain::kernel::system_classes;
use crate::domain::permissions::Scoped;
use crate::domain::schema::check;
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json;
use crate::model::names::{self, ClassName};
use crate::model::query::Filter;
use crate::model::query::options::FindOptions;
use crate::model::schema::{ClassSchema, Field, FieldType, IndexKeys};
use crate::model::value::Value;
use crate::storage::{IndexSpec, StorageError};

/// The requested changes of a class.
#[derive(Debug, Default)]
pub struct ClassChange {
    /// Fields to add, or to change the options of.
    pub fields: IndexMap<String, Map<String, Json>>,
    /// Fields to remove.
    pub deleted_fields: Vec<String>,
    /// New permissions.
    pub permissions: Option<Map<String, Json>>,
    /// Removes the permissions of the class, which is open to everyone then.
    pub resets_permissions: bool,
    /// Indexes to create.
    pub indexes: IndexMap<String, IndexKeys>,
    /// Indexes to drop.
    pub deleted_indexes: Vec<String>,
}

impl ClassChange {
    /// What it changes, by name: fields, `classLevelPermissions`, indexes as `indexes.NAME`.
    fn parts(&self) -> Vec<String> {
        let permissions = self.permissions.is_some() || self.resets_permissions;
        let indexes = self.indexes.keys().chain(&self.deleted_indexes).map(|name| format!("indexes.{name}"));
        let fields = self.fields.keys().chain(&self.deleted_fields).cloned();
        fields.chain(permissions.then(|| "classLevelPermissions".to_owned())).chain(indexes).collect()
    }

    /// Parses a request.
    ///
    /// # Errors
    /// 107 if a part is not an object.
    pub fn read(mut body: Map<String, Json>) -> Result<Self> {
        let mut change = Self::default();
        let invalid = || ParseError::new(ErrorCode::InvalidJson, "invalid JSON");
        let is_delete = |map: &Map<String, Json>| map.get("__op").and_then(Json::as_str) == Some("Delete");
        let mut part = |name: &str| -> Result<Map<String, Json>> {
            match body.remove(name) {
                None | Some(Json::Null) => Ok(Map::new()),
                Some(Json::Object(map)) => Ok(map),
                // PHP sends `[]` for an empty object.
                Some(Json::Array(list)) if list.is_empty() => Ok(Map::new()),
                Some(_) => Err(invalid()),
            }
        };
        for (name, field) in part("fields")? {
            match field {
                Json::Object(field) if is_delete(&field) => change.deleted_fields.push(name),
                Json::Object(field) => {
                    change.fields.insert(name, field);
                }
                _ => return Err(invalid()),
            }
        }
        for (name, index) in part("indexes")? {
            match index {
                Json::Object(index) if is_delete(&index) => change.deleted_indexes.push(name),
                Json::Object(index) => {
                    change.indexes.insert(name, index);
                }
                _ => return Err(invalid()),
            }
        }
        match body.remove("classLevelPermissions") {
            None => {}
            Some(Json::Null) => change.resets_permissions = true,
            Some(Json::Object(permissions)) => change.permissions = Some(permissions),
            Some(_) => return Err(invalid()),
        }
        Ok(change)
    }
}

/// 103: the class does not exist.
#[must_use]
pub fn no_such_class(name: &str) -> ParseError {
    ParseError::new(ErrorCode::InvalidClassName, format!("Class {name} does not exist."))
}

/// Creates a class and returns it.
///
/// # Errors
/// 102, 103, 105, 107, 111, 135, 136 for invalid requests.
pub async fn create(cx: &Context, name: &str, change: ClassChange) -> Result<Arc<Class>> {
    let class_name = ClassName::parse(name)?;
    let exists = || ParseError::new(ErrorCode::InvalidClassName, format!("Class {name} already exists."));
    if cx.reload_schemas().await?.get(&class_name).is_some_and(|class| class.stored) {
        return Err(exists());
    }
    if !change.deleted_fields.is_empty() {
        return Err(ParseError::new(ErrorCode::InvalidJson, "invalid JSON"));
    }
    let parts = change.parts();
    let mut schema = ClassSchema::new(class_name.clone());
    system_classes::add_default_columns(&mut schema);
    let added = check_new_fields(&schema, &change.fields)?;
    schema.fields.extend(added);
    if let Some(permissions) = change.permissions {
        clp_check::check(&schema, &permissions, cx.app.options.database.allow_custom_object_id)?;
        schema.permissions = Some(permissions);
    }
    let indexes = check_indexes(cx, &schema, &IndexMap::new(), &change.indexes, &change.deleted_indexes)?;
    schema.indexes.extend(change.indexes);
    match cx.app.storage.create_class(&schema).await {
        Ok(()) => {}
        Err(StorageError::Duplicate { .. }) => return Err(exists()),
        Err(error) => return Err(failure(error)),
    }
    if let Err(error) = make_indexes(cx, &schema, &indexes).await {
        // A class that was refused must not be there.
        cx.app.storage.delete_class(&class_name).await.map_err(failure)?;
        cx.reload_schemas().await?;
        return Err(error);
    }
    let polygons: Vec<String> = schema
        .fields
        .iter()
        .filter(|(_, field)| field.kind == FieldType::Polygon)
        .map(|(name, _)| name.clone())
        .collect();
    let class = check::reload(cx, &class_name).await?;
    for field in polygons {
        store::create_index_on_demand(cx, &class, &field, "2dsphere").await?;
    }
    cx.app.storage.settle_classes().await.map_err(failure)?;
    noting::note(cx, || Deed::new(What::CreateClass).in_class(&class_name).fields(parts)).await;
    Ok(class)
}

/// Changes a class and returns it.
///
/// # Errors
/// As [`create`]; 255 for adding a field that exists or deleting one that does not.
pub async fn update(cx: &Context, name: &str, change: ClassChange) -> Result<Arc<Class>> {
    let class_name = ClassName::unchecked(name);
    let class = cx.reload_schemas().await?.get(&class_name).cloned().ok_or_else(|| no_such_class(name))?;
    let parts = change.parts();
    let mut after = class.schema.clone();
    let refuse = |text: String| Err(ParseError::new(ErrorCode::InvalidSchemaOperation, text));
    let mut options_changed = Vec::new();
    let mut new = IndexMap::new();
    for (field, definition) in change.fields {
        let Some(known) = class.schema.fields.get(&field) else {
            new.insert(field, definition);
            continue;
        };
        // Every class has an ACL, and who repeats the fields of a class repeats it.
        if known.kind == FieldType::Acl && definition.get("type").and_then(Json::as_str) == Some(known.kind.name()) {
            continue;
        }
        let wanted = read_field(&class_name, &field, &definition)?;
        if wanted.kind.name() != known.kind.name() {
            return refuse(format!("Field {field} exists, cannot update."));
        }
        if wanted.kind != known.kind {
            return Err(check::mismatch(&class_name, &field, &known.kind, &wanted.kind.to_string()));
        }
        // Migrations repeat existing fields.
        if wanted.required == known.required && wanted.default == known.default {
            continue;
        }
        if system_classes::is_default_column(&class_name, &field) {
            return refuse(format!("Field {field} exists, cannot update."));
        }
        options_changed.push((field, wanted));
    }
    for field in &change.deleted_fields {
        if system_classes::is_default_column(&class_name, field) {
            return Err(ParseError::new(
                ErrorCode::UnchangeableInstallation,
                format!("field {field} cannot be changed"),
            ));
        }
        if !class.schema.fields.contains_key(field) {
            return refuse(format!("Field {field} does not exist, cannot delete."));
        }
        after.fields.shift_remove(field);
    }
    let added = check_new_fields(&after, &new)?;
    after.fields.extend(added.clone());
    after.fields.extend(options_changed.iter().cloned());
    if let Some(permissions) = &change.permissions {
        clp_check::check(&after, permissions, cx.app.options.database.allow_custom_object_id)?;
    }
    let indexes = check_indexes(cx, &after, &class.schema.indexes, &change.indexes, &change.deleted_indexes)?;
    let storage = &cx.app.storage;
    ensure_stored(cx, &class).await?;
    if !change.deleted_fields.is_empty() {
        storage.delete_fields(&class.schema, &change.deleted_fields).await.map_err(failure)?;
        drop_relations(cx, &class, |field| change.deleted_fields.iter().any(|deleted| deleted == field)).await?;
    }
    for (field, definition) in &added {
        match storage.add_field(&class_name, field, definition).await {
            Ok(()) => {}
            Err(StorageError::FieldExists(_)) => return refuse(format!("Field {field} exists, cannot update.")),
            Err(error) => return Err(failure(error)),
        }
        if definition.kind == FieldType::Polygon {
            store::create_index_on_demand(cx, &class, field, "2dsphere").await?;
        }
    }
    for (field, definition) in &options_changed {
        storage.set_field_options(&class_name, field, definition).await.map_err(failure)?;
    }
    if let Some(permissions) = &change.permissions {
        storage.set_permissions(&class_name, Some(permissions)).await.map_err(failure)?;
    } else if change.resets_permissions {
        storage.set_permissions(&class_name, None).await.map_err(failure)?;
    }
    if !change.indexes.is_empty() || !change.deleted_indexes.is_empty() {
        storage.drop_indexes(&class_name, &change.deleted_indexes).await.map_err(failure)?;
        make_indexes(cx, &after, &indexes).await?;
        let mut listed = class.schema.indexes.clone();
        if listed.is_empty() {
            listed.insert("_id_".to_owned(), IndexKeys::from_iter([("_id".to_owned(), 1.into())]));
        }
        listed.retain(|name, _| !change.deleted_indexes.contains(name));
        listed.extend(change.indexes);
        storage.set_listed_indexes(&class_name, &listed).await.map_err(failure)?;
    }
    storage.settle_classes().await.map_err(failure)?;
    noting::note(cx, || Deed::new(What::ChangeClass).in_class(&class_name).fields(parts)).await;
    check::reload(cx, &class_name).await
}

/// A class that exists only in memory gets a schema document before it is changed.
async fn ensure_stored(cx: &Context, class: &Class) -> Result<()> {
    if class.stored {
        return Ok(());
    }
    match cx.app.storage.create_class(&class.schema).await {
        Ok(()) | Err(StorageError::Duplicate { .. }) => Ok(()),
        Err(error) => Err(failure(error)),
    }
}

/// Deletes a class without objects, and its relations.
///
/// # Errors
/// 255 if it has objects.
pub async fn drop(cx: &Context, name: &ClassName) -> Result<()> {
    let Some(class) = cx.reload_schemas().await?.get(name).cloned() else { return Ok(()) };
    let everything = Scoped::internal(Filter::All, "is the class empty");
    let rows = store::count(cx, &class, &everything, &FindOptions::default()).await?;
    if rows > 0 {
        return Err(ParseError::new(
            ErrorCode::InvalidSchemaOperation,
            format!("Class {name} is not empty, contains {rows} objects, cannot drop schema."),
        ));
    }
    cx.app.storage.delete_class(name).await.map_err(failure)?;
    drop_relations(cx, &class, |_| true).await?;
    cx.app.storage.settle_classes().await.map_err(failure)?;
    noting::note(cx, || Deed::new(What::DeleteClass).in_class(name)).await;
    cx.reload_schemas().await.map(|_| ())
}

/// Drops the members of those of a class's relations that are gone.
async fn drop_relations(cx: &Context, class: &Class, gone: impl Fn(&str) -> bool) -> Result<()> {
    for (field, definition) in &class.schema.fields {
        if matches!(definition.kind, FieldType::Relation(_)) && gone(field) {
            cx.app.storage.delete_class(&class.schema.name.join(field)).await.map_err(failure)?;
        }
    }
    Ok(())
}

/// Deletes all objects of a class.
///
/// # Errors
/// If the store fails.
pub async fn purge(cx: &Context, name: &ClassName) -> Result<()> {
    let class = cx.class(name);
    cx.app.events.announce_purge(name, None);
    let rows = if cx.schemas().may_hold(name) { Filter::All } else { Filter::Never };
    let purged = store::delete(cx, &class, &Scoped::internal(rows, "purge")).await;
    cx.app.caches.forget(name.as_str(), None);
    if cx.app.events.has_subscribers() {
        let until = cx.app.storage.position().await.map_err(failure);
        cx.app.events.announce_purge(name, Some(until.as_ref().copied().unwrap_or_default()));
        until?;
    }
    purged.map(|_| ())
}

/// Checks the fields that a request adds.
fn check_new_fields(
    known: &ClassSchema,
    wanted: &IndexMap<String, Map<String, Json>>,
) -> Result<IndexMap<String, Field>> {
    let mut added = IndexMap::new();
    for (name, definition) in wanted {
        if !names::is_valid_field_name(name) {
            return Err(ParseError::new(ErrorCode::InvalidKeyName, format!("invalid field name: {name}")));
        }
        if system_classes::is_default_column(&known.name, name) {
            return Err(ParseError::new(ErrorCode::UnchangeableInstallation, format!("field {name} cannot be added")));
        }
        added.insert(name.clone(), read_field(&known.name, name, definition)?);
    }
    let mut points =
        known.fields.iter().chain(&added).filter(|(_, field)| field.kind == FieldType::GeoPoint).map(|(name, _)| name);
    if let (Some(first), Some(second)) = (points.next(), points.next()) {
        return Err(ParseError::new(
            ErrorCode::IncorrectType,
            format!(
                "currently, only one GeoPoint field may exist in an object. Adding {second} when {first} already exists."
            ),
        ));
    }
    Ok(added)
}

/// Parses the definition of a field.
///
/// # Errors
/// 103, 107, 111, 135.
pub fn read_field(class: &ClassName, name: &str, definition: &Map<String, Json>) -> Result<Field> {
    let wrong = |text: String| ParseError::new(ErrorCode::IncorrectType, text);
    let kind = match definition.get("type") {
        Some(Json::String(kind)) => kind.as_str(),
        Some(_) | None => return Err(ParseError::new(ErrorCode::InvalidJson, "invalid JSON")),
    };
    let kind = if matches!(kind, "Pointer" | "Relation") {
        let target = match definition.get("targetClass") {
            None | Some(Json::Null) => {
                return Err(ParseError::new(ErrorCode::InvalidInstallation, format!("type {kind} needs a class name")));
            }
            Some(Json::String(target)) => ClassName::parse(target)?,
            Some(_) => return Err(ParseError::new(ErrorCode::InvalidJson, "invalid JSON")),
        };
        FieldType::from_name(kind, Some(target.as_str()))
    } else {
        FieldType::from_name(kind, None).filter(|kind| *kind != FieldType::Acl)
    };
    let Some(kind) = kind else {
        let kind = definition.get("type").and_then(Json::as_str).unwrap_or_default();
        return Err(wrong(format!("invalid field type: {kind}")));
    };
    let required = definition.get("required").is_some_and(json::is_truthy);
    let default = match definition.get("defaultValue") {
        None | Some(Json::Null) => None,
        Some(value) => Some(json::decode(value.clone())?),
    };
    if matches!(kind, FieldType::Relation(_)) {
        if default.is_some() {
            return Err(wrong(format!("The 'default value' option is not applicable for {kind}")));
        }
        if required {
            return Err(wrong(format!("The 'required' option is not applicable for {kind}")));
        }
    }
    if let Some(got) = default.as_ref().and_then(FieldType::of)
        && got != kind
    {
        return Err(wrong(format!("schema mismatch for {class}.{name} default value; expected {kind} but got {got}")));
    }
    Ok(Field { kind, required, default: default.filter(|value| *value != Value::Null) })
}

fn check_indexes(
    cx: &Context,
    schema: &ClassSchema,
    existing: &IndexMap<String, IndexKeys>,
    wanted: &IndexMap<String, IndexKeys>,
    deleted: &[String],
) -> Result<Vec<IndexSpec>> {
    let refuse = |text: String| ParseError::new(ErrorCode::InvalidQuery, text);
    for name in deleted {
        if !existing.contains_key(name) {
            return Err(refuse(format!("Index {name} does not exist, cannot delete.")));
        }
    }
    let any_field = cx.app.options.database.driver.disable_index_field_validation == Some(true);
    let mut specs = Vec::new();
    for (name, keys) in wanted {
        if existing.contains_key(name) || name == "_id_" {
            return Err(refuse(format!("Index {name} exists, cannot update.")));
        }
        if keys.is_empty() {
            return Err(refuse(format!("Index {name} has no keys.")));
        }
        if name.is_empty() || name.contains('\0') {
            return Err(refuse("Names of indexes cannot be empty or contain NUL.".to_owned()));
        }
        if !keys.values().all(is_direction) {
            return Err(refuse(format!(
                "The index {name} cannot be made: its keys must be 1, -1, text, 2d, 2dsphere or hashed."
            )));
        }
        for field in keys.keys() {
            if names::FieldPath::parse(field).is_none() {
                return Err(refuse(format!("Field {} does not exist, cannot add index.", field.replace('\0', ""))));
            }
            let field = field.strip_prefix("_p_").unwrap_or(field);
            let root = field.split('.').next().unwrap_or(field);
            let internal = matches!(root, "_id" | "_created_at" | "_updated_at" | "_rperm" | "_wperm");
            if !any_field && !schema.fields.contains_key(root) && !internal {
                return Err(refuse(format!("Field {field} does not exist, cannot add index.")));
            }
        }
        specs.push(IndexSpec {
            name: name.clone(),
            keys: keys.clone(),
            unique: false,
            sparse: false,
            case_insensitive: false,
            expire_after_seconds: None,
            embedded_only: false,
        });
    }
    Ok(specs)
}

/// Whether MongoDB takes the value of an index's key: any number but zero, or a kind of index.
fn is_direction(value: &Json) -> bool {
    match value {
        Json::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Json::String(kind) => matches!(kind.as_str(), "text" | "2d" | "2dsphere" | "hashed"),
        _ => false,
    }
}

async fn make_indexes(cx: &Context, schema: &ClassSchema, indexes: &[IndexSpec]) -> Result<()> {
    if indexes.is_empty() {
        return Ok(());
    }
    let storage = &cx.app.storage;
    storage.create_indexes(schema, indexes).await.map_err(failure)?;
    // A store may not create an index that equals another one. It must not be added to the list then, because the next
    // start would remove it.
    let real = storage.indexes(&schema.name).await.map_err(failure)?;
    match indexes.iter().find(|index| !real.contains_key(&index.name)) {
        None => Ok(()),
        Some(index) => Err(ParseError::new(
            ErrorCode::InvalidQuery,
            format!("The index {} cannot be made: there is an index with the same keys.", index.name),
        )),
    }
}

//! The collection `_SCHEMA`: one document for each class, with one key for each field.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt as _;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};
use tracing::warn;

use super::{MongoStorage, changes, error, plain, update};
use crate::model::json;
use crate::model::names::{ClassName, USER};
use crate::model::schema::{ClassSchema, Field, FieldType, IndexKeys};
use crate::storage::{Result, StorageError};

/// Keys of a class document that are not fields.
const METADATA: &str = "_metadata";
/// Fields that every class has, even without a key.
const DEFAULT_FIELDS: [&str; 4] = ["objectId", "createdAt", "updatedAt", "ACL"];

/// The name of a type in class documents.
fn type_text(kind: &FieldType) -> String {
    match kind {
        FieldType::String => "string".to_owned(),
        FieldType::Number => "number".to_owned(),
        FieldType::Boolean => "boolean".to_owned(),
        FieldType::Date => "date".to_owned(),
        FieldType::Object => "object".to_owned(),
        FieldType::Array => "array".to_owned(),
        FieldType::File => "file".to_owned(),
        FieldType::Bytes => "bytes".to_owned(),
        FieldType::GeoPoint => "geopoint".to_owned(),
        FieldType::Polygon => "polygon".to_owned(),
        FieldType::Acl => "ACL".to_owned(),
        FieldType::Pointer(class) => format!("*{class}"),
        FieldType::Relation(class) => format!("relation<{class}>"),
    }
}

/// Parses the name of a type.
fn type_of(text: &str) -> Option<FieldType> {
    Some(match text {
        "string" => FieldType::String,
        "number" => FieldType::Number,
        "boolean" => FieldType::Boolean,
        "date" => FieldType::Date,
        "object" | "map" => FieldType::Object,
        "array" => FieldType::Array,
        "file" => FieldType::File,
        "bytes" => FieldType::Bytes,
        "geopoint" => FieldType::GeoPoint,
        "polygon" => FieldType::Polygon,
        _ => {
            if let Some(class) = text.strip_prefix('*') {
                FieldType::Pointer(ClassName::unchecked(class))
            } else {
                let class = text.strip_prefix("relation<")?.strip_suffix('>')?;
                FieldType::Relation(ClassName::unchecked(class))
            }
        }
    })
}

/// All classes.
pub(super) async fn classes(storage: &MongoStorage) -> Result<Vec<ClassSchema>> {
    let schemas = storage.schemas();
    storage
        .within(async {
            let mut cursor = schemas.find(doc! {}).batch_size(1000).await.map_err(error::storage)?;
            let mut classes = Vec::new();
            while let Some(document) = cursor.try_next().await.map_err(error::storage)? {
                classes.extend(read(document));
            }
            Ok(classes)
        })
        .await
}

/// A class document as a class.
pub(super) fn read(mut document: Document) -> Option<ClassSchema> {
    let name = document.remove("_id")?.as_str()?.to_owned();
    let mut schema = ClassSchema::new(ClassName::unchecked(name));
    let mut metadata = match document.remove(METADATA) {
        Some(Bson::Document(metadata)) => metadata,
        _ => Document::new(),
    };
    let mut options = section(&mut metadata, "fields_options").unwrap_or_default();
    for (field, text) in document {
        if DEFAULT_FIELDS.contains(&field.as_str()) || field.starts_with('_') {
            continue;
        }
        let Some(kind) = text.as_str().and_then(type_of) else {
            warn!(class = %schema.name, field, "field with unknown type in _SCHEMA is ignored");
            continue;
        };
        let mut read = Field::new(kind);
        if let Some(Json::Object(mut own)) = options.remove(&field) {
            read.required = own.get("required") == Some(&Json::Bool(true));
            read.default = own.remove("defaultValue").map(json::decode_stored).filter(|value| !value.is_null());
        }
        schema.fields.insert(field, read);
    }
    schema.permissions = section(&mut metadata, "class_permissions");
    schema.indexes = section(&mut metadata, "indexes")
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(name, keys)| if let Json::Object(keys) = keys { Some((name, keys)) } else { None })
        .collect();
    Some(schema)
}

fn section(metadata: &mut Document, name: &str) -> Option<Map<String, Json>> {
    match metadata.remove(name) {
        Some(Bson::Document(section)) => Some(plain::map(section)),
        _ => None,
    }
}

/// A class as a class document.
pub(super) fn write(schema: &ClassSchema) -> Result<Document> {
    let mut document = doc! { "_id": schema.name.as_str() };
    document.extend(first_keys());
    let mut options = Document::new();
    for (name, field) in &schema.fields {
        if !has_key(&schema.name, name) {
            continue;
        }
        document.insert(name, type_text(&field.kind));
        if let Some(own) = field_options(field)? {
            options.insert(name, own);
        }
    }
    let mut metadata = Document::new();
    if !options.is_empty() {
        metadata.insert("fields_options", options);
    }
    if let Some(permissions) = &schema.permissions {
        metadata.insert("class_permissions", plain::document(permissions)?);
    }
    if !schema.indexes.is_empty() {
        metadata.insert("indexes", listed(&schema.indexes)?);
    }
    if !metadata.is_empty() {
        document.insert(METADATA, metadata);
    }
    Ok(document)
}

/// The first keys of every class document.
fn first_keys() -> Document {
    doc! { "objectId": "string", "updatedAt": "date", "createdAt": "date" }
}

/// Whether a field is stored in the class document. `password` of users is not, because its column has another name.
fn has_key(class: &ClassName, field: &str) -> bool {
    let elsewhere = DEFAULT_FIELDS.contains(&field) || field.starts_with('_');
    !elsewhere && (*class != USER || field != "password")
}

fn field_options(field: &Field) -> Result<Option<Document>> {
    let mut options = Document::new();
    if field.required {
        options.insert("required", true);
    }
    if let Some(default) = &field.default {
        options.insert("defaultValue", plain::bson(&json::encode(default))?);
    }
    Ok(if options.is_empty() { None } else { Some(options) })
}

fn listed(indexes: &IndexMap<String, IndexKeys>) -> Result<Document> {
    indexes
        .iter()
        .map(|(name, keys)| Ok((super::encode::key(name.clone())?, Bson::Document(plain::document(keys)?))))
        .collect()
}

/// Creates a class.
pub(super) async fn create_class(storage: &MongoStorage, schema: &ClassSchema) -> Result<()> {
    let schemas = storage.schemas();
    if storage.images.as_ref().is_some_and(|images| (images.0)(schema.name.as_str())) {
        // From its first row on.
        changes::keep_images_if_possible(storage, &schema.name).await;
    }
    storage.run(schemas.insert_one(write(schema)?)).await.map(|_| ())
}

/// Adds a field with one conditional update. If two servers do this at once, one creates the field and the other
/// finds it.
/// A class without a document gets one.
pub(super) async fn add_field(storage: &MongoStorage, class: &ClassName, name: &str, field: &Field) -> Result<()> {
    if !has_key(class, name) {
        return Ok(());
    }
    checked(name)?;
    let mut set = doc! { name: type_text(&field.kind) };
    if let Some(options) = field_options(field)? {
        set.insert(format!("{METADATA}.fields_options.{name}"), options);
    }
    let query = doc! { "_id": class.as_str(), name: { "$exists": false } };
    let update = doc! { "$set": set, "$setOnInsert": first_keys() };
    let schemas = storage.schemas();
    match storage.run(schemas.update_one(query, update).upsert(true)).await {
        // The document of the class already has the field.
        Err(StorageError::Duplicate { .. }) => {
            let found = storage.run(schemas.find_one(doc! { "_id": class.as_str() })).await?;
            let kind = found.as_ref().and_then(|document| document.get_str(name).ok()).and_then(type_of);
            match kind {
                Some(kind) if kind == field.kind => Ok(()),
                Some(kind) => Err(StorageError::FieldExists(kind.to_string())),
                None => Err(StorageError::FieldExists("unknown".to_owned())),
            }
        }
        result => result.map(|_| ()),
    }
}

/// Checks a field name before it becomes part of a path. Names from clients have been checked already.
fn checked(name: &str) -> Result<()> {
    if name.is_empty() || name.contains(['.', '\0']) || name.starts_with('$') {
        return Err(StorageError::Refused(format!("invalid field name: {name}")));
    }
    Ok(())
}

/// Replaces the options of a field.
pub(super) async fn set_field_options(
    storage: &MongoStorage,
    class: &ClassName,
    name: &str,
    field: &Field,
) -> Result<()> {
    checked(name)?;
    let path = format!("{METADATA}.fields_options.{name}");
    let update = if let Some(options) = field_options(field)? {
        doc! { "$set": { path: options } }
    } else {
        doc! { "$unset": { path: "" } }
    };
    let schemas = storage.schemas();
    storage.run(schemas.update_one(doc! { "_id": class.as_str() }, update)).await.map(|_| ())
}

/// Deletes fields: first in the rows, so that after a failure the class still has the fields. This can take long for
/// large classes.
pub(super) async fn delete_fields(storage: &MongoStorage, schema: &ClassSchema, names: &[String]) -> Result<()> {
    let columns = update::removal(schema, names);
    if !columns.is_empty() {
        let present: Vec<Document> = columns.keys().map(|column| doc! { column: { "$exists": true } }).collect();
        let rows = storage.rows(&schema.name);
        storage.run_long(rows.update_many(doc! { "$or": present }, doc! { "$unset": columns })).await?;
    }
    let mut unset = Document::new();
    for name in names {
        checked(name)?;
        unset.insert(name, "");
        unset.insert(format!("{METADATA}.fields_options.{name}"), "");
    }
    if unset.is_empty() {
        return Ok(());
    }
    let schemas = storage.schemas();
    storage.run(schemas.update_one(doc! { "_id": schema.name.as_str() }, doc! { "$unset": unset })).await.map(|_| ())
}

/// Stores the permissions of a class.
pub(super) async fn set_permissions(
    storage: &MongoStorage,
    class: &ClassName,
    permissions: Option<&Map<String, Json>>,
) -> Result<()> {
    const SECTION: &str = "class_permissions";
    if let Some(permissions) = permissions {
        return set_metadata(storage, class, SECTION, plain::document(permissions)?).await;
    }
    let update = doc! { "$unset": { format!("{METADATA}.{SECTION}"): "" } };
    storage.run(storage.schemas().update_one(doc! { "_id": class.as_str() }, update)).await.map(|_| ())
}

/// Stores the list of indexes of a class.
pub(super) async fn set_listed_indexes(
    storage: &MongoStorage,
    class: &ClassName,
    indexes: &IndexMap<String, IndexKeys>,
) -> Result<()> {
    set_metadata(storage, class, "indexes", listed(indexes)?).await
}

async fn set_metadata(storage: &MongoStorage, class: &ClassName, section: &str, content: Document) -> Result<()> {
    let schemas = storage.schemas();
    let update = doc! { "$set": { format!("{METADATA}.{section}"): content } };
    storage.run(schemas.update_one(doc! { "_id": class.as_str() }, update)).await.map(|_| ())
}

/// Deletes a class and its rows.
pub(super) async fn delete_class(storage: &MongoStorage, class: &ClassName) -> Result<()> {
    let rows = storage.rows(class);
    storage.run_long(rows.drop()).await?;
    let schemas = storage.schemas();
    storage.run(schemas.delete_one(doc! { "_id": class.as_str() })).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_of_parse_server_come_back_as_they_were() {
        let document = doc! {
            "_id": "WithOpts", "objectId": "string", "updatedAt": "date", "createdAt": "date",
            "q": "string", "n": "number", "p": "*Target", "r": "relation<_User>", "g": "geopoint",
            "_metadata": {
                "fields_options": { "q": { "required": true, "defaultValue": "dd" } },
                "class_permissions": { "find": { "requiresAuthentication": true }, "protectedFields": { "*": ["n"] } },
                "indexes": { "by_q": { "q": 1 } },
            },
        };
        let schema = read(document.clone()).unwrap();
        assert_eq!(schema.kind("p"), Some(&FieldType::Pointer(ClassName::unchecked("Target"))));
        assert!(schema.fields["q"].required);
        assert_eq!(schema.permissions.as_ref().unwrap()["find"], json!({"requiresAuthentication": true}));
        assert_eq!(schema.kind("ACL"), Some(&FieldType::Acl));
        assert_eq!(write(&schema).unwrap(), document);
    }

    #[test]
    fn old_and_unknown_types() {
        let schema = read(doc! { "_id": "Old", "createdAt": "string", "m": "map", "x": "nonsense" }).unwrap();
        assert_eq!(schema.kind("createdAt"), Some(&FieldType::Date));
        assert_eq!(schema.kind("m"), Some(&FieldType::Object));
        assert_eq!(schema.kind("x"), None);
        assert_eq!(schema.permissions, None);
    }
}

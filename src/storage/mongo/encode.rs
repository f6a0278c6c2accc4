//! Converts values and rows to BSON.

use bson::spec::BinarySubtype;
use bson::{Array, Binary, Bson, DateTime, Document};

use super::names::{POINTER, has_numeric_ids, is_default_date, renamed};
use crate::model::date::Date;
use crate::model::object::Object;
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::value::{File, GeoPoint, Pointer, Value};
use crate::storage::{Result, StorageError};

/// Maximum nesting of stored objects and arrays, which is that of BSON.
pub(super) const MAX_DEPTH: usize = 100;

/// Converts a row to the stored document.
pub(super) fn row(schema: &ClassSchema, row: Object) -> Result<Document> {
    let acl = acl(row.get("_wperm"), row.get("_rperm"));
    let mut document = Document::new();
    for (field, value) in row {
        if value.is_null() && matches!(schema.kind(&field), Some(FieldType::Pointer(_))) {
            // As in parse-server, a pointer that is created as null has no pointer column.
            document.insert(key(field.into_string())?, Bson::Null);
        } else if let Some((column, value)) = column(schema, &field, value)? {
            document.insert(column, value);
        }
    }
    if let Some(acl) = acl {
        document.insert("_acl", acl);
    }
    Ok(document)
}

/// The column and content of a field; `None` for relations, which have no column.
pub(super) fn column(schema: &ClassSchema, field: &str, value: Value) -> Result<Option<(String, Bson)>> {
    let kind = schema.kind(field);
    if matches!(kind, Some(FieldType::Relation(_) | FieldType::Acl)) || matches!(value, Value::Relation(_)) {
        return Ok(None);
    }
    if field == "objectId" {
        return Ok(Some(("_id".to_owned(), id(schema, value)?)));
    }
    if matches!(kind, Some(FieldType::Pointer(_))) || matches!(value, Value::Pointer(_)) {
        return Ok(Some((format!("{POINTER}{}", key(field.to_owned())?), top_level(pointed_at(value))?)));
    }
    let value = match value {
        Value::String(text) if is_default_date(field) => Date::parse(&text).map_or(Value::String(text), Value::Date),
        value => value,
    };
    let name = match renamed(field) {
        Some(column) => column.to_owned(),
        None => key(field.to_owned())?,
    };
    Ok(Some((name, top_level(value)?)))
}

/// An `objectId`. In classes with numeric ids the string `1` is the number 1.
pub(super) fn id(schema: &ClassSchema, value: Value) -> Result<Bson> {
    match value {
        Value::String(text) if has_numeric_ids(schema) => Ok(text.parse().map_or(Bson::String(text), Bson::Int32)),
        value => top_level(value),
    }
}

/// A fetched object in a pointer field counts as a pointer to it.
fn pointed_at(value: Value) -> Value {
    if let Value::Object(object) = &value
        && object.get_str("__type") == Some("Object")
        && let (Some(class), Some(id)) = (object.get_str("className"), object.get_str("objectId"))
    {
        return Value::String(pointer_text(class, id));
    }
    value
}

/// The stored form of a pointer.
pub(super) fn pointer_text(class: &str, id: &str) -> String {
    format!("{class}${id}")
}

/// A value directly in a column.
pub(super) fn top_level(value: Value) -> Result<Bson> {
    Ok(match value {
        Value::Pointer(pointer) => Bson::String(pointer_text(pointer.class.as_str(), &pointer.id)),
        Value::GeoPoint(point) => Bson::Array(position(point)),
        Value::Polygon(corners) => Bson::Document(polygon(&corners)),
        Value::File(file) => Bson::String(file.name),
        value => nested_at(value, 1)?,
    })
}

/// A value inside an object or array.
pub(super) fn nested(value: Value) -> Result<Bson> {
    nested_at(value, 1)
}

/// Values inside an array.
pub(super) fn nested_list(values: Vec<Value>) -> Result<Array> {
    values.into_iter().map(nested).collect()
}

fn nested_at(value: Value, depth: usize) -> Result<Bson> {
    if depth > MAX_DEPTH {
        return Err(StorageError::Refused(format!("Objects and arrays may be nested {MAX_DEPTH} deep at most")));
    }
    Ok(match value {
        Value::Null => Bson::Null,
        Value::Boolean(truth) => Bson::Boolean(truth),
        Value::Number(value) => number(value),
        Value::String(text) => Bson::String(text),
        Value::Date(date) => Bson::DateTime(DateTime::from_millis(date.millis())),
        Value::Bytes(bytes) => Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes }),
        Value::Pointer(Pointer { class, id }) => {
            typed("Pointer", [("className", class.as_str().to_owned().into()), ("objectId", id.into())])
        }
        Value::Relation(class) => typed("Relation", [("className", class.as_str().to_owned().into())]),
        Value::GeoPoint(point) => {
            typed("GeoPoint", [("latitude", number(point.latitude)), ("longitude", number(point.longitude))])
        }
        Value::Polygon(corners) => {
            let pairs: Array = corners
                .iter()
                .map(|point| Bson::Array(vec![number(point.latitude), number(point.longitude)]))
                .collect();
            typed("Polygon", [("coordinates", Bson::Array(pairs))])
        }
        Value::File(File { name, url }) => {
            let mut parts = vec![("name", Bson::String(name))];
            parts.extend(url.map(|url| ("url", Bson::String(url))));
            typed("File", parts)
        }
        Value::Array(list) => {
            Bson::Array(list.into_iter().map(|item| nested_at(item, depth + 1)).collect::<Result<_>>()?)
        }
        Value::Object(object) => Bson::Document(
            object
                .into_iter()
                .map(|(name, value)| Ok((key(name.into_string())?, nested_at(value, depth + 1)?)))
                .collect::<Result<_>>()?,
        ),
    })
}

fn typed(kind: &str, parts: impl IntoIterator<Item = (&'static str, Bson)>) -> Bson {
    let mut document = Document::new();
    document.insert("__type", kind);
    for (name, part) in parts {
        document.insert(name, part);
    }
    Bson::Document(document)
}

/// A field name. BSON terminates names with NUL, so they cannot contain one.
pub(super) fn key(name: String) -> Result<String> {
    if name.contains('\0') {
        return Err(StorageError::Refused("Names of fields cannot contain NUL".to_owned()));
    }
    Ok(name)
}

/// A number as a JavaScript program stores it: as a 32-bit integer if it is one.
#[must_use]
pub(super) fn number(value: f64) -> Bson {
    #[expect(clippy::cast_possible_truncation, reason = "compared with the original below")]
    let integer = value as i32;
    // Only a floating point number can represent minus zero.
    if f64::from(integer).to_bits() == value.to_bits() { Bson::Int32(integer) } else { Bson::Double(value) }
}

/// A point in MongoDB's legacy form: longitude first.
pub(super) fn position(point: GeoPoint) -> Array {
    vec![number(point.longitude), number(point.latitude)]
}

/// A polygon as `GeoJSON`: longitude first, the ring closed.
fn polygon(corners: &[GeoPoint]) -> Document {
    let mut ring: Array = corners.iter().map(|corner| Bson::Array(position(*corner))).collect();
    if let (Some(first), Some(last)) = (corners.first(), corners.last())
        && first != last
    {
        ring.push(Bson::Array(position(*first)));
    }
    let mut document = Document::new();
    document.insert("type", "Polygon");
    document.insert("coordinates", Bson::Array(vec![Bson::Array(ring)]));
    document
}

/// The column `_acl`, which older programs read: `{ID: {r: true, w: true}}`. `None` without permissions.
pub(super) fn acl(writers: Option<&Value>, readers: Option<&Value>) -> Option<Document> {
    if readers.is_none() && writers.is_none() {
        return None;
    }
    let mut acl = Document::new();
    for (list, right) in [(writers, "w"), (readers, "r")] {
        for entity in list.and_then(Value::as_array).unwrap_or_default().iter().filter_map(Value::as_str) {
            if entity.contains('\0') {
                continue;
            }
            match acl.get_mut(entity) {
                Some(Bson::Document(rights)) => {
                    rights.insert(right, true);
                }
                _ => {
                    acl.insert(entity, bson::doc! { right: true });
                }
            }
        }
    }
    Some(acl)
}

//! Converts BSON to rows and values directly from its bytes, without a tree of BSON values in between.

use bson::{Document, RawArray, RawBsonRef, RawDocument};
use mongodb::bson::RawBson;

use super::names::{POINTER, field_of};
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::value::{File, GeoPoint, Pointer, Value};
use crate::storage::{Result, StorageError};

/// Capacity for the columns of permissions, which are not part of any schema, and for fields that readers add.
const INTERNAL_COLUMNS: usize = 4;

/// More nesting than a database server accepts; deeper values are read as null.
pub(super) const MAX_DEPTH: usize = 250;

/// Converts a stored document to a row in REST terms, without pointer columns that the class does not have and without
/// the redundant `_acl`. Other internal columns keep their names.
pub(super) fn row(schema: &ClassSchema, document: &RawDocument) -> Result<Object> {
    let mut row = Object::with_capacity(schema.fields.len() + INTERNAL_COLUMNS);
    for element in document.iter_elements() {
        let element = element.map_err(|error| StorageError::Other(Box::new(error)))?;
        let column = element.key().as_str();
        if column == "_acl" {
            continue;
        }
        match element.value() {
            Ok(value) => field(schema, &mut row, column, value),
            // Some drivers write strings that are not UTF-8.
            Err(_) => {
                if let Ok(value) = element.value_utf8_lossy() {
                    field(schema, &mut row, column, value.as_raw_bson_ref());
                }
            }
        }
    }
    Ok(row)
}

/// Like [`row`], for a document in the driver's form.
pub(super) fn row_of(schema: &ClassSchema, document: &Document) -> Result<Object> {
    let raw = bson::RawDocumentBuf::try_from(document).map_err(|error| StorageError::Other(Box::new(error)))?;
    row(schema, &raw)
}

fn field(schema: &ClassSchema, row: &mut Object, column: &str, value: RawBsonRef<'_>) {
    if let Some(field) = column.strip_prefix(POINTER) {
        if let Some(FieldType::Pointer(class)) = schema.kind(field)
            && let Some(text) = value.as_str()
        {
            row.insert(field, pointer(class, text));
        }
        return;
    }
    if column == "_id" {
        row.insert("objectId", id(value));
        return;
    }
    if let Some(field) = field_of(column) {
        row.insert(field, default_date(field, value));
        return;
    }
    match schema.kind(column) {
        // A relation has no column; another program wrote this one.
        Some(FieldType::Relation(_)) => {}
        // A pointer that replaced the null is in another column.
        Some(FieldType::Pointer(_)) if row.contains(column) => {}
        Some(kind) => {
            row.insert(column, of_kind(kind, value));
        }
        None => {
            row.insert(column, self::value(value));
        }
    }
}

/// Dates that older programs stored as strings are read as dates.
fn default_date(field: &str, value: RawBsonRef<'_>) -> Value {
    match self::value(value) {
        Value::String(text) if super::names::is_default_date(field) => {
            Date::parse(&text).map_or(Value::String(text), Value::Date)
        }
        value => value,
    }
}

/// A value of a column of this type.
pub(super) fn of_kind(kind: &FieldType, value: RawBsonRef<'_>) -> Value {
    match (kind, value) {
        (FieldType::File, RawBsonRef::String(name)) => Value::File(File { name: name.to_owned(), url: None }),
        (FieldType::GeoPoint, RawBsonRef::Array(pair)) => {
            position(pair).map_or_else(|| self::value(value), Value::GeoPoint)
        }
        (FieldType::Polygon, RawBsonRef::Document(document)) => {
            polygon(document).map_or_else(|| self::value(value), Value::Polygon)
        }
        (FieldType::Pointer(class), RawBsonRef::String(text)) => pointer(class, text),
        (FieldType::Date, RawBsonRef::String(text)) => {
            Date::parse(text).map_or_else(|| Value::String(text.to_owned()), Value::Date)
        }
        _ => self::value(value),
    }
}

/// A pointer `Class$id`. In rows written by this server or parse-server, `Class` is always the class in the schema.
pub(super) fn pointer(class: &ClassName, text: &str) -> Value {
    Value::pointer(class, pointer_id(class, text))
}

/// The id in `Class$id`. A class that a client made up may have a `$` in its name.
pub(super) fn pointer_id<'a>(class: &ClassName, text: &'a str) -> &'a str {
    let behind = text.strip_prefix(class.as_str()).and_then(|rest| rest.strip_prefix('$'));
    behind.unwrap_or_else(|| text.split_once('$').map_or(text, |(_, id)| id))
}

/// The text of an `_id`.
pub(super) fn id(value: RawBsonRef<'_>) -> Value {
    match self::value(value) {
        Value::Number(number) => Value::String(number.to_string()),
        value => value,
    }
}

fn numeric(value: RawBsonRef<'_>) -> Option<f64> {
    match value {
        RawBsonRef::Double(value) => Some(value),
        RawBsonRef::Int32(value) => Some(f64::from(value)),
        #[expect(clippy::cast_precision_loss, reason = "numbers of this model are floating point numbers")]
        RawBsonRef::Int64(value) => Some(value as f64),
        RawBsonRef::Decimal128(value) => value.to_string().parse().ok(),
        _ => None,
    }
}

/// `[longitude, latitude]`.
fn position(pair: &RawArray) -> Option<GeoPoint> {
    let longitude = numeric(pair.get(0).ok()??)?;
    let latitude = numeric(pair.get(1).ok()??)?;
    Some(GeoPoint { latitude, longitude })
}

/// The outer ring of a `GeoJSON` polygon.
fn polygon(document: &RawDocument) -> Option<Vec<GeoPoint>> {
    let ring = document.get_array("coordinates").ok()?.get(0).ok()??.as_array()?;
    ring.into_iter().map(|corner| position(corner.ok()?.as_array()?)).collect()
}

/// Any value, at any depth, in REST's terms.
pub(super) fn value(value: RawBsonRef<'_>) -> Value {
    value_at(value, 0)
}

/// Like [`value`], at a depth.
pub(super) fn value_at(value: RawBsonRef<'_>, depth: usize) -> Value {
    match value {
        RawBsonRef::Boolean(truth) => Value::Boolean(truth),
        RawBsonRef::Double(_) | RawBsonRef::Int32(_) | RawBsonRef::Int64(_) | RawBsonRef::Decimal128(_) => {
            numeric(value).map_or(Value::Null, Value::Number)
        }
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) | RawBsonRef::JavaScriptCode(text) => {
            Value::String(text.to_owned())
        }
        RawBsonRef::DateTime(date) => Value::Date(Date::from_millis(date.timestamp_millis())),
        RawBsonRef::Binary(binary) => Value::Bytes(binary.bytes.to_vec()),
        RawBsonRef::ObjectId(id) => Value::String(id.to_hex()),
        RawBsonRef::RegularExpression(regex) => Value::String(format!("/{}/{}", regex.pattern, regex.options)),
        RawBsonRef::Timestamp(time) => Value::Number(f64::from(time.time)),
        RawBsonRef::Array(list) if depth < MAX_DEPTH => Value::Array(
            list.into_iter().map(|item| item.map_or(Value::Null, |item| value_at(item, depth + 1))).collect(),
        ),
        RawBsonRef::Document(document) if depth < MAX_DEPTH => {
            let mut object = Object::new();
            for element in document.iter_elements() {
                let Ok(element) = element else { break };
                let value = match element.value() {
                    Ok(value) => value_at(value, depth + 1),
                    Err(_) => element
                        .value_utf8_lossy()
                        .map_or(Value::Null, |value: RawBson| value_at(value.as_raw_bson_ref(), depth + 1)),
                };
                object.insert(element.key().as_str(), value);
            }
            typed(&object).unwrap_or(Value::Object(object))
        }
        _ => Value::Null,
    }
}

/// The typed value of a nested REST object.
fn typed(object: &Object) -> Option<Value> {
    let text = |field: &str| object.get_str(field);
    Some(match object.get("__type") {
        None => return defective_bytes(object),
        Some(Value::String(kind)) => match kind.as_str() {
            "Pointer" => Value::Pointer(Pointer {
                class: ClassName::unchecked(text("className")?),
                id: text("objectId")?.to_owned(),
            }),
            "Relation" => Value::Relation(ClassName::unchecked(text("className")?)),
            "Date" => Value::Date(Date::parse(text("iso")?)?),
            "File" => Value::File(File { name: text("name")?.to_owned(), url: text("url").map(str::to_owned) }),
            "GeoPoint" => Value::GeoPoint(GeoPoint {
                latitude: object.get("latitude")?.as_number()?,
                longitude: object.get("longitude")?.as_number()?,
            }),
            "Polygon" => {
                let corner = |corner: &Value| match corner.as_array()? {
                    [latitude, longitude] => {
                        Some(GeoPoint { latitude: latitude.as_number()?, longitude: longitude.as_number()? })
                    }
                    _ => None,
                };
                Value::Polygon(object.get("coordinates")?.as_array()?.iter().map(corner).collect::<Option<_>>()?)
            }
            "Bytes" => {
                use base64::Engine as _;
                Value::Bytes(base64::engine::general_purpose::STANDARD.decode(text("base64")?).ok()?)
            }
            _ => return None,
        },
        Some(_) => return None,
    })
}

/// parse-server writes bytes inside objects as `{buffer: {0: …, 1: …}, sub_type: 0, position: LENGTH}`.
fn defective_bytes(object: &Object) -> Option<Value> {
    if object.len() != 3 || !object.contains("sub_type") {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a byte")]
    let byte = |value: &Value| {
        value
            .as_number()
            .filter(|number| number.fract() == 0.0 && (0.0..=255.0).contains(number))
            .map(|number| number as u8)
    };
    let buffer = object.get("buffer")?.as_object()?;
    let mut bytes = Vec::with_capacity(buffer.len());
    for (at, (key, value)) in buffer.iter().enumerate() {
        if key.parse() != Ok(at) {
            return None;
        }
        bytes.push(byte(value)?);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from float saturates")]
    let length = object.get("position")?.as_number()? as usize;
    bytes.truncate(length);
    Some(Value::Bytes(bytes))
}

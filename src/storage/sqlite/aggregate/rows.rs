//! Turns rows into the documents of a pipeline, and documents into what the caller gets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use compact_str::format_compact;
use serde_json::{Map, Value as Json, json};

use super::super::filter::column;
use crate::model::acl::{Access, Acl};
use crate::model::json;
use crate::model::names::ClassName;
use crate::model::object::{FieldName, Object};
use crate::model::query::compare::stored;
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::value::{File, GeoPoint, Pointer, Value};

/// Prefix of the names of pointer fields.
pub const POINTER: &str = "_p_";

/// A row as MongoDB would have it.
#[must_use]
pub fn to_document(row: Object) -> Object {
    let acl = Acl::from_permissions(row.get("_rperm"), row.get("_wperm"));
    let mut document: Object = row
        .into_iter()
        .map(|(field, value)| {
            let name = match (field.as_str(), &value) {
                ("objectId", _) => FieldName::const_new("_id"),
                ("createdAt", _) => FieldName::const_new("_created_at"),
                ("updatedAt", _) => FieldName::const_new("_updated_at"),
                (_, Value::Pointer(_)) => format_compact!("{POINTER}{field}"),
                _ => field,
            };
            let value = stored(&value).into_owned();
            (name, value)
        })
        .collect();
    if let Some(acl) = acl {
        document.insert("_acl", stored_acl(&acl));
    }
    document
}

/// The permissions in the short form that older programs read: `{ID: {r: true, w: true}}`.
fn stored_acl(acl: &Acl) -> Value {
    let rights = |access: Access| -> Object {
        let rights = [("r", access.read), ("w", access.write)].into_iter();
        rights.filter(|(_, given)| *given).map(|(right, _)| (right, Value::Boolean(true))).collect()
    };
    Value::Object(acl.iter().map(|(entity, access)| (entity, Value::Object(rights(access)))).collect())
}

/// A path in the database's terms as rows have it.
#[must_use]
pub fn rest_path(path: &str) -> String {
    let (field, rest) =
        path.split_once('.').map_or((path, ""), |(field, _)| (field, path.get(field.len()..).unwrap_or("")));
    let field = match field {
        "_id" => "objectId",
        "_created_at" => "createdAt",
        "_updated_at" => "updatedAt",
        other => other.strip_prefix(POINTER).unwrap_or(other),
    };
    format!("{field}{rest}")
}

/// A path of rows in the database's terms.
#[must_use]
pub fn database_path(schema: &ClassSchema, path: &str) -> String {
    let path = column(path);
    let (field, rest) =
        path.split_once('.').map_or((path.as_str(), ""), |(field, _)| (field, path.get(field.len()..).unwrap_or("")));
    match field {
        "objectId" => format!("_id{rest}"),
        "createdAt" => format!("_created_at{rest}"),
        "updatedAt" => format!("_updated_at{rest}"),
        other if matches!(schema.kind(other), Some(FieldType::Pointer(_))) => format!("{POINTER}{other}{rest}"),
        other => format!("{other}{rest}"),
    }
}

/// How documents are presented to the caller.
#[derive(Debug)]
pub struct Output {
    /// The class, for the types of its fields.
    pub schema: ClassSchema,
    /// Names are translated.
    pub names: bool,
    /// Values are Parse's; otherwise Extended JSON.
    pub values: bool,
    /// Ids of the results are stored pointers.
    pub pointer_id: bool,
    /// The relations that every result shows, where results are whole objects of the class.
    pub relations: Vec<(String, Json)>,
}

impl Output {
    /// A document as the caller gets it.
    #[must_use]
    pub fn row(&self, mut document: Object) -> Json {
        let id = self.names.then(|| document.remove("_id")).flatten();
        let mut row: Map<String, Json> = match (self.values, self.names) {
            (false, _) => document.iter().map(|(field, value)| (field.to_string(), extended(value))).collect(),
            (true, false) => document.iter().map(|(field, value)| (field.to_string(), driver_json(value))).collect(),
            (true, true) => {
                document.into_iter().filter_map(|(field, value)| self.field(field.into_string(), value)).collect()
            }
        };
        if let Some(id) = id {
            let id = match id {
                Value::String(text) if self.values && self.pointer_id => {
                    Json::String(text.split_once('$').map_or(text.as_str(), |(_, id)| id).to_owned())
                }
                id if self.values => json::encode(&id),
                id => extended(&id),
            };
            row.insert("objectId".to_owned(), json::null_if_empty(id));
        }
        row.extend(self.relations.iter().cloned());
        Json::Object(row)
    }

    fn field(&self, field: String, value: Value) -> Option<(String, Json)> {
        let dated = |name: &str, value: &Value| {
            let json = value.as_date().map_or_else(|| json::encode(value), |date| Json::String(date.to_iso()));
            Some((name.to_owned(), json))
        };
        match field.as_str() {
            "_created_at" | "createdAt" => return dated("createdAt", &value),
            "_updated_at" | "updatedAt" => return dated("updatedAt", &value),
            _ => {}
        }
        if let Some(name) = field.strip_prefix(POINTER) {
            let (class, id) = value.as_str()?.split_once('$')?;
            return Some((
                name.to_owned(),
                json::encode(&Value::Pointer(Pointer { class: ClassName::unchecked(class), id: id.to_owned() })),
            ));
        }
        if field.starts_with('_') {
            return None;
        }
        let value = match (self.schema.kind(&field), &value) {
            (Some(FieldType::GeoPoint), Value::Array(pair)) => point(pair).map_or(value, Value::GeoPoint),
            (Some(FieldType::Polygon), Value::Object(shape)) => polygon(shape).map_or(value, Value::Polygon),
            (Some(FieldType::File), Value::String(name)) => Value::File(File { name: name.clone(), url: None }),
            _ => value,
        };
        Some((field, json::encode(&value)))
    }
}

fn point(pair: &[Value]) -> Option<GeoPoint> {
    match pair {
        [Value::Number(longitude), Value::Number(latitude)] => {
            Some(GeoPoint { latitude: *latitude, longitude: *longitude })
        }
        _ => None,
    }
}

fn polygon(shape: &Object) -> Option<Vec<GeoPoint>> {
    let ring = shape.get("coordinates")?.as_array()?.first()?.as_array()?;
    ring.iter().map(|corner| corner.as_array().and_then(point)).collect()
}

/// A value as JavaScript's driver writes it as JSON: dates are texts.
fn driver_json(value: &Value) -> Json {
    match value {
        Value::Date(date) => Json::String(date.to_iso()),
        Value::Bytes(bytes) => Json::String(STANDARD.encode(bytes)),
        Value::Array(list) => list.iter().map(driver_json).collect(),
        Value::Object(object) => {
            Json::Object(object.iter().map(|(field, value)| (field.to_string(), driver_json(value))).collect())
        }
        other => json::encode(other),
    }
}

/// A value as relaxed Extended JSON.
fn extended(value: &Value) -> Json {
    match value {
        Value::Date(date) => json!({"$date": date.to_iso()}),
        Value::Bytes(bytes) => json!({"$binary": {"base64": STANDARD.encode(bytes), "subType": "00"}}),
        Value::Array(list) => list.iter().map(extended).collect(),
        Value::Object(object) => {
            Json::Object(object.iter().map(|(field, value)| (field.to_string(), extended(value))).collect())
        }
        other => json::encode(other),
    }
}

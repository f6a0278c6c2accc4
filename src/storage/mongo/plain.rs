//! Converts JSON to BSON and back as a JavaScript program would, without Parse's typed values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bson::{Bson, Document};
use serde_json::{Map, Value as Json};

use super::encode::{MAX_DEPTH, key, number};
use crate::model::date::Date;
use crate::model::json;
use crate::storage::{Result, StorageError};

/// JSON as BSON.
pub(super) fn bson(json: &Json) -> Result<Bson> {
    bson_at(json, 0)
}

/// The fields of a JSON object as BSON.
pub(super) fn document(map: &Map<String, Json>) -> Result<Document> {
    document_at(map, 0)
}

fn document_at(map: &Map<String, Json>, depth: usize) -> Result<Document> {
    map.iter().map(|(name, value)| Ok((key(name.clone())?, bson_at(value, depth + 1)?))).collect()
}

fn bson_at(json: &Json, depth: usize) -> Result<Bson> {
    if depth > MAX_DEPTH {
        return Err(StorageError::Refused(format!("Objects and arrays may be nested {MAX_DEPTH} deep at most")));
    }
    Ok(match json {
        Json::Null => Bson::Null,
        Json::Bool(truth) => Bson::Boolean(*truth),
        Json::Number(value) => number(value.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Bson::String(text.clone()),
        Json::Array(list) => Bson::Array(list.iter().map(|item| bson_at(item, depth + 1)).collect::<Result<_>>()?),
        Json::Object(map) => Bson::Document(document_at(map, depth)?),
    })
}

/// Converts BSON to JSON: dates as ISO strings, ids as hexadecimal digits, bytes as base64. The database server limits
/// the nesting of documents.
pub(super) fn json(value: Bson) -> Json {
    match value {
        Bson::Double(value) => json::number(value),
        Bson::String(text) | Bson::Symbol(text) | Bson::JavaScriptCode(text) => Json::String(text),
        Bson::Array(list) => Json::Array(list.into_iter().map(json).collect()),
        Bson::Document(document) => Json::Object(map(document)),
        Bson::Boolean(truth) => Json::Bool(truth),
        Bson::Int32(value) => value.into(),
        Bson::Int64(value) => value.into(),
        Bson::DateTime(date) => Json::String(Date::from_millis(date.timestamp_millis()).to_iso()),
        Bson::ObjectId(id) => Json::String(id.to_hex()),
        Bson::Binary(binary) => Json::String(STANDARD.encode(binary.bytes)),
        Bson::Decimal128(value) => Json::String(value.to_string()),
        Bson::RegularExpression(regex) => Json::String(format!("/{}/{}", regex.pattern, regex.options)),
        Bson::Timestamp(time) => Json::String(((u64::from(time.time) << 32) | u64::from(time.increment)).to_string()),
        Bson::Null
        | Bson::Undefined
        | Bson::MinKey
        | Bson::MaxKey
        | Bson::DbPointer(_)
        | Bson::JavaScriptCodeWithScope(_) => Json::Null,
    }
}

/// A document as a JSON object.
pub(super) fn map(document: Document) -> Map<String, Json> {
    document.into_iter().map(|(key, value)| (key, json(value))).collect()
}

/// Converts BSON to relaxed Extended JSON, for callers that request the database's own types.
pub(super) fn extended(value: Bson) -> Json {
    let wrap = |name: &str, value: Json| Json::Object(Map::from_iter([(name.to_owned(), value)]));
    match value {
        Bson::Array(list) => Json::Array(list.into_iter().map(extended).collect()),
        Bson::Document(document) => {
            Json::Object(document.into_iter().map(|(key, value)| (key, extended(value))).collect())
        }
        Bson::DateTime(date) => {
            let iso = Date::from_millis(date.timestamp_millis()).to_iso();
            wrap(
                "$date",
                Json::String(iso.strip_suffix(".000Z").map_or_else(|| iso.clone(), |seconds| format!("{seconds}Z"))),
            )
        }
        Bson::ObjectId(id) => wrap("$oid", Json::String(id.to_hex())),
        Bson::Binary(binary) => {
            let mut parts = Map::new();
            parts.insert("base64".to_owned(), Json::String(STANDARD.encode(&binary.bytes)));
            parts.insert("subType".to_owned(), Json::String(format!("{:02x}", u8::from(binary.subtype))));
            wrap("$binary", Json::Object(parts))
        }
        Bson::Decimal128(value) => wrap("$numberDecimal", Json::String(value.to_string())),
        Bson::Double(value) if !value.is_finite() => {
            let text = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            };
            wrap("$numberDouble", Json::String(text.to_owned()))
        }
        value => json(value),
    }
}

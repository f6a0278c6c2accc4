//! Tests against a real server, whose address `REPARSE_TEST_MONGO` gives, and of what is sent to it.

mod aggregates;
mod documents;
mod operations;
mod queries;
mod watching;

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{MongoOptions, MongoStorage};
use crate::model::json::{decode_map, encode_object};
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::query::filter::Resolved;
use crate::model::query::options::FindOptions;
use crate::model::schema::{ClassSchema, Field, FieldType};
use crate::storage::Storage as _;

/// A class `Thing` with a field of every type, named by its first letters.
fn thing() -> ClassSchema {
    let mut schema = ClassSchema::new(ClassName::unchecked("Thing"));
    let target = ClassName::unchecked("Target");
    for (name, kind) in [
        ("s", FieldType::String),
        ("n", FieldType::Number),
        ("b", FieldType::Boolean),
        ("d", FieldType::Date),
        ("o", FieldType::Object),
        ("a", FieldType::Array),
        ("fi", FieldType::File),
        ("by", FieldType::Bytes),
        ("g", FieldType::GeoPoint),
        ("po", FieldType::Polygon),
        ("p", FieldType::Pointer(target.clone())),
        ("r", FieldType::Relation(target)),
    ] {
        schema.fields.insert(name.to_owned(), Field::new(kind));
    }
    schema
}

/// An object from REST JSON.
fn object(json: Json) -> Object {
    let Json::Object(map) = json else { panic!("not an object: {json}") };
    let mut object = decode_map(map).unwrap();
    for field in ["createdAt", "updatedAt"] {
        if let Some(text) = object.get_str(field).map(str::to_owned) {
            object.insert(field, crate::model::date::Date::parse(&text).unwrap());
        }
    }
    object
}

/// A value from REST JSON.
fn value(json: Json) -> crate::model::value::Value {
    crate::model::json::decode(json).unwrap()
}

fn rest(object: &Object) -> Json {
    Json::Object(encode_object(object))
}

/// A store on an empty database of its own.
async fn store(name: &str) -> MongoStorage {
    let uri = std::env::var("REPARSE_TEST_MONGO")
        .expect("REPARSE_TEST_MONGO must hold the address of a MongoDB replica set, as mongodb://127.0.0.1:27017/");
    let (base, query) = uri.split_once('?').unwrap_or((&uri, ""));
    let host = base.trim_start_matches("mongodb://").split('/').next().unwrap();
    let database = format!("reparse_unit_{name}_{}", std::process::id());
    let mut options = MongoOptions::new(format!("mongodb://{host}/{database}?{query}"));
    options.collection_prefix = "x.".to_owned();
    options.timeout = Duration::from_secs(20);
    let storage = MongoStorage::connect(options).await.unwrap();
    storage.database.drop().await.unwrap();
    storage
}

/// Removes what [`store`] made.
async fn clean(storage: MongoStorage) {
    storage.database.drop().await.unwrap();
    storage.close().await;
}

/// Stores rows of `Thing`, whose `objectId`s are `0`, `1`, ….
async fn fill(storage: &MongoStorage, rows: Vec<Json>) {
    for (at, mut row) in rows.into_iter().enumerate() {
        if row.get("objectId").is_none() {
            row["objectId"] = json!(at.to_string());
        }
        storage.insert(&thing(), object(row), None).await.unwrap();
    }
}

/// The ids of the rows that match, in the order they come.
async fn ids(storage: &MongoStorage, filter: &Resolved, options: &FindOptions) -> String {
    let rows = storage.find(&thing(), filter, options, None).await.unwrap();
    rows.iter().map(|row| row.get_str("objectId").unwrap().to_owned()).collect::<Vec<_>>().join(" ")
}

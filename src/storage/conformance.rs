//! One suite for every store: what the trait says in words, as cases. The query cases also run on the in-process matcher.
//!
//! A store passes when [`suite`] and [`agrees_with_matches`] do.

mod aggregates;
mod cases;
mod queries;
mod random;
mod schemas;
mod together;
mod writes;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::model::files::addresses::FileAddresses;
use crate::model::json::{decode, decode_map, encode, encode_object};
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::Resolved;
use crate::model::query::filter::{Constraint, Filter, Regex, TextSearch};
use crate::model::query::matches::Matcher;
use crate::model::query::options::{FindOptions, Sort};
use crate::model::schema::{ClassSchema, Field, FieldType, IndexKeys};
use crate::model::shape::Shape;
use crate::model::value::{GeoPoint, Value};
use crate::storage::mongo::{MongoOptions, MongoStorage};
use crate::storage::{IndexSpec, Storage, StorageError};

pub use self::random::agrees_with_matches;

/// Runs every case on an empty store.
///
/// # Panics
/// When a case fails.
pub async fn suite(store: &dyn Storage) {
    store.ping().await.unwrap();
    queries::queries(store).await;
    queries::order_and_pages(store).await;
    queries::projections(store).await;
    queries::full_text(store).await;
    together::gets(store).await;
    Box::pin(aggregates::aggregates(store)).await;
    writes::writes(store).await;
    writes::null_pointers(store).await;
    writes::uniqueness(store).await;
    writes::case_insensitive(store).await;
    writes::transactions(store).await;
    writes::relations(store).await;
    schemas::schemas(store).await;
    schemas::indexes(store).await;
}

fn value(json: Json) -> Value {
    decode(json).unwrap()
}

fn values(json: Json) -> Vec<Value> {
    value(json).as_array().unwrap().to_vec()
}

fn object(json: Json) -> Object {
    let Json::Object(map) = json else { panic!("no object: {json}") };
    decode_map(map).unwrap()
}

fn is(path: &str, constraint: Constraint) -> Resolved {
    Filter::field(path, constraint)
}

fn eq(path: &str, json: Json) -> Resolved {
    is(path, Constraint::Eq(value(json)))
}

fn by_id(id: &str) -> Resolved {
    Filter::eq("objectId", id)
}

fn regex(pattern: &str, options: &str) -> Constraint {
    Constraint::Regex(Regex { pattern: pattern.to_owned(), options: options.to_owned() })
}

fn schema(name: &str, fields: &[(&str, FieldType)]) -> ClassSchema {
    let mut schema = ClassSchema::new(ClassName::unchecked(name));
    for (field, kind) in fields {
        schema.fields.insert((*field).to_owned(), Field::new(kind.clone()));
    }
    schema
}

fn pointer(id: &str) -> Json {
    json!({"__type": "Pointer", "className": "T", "objectId": id})
}

fn date(iso: &str) -> Json {
    json!({"__type": "Date", "iso": iso})
}

fn geo(latitude: f64, longitude: f64) -> Json {
    json!({"__type": "GeoPoint", "latitude": latitude, "longitude": longitude})
}

fn point(latitude: f64, longitude: f64) -> GeoPoint {
    GeoPoint { latitude, longitude }
}

/// A row with the columns that every row has.
fn row(id: &str, mut fields: Json) -> Object {
    let map = fields.as_object_mut().unwrap();
    map.insert("objectId".to_owned(), json!(id));
    map.insert("createdAt".to_owned(), date("2026-01-01T00:00:00.000Z"));
    map.insert("updatedAt".to_owned(), date("2026-01-01T00:00:00.000Z"));
    object(fields)
}

async fn fill(store: &dyn Storage, schema: &ClassSchema, rows: &[Object]) {
    for result in join_all(rows.iter().map(|row| store.insert(schema, row.clone(), None))).await {
        result.unwrap();
    }
}

fn ids(rows: &[Object]) -> Vec<String> {
    rows.iter().map(|row| row.get_str("objectId").unwrap().to_owned()).collect()
}

async fn found(store: &dyn Storage, schema: &ClassSchema, filter: &Resolved, options: &FindOptions) -> Vec<String> {
    ids(&read(store, schema, filter, options).await.unwrap())
}

/// The rows found, which must be the same as those that the store writes as JSON.
async fn read(
    store: &dyn Storage,
    schema: &ClassSchema,
    filter: &Resolved,
    options: &FindOptions,
) -> Result<Vec<Object>, StorageError> {
    let rows = store.find(schema, filter, options, None).await?;
    if options.keys.iter().flatten().any(|key| key.contains('.')) {
        return Ok(rows);
    }
    let shape = Shape {
        keys: options.keys.clone().map(|keys| keys.into_iter().collect()),
        ..Shape::of(schema, FileAddresses { base: "http://files/".to_owned(), ..FileAddresses::default() })
    };
    let written = store.find_json(schema, filter, options, &Arc::new(shape.clone()), None).await?;
    let written: Vec<Json> =
        serde_json::from_str(&format!("[{}]", str::from_utf8(written.as_bytes()).unwrap())).unwrap();
    let presented: Vec<Json> =
        rows.iter().map(|row| Json::Object(encode_object(&shape.present(row.clone())))).collect();
    assert_eq!(written, presented);
    Ok(rows)
}

fn all_types() -> ClassSchema {
    schema(
        "Types",
        &[
            ("s", FieldType::String),
            ("n", FieldType::Number),
            ("b", FieldType::Boolean),
            ("d", FieldType::Date),
            ("o", FieldType::Object),
            ("a", FieldType::Array),
            ("p", FieldType::Pointer(ClassName::unchecked("T"))),
            ("f", FieldType::File),
            ("g", FieldType::GeoPoint),
            ("y", FieldType::Polygon),
            ("by", FieldType::Bytes),
        ],
    )
}

fn spec(name: &str, fields: &[&str], unique: bool, sparse: bool) -> IndexSpec {
    IndexSpec {
        name: name.to_owned(),
        keys: fields.iter().map(|field| ((*field).to_owned(), json!(1))).collect(),
        unique,
        sparse,
        case_insensitive: false,
        expire_after_seconds: None,
        embedded_only: false,
    }
}

fn sorted(path: &str, descending: bool) -> Sort {
    Sort { path: path.to_owned(), descending }
}

/// Runs the suite on MongoDB when `REPARSE_TEST_MONGO` names a server.
#[tokio::test]
async fn mongo_passes() {
    let uri =
        std::env::var("REPARSE_TEST_MONGO").expect("REPARSE_TEST_MONGO must hold the address of a MongoDB replica set");
    let mut options = MongoOptions::new(uri);
    options.collection_prefix = format!("conformance_{}_", std::process::id());
    let store = MongoStorage::connect(options).await.unwrap();
    clear(&store).await;
    Box::pin(suite(&store)).await;
    agrees_with_matches(&store, 200, false).await;
    clear(&store).await;
}

/// Removes what a run leaves behind.
async fn clear(store: &dyn Storage) {
    for schema in store.classes().await.unwrap() {
        store.delete_class(&schema.name).await.unwrap();
    }
    store.delete_class(&ClassName::unchecked("Fresh")).await.unwrap();
}

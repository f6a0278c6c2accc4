//! The embedded store as a whole: the common suite here, and below what is its own.

mod files;
mod history;
mod operations;

use serde_json::json;

use super::*;
use crate::model::json::decode_map;
use crate::model::schema::{Field, FieldType};
use crate::storage::conformance;

fn quick() -> EmbeddedOptions {
    EmbeddedOptions { synchronous: Synchronous::Normal, ..EmbeddedOptions::default() }
}

fn open(directory: &Path) -> EmbeddedStorage {
    EmbeddedStorage::open(directory, &quick()).unwrap()
}

fn row(id: &str, fields: &Json) -> Object {
    let mut object = decode_map(fields.as_object().unwrap().clone()).unwrap();
    object.insert("objectId", id);
    object
}

fn class(name: &str, fields: &[(&str, FieldType)]) -> ClassSchema {
    let mut schema = ClassSchema::new(ClassName::unchecked(name));
    for (field, kind) in fields {
        schema.fields.insert((*field).to_owned(), Field::new(kind.clone()));
    }
    schema
}

fn spec(name: &str, field: &str) -> IndexSpec {
    IndexSpec {
        name: name.to_owned(),
        keys: IndexKeys::from_iter([(field.to_owned(), json!(1))]),
        unique: false,
        sparse: false,
        case_insensitive: false,
        expire_after_seconds: None,
        embedded_only: false,
    }
}

async fn count(store: &EmbeddedStorage, schema: &ClassSchema) -> u64 {
    store.count(schema, &Filter::All, &FindOptions::default(), None).await.unwrap()
}

#[tokio::test]
async fn passes_the_suite() {
    let directory = tempfile::tempdir().unwrap();
    Box::pin(conformance::suite(&open(directory.path()))).await;
}

#[tokio::test]
async fn agrees_with_the_matcher() {
    let directory = tempfile::tempdir().unwrap();
    conformance::agrees_with_matches(&open(directory.path()), 200, true).await;
}

//! The embedded store as a whole: the common suite, and what is its own.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::model::json::decode_map;
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

#[tokio::test]
async fn passes_the_suite() {
    let directory = tempfile::tempdir().unwrap();
    conformance::suite(&open(directory.path())).await;
}

#[tokio::test]
async fn agrees_with_the_matcher() {
    let directory = tempfile::tempdir().unwrap();
    conformance::agrees_with_matches(&open(directory.path()), 200).await;
}

//! Reads everything, by cursors.

use bson::{RawDocumentBuf, doc};
use futures_util::future::{self, TryFutureExt as _};
use futures_util::stream::{BoxStream, StreamExt as _, TryStreamExt as _};

use super::relation::{MEMBER, OWNER};
use super::{MongoStorage, SCHEMA_COLLECTION, decode, error};
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::schema::ClassSchema;
use crate::storage::Result;

/// The classes that have a collection. A name with a dot is none of a class: `system.views`, those of GridFS.
pub(super) async fn classes(storage: &MongoStorage) -> Result<Vec<ClassName>> {
    let names = storage.run(storage.database.list_collection_names().filter(doc! { "type": "collection" })).await?;
    let mut classes: Vec<ClassName> = names
        .iter()
        .filter_map(|name| name.strip_prefix(storage.prefix.as_str()))
        .filter(|name| *name != SCHEMA_COLLECTION && !name.contains('.'))
        .map(ClassName::unchecked)
        .collect();
    classes.sort();
    Ok(classes)
}

/// The rows of a class.
pub(super) fn rows<'a>(storage: &'a MongoStorage, schema: &ClassSchema) -> BoxStream<'a, Result<Object>> {
    let schema = schema.clone();
    documents(storage, &schema.name.clone(), move |document| decode::row(&schema, document))
}

/// The pairs of a relation. Masters may have written other documents there, as objects; they relate nothing.
pub(super) fn pairs<'a>(storage: &'a MongoStorage, join: &ClassName) -> BoxStream<'a, Result<(String, String)>> {
    let pair = |document: &RawDocumentBuf| {
        let (owner, member) = (document.get_str(OWNER), document.get_str(MEMBER));
        Ok(owner.ok().zip(member.ok()).map(|(owner, member)| (owner.to_owned(), member.to_owned())))
    };
    documents(storage, join, pair).try_filter_map(|pair| future::ready(Ok(pair))).boxed()
}

fn documents<'a, T: Send + 'a>(
    storage: &'a MongoStorage,
    class: &ClassName,
    mut read: impl FnMut(&RawDocumentBuf) -> Result<T> + Send + 'a,
) -> BoxStream<'a, Result<T>> {
    let rows = storage.rows(class).clone_with_type::<RawDocumentBuf>();
    let cursor = async move { storage.run(rows.find(doc! {})).await };
    cursor
        .map_ok(move |cursor| cursor.map(move |document| read(&document.map_err(error::storage)?)))
        .try_flatten_stream()
        .boxed()
}

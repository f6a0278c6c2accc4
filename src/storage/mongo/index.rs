//! Indexes.

use std::time::Duration;

use bson::{Bson, Document};
use futures_util::TryStreamExt as _;
use indexmap::IndexMap;
use mongodb::IndexModel;
use mongodb::options::IndexOptions;
use serde_json::{Map, Value as Json};
use tracing::warn;

use super::find::case_insensitive;
use super::names::{column_below, path_of};
use super::{MongoStorage, error, plain};
use crate::model::names::ClassName;
use crate::model::schema::{ClassSchema, IndexKeys};
use crate::storage::{IndexSpec, Result, StorageError};

/// Namespace not found, index not found.
const MISSING: [i32; 2] = [26, 27];
/// An index with the same name or the same keys exists with other options.
const CONFLICT: [i32; 2] = [85, 86];

/// Creates missing indexes. An index that exists in another form is left unchanged with a warning, because the
/// administrator may have created it. Building an index can take long, but does not block writes.
pub(super) async fn create(storage: &MongoStorage, schema: &ClassSchema, indexes: &[IndexSpec]) -> Result<()> {
    let wanted: Vec<&IndexSpec> = indexes.iter().filter(|index| !index.embedded_only).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let existing = models(storage, &schema.name).await?;
    let name_of = |model: &IndexModel| model.options.as_ref().and_then(|options| options.name.clone());
    let rows = storage.rows(&schema.name);
    for index in wanted {
        let model = model(schema, index)?;
        if let Some(found) = existing.iter().find(|found| name_of(found).as_deref() == Some(&index.name)) {
            if differs(found, &model) {
                warn!(class = %schema.name, index = index.name, "the index exists in another form and is left unchanged");
            }
            continue;
        }
        match rows.create_index(model).await {
            Ok(_) => {}
            Err(error) if error::has_code(&error, &CONFLICT) => {
                warn!(class = %schema.name, index = index.name, "an equivalent index exists under another name or form");
            }
            Err(error) if error::server(&error).is_some_and(|(code, _)| code != 11000) => {
                return Err(match error::storage(error) {
                    StorageError::Refused(_) => {
                        StorageError::Refused(format!("The index {} cannot be made", index.name))
                    }
                    error => error,
                });
            }
            Err(error) => return Err(error::storage(error)),
        }
    }
    Ok(())
}

fn model(schema: &ClassSchema, index: &IndexSpec) -> Result<IndexModel> {
    let mut keys = Document::new();
    // MongoDB already has an index of `_id` and refuses a second one. As in parse-server, a requested index is created
    // on a column with the name of the field.
    let ids_alone = index.keys.len() == 1;
    for (field, direction) in &index.keys {
        let column = match field.as_str() {
            "objectId" if ids_alone => field.clone(),
            field => column_below(schema, field).into_owned(),
        };
        let column = super::encode::key(column)?;
        keys.insert(column, plain::bson(direction)?);
    }
    #[expect(
        deprecated,
        reason = "servers disregard `background`, but parse-server's indexes list it and ours shall be equal"
    )]
    let options = IndexOptions::builder()
        .name(index.name.clone())
        .background(true)
        .unique(index.unique.then_some(true))
        .sparse(index.sparse.then_some(true))
        .collation(index.case_insensitive.then(case_insensitive))
        .expire_after(index.expire_after_seconds.map(Duration::from_secs))
        .build();
    Ok(IndexModel::builder().keys(keys).options(options).build())
}

/// Whether two indexes of the same name differ.
fn differs(found: &IndexModel, wanted: &IndexModel) -> bool {
    let traits = |model: &IndexModel| {
        let options = model.options.clone().unwrap_or_default();
        (
            options.unique.unwrap_or(false),
            options.sparse.unwrap_or(false),
            options.expire_after,
            options.collation.map(|collation| collation.locale),
        )
    };
    // The keys of text indexes are listed in another form.
    let keys = |model: &IndexModel| -> Vec<(String, i64)> {
        let number = |value: &Bson| match value {
            Bson::Int32(value) => i64::from(*value),
            Bson::Int64(value) => *value,
            #[expect(clippy::cast_possible_truncation, reason = "directions are 1 and -1")]
            Bson::Double(value) => *value as i64,
            _ => 0,
        };
        model.keys.iter().map(|(key, direction)| (key.clone(), number(direction))).collect()
    };
    let is_text = wanted.keys.values().any(|kind| kind.as_str() == Some("text"));
    traits(found) != traits(wanted) || (!is_text && keys(found) != keys(wanted))
}

async fn models(storage: &MongoStorage, class: &ClassName) -> Result<Vec<IndexModel>> {
    let rows = storage.rows(class);
    storage
        .within(async {
            match rows.list_indexes().await {
                Ok(cursor) => cursor.try_collect().await.map_err(error::storage),
                Err(error) if error::has_code(&error, &MISSING) => Ok(Vec::new()),
                Err(error) => Err(error::storage(error)),
            }
        })
        .await
}

/// Drops indexes; missing ones are ignored.
pub(super) async fn drop(storage: &MongoStorage, class: &ClassName, names: &[String]) -> Result<()> {
    let rows = storage.rows(class);
    for name in names {
        match rows.drop_index(name).await {
            Err(error) if !error::has_code(&error, &MISSING) => return Err(error::storage(error)),
            _ => {}
        }
    }
    Ok(())
}

/// The indexes as they would be created again, without that of `_id`.
pub(super) async fn specs(storage: &MongoStorage, schema: &ClassSchema) -> Result<Vec<IndexSpec>> {
    let spec = |model: IndexModel| {
        let options = model.options?;
        let name = options.name.clone().filter(|name| name != "_id_")?;
        Some(IndexSpec {
            keys: keys(model.keys, &options).into_iter().map(|(key, kind)| (path_of(schema, &key), kind)).collect(),
            unique: options.unique.unwrap_or(false),
            sparse: options.sparse.unwrap_or(false),
            case_insensitive: options.collation.is_some(),
            expire_after_seconds: options.expire_after.map(|time| time.as_secs()),
            embedded_only: false,
            name,
        })
    };
    Ok(models(storage, &schema.name).await?.into_iter().filter_map(spec).collect())
}

/// The keys of an index as they were asked for.
fn keys(document: Document, options: &IndexOptions) -> Map<String, Json> {
    let mut keys: Map<String, Json> = plain::map(document);
    // The fields of a text index are in its weights.
    if keys.remove("_fts").is_some() {
        keys.remove("_ftsx");
        for field in options.weights.iter().flat_map(Document::keys) {
            keys.insert(field.clone(), Json::String("text".to_owned()));
        }
    }
    keys
}

/// The existing indexes.
pub(super) async fn list(storage: &MongoStorage, class: &ClassName) -> Result<IndexMap<String, IndexKeys>> {
    let listed = models(storage, class).await?;
    Ok(listed
        .into_iter()
        .filter_map(|model| {
            let options = model.options?;
            let keys = keys(model.keys, &options);
            Some((options.name?, keys))
        })
        .collect())
}

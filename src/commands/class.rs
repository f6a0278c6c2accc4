//! `reparse class`: what an administrator does with the classes of an app.

use std::process::ExitCode;

use futures_util::{FutureExt as _, TryFutureExt as _};
use serde_json::{Map, Value as Json, json};

use super::{beside_the_app, report};
use crate::config::{ClassTask, Loaded, Options};
use crate::domain::features::schemas;
use crate::domain::kernel::context::Context;
use crate::domain::upkeep;
use crate::error::ParseError;
use crate::model::query::Filter;
use crate::model::query::options::FindOptions;
use crate::server::{Whole, chain};
use crate::storage::Storage;

/// Does what was asked; changes with the rules of a server.
pub async fn run(loaded: Loaded, task: ClassTask) -> ExitCode {
    match task {
        ClassTask::List => report(list(&loaded.options).await),
        ClassTask::Purge { name } => {
            let act = move |cx| purge(cx, name).map_err(|error| error.to_string()).boxed_local();
            Box::pin(beside_the_app(loaded, Box::new(act))).await
        }
        ClassTask::Index { name, indexes } => {
            let act = move |cx| index(cx, name, indexes).map_err(|error| error.to_string()).boxed_local();
            Box::pin(beside_the_app(loaded, Box::new(act))).await
        }
    }
}

async fn purge(cx: Context, name: String) -> Result<String, ParseError> {
    schemas::get(&cx, &name).await?;
    schemas::purge(&cx, &name).await?;
    Ok(format!("the class {name} has no objects any more"))
}

async fn index(cx: Context, name: String, indexes: Map<String, Json>) -> Result<String, ParseError> {
    let body = Map::from_iter([("indexes".to_owned(), Json::Object(indexes))]);
    schemas::update(&cx, &name, body).await?;
    Ok(format!("the indexes of {name} are changed"))
}

/// The classes, one JSON object a line: name, number of objects, fields with their types, indexes with their keys.
async fn list(options: &Options) -> Result<String, String> {
    let store = Whole::to_read(options).await.map_err(|error| error.to_string())?;
    let lines = lines(store.storage.as_ref()).await;
    store.storage.close().await;
    lines.map_err(|error| chain(&error))
}

async fn lines(storage: &dyn Storage) -> crate::storage::Result<String> {
    let mut classes = upkeep::classes(storage).await?;
    classes.sort_by(|a, b| a.schema.name.as_str().cmp(b.schema.name.as_str()));
    let mut lines = Vec::with_capacity(classes.len());
    for upkeep::Class { schema, .. } in &classes {
        let objects = storage.count(schema, &Filter::All, &FindOptions::default(), None).await?;
        let fields: Map<String, Json> =
            schema.fields.iter().map(|(name, field)| (name.clone(), field.kind.name().into())).collect();
        let indexes = storage.indexes(&schema.name).await?;
        let line = json!({ "class": schema.name.as_str(), "objects": objects, "fields": fields, "indexes": indexes });
        lines.push(line.to_string());
    }
    Ok(lines.join("\n"))
}

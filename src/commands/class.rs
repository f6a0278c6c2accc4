//! `reparse class`: what an administrator does with the classes of an app.

use std::process::ExitCode;

use serde_json::{Map, Value as Json, json};

use super::{fail, say, server_aside};
use crate::config::{ClassTask, Loaded, Options};
use crate::domain::features::schemas;
use crate::domain::kernel::context::Context;
use crate::domain::upkeep;
use crate::error::ParseError;
use crate::model::query::Filter;
use crate::model::query::options::FindOptions;
use crate::server::{Whole, chain};
use crate::storage::Storage;

/// Does what was asked.
pub async fn run(loaded: Loaded, task: ClassTask) -> ExitCode {
    let done = match task {
        ClassTask::List => list(&loaded.options).await,
        ClassTask::Purge { name } => {
            let purge = async |cx: &Context| {
                schemas::get(cx, &name).await?;
                schemas::purge(cx, &name).await
            };
            return Box::pin(in_server(loaded, &format!("the class {name} has no objects any more"), purge)).await;
        }
        ClassTask::Index { name, indexes } => {
            let change = async |cx: &Context| {
                let body = Map::from_iter([("indexes".to_owned(), Json::Object(indexes.clone()))]);
                schemas::update(cx, &name, body).await.map(|_| ())
            };
            return Box::pin(in_server(loaded, &format!("the indexes of {name} are changed"), change)).await;
        }
    };
    match done {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&format!("error: {error}")),
    }
}

/// Does something with the rules of a server, of which nobody else knows.
async fn in_server(loaded: Loaded, done: &str, act: impl AsyncFn(&Context) -> Result<(), ParseError>) -> ExitCode {
    let (server, _logging) = match server_aside(loaded).await {
        Ok(started) => started,
        Err(code) => return code,
    };
    let outcome = Box::pin(act(&Context::of_server(&server.app))).await;
    server.shutdown().await;
    match outcome {
        Ok(()) => {
            say(done);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&format!("error: {error}")),
    }
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

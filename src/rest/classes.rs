//! Objects of any class.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use serde::Serialize;
use serde_json::Value as Json;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, Caller, MasterCaller, Parameters, Reply};
use crate::domain::aggregate;
use crate::domain::classes;
use crate::domain::read::Found;
use crate::domain::schemas;
use crate::model::object::Object;

/// Objects of any class.
pub struct ClassesApi;

#[OpenApi(tag = "Tag::Classes")]
impl ClassesApi {
    /// Make an object.
    #[oai(path = "/classes/:className", method = "post", operation_id = "createObject")]
    async fn create(
        &self,
        caller: Caller,
        #[oai(name = "className")] class: Path<String>,
        body: Body<describe::Fields>,
    ) -> Answer<describe::Created, 201> {
        let saved = classes::create(&caller.0, &class, body.0).await?;
        Reply::saved(&caller.0, &saved)
    }

    /// Query objects.
    #[oai(path = "/classes/:className", method = "get", operation_id = "findObjects")]
    async fn find(
        &self,
        caller: Caller,
        #[oai(name = "className")] class: Path<String>,
        parameters: Parameters,
    ) -> Answer<describe::Results> {
        found(&classes::find(&caller.0, &class, parameters.0).await?)
    }

    /// Get an object.
    #[oai(path = "/classes/:className/:objectId", method = "get", operation_id = "getObject")]
    async fn get(
        &self,
        caller: Caller,
        #[oai(name = "className")] class: Path<String>,
        #[oai(name = "objectId")] id: Path<String>,
        parameters: Parameters,
    ) -> Answer<describe::ParseObject> {
        Reply::new(&classes::get(&caller.0, &class, &id, parameters.0).await?)
    }

    /// Change an object.
    #[oai(path = "/classes/:className/:objectId", method = "put", operation_id = "updateObject")]
    async fn update(
        &self,
        caller: Caller,
        #[oai(name = "className")] class: Path<String>,
        #[oai(name = "objectId")] id: Path<String>,
        body: Body<describe::Fields>,
    ) -> Answer<describe::Updated> {
        let saved = classes::update(&caller.0, &class, &id, body.0).await?;
        Reply::saved(&caller.0, &saved)
    }

    /// Delete an object.
    #[oai(path = "/classes/:className/:objectId", method = "delete", operation_id = "deleteObject")]
    async fn delete(
        &self,
        caller: Caller,
        #[oai(name = "className")] class: Path<String>,
        #[oai(name = "objectId")] id: Path<String>,
    ) -> Answer<describe::Nothing> {
        classes::delete(&caller.0, &class, &id).await?;
        Ok(Reply::empty())
    }

    /// Delete all objects of a class.
    #[oai(path = "/purge/:className", method = "delete", operation_id = "purgeClass")]
    async fn purge(
        &self,
        caller: MasterCaller,
        #[oai(name = "className")] class: Path<String>,
    ) -> Answer<describe::Nothing> {
        schemas::purge(&caller.0, &class).await?;
        Ok(Reply::empty())
    }

    /// Run an aggregation pipeline.
    #[oai(path = "/aggregate/:className", method = "get", operation_id = "aggregate")]
    async fn aggregate(
        &self,
        caller: MasterCaller,
        #[oai(name = "className")] class: Path<String>,
        parameters: Parameters,
    ) -> Answer<describe::Results> {
        let results = aggregate::aggregate(&caller.0, &class, parameters.0).await?;
        Reply::new(&serde_json::json!({ "results": results }))
    }
}

#[derive(Serialize)]
struct ResultsBody<'a> {
    results: Results<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Results<'a> {
    Objects(&'a [Object]),
    Plan(&'a Json),
}

/// The answer to a query.
pub fn found(found: &Found) -> Answer<describe::Results> {
    let results = found.plan.as_ref().map_or(Results::Objects(&found.results), Results::Plan);
    Reply::new(&ResultsBody { results, count: found.count })
}

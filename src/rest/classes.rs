//! Objects of any class.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, Caller, MasterCaller, Parameters, Reply};
use crate::domain::aggregate;
use crate::domain::classes;
use crate::domain::features::schemas;
use crate::domain::read::Found;
use crate::model::rows::JsonRows;

/// Bytes of an answer to a query besides its rows, at most.
const ROOM_AROUND_ROWS: usize = 64;

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
        found(classes::find_json(&caller.0, &class, parameters.0).await?)
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
        Ok(Reply::of_bytes(classes::get_json(&caller.0, &class, &id, parameters.0).await?))
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

/// The answer to a query.
pub fn found(found: Found<JsonRows>) -> Answer<describe::Results> {
    if let Some(plan) = found.plan {
        return Reply::new(&serde_json::json!({ "results": plan }));
    }
    let rows = found.results.as_bytes();
    let mut body = Vec::with_capacity(rows.len() + ROOM_AROUND_ROWS);
    body.extend_from_slice(b"{\"results\":[");
    body.extend_from_slice(rows);
    body.push(b']');
    if let Some(count) = found.count {
        body.extend_from_slice(b",\"count\":");
        body.extend_from_slice(count.to_string().as_bytes());
    }
    body.push(b'}');
    Ok(Reply::of_bytes(body))
}

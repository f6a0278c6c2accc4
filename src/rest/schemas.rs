//! Classes as such.

#![expect(clippy::unused_async, reason = "the framework wants asynchronous handlers")]

use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, MasterCaller, unavailable};

/// Classes as such.
pub struct SchemasApi;

#[OpenApi(tag = "Tag::Schemas")]
impl SchemasApi {
    /// All classes.
    #[oai(path = "/schemas", method = "get", operation_id = "listSchemas")]
    async fn all(&self, caller: MasterCaller) -> Answer<describe::ClassSchemas> {
        caller.0.require_master()?;
        Err(unavailable("The schema API"))
    }

    /// A class.
    #[oai(path = "/schemas/:className", method = "get", operation_id = "getSchema")]
    async fn get(
        &self,
        caller: MasterCaller,
        #[oai(name = "className")] _class: Path<String>,
    ) -> Answer<describe::ClassSchema> {
        caller.0.require_master()?;
        Err(unavailable("The schema API"))
    }

    /// Make a class that the body names.
    #[oai(path = "/schemas", method = "post", operation_id = "createSchema")]
    async fn create(&self, caller: MasterCaller, _body: Body<describe::ClassSchema>) -> Answer<describe::ClassSchema> {
        caller.0.require_master()?;
        Err(unavailable("The schema API"))
    }

    /// Make a class.
    #[oai(path = "/schemas/:className", method = "post", operation_id = "createNamedSchema")]
    async fn create_named(
        &self,
        caller: MasterCaller,
        #[oai(name = "className")] _class: Path<String>,
        _body: Body<describe::ClassSchema>,
    ) -> Answer<describe::ClassSchema> {
        caller.0.require_master()?;
        Err(unavailable("The schema API"))
    }

    /// Add and remove fields and indexes, set permissions.
    #[oai(path = "/schemas/:className", method = "put", operation_id = "updateSchema")]
    async fn update(
        &self,
        caller: MasterCaller,
        #[oai(name = "className")] _class: Path<String>,
        _body: Body<describe::ClassSchema>,
    ) -> Answer<describe::ClassSchema> {
        caller.0.require_master()?;
        Err(unavailable("The schema API"))
    }

    /// Delete a class that has no objects.
    #[oai(path = "/schemas/:className", method = "delete", operation_id = "deleteSchema")]
    async fn delete(
        &self,
        caller: MasterCaller,
        #[oai(name = "className")] _class: Path<String>,
    ) -> Answer<describe::Nothing> {
        caller.0.require_master()?;
        Err(unavailable("The schema API"))
    }
}

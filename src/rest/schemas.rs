//! Classes as such.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, MasterCaller, Reply};
use crate::domain::features::schemas;

/// Classes as such.
pub struct SchemasApi;

#[OpenApi(tag = "Tag::Schemas")]
impl SchemasApi {
    /// All classes.
    #[oai(path = "/schemas", method = "get", operation_id = "listSchemas")]
    async fn all(&self, caller: MasterCaller) -> Answer<describe::ClassSchemas> {
        Reply::new(&serde_json::json!({"results": schemas::all(&caller.0).await?}))
    }

    /// A class.
    #[oai(path = "/schemas/:className", method = "get", operation_id = "getSchema")]
    async fn get(
        &self,
        caller: MasterCaller,
        #[oai(name = "className")] class: Path<String>,
    ) -> Answer<describe::ClassSchema> {
        Reply::new(&schemas::get(&caller.0, &class).await?)
    }

    /// Make a class that the body names.
    #[oai(path = "/schemas", method = "post", operation_id = "createSchema")]
    async fn create(&self, caller: MasterCaller, body: Body<describe::ClassSchema>) -> Answer<describe::ClassSchema> {
        Reply::new(&schemas::create(&caller.0, None, body.0).await?)
    }

    /// Make a class.
    #[oai(path = "/schemas/:className", method = "post", operation_id = "createNamedSchema")]
    async fn create_named(
        &self,
        caller: MasterCaller,
        #[oai(name = "className")] class: Path<String>,
        body: Body<describe::ClassSchema>,
    ) -> Answer<describe::ClassSchema> {
        Reply::new(&schemas::create(&caller.0, Some(class.as_str()), body.0).await?)
    }

    /// Add and remove fields and indexes, set permissions.
    #[oai(path = "/schemas/:className", method = "put", operation_id = "updateSchema")]
    async fn update(
        &self,
        caller: MasterCaller,
        #[oai(name = "className")] class: Path<String>,
        body: Body<describe::ClassSchema>,
    ) -> Answer<describe::ClassSchema> {
        Reply::new(&schemas::update(&caller.0, &class, body.0).await?)
    }

    /// Delete a class that has no objects.
    #[oai(path = "/schemas/:className", method = "delete", operation_id = "deleteSchema")]
    async fn delete(
        &self,
        caller: MasterCaller,
        #[oai(name = "className")] class: Path<String>,
    ) -> Answer<describe::Nothing> {
        schemas::delete(&caller.0, &class).await?;
        Ok(Reply::empty())
    }
}

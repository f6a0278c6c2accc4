//! Roles: the class of the same name under routes of its own.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, Caller, Parameters, Reply};
use crate::domain::classes;
use crate::model::names::ROLE;

/// Roles.
pub struct RolesApi;

#[OpenApi(tag = "Tag::Roles")]
impl RolesApi {
    /// Make a role.
    #[oai(path = "/roles", method = "post", operation_id = "createRole")]
    async fn create(&self, caller: Caller, body: Body<describe::Fields>) -> Answer<describe::Created, 201> {
        let saved = classes::create(&caller.0, ROLE, body.0).await?;
        Reply::saved(&caller.0, &saved)
    }

    /// Query roles.
    #[oai(path = "/roles", method = "get", operation_id = "findRoles")]
    async fn find(&self, caller: Caller, parameters: Parameters) -> Answer<describe::Results> {
        super::classes::found(classes::find_json(&caller.0, ROLE, parameters.0).await?)
    }

    /// Get a role.
    #[oai(path = "/roles/:objectId", method = "get", operation_id = "getRole")]
    async fn get(
        &self,
        caller: Caller,
        #[oai(name = "objectId")] id: Path<String>,
        parameters: Parameters,
    ) -> Answer<describe::ParseObject> {
        Ok(Reply::of_bytes(classes::get_json(&caller.0, ROLE, &id, parameters.0).await?))
    }

    /// Change a role.
    #[oai(path = "/roles/:objectId", method = "put", operation_id = "updateRole")]
    async fn update(
        &self,
        caller: Caller,
        #[oai(name = "objectId")] id: Path<String>,
        body: Body<describe::Fields>,
    ) -> Answer<describe::Updated> {
        let saved = classes::update(&caller.0, ROLE, &id, body.0).await?;
        Reply::saved(&caller.0, &saved)
    }

    /// Delete a role.
    #[oai(path = "/roles/:objectId", method = "delete", operation_id = "deleteRole")]
    async fn delete(&self, caller: Caller, #[oai(name = "objectId")] id: Path<String>) -> Answer<describe::Nothing> {
        classes::delete(&caller.0, ROLE, &id).await?;
        Ok(Reply::empty())
    }
}

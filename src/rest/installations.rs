//! Installations: the class of the same name under routes of its own.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, Caller, Parameters, Reply};
use crate::domain::classes;
use crate::model::names::INSTALLATION;

/// Installations.
pub struct InstallationsApi;

#[OpenApi(tag = "Tag::Installations")]
impl InstallationsApi {
    /// Make an installation.
    #[oai(path = "/installations", method = "post", operation_id = "createInstallation")]
    async fn create(&self, caller: Caller, body: Body<describe::Fields>) -> Answer<describe::Created, 201> {
        let saved = classes::create(&caller.0, INSTALLATION, body.0).await?;
        Reply::saved(&caller.0, &saved)
    }

    /// Query installations.
    #[oai(path = "/installations", method = "get", operation_id = "findInstallations")]
    async fn find(&self, caller: Caller, parameters: Parameters) -> Answer<describe::Results> {
        super::classes::found(classes::find_json(&caller.0, INSTALLATION, parameters.0).await?)
    }

    /// Get an installation.
    #[oai(path = "/installations/:objectId", method = "get", operation_id = "getInstallation")]
    async fn get(
        &self,
        caller: Caller,
        #[oai(name = "objectId")] id: Path<String>,
        parameters: Parameters,
    ) -> Answer<describe::ParseObject> {
        Ok(Reply::of_bytes(classes::get_json(&caller.0, INSTALLATION, &id, parameters.0).await?))
    }

    /// Change an installation.
    #[oai(path = "/installations/:objectId", method = "put", operation_id = "updateInstallation")]
    async fn update(
        &self,
        caller: Caller,
        #[oai(name = "objectId")] id: Path<String>,
        body: Body<describe::Fields>,
    ) -> Answer<describe::Updated> {
        let saved = classes::update(&caller.0, INSTALLATION, &id, body.0).await?;
        Reply::saved(&caller.0, &saved)
    }

    /// Delete an installation.
    #[oai(path = "/installations/:objectId", method = "delete", operation_id = "deleteInstallation")]
    async fn delete(&self, caller: Caller, #[oai(name = "objectId")] id: Path<String>) -> Answer<describe::Nothing> {
        classes::delete(&caller.0, INSTALLATION, &id).await?;
        Ok(Reply::empty())
    }
}

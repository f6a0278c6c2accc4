//! Push messages. No push service can be configured yet.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use serde_json::Value as Json;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, MasterCaller, Parameters, Reply};
use crate::domain::classes;
use crate::error::{ErrorCode, ParseError};
use crate::model::names::AUDIENCE;

/// Push messages and audiences.
pub struct PushApi;

#[OpenApi(tag = "Tag::Push")]
impl PushApi {
    /// Send a push message.
    #[oai(path = "/push", method = "post", operation_id = "sendPush")]
    async fn send(&self, caller: MasterCaller, body: Body<describe::Push>) -> Answer<describe::Outcome> {
        caller.0.require_master()?;
        caller.0.refuse_read_only("read-only masterKey isn't allowed to send push notifications.")?;
        let given = |key: &str| body.0.get(key).is_some_and(|value| !matches!(value, Json::Null | Json::Bool(false)));
        let message = match (given("channels"), given("where")) {
            (true, true) => "Channels and query can not be set at the same time.",
            (false, false) => "Sending a push requires either \"channels\" or a \"where\" query.",
            _ => "Missing push configuration",
        };
        Err(ParseError::new(ErrorCode::PushMisconfigured, message).into())
    }

    /// Query audiences.
    #[oai(path = "/push_audiences", method = "get", operation_id = "findPushAudiences")]
    async fn find(&self, caller: MasterCaller, parameters: Parameters) -> Answer<describe::Results> {
        caller.0.require_master()?;
        super::classes::found(&classes::find(&caller.0, AUDIENCE, parameters.0).await?)
    }

    /// Make an audience.
    #[oai(path = "/push_audiences", method = "post", operation_id = "createPushAudience")]
    async fn create(&self, caller: MasterCaller, body: Body<describe::Fields>) -> Answer<describe::Created, 201> {
        caller.0.require_master()?;
        let saved = classes::create(&caller.0, AUDIENCE, body.0).await?;
        Reply::saved(&caller.0, &saved)
    }

    /// Get an audience.
    #[oai(path = "/push_audiences/:objectId", method = "get", operation_id = "getPushAudience")]
    async fn get(
        &self,
        caller: MasterCaller,
        #[oai(name = "objectId")] id: Path<String>,
        parameters: Parameters,
    ) -> Answer<describe::ParseObject> {
        caller.0.require_master()?;
        Reply::new(&classes::get(&caller.0, AUDIENCE, &id, parameters.0).await?)
    }

    /// Change an audience.
    #[oai(path = "/push_audiences/:objectId", method = "put", operation_id = "updatePushAudience")]
    async fn update(
        &self,
        caller: MasterCaller,
        #[oai(name = "objectId")] id: Path<String>,
        body: Body<describe::Fields>,
    ) -> Answer<describe::Updated> {
        caller.0.require_master()?;
        let saved = classes::update(&caller.0, AUDIENCE, &id, body.0).await?;
        Reply::saved(&caller.0, &saved)
    }

    /// Delete an audience.
    #[oai(path = "/push_audiences/:objectId", method = "delete", operation_id = "deletePushAudience")]
    async fn delete(
        &self,
        caller: MasterCaller,
        #[oai(name = "objectId")] id: Path<String>,
    ) -> Answer<describe::Nothing> {
        caller.0.require_master()?;
        classes::delete(&caller.0, AUDIENCE, &id).await?;
        Ok(Reply::empty())
    }
}

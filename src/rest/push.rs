//! Push messages. No push service can be configured yet.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, MasterCaller, Parameters, Reply};
use crate::domain::features::audiences;
use crate::error::{ErrorCode, ParseError};
use crate::model::json::is_truthy;

/// Push messages and audiences.
pub struct PushApi;

#[OpenApi(tag = "Tag::Push")]
impl PushApi {
    /// Send a push message.
    #[oai(path = "/push", method = "post", operation_id = "sendPush")]
    async fn send(&self, caller: MasterCaller, body: Body<describe::Push>) -> Answer<describe::Outcome> {
        caller.0.require_master()?;
        caller.0.refuse_read_only("read-only masterKey isn't allowed to send push notifications.")?;
        let given = |key: &str| body.0.get(key).is_some_and(is_truthy);
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
        super::classes::found(audiences::find(&caller.0, parameters.0).await?.into_json()?)
    }

    /// Make an audience.
    #[oai(path = "/push_audiences", method = "post", operation_id = "createPushAudience")]
    async fn create(&self, caller: MasterCaller, body: Body<describe::Fields>) -> Answer<describe::Created, 201> {
        let saved = audiences::create(&caller.0, body.0).await?;
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
        Reply::new(&audiences::get(&caller.0, &id, parameters.0).await?)
    }

    /// Change an audience.
    #[oai(path = "/push_audiences/:objectId", method = "put", operation_id = "updatePushAudience")]
    async fn update(
        &self,
        caller: MasterCaller,
        #[oai(name = "objectId")] id: Path<String>,
        body: Body<describe::Fields>,
    ) -> Answer<describe::Updated> {
        let saved = audiences::update(&caller.0, &id, body.0).await?;
        Reply::saved(&caller.0, &saved)
    }

    /// Delete an audience.
    #[oai(path = "/push_audiences/:objectId", method = "delete", operation_id = "deletePushAudience")]
    async fn delete(
        &self,
        caller: MasterCaller,
        #[oai(name = "objectId")] id: Path<String>,
    ) -> Answer<describe::Nothing> {
        audiences::delete(&caller.0, &id).await?;
        Ok(Reply::empty())
    }
}

//! Sessions.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, Parameters, Reply, SessionCaller};
use crate::domain::classes;
use crate::domain::features::sessions;
use crate::model::names::SESSION;

/// Sessions.
pub struct SessionsApi;

#[OpenApi(tag = "Tag::Sessions")]
impl SessionsApi {
    /// The session of the request.
    #[oai(path = "/sessions/me", method = "get", operation_id = "getCurrentSession")]
    async fn me(&self, caller: SessionCaller) -> Answer<describe::Session> {
        Reply::new(&sessions::me(&caller.0).await?)
    }

    /// Sessions of the user.
    #[oai(path = "/sessions", method = "get", operation_id = "findSessions")]
    async fn find(&self, caller: SessionCaller, parameters: Parameters) -> Answer<describe::Results> {
        super::classes::found(classes::find_json(&caller.0, SESSION, parameters.0).await?)
    }

    /// Make another session of the user.
    #[oai(path = "/sessions", method = "post", operation_id = "createSession")]
    async fn create(&self, caller: SessionCaller, body: Body<describe::Fields>) -> Answer<describe::Session, 201> {
        let saved = classes::create(&caller.0, SESSION, body.0).await?;
        Reply::saved(&caller.0, &saved)
    }

    /// Get a session of the user.
    #[oai(path = "/sessions/:objectId", method = "get", operation_id = "getSession")]
    async fn get(
        &self,
        caller: SessionCaller,
        #[oai(name = "objectId")] id: Path<String>,
        parameters: Parameters,
    ) -> Answer<describe::Session> {
        Ok(Reply::of_bytes(classes::get_json(&caller.0, SESSION, &id, parameters.0).await?))
    }

    /// Change own fields of a session.
    #[oai(path = "/sessions/:objectId", method = "put", operation_id = "updateSession")]
    async fn update(
        &self,
        caller: SessionCaller,
        #[oai(name = "objectId")] id: Path<String>,
        body: Body<describe::Fields>,
    ) -> Answer<describe::Updated> {
        let saved = classes::update(&caller.0, SESSION, &id, body.0).await?;
        Reply::saved(&caller.0, &saved)
    }

    /// End a session.
    #[oai(path = "/sessions/:objectId", method = "delete", operation_id = "deleteSession")]
    async fn delete(
        &self,
        caller: SessionCaller,
        #[oai(name = "objectId")] id: Path<String>,
    ) -> Answer<describe::Nothing> {
        classes::delete(&caller.0, SESSION, &id).await?;
        Ok(Reply::empty())
    }
}

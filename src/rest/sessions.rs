//! Routes of the class `_Session`.

use poem::http::Method;

use super::call::Call;
use super::describe::{Fields, Session};
use super::openapi::Tag;
use super::openapi::headers::HeaderParameter::InstallationId;
use super::reply;
use super::resource::Resource;
use super::route::{Access, Outcome, Route};
use crate::domain::features::sessions;
use crate::domain::kernel::auth::TokenUse;
use crate::model::names::SESSION;

const SESSIONS: Resource = Resource {
    class: Some(SESSION),
    all: "/sessions",
    one: "/sessions/{objectId}",
    tag: Tag::Sessions,
    access: Access::Session,
    triggers: false,
};

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        // The handler checks the token, because it identifies the requested session.
        Route::hidden(Method::GET, "/sessions/me", "getCurrentSession", me)
            .access(Access::Session)
            .token(TokenUse::Keep)
            .documented::<Session>(Tag::Sessions, "Get the current session."),
        SESSIONS.find("findSessions", "Find the sessions of the current user."),
        SESSIONS
            .create::<Fields, Session>("createSession", "Create another session of the current user.")
            .header(InstallationId),
        SESSIONS.get::<Session>("getSession", "Get a session of the current user."),
        SESSIONS.update("updateSession", "Update custom fields of a session."),
        SESSIONS.delete("deleteSession", "Delete a session, which logs it out."),
    ]
}

async fn me(call: Call) -> Outcome {
    reply::json(&sessions::me(&call.cx).await?)
}

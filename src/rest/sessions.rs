//! Sessions.

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
        // The token is for the handler to judge: it names the session that is asked for.
        Route::hidden(Method::GET, "/sessions/me", "getCurrentSession", me)
            .access(Access::Session)
            .token(TokenUse::Keep)
            .documented::<Session>(Tag::Sessions, "The session of the request."),
        SESSIONS.find("findSessions", "Sessions of the user."),
        SESSIONS.create::<Fields, Session>("createSession", "Make another session of the user.").header(InstallationId),
        SESSIONS.get::<Session>("getSession", "Get a session of the user."),
        SESSIONS.update("updateSession", "Change own fields of a session."),
        SESSIONS.delete("deleteSession", "End a session."),
    ]
}

async fn me(call: Call) -> Outcome {
    reply::json(&sessions::me(&call.cx).await?)
}

//! What the app's code has to do with logging in and out, and with forgotten passwords.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::domain::kernel::auth::{Auth, SessionUser};
use crate::domain::kernel::context::Context;
use crate::domain::permissions::protected_fields::Visibility;
use crate::domain::read;
use crate::domain::triggers::{fire, fire_with_object, payload};
use crate::error::Result;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::query::Filter;
use crate::model::trigger::Trigger;

fn users() -> ClassName {
    ClassName::unchecked(names::USER)
}

/// A user with the token of its session, which is empty where there is none yet.
fn session_of(user: &Object, session_token: &str) -> SessionUser {
    SessionUser {
        id: user.get_str("objectId").unwrap_or_default().to_owned(),
        session_token: session_token.to_owned(),
        row: Arc::new(user.clone()),
    }
}

/// A user as it sees itself.
#[must_use]
pub(super) fn own(cx: &Context, user: &Object) -> Map<String, Json> {
    let as_user = cx.with_auth(Auth::User(Arc::new(session_of(user, ""))));
    payload::object(&as_user, &cx.class(&users()), &Visibility::default(), user.clone())
}

/// Calls beforeLogin: the password is right, and there is no session yet.
///
/// # Errors
/// What the trigger refuses.
pub async fn before_login(cx: &Context, user: &Object) -> Result<()> {
    fire_with_object(cx, Trigger::BeforeLogin, &users(), || own(cx, user)).await
}

/// Calls afterLogin: the session is made. Tells whether there was such a trigger.
///
/// # Errors
/// What the trigger refuses; the session stays.
pub async fn after_login(cx: &Context, user: &Object, token: &str) -> Result<bool> {
    let Some(handler) = cx.app.triggers.handler(Trigger::AfterLogin, names::USER) else { return Ok(false) };
    let mut payload = payload::trigger(cx, Trigger::AfterLogin);
    payload.insert("user".to_owned(), payload::user(cx, &session_of(user, token)));
    let mut object = own(cx, user);
    object.insert("sessionToken".to_owned(), token.into());
    payload.insert("object".to_owned(), object.into());
    fire(cx, &handler, Trigger::AfterLogin, &users(), payload).await?;
    Ok(true)
}

/// The session that a log out ends, where afterLogout is to see it.
///
/// # Errors
/// When the store fails.
pub async fn session_ending(cx: &Context, token: &str) -> Result<Option<Object>> {
    if cx.app.triggers.handler(Trigger::AfterLogout, names::SESSION).is_none() {
        return Ok(None);
    }
    read::internal_one(cx, names::SESSION, Filter::eq("sessionToken", token), "the session that ends").await
}

/// Calls afterLogout with the session that has ended, if there was one.
///
/// # Errors
/// What the trigger refuses; the session is gone.
pub async fn after_logout(cx: &Context, session: Option<Object>) -> Result<()> {
    let Some(session) = session else { return Ok(()) };
    let class = ClassName::unchecked(names::SESSION);
    let object = || payload::object(&cx.as_master(), &cx.class(&class), &Visibility::default(), session);
    fire_with_object(cx, Trigger::AfterLogout, &class, object).await
}

/// Whether the app's code is asked before a mail with a reset token is sent.
#[must_use]
pub fn has_before_password_reset(cx: &Context) -> bool {
    cx.app.triggers.handler(Trigger::BeforePasswordResetRequest, names::USER).is_some()
}

/// Calls beforePasswordResetRequest for a user that is to get a mail.
///
/// # Errors
/// What the trigger refuses.
pub async fn before_password_reset(cx: &Context, user: &Object) -> Result<()> {
    fire_with_object(cx, Trigger::BeforePasswordResetRequest, &users(), || own(cx, user)).await
}

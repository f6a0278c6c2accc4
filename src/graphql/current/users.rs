//! Mutations on users: sign up, log in, log out, passwords, verification.

use serde_json::{Map, Value as Json};

use super::catalog::Root;
use super::input::Bodies;
use super::resolve::{Parts, Viewer};
use super::root_field::{PayloadPlan, RootField, ViewerPlan};
use crate::domain::classes;
use crate::domain::features::users;
use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::graphql::parse::error::FieldError;
use crate::graphql::parse::plan::Wanted;
use crate::graphql::parse::run::Run;
use crate::graphql::parse::session::{no_session, read_own, standing_after, with_session};
use crate::model::names::USER;
use crate::model::object::Object;

/// Runs a mutation on users.
///
/// # Errors
/// Those of the domain.
pub async fn resolve(run: Run<'_>, field: &RootField, plan: &PayloadPlan) -> Result<Parts, FieldError> {
    let Run { cx, .. } = run;
    let given = |keys: &[&str]| -> Map<String, Json> {
        keys.iter().filter_map(|key| Some(((*key).to_owned(), field.arguments.get(*key)?.clone()))).collect()
    };
    match &field.root {
        Root::SignUp | Root::LogInWith => {
            let fields = field.arguments.get("fields").or_else(|| field.arguments.get("userFields"));
            let mut body = body(run, fields).await?;
            body.extend(given(&["authData"]));
            let saved = classes::create(&with_session(cx), USER, body).await?;
            Ok(begun(run, &saved.body, plan).await?)
        }
        Root::LogIn => {
            let user = users::log_in(cx, given(&["username", "password", "authData"])).await?;
            Ok(begun(run, &user, plan).await?)
        }
        Root::LogOut => {
            let mut parts = Parts::ok();
            let viewed = plan.viewers().next();
            if let (Some(plan), Some(_)) = (viewed, cx.auth.user()) {
                parts.viewer = Some(viewer(run, plan).await?);
            }
            users::log_out(cx).await?;
            Ok(parts)
        }
        Root::ResetPassword => {
            users::request_password_reset(cx, given(&["email"])).await.map_err(|error| uncoded(cx, &error))?;
            Ok(Parts::ok())
        }
        Root::ConfirmResetPassword => {
            confirm_reset(cx, &field.arguments).await?;
            Ok(Parts::ok())
        }
        Root::SendVerificationEmail => {
            Box::pin(users::request_verification_email(cx, given(&["email"]))).await?;
            Ok(Parts::ok())
        }
        Root::Challenge => {
            let body = given(&["username", "password", "authData", "challengeData"]);
            let answer = users::challenge(cx, body).await?;
            let data = answer.get("challengeData").cloned().unwrap_or(Json::Null);
            Ok(Parts { values: Map::from_iter([("challengeData".to_owned(), data)]), ..Parts::default() })
        }
        _ => Err(ParseError::not_found().into()),
    }
}

async fn body(run: Run<'_>, fields: Option<&Json>) -> Result<Map<String, Json>> {
    match (run.catalog.class(USER), fields.and_then(Json::as_object)) {
        (Some(class), Some(fields)) => Bodies { run }.body(class, fields.clone()).await,
        _ => Ok(Map::new()),
    }
}

/// Removes Parse's code from the errors of this mutation, as parse-server does.
fn uncoded(cx: &Context, error: &ParseError) -> FieldError {
    let sanitize = cx.app.options.security.enable_sanitized_error_response;
    FieldError::Uncoded(error.public_message(sanitize).to_owned())
}

/// Sets a password with a token. Errors have the form in which parse-server reports thrown values.
async fn confirm_reset(cx: &Context, arguments: &Map<String, Json>) -> Result<(), FieldError> {
    let given = |key: &str| arguments.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    let Some(password) = given("password") else {
        return Err(FieldError::Uncoded("you must provide a password".to_owned()));
    };
    let Some(token) = given("token") else {
        return Err(FieldError::Uncoded("you must provide a token".to_owned()));
    };
    users::reset_password(cx, token, password).await.map_err(|error| {
        if error.is(ErrorCode::OtherCause) {
            FieldError::Uncoded(format!("Unexpected error value: \"{}\"", error.message))
        } else {
            uncoded(cx, &error)
        }
    })
}

/// The payload with a new session: the user is read with the permissions of that session.
async fn begun(run: Run<'_>, user: &Object, plan: &PayloadPlan) -> Result<Parts> {
    let token = user.get_str("sessionToken").filter(|token| !token.is_empty()).ok_or_else(no_session)?.to_owned();
    let mut parts = Parts::default();
    if let Some(plan) = plan.viewers().next() {
        let cx = run.cx.with_auth(standing_after(run.cx, user));
        let id = user.get_str("objectId").unwrap_or_default();
        let mut read = read_user(Run { cx: &cx, ..run }, id, plan).await?;
        if let Some(answer) = user.get("authDataResponse") {
            read.insert("authDataResponse", answer.clone());
        }
        parts.viewer = Some(Viewer { token, user: read });
    }
    Ok(parts)
}

/// The current session and its user.
///
/// # Errors
/// 209 if there is no session.
pub async fn viewer(run: Run<'_>, plan: &ViewerPlan) -> Result<Viewer> {
    let (Some(token), Some(id)) = (run.cx.session_token.clone(), run.cx.auth.user_id()) else {
        return Err(no_session());
    };
    Ok(Viewer { token, user: read_user(run, id, plan).await? })
}

async fn read_user(run: Run<'_>, id: &str, plan: &ViewerPlan) -> Result<Object> {
    if plan.users().next().is_none() {
        return Ok(Object::new());
    }
    read_own(run.cx, id, Wanted::by(plan.users()).parameters()).await
}

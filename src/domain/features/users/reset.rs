//! Password reset: sends a token by mail and sets a new password with it.

use serde_json::{Map, Value as Json};

use super::mail::{self, Mailer};
use super::verification::TOKEN_LENGTH;
use super::{lockout, triggers};
use crate::adapters::email::Purpose;
use crate::config::users::PasswordPolicy;
use crate::domain::kernel::commands::Save;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::permissions::Scoped;
use crate::domain::read;
use crate::domain::store;
use crate::domain::write;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json::is_truthy;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::options::FindOptions;
use crate::model::query::{Constraint, Filter};
use crate::model::value::Value;

/// Column with the token.
pub(super) const TOKEN: &str = "_perishable_token";
/// Column with the expiry of the token.
pub(super) const EXPIRES_AT: &str = "_perishable_token_expires_at";

fn policy(cx: &Context) -> Option<&PasswordPolicy> {
    cx.app.options.users.password_policy.as_ref()
}

fn validity(cx: &Context) -> Option<f64> {
    policy(cx).and_then(|policy| policy.reset_token_validity_duration)
}

/// Sends a mail with a token to the user with this email address (or with a username that is one).
///
/// # Errors
/// 1, with status 400, if mail is not configured; 204, 125, 162 for invalid parameters; if the options allow it, 101
/// for an unknown address.
pub async fn request(cx: &Context, body: Map<String, Json>) -> Result<()> {
    let mailer = mail::mailer(cx)?;
    cx.admit_write()?;
    let given = |name: &str| body.get(name).filter(|value| is_truthy(value));
    let user = match (given("email"), given("token")) {
        (None, Some(Json::String(token))) => {
            let user =
                read::internal_one(cx, names::USER, Filter::eq(TOKEN, token.as_str()), "send a reset mail").await?;
            let has_address = user.as_ref().is_some_and(|user| user.get_str("email").is_some());
            if !has_address {
                mail::address(None)?;
            }
            user
        }
        (None, Some(_)) => return Err(ParseError::new(ErrorCode::InvalidValue, "token must be a string")),
        (email, _) => {
            let address = mail::address(email)?;
            if may_tell(cx) || triggers::has_before_password_reset(cx) || cx.transaction.is_some() {
                find(cx, address).await?
            } else {
                // The answer is the same for every address, and so is its time.
                let (own, address) = (cx.part(), address.to_owned());
                let work = async move {
                    let user = find(&own, &address).await?;
                    send(&own, user, mailer).await
                };
                return cx.app.afterwards.run(&cx.app.tasks, "send a reset mail", work).await;
            }
        }
    };
    let known = user.is_some();
    if let Some(user) = &user {
        triggers::before_password_reset(cx, user).await?;
    }
    send(cx, user, mailer).await?;
    if !known && may_tell(cx) {
        return Err(ParseError::new(ErrorCode::ObjectNotFound, "A user with that email does not exist."));
    }
    Ok(())
}

/// Whether a caller is told that nobody has an address.
fn may_tell(cx: &Context) -> bool {
    policy(cx).is_some_and(|policy| !policy.reset_password_success_on_invalid_email)
}

/// Sends a mail with the user's token.
async fn send(cx: &Context, user: Option<Object>, mailer: Mailer) -> Result<()> {
    if let Some((user, token)) = renew(cx, user).await? {
        mailer.send(cx, Purpose::PasswordReset, &user, &token);
    }
    Ok(())
}

/// The user with this email address; if there is none, the user without an email address whose username is this
/// address.
async fn find(cx: &Context, address: &str) -> Result<Option<Object>> {
    let named = Filter::And(vec![Filter::eq("username", address), Filter::field("email", Constraint::Exists(false))]);
    let filter = Filter::Or(vec![Filter::eq("email", address), named]);
    let options = FindOptions { limit: Some(2), ..FindOptions::default() };
    let mut users = read::internal_all(cx, names::USER, filter, &options, "send a reset mail").await?;
    // Anyone can sign up with the email address of another user as username; the mail is for the owner of the address.
    users.sort_by_key(|user| user.get_str("email") == Some(address));
    Ok(users.pop())
}

/// The user's token; a new one unless a valid one is reused. An unknown user costs the same write, which matches no
/// row.
async fn renew(cx: &Context, user: Option<Object>) -> Result<Option<(Object, String)>> {
    let reuse = policy(cx).is_some_and(|policy| policy.reset_token_reuse_if_valid);
    let valid = |user: &Object| user.get(EXPIRES_AT).and_then(Value::as_date).is_some_and(|end| end > cx.now());
    if let Some(user) = &user
        && reuse
        && valid(user)
        && let Some(token) = user.get_str(TOKEN)
    {
        return Ok(Some((user.clone(), token.to_owned())));
    }
    let token = cx.app.random.alphanumeric(TOKEN_LENGTH);
    let mut update = Update::default();
    update.put(TOKEN, Change::Set(token.as_str().into()));
    match validity(cx) {
        Some(seconds) => update.put(EXPIRES_AT, Change::Set(cx.now().plus_seconds(seconds).into())),
        None => update.put(EXPIRES_AT, Change::Unset),
    }
    let id = user.as_ref().and_then(|user| user.get_str("objectId"));
    let filter = Filter::eq("objectId", id.map_or(Value::Null, Value::from));
    let class = cx.class(&ClassName::unchecked(names::USER));
    let scope = Scoped::internal(filter, "give a reset token");
    let row = store::update_one(cx, &class, &scope, &update).await.map_err(failure)?;
    Ok(row.map(|user| (user, token)))
}

/// The user with this token.
///
/// # Errors
/// -1 for an unknown or expired token.
pub async fn check(cx: &Context, token: &str) -> Result<Object> {
    if token.is_empty() {
        return Err(invalid());
    }
    let user = read::internal_one(cx, names::USER, Filter::eq(TOKEN, token), "whose reset token it is")
        .await?
        .ok_or_else(invalid)?;
    let end = user.get(EXPIRES_AT).and_then(Value::as_date);
    if validity(cx).is_some() && end.is_some_and(|end| end < cx.now()) {
        return Err(ParseError::new(ErrorCode::OtherCause, "The password reset link has expired"));
    }
    Ok(user)
}

fn invalid() -> ParseError {
    ParseError::new(ErrorCode::OtherCause, "Failed to reset password: username / email / token is invalid")
}

/// Sets a new password. One conditional write checks and removes the token, so that only one of several concurrent
/// attempts succeeds.
///
/// # Errors
/// -1 for an invalid token, or with the message of the password policy.
pub async fn reset(cx: &Context, token: &str, password: &str) -> Result<()> {
    let user = check(cx, token).await?;
    let mut internal = Update::default();
    let users = &cx.app.options.users;
    if users.account_lockout.as_ref().is_some_and(|lockout| lockout.unlock_on_password_reset) {
        lockout::release(&mut internal);
    }
    let mut body = Map::new();
    body.insert("password".to_owned(), Json::String(password.to_owned()));
    let request = Save {
        class: ClassName::unchecked(names::USER),
        new_id: None,
        id: Some(user.get_str("objectId").unwrap_or_default().to_owned()),
        body,
    };
    match write::save_only(&cx.as_master(), request, Filter::eq(TOKEN, token), internal).await {
        Ok(_) => Ok(()),
        Err(error) if error.is(ErrorCode::ObjectNotFound) => Err(invalid()),
        Err(error) if error.is(ErrorCode::ValidationError) => {
            Err(ParseError::new(ErrorCode::OtherCause, error.message))
        }
        Err(error) => Err(error),
    }
}

//! Log in by username or email address and password, and by the master key.

use std::time::Duration;

use serde_json::{Map, Value as Json};
use tokio::time::{Instant, sleep_until};

use super::sessions::{self, CreatedWith};
use super::state::Users;
use super::{auth_data, lockout, policy, triggers, verification};
use crate::domain::kernel::audit::{Deed, What};
use crate::domain::kernel::clp::Operation;
use crate::domain::kernel::commands::GetQuery;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::noting;
use crate::domain::read::{self, CachedRow};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names;
use crate::model::object::Object;
use crate::model::query::options::FindOptions;
use crate::model::query::{Filter, Resolved};
use crate::model::value::Value;

/// Refusals of names and passwords leave at multiples of this time, so that little differences of the work, such as a row more that is read,
/// tell nobody whether the name exists.
const STEP: Duration = Duration::from_millis(10);

/// 101, the same for every reason.
pub(super) fn invalid_credentials() -> ParseError {
    ParseError::new(ErrorCode::ObjectNotFound, "Invalid username/password.")
}

/// Logs in. Returns the user in the form that it can read itself, with the token of a new session.
///
/// # Errors
/// 200, 201 for missing parameters, 101 for wrong ones; 119 for the read-only master key.
pub async fn log_in(cx: &Context, parameters: Map<String, Json>) -> Result<Object> {
    let user = with_right_password(cx, &parameters).await?;
    cx.refuse_read_only_write(Operation::Create)?;
    let response = match auth_data::on_log_in(cx, &user, &parameters).await {
        Ok(response) => response,
        Err(error) => {
            // A wrong second factor counts as a failed log in; otherwise the right password would allow unlimited
            // guesses.
            if parameters.contains_key("authData") {
                lockout::record(cx, &user, false).await?;
            }
            noting::note(cx, || Deed::new(What::LogInFailed).of(user_id(&user))).await;
            return Err(error);
        }
    };
    lockout::record(cx, &user, true).await?;
    policy::check_age(cx, &user).await?;
    triggers::before_login(cx, &user).await?;
    let token = sessions::create(cx, user_id(&user), Some(&CreatedWith::log_in("password"))).await?;
    keep_if_right(cx, &user, &parameters, &token).await?;
    let called = triggers::after_login(cx, &user, &token).await?;
    // Providers and triggers may have changed the row.
    let known = if response.is_some() || called { CachedRow::None } else { CachedRow::Read(user.clone()) };
    let mut object = own_view(cx, GetQuery::of(names::USER, user_id(&user)), &user, known).await?;
    object.insert("sessionToken", token);
    if let Some(response) = response {
        object.insert("authDataResponse", response);
    }
    Ok(object)
}

/// Ends a new session if what the log in rests on was taken away while it was verified: whoever ends the sessions of a user afterwards, as a
/// change of the password does, may have looked before this one was stored.
async fn keep_if(cx: &Context, token: &str, is_right: bool) -> Result<()> {
    if is_right {
        return Ok(());
    }
    sessions::end(cx, token).await?;
    Err(invalid_credentials())
}

/// Keeps a new session if its user still has one of the identities of the log in, and may log in.
pub(super) async fn keep_if_linked(cx: &Context, user: &Object, linked: Resolved, token: &str) -> Result<()> {
    let filter = Filter::eq("objectId", user_id(user)).and(linked);
    let now = read::internal_one(cx, names::USER, filter, "whether the identity is still linked").await?;
    keep_if(cx, token, now.is_some_and(|row| !is_closed(cx, &row))).await
}

/// Keeps a new session if its user still has the password of the log in, and may log in. A trigger may have set the
/// same password again, with another hash.
async fn keep_if_right(cx: &Context, user: &Object, parameters: &Map<String, Json>, token: &str) -> Result<()> {
    let filter = Filter::eq("objectId", user_id(user));
    let now = read::internal_one(cx, names::USER, filter, "whether the password is still the same").await?;
    let Some(now) = now.filter(|row| !is_closed(cx, row)) else { return keep_if(cx, token, false).await };
    let hash = now.get_str("_hashed_password");
    if hash == user.get_str("_hashed_password") {
        return Ok(());
    }
    let password = parameters.get("password").and_then(Json::as_str).unwrap_or_default().to_owned();
    let hasher = &cx.app.feature::<Users>()?.hasher;
    let is_right = hash.is_some() && hasher.verify(cx.client.ip, password, hash.map(str::to_owned)).await?;
    keep_if(cx, token, is_right).await
}

/// Verifies a password. Returns the user in the form that it can read itself, without a session.
///
/// # Errors
/// As [`log_in`].
pub async fn verify_password(cx: &Context, parameters: Map<String, Json>) -> Result<Object> {
    let user = verified_user(cx, &parameters).await?;
    own_view(cx, GetQuery::of(names::USER, user_id(&user)), &user, CachedRow::Read(user.clone())).await
}

/// Logs in as a user with the master key.
///
/// # Errors
/// 119 without the master key, 162 without an id, 101 for an unknown one.
pub async fn log_in_as(cx: &Context, user_id: Option<&Json>) -> Result<Object> {
    if !cx.auth.has_master_key() {
        return Err(ParseError::forbidden("master key is required"));
    }
    cx.refuse_read_only("read-only masterKey isn't allowed to log in as a user.")?;
    let Some(id) = user_id.and_then(Json::as_str).filter(|id| !id.is_empty()) else {
        return Err(ParseError::new(ErrorCode::InvalidValue, "userId must not be empty, null, or undefined"));
    };
    let user = read::internal_one(cx, names::USER, Filter::eq("objectId", id), "log in as")
        .await?
        .ok_or_else(|| ParseError::new(ErrorCode::ObjectNotFound, "user not found"))?;
    open(cx, &user, CachedRow::Read(user.clone()), &CreatedWith::log_in("masterkey")).await
}

/// Creates a session for a user and returns the user with the token, without find triggers. `known`: the user's row, if it is in
/// memory.
///
/// # Errors
/// When the store fails.
pub async fn open(cx: &Context, user: &Object, known: CachedRow, created_with: &CreatedWith) -> Result<Object> {
    let token = sessions::create(cx, user_id(user), Some(created_with)).await?;
    let query = GetQuery { quiet: true, ..GetQuery::of(names::USER, user_id(user)) };
    let mut object = own_view(cx, query, user, known).await?;
    object.insert("sessionToken", token);
    Ok(object)
}

fn user_id(user: &Object) -> &str {
    user.get_str("objectId").unwrap_or_default()
}

/// The user in the form that it can read itself; only the id if the class or a trigger hides it.
async fn own_view(cx: &Context, query: GetQuery, user: &Object, known: CachedRow) -> Result<Object> {
    let as_user = if cx.auth.is_master() && !cx.auth.is_read_only() {
        cx.clone()
    } else {
        cx.with_auth(sessions::standing_of(user))
    };
    match read::get_known(&as_user, query, known).await {
        Ok(mut object) => {
            object.remove("sessionToken");
            Ok(object)
        }
        Err(error) if error.status < 500 => {
            let mut object = Object::new();
            object.insert("objectId", user_id(user));
            Ok(object)
        }
        Err(error) => Err(error),
    }
}

/// How a caller was authenticated, on which further checks before a session depend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// By password.
    Password,
    /// By an identity without a current proof: an anonymous id, or one that was verified earlier.
    Identity,
    /// By an identity that an external service has confirmed in this request.
    ProvenIdentity,
}

/// Whether the ACL of a user keeps the user itself out.
fn is_closed(cx: &Context, user: &Object) -> bool {
    let closed = |column: &str| user.get(column).and_then(Value::as_array).is_some_and(<[Value]>::is_empty);
    closed("_rperm") && closed("_wperm") && !cx.auth.is_master()
}

/// The checks before every session: may this user log in. (The second factor is checked where identities are read.)
///
/// # Errors
/// 101 if the ACL of the user's row does not permit the user to read it; 205 if the email address must be verified
/// first, unless an external service has just confirmed the identity.
pub async fn admit(cx: &Context, user: &Object, way: Proof, parameters: &Map<String, Json>) -> Result<()> {
    if is_closed(cx, user) {
        return Err(invalid_credentials());
    }
    if way == Proof::ProvenIdentity { Ok(()) } else { verification::check(cx, user, parameters).await }
}

/// The user in the parameters, if the password is right. A wrong password counts towards the lockout; the caller
/// records a right one ([`lockout::record`]).
pub(super) async fn with_right_password(cx: &Context, parameters: &Map<String, Json>) -> Result<Object> {
    let begun = Instant::now();
    let user = found_by_password(cx, parameters).await;
    if user.as_ref().is_err_and(|error| error.code == Some(ErrorCode::ObjectNotFound)) {
        sleep_until(begun + until_step(begun.elapsed())).await;
    }
    user
}

/// The first step that is not over after this time.
fn until_step(elapsed: Duration) -> Duration {
    let steps = elapsed.as_micros() / STEP.as_micros() + 1;
    STEP.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
}

/// As [`with_right_password`]. Every path verifies one hash, and a second one if the username is also the email address
/// of another user.
async fn found_by_password(cx: &Context, parameters: &Map<String, Json>) -> Result<Object> {
    // Attempts that cannot be counted would be unlimited guesses.
    cx.admit_write()?;
    let given =
        |name: &str| parameters.get(name).filter(|value| !matches!(value, Json::Null) && value.as_str() != Some(""));
    let (username, email, password) = (given("username"), given("email"), given("password"));
    if username.is_none() && email.is_none() {
        return Err(ParseError::new(ErrorCode::UsernameMissing, "username/email is required."));
    }
    let Some(password) = password else {
        return Err(ParseError::new(ErrorCode::PasswordMissing, "password is required."));
    };
    let text = |value: Option<&Json>| -> Result<Option<String>> {
        match value {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(invalid_credentials()),
        }
    };
    let password = text(Some(password))?.unwrap_or_default();
    let (username, email) = (text(username)?, text(email)?);
    let mut candidates = candidates(cx, username.as_deref(), email.as_deref()).await?.into_iter();
    let hasher = &cx.app.feature::<Users>()?.hasher;
    let first = candidates.next();
    let hash = |user: &Object| user.get_str("_hashed_password").map(str::to_owned);
    let mut right = hasher.verify(cx.client.ip, password.clone(), first.as_ref().and_then(hash)).await?;
    let mut user = first;
    for other in candidates {
        if right {
            break;
        }
        right = hasher.verify(cx.client.ip, password.clone(), hash(&other)).await?;
        if right {
            user = Some(other);
        }
    }
    if !right {
        let deed = Deed::new(What::LogInFailed);
        noting::note(cx, || user.as_ref().map_or(deed.clone(), |user| deed.clone().of(user_id(user)))).await;
    }
    match &user {
        Some(user) if right => lockout::refuse_locked(cx, user)?,
        Some(user) => lockout::record(cx, user, false).await?,
        None => {
            let name = [username.as_deref(), email.as_deref()].map(Option::unwrap_or_default).join("\n");
            lockout::record_unknown(cx, &name).await?;
        }
    }
    let user = user.filter(|_| right).ok_or_else(invalid_credentials)?;
    admit(cx, &user, Proof::Password, parameters).await?;
    Ok(user)
}

/// The user in the parameters, if the password is right. Records a success for the lockout.
pub(super) async fn verified_user(cx: &Context, parameters: &Map<String, Json>) -> Result<Object> {
    let user = with_right_password(cx, parameters).await?;
    lockout::record(cx, &user, true).await?;
    Ok(user)
}

/// The users with a username or email address, the one with the username first. Anyone can sign up with the email
/// address of another user as username; that must not prevent the owner of the address from logging in.
async fn candidates(cx: &Context, username: Option<&str>, email: Option<&str>) -> Result<Vec<Object>> {
    let filter: Resolved = match (username, email) {
        (Some(username), Some(email)) => {
            Filter::And(vec![Filter::eq("username", username), Filter::eq("email", email)])
        }
        (Some(name), None) => Filter::Or(vec![Filter::eq("username", name), Filter::eq("email", name)]),
        (None, Some(email)) => Filter::eq("email", email),
        (None, None) => return Ok(Vec::new()),
    };
    let options = FindOptions { limit: Some(2), ..FindOptions::default() };
    let mut users = read::internal_all(cx, names::USER, filter, &options, "log in").await?;
    users.sort_by_key(|user| user.get_str("username") != username);
    Ok(users)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_leave_at_the_next_step() {
        for (elapsed, step) in [(0, 10), (1, 10), (9_999, 10), (10_000, 20), (61_250, 70)] {
            assert_eq!(until_step(Duration::from_micros(elapsed)), Duration::from_millis(step), "{elapsed}");
        }
    }
}

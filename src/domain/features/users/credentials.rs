//! Username, email address and password in a write of a user.

use super::state::{UserState, Users};
use super::{password, reset, sessions};
use crate::domain::kernel::context::Context;
use crate::domain::kernel::stages::Checked;
use crate::domain::read;
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names;
use crate::model::operation::Change;
use crate::model::query::options::FindOptions;
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::value::Value;

/// Number of characters of a generated username.
const GENERATED_NAME_LENGTH: usize = 25;

/// Makes sure that a new user has a name, and that nobody else has the name that is given.
///
/// # Errors
/// 200: an update empties or removes it; 202: another user has it; those of the store.
pub(super) async fn take_name(cx: &Context, checked: &mut Checked, creating: bool) -> Result<()> {
    let name = match checked.write.update.get("username") {
        Some(Change::Set(Value::String(name))) if !name.is_empty() => name.clone(),
        _ if creating => {
            let name = generated_name(cx).await?;
            checked.write.update.put("username", Change::Set(name.into()));
            checked.facts.filled_in.push("username".to_owned());
            return Ok(());
        }
        // Without a username the account could no longer log in.
        Some(Change::Unset | Change::Set(Value::Null | Value::String(_))) => {
            return Err(ParseError::new(ErrorCode::UsernameMissing, "bad or missing username"));
        }
        _ => return Ok(()),
    };
    let folded = if cx.app.options.users.convert_username_to_lowercase { name.to_lowercase() } else { name };
    if is_taken(cx, "username", &folded, checked.row_id()).await? {
        return Err(username_taken());
    }
    checked.write.update.put("username", Change::Set(folded.into()));
    Ok(())
}

/// Checks the email address, if the write sets one; an empty one is removed. When the address or the password changes, the reset token goes.
///
/// # Errors
/// 125: it is no email address; 203: another user has it; those of the store.
pub(super) async fn take_email(cx: &Context, checked: &mut Checked) -> Result<()> {
    clear_reset_token(checked);
    let email = match checked.write.update.get("email") {
        Some(Change::Set(Value::String(email))) if !email.is_empty() => email.clone(),
        // Store no value instead of an empty one, because the column has a unique index.
        Some(Change::Set(Value::Null | Value::String(_))) => {
            checked.write.update.put("email", Change::Unset);
            return Ok(());
        }
        _ => return Ok(()),
    };
    if !is_email(&email) {
        return Err(ParseError::new(ErrorCode::InvalidEmailAddress, "Email address format is invalid."));
    }
    let folded = if cx.app.options.users.convert_email_to_lowercase { email.to_lowercase() } else { email };
    if is_taken(cx, "email", &folded, checked.row_id()).await? {
        return Err(email_taken());
    }
    checked.write.update.put("email", Change::Set(folded.into()));
    Ok(())
}

/// Replaces the password, if the write sets one, by its hash. When users or administrators change it, the user's sessions end first
/// (`revokeSessionOnPasswordReset`).
///
/// # Errors
/// 201: the password is no text, or empty; 209: the caller's session has ended meanwhile; 503: too many passwords wait to be hashed; those
/// of the store.
pub(super) async fn take_password(cx: &Context, checked: &mut Checked, creating: bool) -> Result<()> {
    match checked.write.update.remove("password") {
        None => Ok(()),
        Some(Change::Set(Value::String(password))) if !password.is_empty() => {
            let ends = !creating && cx.app.options.users.revoke_session_on_password_reset;
            let by_session = ends && cx.auth.user().is_some();
            let unchanged = if by_session { same_password(cx, checked.row_id()).await? } else { Filter::All };
            let hash = hashed(cx, &password).await?;
            if by_session {
                // Whoever waited to hash while another change ended the session may not change the password again.
                sessions::refuse_ended(cx).await?;
                checked.only = std::mem::replace(&mut checked.only, Filter::All).and(unchanged);
            }
            if ends && (cx.auth.is_master() || cx.auth.user_id() == Some(checked.row_id())) {
                // The sessions end before the password changes, too, and not only after it: so nobody finds the new password and an old
                // session together, nor does a crash leave them.
                sessions::end_all(cx, checked.row_id()).await?;
            }
            checked.internal.put("_hashed_password", Change::Set(hash.into()));
            checked.state.change(|state: &mut UserState| state.password_changed = !creating);
            Ok(())
        }
        Some(_) => Err(ParseError::new(ErrorCode::PasswordMissing, "password is required")),
    }
}

/// The condition that nobody changes a user's password from now on.
async fn same_password(cx: &Context, id: &str) -> Result<Resolved> {
    let row = read::internal_one(cx, names::USER, store::by_id(id), "whose password changes").await?;
    Ok(password::unchanged(&row.unwrap_or_default()))
}

/// The hash of a password. Other writers do not wait for those of a transaction: they are made before it begins.
pub(super) async fn hashed(cx: &Context, password: &str) -> Result<String> {
    let hash = cx.app.feature::<Users>()?.hasher.hash(cx.client.ip, password.to_owned());
    cx.ask_once(|| format!("hash of {password}"), hash).await
}

/// Removes the reset token when the email address or password changes.
fn clear_reset_token(checked: &mut Checked) {
    let touched = checked.write.update.get("email").is_some() || checked.write.update.get("password").is_some();
    if checked.id.is_some() && touched {
        checked.internal.put(reset::TOKEN, Change::Unset);
        checked.internal.put(reset::EXPIRES_AT, Change::Unset);
    }
}

/// Matches `.+@.+` on one line.
fn is_email(text: &str) -> bool {
    text.char_indices().any(|(at, letter)| {
        letter == '@'
            && text.get(..at).is_some_and(|before| !before.is_empty())
            && text.get(at + 1..).is_some_and(|after| !after.is_empty())
    }) && !text.contains(['\n', '\r'])
}

/// The name of a user who has none.
pub(super) async fn generated_name(cx: &Context) -> Result<String> {
    let name = cx.app.random.alphanumeric(GENERATED_NAME_LENGTH);
    // In a transaction, the name that was chosen before it began stays.
    cx.ask_once(|| "username".to_owned(), async { Ok(name) }).await
}

/// Whether another user has this username or email address, ignoring case.
pub(super) async fn is_taken(cx: &Context, field: &str, value: &str, own_id: &str) -> Result<bool> {
    let filter: Resolved =
        Filter::And(vec![Filter::eq(field, value), Filter::field("objectId", Constraint::Ne(own_id.into()))]);
    let options = FindOptions {
        limit: Some(1),
        keys: Some(vec![field.to_owned()]),
        case_insensitive: !cx.app.options.database.enable_collation_case_comparison,
        ..FindOptions::default()
    };
    Ok(!read::internal_all(cx, names::USER, filter, &options, "whether a name is taken").await?.is_empty())
}

/// 202: another user has this name.
pub(super) fn username_taken() -> ParseError {
    ParseError::new(ErrorCode::UsernameTaken, "Account already exists for this username.")
}

/// 203: another user has this email address.
pub(super) fn email_taken() -> ParseError {
    ParseError::new(ErrorCode::EmailTaken, "Account already exists for this email address.")
}

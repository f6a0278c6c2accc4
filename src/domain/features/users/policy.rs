//! Password policy: rules for passwords, history, expiry.

use super::password;
use super::state::Users;
use crate::config::users::PasswordPolicy;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::stages::Checked;
use crate::domain::permissions::Scoped;
use crate::domain::read;
use crate::domain::store;
use crate::domain::triggers::ask;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json::is_truthy;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::{Constraint, Filter};
use crate::model::value::Value;

/// Column with the hashes of earlier passwords, oldest first.
const HISTORY: &str = "_password_history";
/// Column with the time of the last change.
const CHANGED_AT: &str = "_password_changed_at";
const SECONDS_PER_DAY: f64 = 86_400.0;

fn refuse(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::ValidationError, message)
}

/// Checks a new password, if the write contains one, and records history and date.
///
/// # Errors
/// 142 if the password is refused; 503 if the hash queue is full.
pub async fn admit(cx: &Context, checked: &mut Checked) -> Result<()> {
    let Some(policy) = &cx.app.options.users.password_policy else { return Ok(()) };
    let Some(Change::Set(Value::String(password))) = checked.write.update.get("password") else { return Ok(()) };
    if password.is_empty() {
        return Ok(());
    }
    let password = password.clone();
    let matches = policy.validator_pattern.as_ref().is_none_or(|pattern| pattern.is_match(&password));
    if !matches || !is_accepted(cx, &password).await? {
        let text = policy.validation_error.clone();
        return Err(refuse(
            text.unwrap_or_else(|| "Password does not meet the Password Policy requirements.".to_owned()),
        ));
    }
    let history = policy.max_password_history.filter(|count| *count > 0);
    let row = match &checked.id {
        Some(id) if policy.do_not_allow_username || history.is_some() => {
            read::internal_one(cx, names::USER, store::by_id(id), "judge a new password").await?
        }
        _ => None,
    };
    if policy.do_not_allow_username {
        let name = match checked.write.update.get("username") {
            Some(Change::Set(Value::String(name))) => Some(name.as_str()),
            _ => row.as_ref().and_then(|row| row.get_str("username")),
        };
        if name.is_some_and(|name| !name.is_empty() && password.contains(name)) {
            return Err(refuse("Password cannot contain your username."));
        }
    }
    if let (Some(count), Some(row)) = (history, &row) {
        remember(cx, checked, &password, count, row).await?;
    }
    if policy.max_password_age.is_some_and(|days| days > 0.0) {
        checked.internal.put(CHANGED_AT, Change::Set(cx.now().into()));
    }
    Ok(())
}

/// Whether the function of the app accepts a password, if there is one.
async fn is_accepted(cx: &Context, password: &str) -> Result<bool> {
    let Some(judge) = &cx.app.feature::<Users>()?.callbacks.judge_password else { return Ok(true) };
    let ask = ask(cx, judge, None, vec![password.into()]);
    let answer = cx.ask_once(|| format!("password: {password}"), ask).await?;
    Ok(answer.as_ref().is_some_and(is_truthy))
}

/// Asks the app about a password that is sent, for a part of a transaction before that begins.
///
/// # Errors
/// The end of the part, if the function fails; it gets the error when it is carried out.
pub async fn rehearse(cx: &Context, password: Option<&str>) -> Result<()> {
    if let Some(password) = password.filter(|password| !password.is_empty() && cx.is_rehearsed()) {
        is_accepted(cx, password).await?;
    }
    Ok(())
}

/// Compares a new password with those of the history, for a part of a transaction before that begins.
///
/// # Errors
/// The end of the part, if the comparison fails; it gets the error when it is carried out.
pub async fn rehearse_history(cx: &Context, id: Option<&str>, password: &str) -> Result<()> {
    let policy = cx.app.options.users.password_policy.as_ref();
    let count = policy.and_then(|policy| policy.max_password_history).filter(|count| *count > 0);
    let (Some(count), Some(id)) = (count, id) else { return Ok(()) };
    if let Some(row) = read::internal_one(cx, names::USER, store::by_id(id), "judge a new password").await? {
        Earlier::of(&row, count).include(cx, password).await?;
    }
    Ok(())
}

/// The passwords that a user may not take again.
struct Earlier {
    /// The hash of the current one.
    current: Option<String>,
    /// The hashes of those before it, oldest first.
    recent: Vec<String>,
}

impl Earlier {
    /// The last `count` passwords of a user.
    fn of(row: &Object, count: u32) -> Self {
        let kept = usize::try_from(count).unwrap_or(usize::MAX).saturating_sub(1);
        let stored = row.get(HISTORY).and_then(Value::as_array).unwrap_or_default();
        let mut hashes: Vec<String> = stored.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let old = hashes.len().saturating_sub(kept);
        Self { current: row.get_str("_hashed_password").map(str::to_owned), recent: hashes.split_off(old) }
    }

    /// Whether a password is one of them.
    async fn include(&self, cx: &Context, password: &str) -> Result<bool> {
        let hasher = &cx.app.feature::<Users>()?.hasher;
        for hash in self.current.iter().chain(&self.recent) {
            let same = hasher.verify(cx.client.ip, password.to_owned(), Some(hash.clone()));
            if cx.ask_once(|| format!("{hash} of {password}"), same).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Refuses a previous password, and adds the current one to the history.
async fn remember(cx: &Context, checked: &mut Checked, password: &str, count: u32, row: &Object) -> Result<()> {
    let earlier = Earlier::of(row, count);
    if earlier.include(cx, password).await? {
        return Err(refuse(format!("New password should not be the same as last {count} passwords.")));
    }
    // Write only if the password has not been changed since it was read.
    let only = std::mem::replace(&mut checked.only, Filter::All);
    checked.only = only.and(password::unchanged(row));
    let mut remembered: Vec<Value> = earlier.recent.into_iter().chain(earlier.current).map(Value::String).collect();
    // parse-server stores one even if it is not checked.
    let kept = usize::try_from(count).unwrap_or(usize::MAX).saturating_sub(1);
    let old = remembered.len().saturating_sub(kept.max(1));
    let remembered = remembered.split_off(old);
    checked.internal.put(HISTORY, Change::Set(Value::Array(remembered)));
    Ok(())
}

/// Refuses a log in with an expired password. Sets the date of a user without one.
///
/// # Errors
/// 101 if the password has expired.
pub async fn check_age(cx: &Context, user: &Object) -> Result<()> {
    let age = |policy: &PasswordPolicy| policy.max_password_age;
    let Some(days) = cx.app.options.users.password_policy.as_ref().and_then(age).filter(|days| *days > 0.0) else {
        return Ok(());
    };
    let now = cx.now();
    let Some(changed) = user.get(CHANGED_AT).and_then(Value::as_date) else {
        let id = user.get_str("objectId").unwrap_or_default();
        let filter = store::by_id(id).and(Filter::field(CHANGED_AT, Constraint::Exists(false)));
        let mut update = Update::default();
        update.put(CHANGED_AT, Change::Set(now.into()));
        let class = cx.class(&ClassName::unchecked(names::USER));
        let scope = Scoped::internal(filter, "note since when a password is in use");
        store::update_one(cx, &class, &scope, &update).await.map_err(failure)?;
        return Ok(());
    };
    if changed.plus_seconds(days * SECONDS_PER_DAY) < now {
        return Err(ParseError::new(
            ErrorCode::ObjectNotFound,
            "Your password has expired. Please reset your password.",
        ));
    }
    Ok(())
}

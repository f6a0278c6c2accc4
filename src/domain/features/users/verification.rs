//! Email verification: the server sends a token to the email address of a user; using the token verifies the address.

use serde_json::{Map, Value as Json, json};

use super::sessions::CreatedWith;
use super::state::{UserState, Users};
use super::{mail, triggers};
use crate::adapters::cloud::module::Decision;
use crate::adapters::email::Purpose;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::stages::{Checked, Draft};
use crate::domain::permissions::Scoped;
use crate::domain::read;
use crate::domain::store;
use crate::domain::triggers::{ask, payload};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json::is_truthy;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::parse::{self, ParsedWrite, WriteKind};
use crate::model::operation::{Change, Update, apply};
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::value::Value;

/// Column with the token.
const TOKEN: &str = "_email_verify_token";
/// Column with the expiry of the token.
const EXPIRES_AT: &str = "_email_verify_token_expires_at";
/// Number of characters of a token.
pub(super) const TOKEN_LENGTH: usize = 25;

/// 205: the email address is not verified.
#[must_use]
pub fn unverified() -> ParseError {
    ParseError::new(ErrorCode::EmailNotFound, "User email is not verified.")
}

/// What a function of the app is asked. A part of a transaction asks each of them once.
#[derive(Debug, Clone, Copy)]
enum Question {
    /// Whether an address must be verified, of a write that sets it.
    VerifyAddress,
    /// Whether it must be, of a log in.
    VerifyAtLogIn,
    /// Whether it must be, of a request for another mail.
    VerifyAgain,
    /// Whether somebody whose address is not verified cannot log in.
    PreventLogIn,
    /// Whether the mail is sent.
    SendMail,
}

/// What decides, and what it is told.
async fn decide(
    cx: &Context,
    decision: &Decision,
    question: Question,
    told: impl Fn() -> Map<String, Json>,
) -> Result<Option<Json>> {
    match decision {
        Decision::Always(always) => Ok(Some((*always).into())),
        Decision::Asked(code) => {
            let ask = async { ask(cx, code, None, vec![told().into()]).await };
            cx.ask_once(|| format!("{question:?}"), ask).await
        }
    }
}

/// Whether it says yes. What is not `true` does not.
async fn says_true(
    cx: &Context,
    decision: &Decision,
    question: Question,
    told: impl Fn() -> Map<String, Json>,
) -> Result<bool> {
    Ok(decide(cx, decision, question, told).await? == Some(Json::Bool(true)))
}

/// Whether functions of the app decide whose address must be verified.
#[must_use]
pub fn asks_outside(cx: &Context) -> bool {
    let asked = |decision: &Decision| matches!(decision, Decision::Asked(_));
    let users = cx.app.feature::<Users>();
    users.is_ok_and(|users| asked(&users.callbacks.verify_email) || asked(&users.callbacks.prevent_log_in))
}

/// Asks the functions of the app about a user whom a part of a transaction writes, before that begins: they may write by themselves, and
/// a transaction may hold up all other writers. `name`: the name of a new user who has none. `logs_in`: how somebody logs in by the
/// write, if so.
///
/// # Errors
/// The end of the part, if a function fails; it gets the error when it is carried out. When the store fails.
pub async fn rehearse(cx: &Context, draft: &Draft, name: Option<String>, logs_in: Option<&CreatedWith>) -> Result<()> {
    let kind = if draft.creates() { WriteKind::Create } else { WriteKind::Update };
    // What cannot be written is refused when it is carried out.
    let Ok(ParsedWrite { mut update, .. }) = parse::parse(draft.body.clone(), kind) else { return Ok(()) };
    update.remove("password");
    let before = match &draft.id {
        Some(id) => read::internal_one(cx, names::USER, store::by_id(id), "whose address changes").await?,
        None => None,
    };
    let mut user = before.clone().unwrap_or_default();
    user.insert("objectId", draft.id.as_deref().unwrap_or(&draft.new_id));
    user.insert("updatedAt", cx.now());
    if apply::apply(&update, &mut user).is_err() {
        return Ok(());
    }
    if draft.creates() {
        user.insert("createdAt", cx.now());
    }
    if let Some(name) = name.filter(|_| user.get_str("username").is_none_or(str::is_empty)) {
        user.insert("username", name);
    }
    let state = draft.state.get::<UserState>();
    let is_proven = draft.creates() && state.is_some_and(|state| state.proves_identity);
    let provider = state.and_then(|state| state.auth_provider.as_deref());
    if sets_address(&update) && !is_proven && must_verify(cx, &user, before.as_ref(), provider).await? {
        user.insert("emailVerified", false);
    }
    if let Some(created_with) = logs_in {
        is_required(cx, &user, created_with).await?;
    }
    Ok(())
}

/// What the functions are told: the user as it will be and as it was, and who asks.
fn told(cx: &Context, user: &Object, before: Option<&Object>, created_with: Option<&CreatedWith>) -> Map<String, Json> {
    let shown = |user: &Object| {
        let mut shown = triggers::own(cx, user);
        shown.insert("__type".to_owned(), "Object".into());
        Json::Object(shown)
    };
    let mut told = payload::request(cx);
    told.insert("object".to_owned(), shown(user));
    if let Some(before) = before {
        told.insert("original".to_owned(), shown(before));
    }
    if let Some(created_with) = created_with {
        told.insert("createdWith".to_owned(), created_with.told());
    }
    told
}

/// Whether there are users who cannot log in unverified.
#[must_use]
pub fn may_be_required(cx: &Context) -> bool {
    let options = &cx.app.options.mail;
    options.verify_user_emails.is_possible() && options.prevent_login_with_unverified_email.is_possible()
}

/// Whether this user cannot log in unverified.
///
/// # Errors
/// What a function of the app throws.
pub async fn is_required(cx: &Context, user: &Object, created_with: &CreatedWith) -> Result<bool> {
    let callbacks = &cx.app.feature::<Users>()?.callbacks;
    let told = || told(cx, user, None, Some(created_with));
    Ok(says_true(cx, &callbacks.verify_email, Question::VerifyAtLogIn, told).await?
        && says_true(cx, &callbacks.prevent_log_in, Question::PreventLogIn, told).await?)
}

/// Refuses the log in of a user whose email address is not verified, if verification is required.
///
/// # Errors
/// 205; what a function of the app throws.
pub async fn check(cx: &Context, user: &Object, parameters: &Map<String, Json>) -> Result<()> {
    let verified = user.get("emailVerified").and_then(Value::as_bool) == Some(true);
    let ignored = cx.auth.is_master()
        && !cx.auth.is_read_only()
        && parameters.get("ignoreEmailVerification") == Some(&Json::Bool(true));
    if ignored {
        return Ok(());
    }
    let providers = parameters.get("authData").and_then(Json::as_object).filter(|providers| !providers.is_empty());
    let providers = providers.map(|providers| providers.keys().map(String::as_str).collect::<Vec<_>>().join(","));
    let created_with = CreatedWith::log_in(providers.as_deref().unwrap_or("password"));
    if is_required(cx, user, &created_with).await? && !verified { Err(unverified()) } else { Ok(()) }
}

/// Creates a token for a write that sets an email address. A new user whose identity an external service has just
/// confirmed does not have to verify the address; a changed address must always be verified.
///
/// # Errors
/// What a function of the app throws; when the store fails.
pub async fn prepare(cx: &Context, checked: &mut Checked) -> Result<()> {
    let is_proven = checked.id.is_none() && checked.state.get::<UserState>().is_some_and(|state| state.proves_identity);
    if !cx.app.options.mail.verify_user_emails.is_possible() || is_proven {
        return Ok(());
    }
    if !sets_address(&checked.write.update) || !must_verify_written(cx, checked).await? {
        return Ok(());
    }
    checked.write.update.put("emailVerified", Change::Set(false.into()));
    new_token(cx, &mut checked.internal);
    checked.state.change(|state: &mut UserState| state.verify_email = true);
    Ok(())
}

/// Whether a write sets an address.
fn sets_address(update: &Update) -> bool {
    matches!(update.get("email"), Some(Change::Set(Value::String(email))) if !email.is_empty())
}

/// Whether the address that a write sets must be verified.
async fn must_verify_written(cx: &Context, checked: &Checked) -> Result<bool> {
    if let Decision::Always(always) = &cx.app.feature::<Users>()?.callbacks.verify_email {
        return Ok(*always);
    }
    let before = match &checked.id {
        Some(id) => read::internal_one(cx, names::USER, store::by_id(id), "whose address changes").await?,
        None => None,
    };
    let mut user = before.clone().unwrap_or_default();
    user.insert("objectId", checked.row_id());
    let mut update = checked.write.update.clone();
    update.remove("password");
    apply::apply(&update, &mut user)?;
    let provider = checked.state.get::<UserState>().and_then(|state| state.auth_provider.as_deref());
    must_verify(cx, &user, before.as_ref(), provider).await
}

/// Whether the address of a user must be verified. `before`: the user as it was, if it was; `provider`: who identifies it, if somebody does.
async fn must_verify(cx: &Context, user: &Object, before: Option<&Object>, provider: Option<&str>) -> Result<bool> {
    let created_with = match provider {
        Some(provider) => Some(CreatedWith::log_in(provider)),
        None => before.is_none().then(CreatedWith::sign_up),
    };
    let verify_email = &cx.app.feature::<Users>()?.callbacks.verify_email;
    let told = || told(cx, user, before, created_with.as_ref());
    says_true(cx, verify_email, Question::VerifyAddress, told).await
}

fn new_token(cx: &Context, update: &mut Update) {
    update.put(TOKEN, Change::Set(cx.app.random.alphanumeric(TOKEN_LENGTH).into()));
    if let Some(seconds) = cx.app.options.mail.email_verify_token_validity_duration {
        update.put(EXPIRES_AT, Change::Set(cx.now().plus_seconds(seconds).into()));
    }
}

/// Sends the mail after a write of this row, and after the commit of the transaction that it is part of.
pub(super) async fn follow_up(cx: &Context, state: &UserState, row: &Object) {
    if !state.verify_email {
        return;
    }
    match cx.deferred() {
        None => send_written(cx, row).await,
        Some(deferred) => {
            let (cx, row) = (cx.outside_transaction(), row.clone());
            deferred.push(async move { send_written(&cx, &row).await });
        }
    }
}

async fn send_written(cx: &Context, row: &Object) {
    if let Err(error) = send(cx, row).await {
        // The user is stored already.
        tracing::error!(%error, "failed to send a verification mail");
    }
}

/// Sends the mail, unless the option or its function says no.
async fn send(cx: &Context, user: &Object) -> Result<()> {
    let told = || {
        let mut object = triggers::own(cx, user);
        object.insert("__type".to_owned(), "Object".into());
        Map::from_iter([("user".to_owned(), object.into()), ("master".to_owned(), json!(cx.auth.is_master()))])
    };
    let sends = decide(cx, &cx.app.feature::<Users>()?.callbacks.send_verification, Question::SendMail, told).await?;
    if !sends.as_ref().is_some_and(is_truthy) {
        return Ok(());
    }
    match (mail::mailer(cx), user.get_str(TOKEN)) {
        (Ok(mailer), Some(token)) => mailer.send(cx, Purpose::Verification, user, token),
        (Err(error), _) => tracing::error!(%error, "failed to send a verification mail"),
        (_, None) => {}
    }
    Ok(())
}

/// Identifies the user who should receive a verification email.
#[derive(Debug, Clone, Copy)]
pub enum Who<'a> {
    /// The user with this address.
    Email(&'a str),
    /// The user with this name.
    Username(&'a str),
    /// The user with this token, which may have expired.
    Token(&'a str),
}

/// Sends the mail again, with a new token unless a valid one is reused.
///
/// # Errors
/// 1, with status 400, if mail is not configured; 204 and 125 for a missing or invalid email address; if the options
/// allow it, 205 for an unknown address and -1 for a verified one.
pub async fn request(cx: &Context, body: Map<String, Json>) -> Result<()> {
    mail::mailer(cx)?;
    cx.admit_write()?;
    let email = match body.get("token") {
        Some(Json::String(token)) if body.get("email").is_none_or(Json::is_null) && !token.is_empty() => {
            let user = find(cx, Who::Token(token)).await?;
            let email = user.as_ref().and_then(|user| user.get_str("email"));
            mail::address(None).or(email.ok_or(()).map_err(|()| no_address()))?.to_owned()
        }
        _ => mail::address(body.get("email"))?.to_owned(),
    };
    if cx.app.options.mail.email_verify_success_on_invalid_email && cx.transaction.is_none() {
        // The answer is the same for every address, and so is its time.
        let own = cx.part();
        let work = async move { resend(&own, Who::Email(&email)).await.map(drop) };
        return cx.app.afterwards.run(&cx.app.tasks, "send a verification mail", work).await;
    }
    let outcome = resend(cx, Who::Email(&email)).await?;
    if cx.app.options.mail.email_verify_success_on_invalid_email {
        return Ok(());
    }
    match outcome {
        Resent::Sent => Ok(()),
        Resent::Unknown => Err(ParseError::new(ErrorCode::EmailNotFound, format!("No user found with email {email}"))),
        Resent::Verified => Err(ParseError::new(ErrorCode::OtherCause, format!("Email {email} is already verified."))),
    }
}

fn no_address() -> ParseError {
    ParseError::new(ErrorCode::EmailMissing, "you must provide an email")
}

/// The result of a request for another mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resent {
    /// The mail is being sent.
    Sent,
    /// The user does not exist.
    Unknown,
    /// The email address is already verified.
    Verified,
}

async fn find(cx: &Context, who: Who<'_>) -> Result<Option<Object>> {
    let filter = match who {
        Who::Email(email) => Filter::eq("email", email),
        Who::Username(name) => Filter::eq("username", name),
        Who::Token(token) => Filter::eq(TOKEN, token),
    };
    read::internal_one(cx, names::USER, filter, "send a verification mail").await
}

/// Sends the mail again. Known and unknown users cost the same look-ups and one write, so that timing does not reveal
/// them.
///
/// # Errors
/// When the store fails.
pub async fn resend(cx: &Context, who: Who<'_>) -> Result<Resent> {
    cx.admit_write()?;
    let options = &cx.app.options.mail;
    let user = find(cx, who).await?;
    let outcome = match &user {
        None => Resent::Unknown,
        Some(user) if user.get("emailVerified").and_then(Value::as_bool) == Some(true) => Resent::Verified,
        Some(user) if user.get_str("email").is_none_or(str::is_empty) => Resent::Unknown,
        Some(_) => Resent::Sent,
    };
    let id = user.as_ref().and_then(|user| user.get_str("objectId")).unwrap_or_default();
    let live = |user: &Object| {
        user.get_str(TOKEN).is_some() && user.get(EXPIRES_AT).and_then(Value::as_date).is_some_and(|end| end > cx.now())
    };
    let kept = options.email_verify_token_reuse_if_valid && user.as_ref().is_some_and(live);
    let mut update = Update::default();
    new_token(cx, &mut update);
    let verifies = match &user {
        Some(user) if outcome == Resent::Sent && !kept => {
            let verify_email = &cx.app.feature::<Users>()?.callbacks.verify_email;
            let told = || {
                let mut told = told(cx, user, None, None);
                told.insert("resendRequest".to_owned(), true.into());
                told
            };
            says_true(cx, verify_email, Question::VerifyAgain, told).await?
        }
        _ => false,
    };
    // If there is nothing to do, the write matches no row.
    let only = if verifies {
        Filter::field("emailVerified", Constraint::Ne(true.into()))
    } else {
        Filter::eq("objectId", Value::Null)
    };
    let row = change(cx, store::by_id(id).and(only), &update).await?;
    if let Some(user) = row.as_ref().or(user.as_ref().filter(|_| kept && outcome == Resent::Sent)) {
        send(cx, user).await?;
    }
    Ok(outcome)
}

async fn change(cx: &Context, filter: Resolved, update: &Update) -> Result<Option<Object>> {
    let class = cx.class(&ClassName::unchecked(names::USER));
    let scope = Scoped::internal(filter, "verify an address");
    store::update_one(cx, &class, &scope, update).await.map_err(failure)
}

/// The result of using a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// The email address has been verified.
    Done,
    /// The token has expired.
    Expired,
    /// The token is unknown.
    Invalid,
}

/// Uses a token, which is valid only once.
///
/// # Errors
/// When the store fails.
pub async fn verify(cx: &Context, token: &str) -> Result<Verified> {
    cx.admit_write()?;
    let options = &cx.app.options.mail;
    if !options.verify_user_emails.is_possible() || token.is_empty() {
        return Ok(Verified::Invalid);
    }
    let mut filter = Filter::eq(TOKEN, token);
    if options.email_verify_token_validity_duration.is_some() {
        filter = filter.and(Filter::field(EXPIRES_AT, Constraint::Gt(cx.now().into())));
    }
    let mut update = Update::default();
    update.put("emailVerified", Change::Set(true.into()));
    update.put("updatedAt", Change::Set(cx.now().into()));
    update.put(TOKEN, Change::Unset);
    update.put(EXPIRES_AT, Change::Unset);
    if let Some(user) = change(cx, filter, &update).await? {
        cx.app.caches.forget(names::USER, user.get_str("objectId"));
        return Ok(Verified::Done);
    }
    let late = find(cx, Who::Token(token)).await?.is_some();
    Ok(if late { Verified::Expired } else { Verified::Invalid })
}

//! Rules of the class `_User`: credentials, linked identities, default ACL, sessions.

use std::ops::ControlFlow;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};

use super::auth_data::{self, AuthData, Who, already_used};
use super::state::{UserState, Users};
use super::{log_in, password, policy, reset, triggers, verification};
use crate::domain::features::sessions::{self, CreatedWith};
use crate::domain::kernel::audit::Audited;
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::clp::Operation;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::rehearsal;
use crate::domain::kernel::rule_state::RuleState;
use crate::domain::kernel::stages::{Checked, Draft, Saved, Stored};
use crate::domain::read::{self, CachedRow};
use crate::domain::store;
use crate::domain::write;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::acl::{Acl, PUBLIC};
use crate::model::columns;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::Change;
use crate::model::query::options::FindOptions;
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::value::Value;

/// Number of characters of a generated username.
const GENERATED_NAME_LENGTH: usize = 25;

/// Rules of the class `_User`.
pub struct UserRules;

impl ClassRules for UserRules {
    fn audited(&self) -> Audited {
        Audited::Fields(&["username", "email", "_hashed_password", "_auth_data_", "_rperm", "_wperm"])
    }

    fn prepare<'a>(&'a self, cx: &'a Context, mut draft: Draft) -> BoxFuture<'a, Result<ControlFlow<Saved, Draft>>> {
        Box::pin(async move {
            // Old clients send a token here; only the server creates tokens.
            draft.body.retain(|field, _| root(field) != "sessionToken");
            if let Some(field) = draft.body.keys().find(|field| field.starts_with("authData.")) {
                return Err(ParseError::new(
                    ErrorCode::InvalidKeyName,
                    format!("Invalid field name for update: {field}"),
                ));
            }
            if let Some(id) = &draft.id
                && !cx.auth.is_master()
                && cx.auth.user().is_none()
            {
                return Err(ParseError::sanitized(ErrorCode::SessionMissing, format!("Cannot modify user {id}.")));
            }
            let mut draft = match link(cx, draft).await? {
                ControlFlow::Continue(draft) => draft,
                done @ ControlFlow::Break(_) => return Ok(done),
            };
            if draft.body.keys().any(|field| root(field) == "emailVerified") && !cx.auth.is_master() {
                return Err(ParseError::forbidden("Clients aren't allowed to manually update email verification."));
            }
            policy::rehearse(cx, draft.body.get("password").and_then(Json::as_str)).await?;
            if draft.creates() && !draft.facts.id_given && verification::asks_outside(cx) {
                let id = std::mem::take(&mut draft.new_id);
                draft.new_id = once(cx, "objectId", id).await?;
            }
            Ok(ControlFlow::Continue(draft))
        })
    }

    fn rehearse<'a>(&'a self, cx: &'a Context, draft: &'a Draft) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if let Some(password) = draft.body.get("password").and_then(Json::as_str).filter(|text| !text.is_empty()) {
                policy::rehearse_history(cx, draft.id.as_deref(), password).await?;
                hashed(cx, password).await?;
            }
            if !verification::asks_outside(cx) {
                return Ok(());
            }
            let name = if draft.creates() { Some(generated_name(cx).await?) } else { None };
            let nothing = UserState::default();
            let state = draft.state.get::<UserState>().unwrap_or(&nothing);
            verification::rehearse(cx, draft, name, logs_in(cx, draft.creates(), state).as_ref()).await
        })
    }

    fn rehearses(&self) -> bool {
        true
    }

    fn judged_before(&self) -> &'static [&'static str] {
        &["authData", "sessionToken"]
    }

    fn told_with_after_save(&self) -> &'static [&'static str] {
        &["username"]
    }

    fn transform<'a>(&'a self, cx: &'a Context, mut checked: Checked) -> BoxFuture<'a, Result<Checked>> {
        Box::pin(async move {
            let creating = checked.id.is_none();
            own_acl(cx, &mut checked, creating);
            policy::admit(cx, &mut checked).await?;
            take_name(cx, &mut checked, creating).await?;
            take_email(cx, &mut checked).await?;
            verification::prepare(cx, &mut checked).await?;
            take_password(cx, &mut checked, creating).await?;
            Ok(checked)
        })
    }

    fn precedes(&self, cx: &Context, checked: &Checked) -> bool {
        let linking = cx.auth.user().is_some()
            && checked.state.get::<UserState>().is_some_and(|state| state.auth_data_response.is_some());
        // With an id that the client chose, the session might be of a user who exists.
        checked.id.is_none()
            && !checked.facts.id_given
            && !by_code(cx)
            && !linking
            && !verification::may_be_required(cx)
    }

    /// The session of a new user. Without its user a session is good for nothing; a user without the session whose token the
    /// client never got could not sign up again.
    fn precede<'a>(&'a self, cx: &'a Context, checked: &'a mut Checked) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut state: UserState = checked.state.take();
            state.session_token = Some(first_session(cx, checked.row_id(), &state).await?);
            checked.state.put(state);
            Ok(())
        })
    }

    fn retract<'a>(&'a self, cx: &'a Context, state: &'a RuleState) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match state.get::<UserState>().and_then(|state| state.session_token.as_deref()) {
                Some(token) => sessions::end(cx, token).await,
                None => Ok(()),
            }
        })
    }

    fn conflict<'a>(
        &'a self,
        cx: &'a Context,
        index: &'a str,
        creating: bool,
        row: &'a Object,
    ) -> BoxFuture<'a, Option<ParseError>> {
        Box::pin(async move {
            if columns::provider_of(index).is_some() {
                return Some(auth_data::already_used());
            }
            if !creating {
                return match index {
                    "username_case_blind" => Some(username_taken()),
                    "email_case_blind" => Some(email_taken()),
                    _ => None,
                };
            }
            match index {
                "username_1" | "case_insensitive_username" | "username_case_blind" => {
                    return Some(username_taken());
                }
                "email_1" | "case_insensitive_email" | "email_case_blind" => return Some(email_taken()),
                _ => {}
            }
            for (field, error) in [("username", username_taken as fn() -> ParseError), ("email", email_taken)] {
                if let Some(value) = row.get_str(field)
                    && is_taken(cx, field, value, "").await.unwrap_or(false)
                {
                    return Some(error());
                }
            }
            None
        })
    }

    fn refused_update(&self, cx: &Context, error: ParseError) -> ParseError {
        if error.is(ErrorCode::ObjectNotFound) && !cx.auth.is_master() { insufficient_auth() } else { error }
    }

    fn follow_up<'a>(&'a self, cx: &'a Context, mut stored: Stored) -> BoxFuture<'a, Result<Stored>> {
        Box::pin(async move {
            let mut state: UserState = stored.state.take();
            let logs_in = logs_in(cx, stored.created, &state);
            if stored.created {
                if stored.facts.id_given {
                    // Tokens of a deleted user with this id must not become tokens of the new one.
                    sessions::end_all(cx, &stored.id).await?;
                }
                let must_verify = match &logs_in {
                    Some(created_with) => verification::is_required(cx, &stored.row, created_with).await?,
                    None => false,
                };
                verification::follow_up(cx, &state, &stored.row).await;
                if must_verify {
                    if cx.app.options.mail.prevent_signup_with_unverified_email {
                        return Err(verification::unverified());
                    }
                } else if logs_in.is_some() && state.session_token.is_none() {
                    state.session_token = Some(first_session(cx, &stored.id, &state).await?);
                }
                stored.state.put(state);
                return Ok(stored);
            }
            verification::follow_up(cx, &state, &stored.row).await;
            if state.password_changed {
                if cx.app.options.users.revoke_session_on_password_reset {
                    sessions::end_all(cx, &stored.id).await?;
                }
                if cx.auth.user_id() == Some(stored.id.as_str()) {
                    let created_with = state.auth_provider.as_deref().map(CreatedWith::log_in);
                    state.session_token = session_after_change(cx, &stored.row, created_with.as_ref()).await?;
                }
            }
            if let Some(created_with) = logs_in
                && !verification::is_required(cx, &stored.row, &created_with).await?
            {
                state.session_token = Some(sessions::create(cx, &stored.id, Some(&created_with)).await?);
            }
            stored.state.put(state);
            Ok(stored)
        })
    }

    fn answer(&self, mut state: RuleState, body: &mut Object) {
        let UserState { session_token, auth_data_response, .. } = state.take();
        if let Some(token) = session_token {
            body.insert("sessionToken", token);
        }
        if let Some(response) = auth_data_response {
            body.insert("authDataResponse", response);
        }
    }

    fn before_delete<'a>(&'a self, cx: &'a Context, id: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if cx.auth.is_master() {
                return Ok(());
            }
            match cx.auth.user_id() {
                None if !matches!(cx.auth, Auth::Orphan) => {
                    Err(ParseError::new(ErrorCode::SessionMissing, "Insufficient auth to delete user"))
                }
                user if user != Some(id) => {
                    Err(ParseError::sanitized(ErrorCode::SessionMissing, "Insufficient auth to delete user"))
                }
                _ => Ok(()),
            }
        })
    }

    fn after_delete<'a>(&'a self, cx: &'a Context, id: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            // A later user with the same id must not inherit the roles of this user.
            if cx.app.options.database.allow_custom_object_id {
                store::leave_relations(cx, &ClassName::unchecked(names::ROLE), "users", id).await?;
            }
            cx.app.caches.forget(names::ROLE, None);
            Ok(())
        })
    }

    fn needed_columns(&self) -> &'static [&'static str] {
        &["objectId"]
    }

    fn redact(&self, cx: &Context, row: &mut Object) {
        row.remove("password");
        row.remove("_hashed_password");
        row.remove("sessionToken");
        row.remove("authData");
        let own = row.get_str("objectId").is_some_and(|id| cx.auth.user_id() == Some(id));
        if (own || cx.auth.is_master())
            && let Some(linked) = auth_data::present(cx, row)
        {
            row.insert("authData", linked);
        }
    }

    fn redact_remotely<'a>(&'a self, cx: &'a Context, rows: &'a mut [Object]) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            auth_data::complete(cx, rows).await;
        })
    }

    fn complete_get(&self, cx: &Context, row: &mut Object) {
        if let Some(user) = cx.auth.user()
            && row.get_str("objectId") == Some(user.id.as_str())
        {
            row.insert("sessionToken", user.session_token.clone());
        }
    }
}

/// Creates the session of a new user.
async fn first_session(cx: &Context, user: &str, state: &UserState) -> Result<String> {
    sessions::create(cx, user, Some(&came_by(state))).await
}

/// How a new user came.
fn came_by(state: &UserState) -> CreatedWith {
    state.auth_provider.as_deref().map_or_else(CreatedWith::sign_up, CreatedWith::log_in)
}

/// How somebody logs in by the write of a user; `None`: nobody does.
fn logs_in(cx: &Context, creating: bool, state: &UserState) -> Option<CreatedWith> {
    let answered = state.auth_data_response.is_some();
    if by_code(cx) {
        return None;
    }
    if creating {
        let linking = cx.auth.user().is_some() && answered;
        return (!linking).then(|| came_by(state));
    }
    // A request with the master key that links an identity to a user creates a session.
    let links = answered && cx.auth.is_master() && !cx.auth.is_read_only();
    state.auth_provider.as_deref().filter(|_| links).map(CreatedWith::log_in)
}

/// A value that a part of a transaction chose before that began; otherwise this one.
async fn once(cx: &Context, what: &str, value: String) -> Result<String> {
    cx.ask_once(|| what.to_owned(), async { Ok(value) }).await
}

/// The name of a user who has none.
async fn generated_name(cx: &Context) -> Result<String> {
    once(cx, "username", cx.app.random.alphanumeric(GENERATED_NAME_LENGTH)).await
}

/// Whether cloud code, or somebody with a master key in a header, writes the user: they get no session.
fn by_code(cx: &Context) -> bool {
    (cx.client.inside || (cx.auth.is_master() && cx.master_key_in_header)) && cx.installation_id.is_none()
}

/// 206, sanitised: the caller may not change the user. The message reveals nothing about the user.
fn insufficient_auth() -> ParseError {
    ParseError::sanitized(ErrorCode::SessionMissing, "Insufficient auth.")
}

/// The top-level field of a dotted key.
fn root(key: &str) -> &str {
    key.split('.').next().unwrap_or_default()
}

fn username_taken() -> ParseError {
    ParseError::new(ErrorCode::UsernameTaken, "Account already exists for this username.")
}

fn email_taken() -> ParseError {
    ParseError::new(ErrorCode::EmailTaken, "Account already exists for this email address.")
}

/// Reads `authData` and the credentials of a sign up, which can become a log in.
async fn link(cx: &Context, mut draft: Draft) -> Result<ControlFlow<Saved, Draft>> {
    let sent = draft.body.remove("authData");
    let text = |name: &str| draft.body.get(name).and_then(Json::as_str).is_some_and(|text| !text.is_empty());
    let (has_name, has_password) = (text("username"), text("password"));
    let credentials = || {
        if !has_name {
            Err(ParseError::new(ErrorCode::UsernameMissing, "bad or missing username"))
        } else if !has_password {
            Err(ParseError::new(ErrorCode::PasswordMissing, "password is required"))
        } else {
            Ok(())
        }
    };
    let Some(sent) = sent else {
        if draft.creates() {
            credentials()?;
        }
        return Ok(ControlFlow::Continue(draft));
    };
    let mut auth_data = AuthData::read(cx, &sent)?;
    if draft.creates() && !auth_data.identifies() {
        credentials()?;
    }
    let is_sent = sent.as_object().is_some_and(|providers| !providers.is_empty());
    let stranger = draft.id.as_deref().is_some_and(|id| cx.auth.user_id() != Some(id)) && !cx.auth.is_master();
    if stranger {
        return Err(insufficient_auth());
    }
    let user = match &draft.id {
        Some(id) => read::internal_one(cx, names::USER, store::by_id(id), "whose identities change").await?,
        None => None,
    };
    auth_data.identify(cx, user.as_ref()).await?;
    draft.facts.sent_aside = auth_data.shown();
    let owners = auth_data.owners(cx).await?;
    let caller = draft.id.as_deref().or(cx.auth.user_id());
    let owner_id = owners.first().and_then(|owner| owner.get_str("objectId"));
    if owners.len() == 1 && (caller.is_none() || (draft.creates() && caller == owner_id)) {
        return log_in_by(cx, &draft.body, auth_data, &owners).await.map(ControlFlow::Break);
    }
    let own = !owners.is_empty() && owners.iter().all(|owner| owner.get_str("objectId") == caller);
    let who = Who { user: user.as_ref(), logged_in: user.is_some(), challenge: false };
    let validated = auth_data.validate(cx, who, own, &draft.body).await?;
    if draft.id.is_some() && validated.checked {
        // Providers may have taken their time.
        sessions::refuse_ended(cx).await?;
    }
    // Look up the owner only after the identity has been verified, so that nobody learns it without having the
    // identity.
    if !owners.is_empty() && !own {
        return Err(auth_data::already_used());
    }
    let creating = draft.creates();
    let unlinks = !creating && is_sent && !cx.auth.is_master();
    // A client that sends only unchanged data gets no response for it.
    let is_told = is_sent && (!own || validated.checked);
    draft.state.put(UserState {
        auth_data_response: is_told.then_some(validated.responses),
        auth_provider: Some(auth_data.effective_names(user.as_ref()))
            .filter(|names| (auth_data.identifies() || unlinks) && !names.is_empty()),
        proves_identity: validated.proves_identity,
        ..UserState::default()
    });
    for (column, change) in validated.changes.0 {
        // A new user has nothing to unlink.
        if !(creating && change == Change::Unset) {
            draft.internal.put(column, change);
        }
    }
    draft.only = std::mem::replace(&mut draft.only, Filter::All).and(validated.only);
    Ok(ControlFlow::Continue(draft))
}

/// A sign up with an identity that a user already has becomes a log in of that user.
async fn log_in_by(cx: &Context, body: &Map<String, Json>, auth_data: AuthData, owners: &[Object]) -> Result<Saved> {
    let Some(owner) = owners.first() else {
        return Err(ParseError::not_found());
    };
    cx.refuse_read_only_write(Operation::Create)?;
    auth_data::require_additional(cx, owner, &auth_data)?;
    let who = Who { user: Some(owner), ..Who::default() };
    let validated = auth_data.validate(cx, who, false, body).await?;
    let way = if validated.proves_identity { log_in::Proof::ProvenIdentity } else { log_in::Proof::Identity };
    log_in::admit(cx, owner, way, body).await?;
    let linked = auth_data.owners_filter().unwrap_or(Filter::Never);
    let responses = if cx.is_rehearsed() {
        Object::new()
    } else {
        validated.store(cx, owner, linked.clone(), already_used).await?
    };
    triggers::before_login(cx, owner).await?;
    if cx.is_rehearsed() {
        return Err(rehearsal::ended());
    }
    let created_with = CreatedWith::log_in(&auth_data.effective_names(Some(owner)));
    let mut body = log_in::open(cx, owner, CachedRow::None, &created_with).await?;
    let token = body.get_str("sessionToken").unwrap_or_default().to_owned();
    log_in::keep_if_linked(cx, owner, linked, &token).await?;
    let mut more = auth_data.shown();
    more.insert("sessionToken".to_owned(), token.into());
    write::triggers::after_log_in(cx, &ClassName::unchecked(names::USER), owner, more).await;
    body.insert("authDataResponse", responses);
    let id = owner.get_str("objectId").unwrap_or_default().to_owned();
    Ok(Saved { created: false, location: Some((names::USER.to_owned(), id)), body, row: None })
}

/// Sets the ACL: new users are private unless the options say otherwise, and users keep access to their own row.
fn own_acl(cx: &Context, checked: &mut Checked, creating: bool) {
    let id = checked.row_id().to_owned();
    if creating {
        let acl = checked.acl.get_or_insert_with(|| {
            let mut acl = Acl::new();
            if !cx.app.options.users.enforce_private_users {
                acl.grant(PUBLIC, true, false);
            }
            acl
        });
        acl.grant(id, true, true);
    } else if let Some(acl) = &mut checked.acl
        && !cx.auth.is_master()
    {
        acl.grant(id, true, true);
    }
}

async fn take_name(cx: &Context, checked: &mut Checked, creating: bool) -> Result<()> {
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

async fn take_email(cx: &Context, checked: &mut Checked) -> Result<()> {
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

/// The hash of a password. Other writers do not wait for those of a transaction: they are made before it begins.
async fn hashed(cx: &Context, password: &str) -> Result<String> {
    let hash = cx.app.feature::<Users>()?.hasher.hash(cx.client.ip, password.to_owned());
    cx.ask_once(|| format!("hash of {password}"), hash).await
}

async fn take_password(cx: &Context, checked: &mut Checked, creating: bool) -> Result<()> {
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

/// The session of a user who has changed the password; `None` if somebody has changed it again meanwhile, which ended the sessions that
/// were there.
async fn session_after_change(cx: &Context, row: &Object, how: Option<&CreatedWith>) -> Result<Option<String>> {
    let id = row.get_str("objectId").unwrap_or_default();
    let token = sessions::create(cx, id, how).await?;
    if !cx.app.options.users.revoke_session_on_password_reset {
        return Ok(Some(token));
    }
    let filter = store::by_id(id).and(password::unchanged(row));
    if read::internal_one(cx, names::USER, filter, "whether the password is still the same").await?.is_some() {
        return Ok(Some(token));
    }
    sessions::end(cx, &token).await?;
    Ok(None)
}

/// Whether another user has this username or email address, ignoring case.
async fn is_taken(cx: &Context, field: &str, value: &str, own_id: &str) -> Result<bool> {
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

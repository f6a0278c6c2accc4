//! Rules of the class `_User`: what its writes mean for its ACL and sessions. `credentials` and `link` check what is written.

use std::ops::ControlFlow;

use futures_util::future::BoxFuture;
use serde_json::Value as Json;

use super::link::{insufficient_auth, link};
use super::sessions::{self, CreatedWith};
use super::state::UserState;
use super::{auth_data, credentials, password, policy, verification};
use crate::domain::kernel::audit::Audited;
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::rule_state::RuleState;
use crate::domain::kernel::stages::{Checked, Draft, Saved, Stored};
use crate::domain::read;
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::acl::{Acl, PUBLIC};
use crate::model::columns;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;

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
                // In a transaction, the id that was chosen before it began stays.
                draft.new_id = cx.ask_once(|| "objectId".to_owned(), async { Ok(id) }).await?;
            }
            Ok(ControlFlow::Continue(draft))
        })
    }

    fn rehearse<'a>(&'a self, cx: &'a Context, draft: &'a Draft) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if let Some(password) = draft.body.get("password").and_then(Json::as_str).filter(|text| !text.is_empty()) {
                policy::rehearse_history(cx, draft.id.as_deref(), password).await?;
                credentials::hashed(cx, password).await?;
            }
            if !verification::asks_outside(cx) {
                return Ok(());
            }
            let name = if draft.creates() { Some(credentials::generated_name(cx).await?) } else { None };
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
            credentials::take_name(cx, &mut checked, creating).await?;
            credentials::take_email(cx, &mut checked).await?;
            verification::prepare(cx, &mut checked).await?;
            credentials::take_password(cx, &mut checked, creating).await?;
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
                    "username_case_blind" => Some(credentials::username_taken()),
                    "email_case_blind" => Some(credentials::email_taken()),
                    _ => None,
                };
            }
            match index {
                "username_1" | "case_insensitive_username" | "username_case_blind" => {
                    return Some(credentials::username_taken());
                }
                "email_1" | "case_insensitive_email" | "email_case_blind" => return Some(credentials::email_taken()),
                _ => {}
            }
            for (field, error) in
                [("username", credentials::username_taken as fn() -> ParseError), ("email", credentials::email_taken)]
            {
                if let Some(value) = row.get_str(field)
                    && credentials::is_taken(cx, field, value, "").await.unwrap_or(false)
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

    fn composed_fields(&self) -> &'static [&'static str] {
        &["authData"]
    }

    fn redact(&self, cx: &Context, row: &mut Object) {
        row.remove("password");
        row.remove("_hashed_password");
        row.remove("sessionToken");
        row.remove("authData");
        let own = row.get_str("objectId").is_some_and(|id| cx.auth.user_id() == Some(id));
        // With an identity a reader could log in as the user.
        if (own || (cx.auth.is_master() && !cx.auth.is_read_only()))
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

/// Whether cloud code, or somebody with a master key in a header, writes the user: they get no session.
fn by_code(cx: &Context) -> bool {
    (cx.client.inside || (cx.auth.is_master() && cx.master_key_in_header)) && cx.installation_id.is_none()
}

/// The top-level field of a dotted key.
fn root(key: &str) -> &str {
    key.split('.').next().unwrap_or_default()
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

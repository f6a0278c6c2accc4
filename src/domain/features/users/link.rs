//! What a write of a user needs to say who that is: `authData`, which links identities to the user or logs in whoever has them already, or
//! a name and a password.

use std::ops::ControlFlow;

use serde_json::{Map, Value as Json};

use super::auth_data::{self, AuthData, Who, already_used};
use super::sessions::{self, CreatedWith};
use super::state::UserState;
use super::{log_in, triggers};
use crate::domain::kernel::clp::Operation;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::rehearsal;
use crate::domain::kernel::stages::{Draft, Saved};
use crate::domain::read::{self, CachedRow};
use crate::domain::store;
use crate::domain::write;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::Change;
use crate::model::query::Filter;

/// Reads `authData` and the credentials of a sign up, which can become a log in.
///
/// # Errors
/// 200, 201: a sign up without name or password; 206: another user's row; 208: another user has the identity; 209: the caller's session
/// has ended meanwhile; those of the identity provider, and of [`log_in::admit`].
pub(super) async fn link(cx: &Context, mut draft: Draft) -> Result<ControlFlow<Saved, Draft>> {
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
    // Refuse only after the identity has been verified, so that nobody learns of the owner without having the identity.
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

/// 206, sanitised: the caller may not change the user. The message reveals nothing about the user.
pub(super) fn insufficient_auth() -> ParseError {
    ParseError::sanitized(ErrorCode::SessionMissing, "Insufficient auth.")
}

//! Rules of the class `_Session`: only the own user can access a session, and only the server sets its important
//! fields.

use std::ops::ControlFlow;

use futures_util::future::BoxFuture;
use serde_json::Value as Json;

use super::{CreatedWith, SessionCache, insert, new_row, token_required};
use crate::domain::kernel::audit::Audited;
use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::invalid_session;
use crate::domain::kernel::stages::{Draft, Saved, Stored};
use crate::domain::schema::check;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::parse;
use crate::model::query::{Filter, Resolved};
use crate::model::value::Value;

/// Fields that clients cannot change, and those that even the master key cannot.
const FIXED: [&str; 5] = ["installationId", "sessionToken", "expiresAt", "createdWith", "user"];
/// What a client's new session cannot choose.
const IGNORED: [&str; 4] = ["sessionToken", "expiresAt", "createdWith", "user"];
const FIXED_FOR_MASTER: [&str; 2] = ["installationId", "sessionToken"];

/// Rules of the class `_Session`.
pub struct SessionRules;

impl ClassRules for SessionRules {
    fn audited(&self) -> Audited {
        // That one is made is noted as a log in.
        Audited::Fields(&[])
    }

    fn prepare<'a>(&'a self, cx: &'a Context, mut draft: Draft) -> BoxFuture<'a, Result<ControlFlow<Saved, Draft>>> {
        Box::pin(async move {
            if cx.auth.user().is_none() && !cx.auth.is_master() {
                return Err(token_required());
            }
            if draft.acl.is_some() {
                return Err(ParseError::new(ErrorCode::InvalidKeyName, "Cannot set ACL on a Session."));
            }
            let Some(user) = cx.auth.user_id().map(str::to_owned) else {
                if draft.id.is_some() {
                    refuse_fields(&draft, &FIXED_FOR_MASTER, None)?;
                }
                return Ok(ControlFlow::Continue(draft));
            };
            if draft.id.is_some() {
                refuse_fields(&draft, &FIXED, Some(&user))?;
                draft.only = own(&user);
                return Ok(ControlFlow::Continue(draft));
            }
            draft.body.retain(|field, _| !IGNORED.contains(&field.split('.').next().unwrap_or_default()));
            let write = parse::parse(draft.body, parse::WriteKind::Create)?;
            check::adapt_class(cx, &draft.class, &write, false).await?;
            let mut row = new_row(cx, &user, Some(&CreatedWith::create()));
            for (name, value) in crate::model::operation::apply::for_create(&write.update)? {
                row.insert(name, value);
            }
            let mut body = insert(cx, row).await?;
            body.remove("createdAt");
            body.remove("updatedAt");
            let id = body.get_str("objectId").unwrap_or_default().to_owned();
            Ok(ControlFlow::Break(Saved {
                created: true,
                location: Some((names::SESSION.to_owned(), id)),
                body,
                row: None,
            }))
        })
    }

    /// The read-only master key must not read tokens, because a token permits to act as the user.
    fn redact(&self, cx: &Context, row: &mut Object) {
        if cx.auth.is_read_only() {
            row.remove("sessionToken");
        }
    }

    fn follow_up<'a>(&'a self, cx: &'a Context, stored: Stored) -> BoxFuture<'a, Result<Stored>> {
        Box::pin(async move {
            if let Some(token) = stored.row.get_str("sessionToken") {
                cx.app.feature::<SessionCache>()?.forget_token(token);
            }
            Ok(stored)
        })
    }

    fn before_delete<'a>(&'a self, cx: &'a Context, id: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.read_filter(cx)?;
            cx.app.feature::<SessionCache>()?.forget_session(id);
            Ok(())
        })
    }

    fn undeletable(&self, _cx: &Context) -> ParseError {
        ParseError::new(ErrorCode::ObjectNotFound, "Object not found for delete.")
    }

    fn read_filter(&self, cx: &Context) -> Result<Resolved> {
        if cx.auth.is_master() {
            return Ok(Filter::All);
        }
        cx.auth.user_id().map(own).ok_or_else(invalid_session)
    }
}

/// The condition that a session belongs to the user.
fn own(user: &str) -> Resolved {
    Filter::eq("user", Value::pointer(&ClassName::unchecked(names::USER), user))
}

/// Refuses fields that cannot be changed; `user` may be sent if it is the own user.
fn refuse_fields(draft: &Draft, fixed: &[&str], own: Option<&str>) -> Result<()> {
    for field in draft.body.keys() {
        let names_own = || {
            let value = draft.body.get(field).cloned().unwrap_or(Json::Null);
            json::decode(value)
                .ok()
                .and_then(|value| value.as_pointer().map(|pointer| Some(pointer.id.as_str()) == own))
                .unwrap_or(false)
        };
        // `createdWith.action` would change `createdWith`.
        let root = field.split('.').next().unwrap_or_default();
        if fixed.contains(&root) && !(field == "user" && names_own()) {
            return Err(ParseError::new(ErrorCode::InvalidKeyName, format!("Invalid key name: {field}")));
        }
    }
    Ok(())
}

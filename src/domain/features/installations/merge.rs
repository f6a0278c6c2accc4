//! Finds the row that a write of an installation refers to, and handles other rows with the same device token.

use super::rules::{DeviceFields, filled};
use crate::config::values::{DuplicateDeviceTokenAction, MergePriority};
use crate::domain::kernel::context::Context;
use crate::domain::permissions::{Operation, Scoped, scope};
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::value::Value;

/// The id of the row to update; `None` for a create. `known`: the row with the given id; `by_token`: the rows with the
/// given device token. Deletes other rows or their device tokens.
///
/// # Errors
/// 132 if the token alone does not identify one row.
pub(super) async fn target(
    cx: &Context,
    known: Option<&Object>,
    by_token: &[&Object],
    sent: &DeviceFields,
) -> Result<Option<String>> {
    let id_of = |row: &Object| row.get_str("objectId").map(str::to_owned);
    let others = |token: &str, own: Option<&str>| {
        let mut filter: Resolved = Filter::eq("deviceToken", token);
        if let Some(own) = own {
            filter = filter.and(Filter::field("installationId", Constraint::Ne(Value::String(own.to_owned()))));
        }
        if let Some(app) = &sent.app {
            filter = filter.and(Filter::eq("appIdentifier", app.as_str()));
        }
        filter
    };
    let only_match = match by_token {
        [row] => Some(*row),
        _ => None,
    };
    let Some(known) = known else {
        if by_token.is_empty() {
            return Ok(None);
        }
        // The row was created without an installation id, or the request contains none.
        if let Some(row) = only_match
            && (filled(row, "installationId").is_none() || sent.id.is_none())
        {
            return Ok(id_of(row));
        }
        let (Some(own), Some(token)) = (sent.own_id.as_deref(), sent.token.as_deref()) else {
            return Err(ParseError::new(
                ErrorCode::MissingInstallation,
                "Must specify installationId when deviceToken matches multiple Installation objects",
            ));
        };
        delete_or_detach(cx, others(token, Some(own)), "deviceToken").await?;
        return Ok(None);
    };
    if let Some(row) = only_match.filter(|row| filled(row, "installationId").is_none()) {
        return merge(cx, known, row).await.map(Some);
    }
    if let (Some(token), Some(own)) = (sent.token.as_deref(), sent.own_id.as_deref())
        && known.get_str("deviceToken") != Some(token)
    {
        delete_or_detach(cx, others(token, Some(own)), "deviceToken").await?;
    }
    Ok(id_of(known))
}

/// Merges two rows of the same installation: `known` has the given id, `by_token` the device token and no id.
async fn merge(cx: &Context, known: &Object, by_token: &Object) -> Result<String> {
    let id = |row: &Object| row.get_str("objectId").unwrap_or_default().to_owned();
    if id(known) == id(by_token) {
        return Ok(id(known));
    }
    let (survivor, loser, field) = match cx.app.options.push.installation.duplicate_device_token_merge_priority {
        MergePriority::DeviceToken => (by_token, known, "installationId"),
        MergePriority::InstallationId => (known, by_token, "deviceToken"),
    };
    delete_or_detach(cx, store::by_id(&id(loser)), field).await?;
    Ok(id(survivor))
}

/// Deletes rows, or the field that they have in common with another row, as the options say.
async fn delete_or_detach(cx: &Context, filter: Resolved, field: &str) -> Result<()> {
    if cx.is_rehearsed() {
        return Ok(());
    }
    let options = &cx.app.options.push.installation;
    let action = options.duplicate_device_token_action;
    let operation = match action {
        DuplicateDeviceTokenAction::Delete => Operation::Delete,
        DuplicateDeviceTokenAction::Update => Operation::Update,
    };
    let class = cx.class(&ClassName::unchecked(names::INSTALLATION));
    let scope = if options.duplicate_device_token_action_enforce_auth {
        if let Err(error) = scope::admit(cx, &class, operation).await {
            tracing::warn!(%error, "an installation with the same device token is unchanged: the caller has no permission to change it");
            return Ok(());
        }
        scope::scope(cx, &class, operation, filter, None).await?
    } else {
        Scoped::internal(filter, "one device token belongs to one installation")
    };
    match action {
        DuplicateDeviceTokenAction::Delete => store::delete(cx, &class, &scope).await.map(|_| ()),
        DuplicateDeviceTokenAction::Update => {
            let mut update = Update::default();
            update.put(field, Change::Unset);
            update.put("updatedAt", Change::Set(cx.now().into()));
            store::update_many(cx, &class, &scope, &update).await.map(|_| ())
        }
    }
}

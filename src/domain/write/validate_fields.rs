//! Checks the fields of a write against the schema: types, new fields, required fields, defaults.

use serde_json::Value as Json;

use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::stages::{Checked, Draft};
use crate::domain::kernel::system_classes;
use crate::domain::schema::check;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::acl::Acl;
use crate::model::operation::parse::WriteKind;
use crate::model::operation::{Change, parse};
use crate::model::query::geo::is_polygon;
use crate::model::value::Value;

/// Checks the fields and adds new ones to the class.
///
/// # Errors
/// 105, 107, 111, 119, 121, 142: see `docs/compatibility.md` and the schema checks.
pub async fn validate_fields(cx: &Context, draft: Draft) -> Result<Checked> {
    let Draft { class: class_name, id, new_id, body, mut acl, internal, only, mut facts, state } = draft;
    let creating = id.is_none();
    let blank: Vec<String> =
        body.iter().filter(|(_, value)| check::is_blank(Some(value))).map(|(name, _)| name.clone()).collect();
    let deleted =
        |name: &str| body.get(name).is_some_and(|value| value.get("__op").and_then(Json::as_str) == Some("Delete"));
    let deleted: Vec<String> = blank.iter().filter(|name| deleted(name)).cloned().collect();
    let missing_columns: Vec<&str> = system_classes::required_columns(&class_name)
        .iter()
        .copied()
        .filter(|column| match (creating, *column) {
            (true, "ACL") => acl.is_none(),
            (false, "ACL") => false,
            (true, column) => check::is_blank(body.get(column)),
            (false, column) => deleted.iter().any(|name| name == column),
        })
        .collect();
    let mut write = parse::parse(body, if creating { WriteKind::Create } else { WriteKind::Update })?;
    let adapted = check::adapt_class(cx, &class_name, &write, !creating).await?;
    if let Some(column) = missing_columns.first() {
        return Err(ParseError::new(ErrorCode::IncorrectType, format!("{column} is required.")));
    }
    let class = adapted.class;
    if creating {
        for (name, field) in &class.schema.fields {
            let absent = write.update.get(name).is_none() || deleted.contains(name);
            let is_blank =
                (absent && !write.relations.iter().any(|relation| relation.field == *name)) || blank.contains(name);
            if !is_blank {
                continue;
            }
            match &field.default {
                Some(default) if absent && !default.is_null() => {
                    write.update.put(name, Change::Set(default.clone()));
                    facts.filled_in.push(name.clone());
                }
                _ if field.required => return Err(required(name)),
                _ => {}
            }
        }
        if acl.is_none()
            && let Some(given) = default_acl(cx, &class)
        {
            acl = Some(Acl::parse(&given)?);
            facts.given_acl = Some(given);
        }
    } else if let Some(name) =
        blank.iter().find(|name| class.schema.fields.get(*name).is_some_and(|field| field.required))
    {
        return Err(required(name));
    }
    write.update.0.retain(|(path, _)| !matches!(path.as_str(), "objectId" | "createdAt" | "updatedAt"));
    // A fetched object that is sent back counts as a pointer to it.
    for (_, change) in &mut write.update.0 {
        if let Change::Set(value) = change {
            fold_fetched_object(value);
            close_polygon(value)?;
        }
    }
    Ok(Checked { class, adds_field: adapted.adds_field, id, new_id, write, acl, internal, only, facts, state })
}

fn required(field: &str) -> ParseError {
    ParseError::new(ErrorCode::ValidationError, format!("{field} is required"))
}

/// The default ACL of the class for new rows; `currentUser` becomes the caller.
fn default_acl(cx: &Context, class: &Class) -> Option<Json> {
    let template = class.permissions.default_acl.as_ref()?;
    let mut acl = serde_json::Map::new();
    for (entity, rights) in template {
        match (entity.as_str(), cx.auth.user_id()) {
            ("currentUser", Some(user)) => acl.insert(user.to_owned(), rights.clone()),
            ("currentUser", None) => None,
            _ => acl.insert(entity.clone(), rights.clone()),
        };
    }
    Some(Json::Object(acl))
}

/// Closes a polygon for storage: its last corner must equal the first.
fn close_polygon(value: &mut Value) -> Result<()> {
    let Value::Polygon(corners) = value else { return Ok(()) };
    if !is_polygon(corners) {
        return Err(ParseError::new(ErrorCode::IncorrectType, "GeoJSON: Loop must have at least 3 different vertices"));
    }
    if let (Some(first), Some(last)) = (corners.first().copied(), corners.last().copied())
        && first != last
    {
        corners.push(first);
    }
    Ok(())
}

fn fold_fetched_object(value: &mut Value) {
    let Value::Object(object) = value else { return };
    if object.get_str("__type") != Some("Object") {
        return;
    }
    if let (Some(class), Some(id)) = (object.get_str("className"), object.get_str("objectId")) {
        *value = Value::pointer(&crate::model::names::ClassName::unchecked(class), id);
    }
}

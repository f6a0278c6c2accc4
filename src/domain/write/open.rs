//! First stage of a write: checks caller, class, object id and ACL.

use serde_json::{Map, Value as Json};

use crate::domain::kernel::commands::Save;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::rule_state::RuleState;
use crate::domain::kernel::stages::{Draft, Facts};
use crate::domain::permissions::Operation;
use crate::domain::permissions::admit::{refuse_caller, refuse_unknown_class};
use crate::domain::schema::check::mismatch;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::acl::Acl;
use crate::model::date::Date;
use crate::model::json;
use crate::model::names::ClassName;
use crate::model::operation::Update;
use crate::model::query::Filter;
use crate::model::schema::FieldType;
use crate::model::value::Value;

/// Opens a write.
///
/// # Errors
/// 119 for read-only callers, internal classes and classes that clients may not create; 104, 105, 111 for invalid object
/// ids; 123 for invalid ACLs; 130 for file URLs that are not allowed.
pub fn open(cx: &Context, save: Save) -> Result<Draft> {
    let Save { class, id, new_id: chosen, mut body } = save;
    let operation = if id.is_some() { Operation::Update } else { Operation::Create };
    refuse_caller(cx, &class, operation)?;
    cx.app.denylist.check_map(&body)?;
    cx.app.file_hosts.check_map(&body)?;
    let id_given = id.is_none() && cx.app.options.database.allow_custom_object_id && body.contains_key("objectId");
    let mut facts = Facts { id_given, ..Facts::default() };
    let new_id = match (&id, chosen) {
        (Some(_), _) => String::new(),
        (None, Some(chosen)) => chosen,
        (None, None) => new_id(cx, &class, &mut body)?,
    };
    if id.is_some() {
        body.remove("objectId");
    }
    refuse_unknown_class(cx, &class)?;
    if cx.auth.is_maintenance() && id.is_none() {
        take_times(&mut body, &mut facts)?;
    }
    let acl = match body.remove("ACL") {
        None | Some(Json::Null) => None,
        Some(acl) => Some(Acl::parse(&acl)?),
    };
    Ok(Draft {
        class,
        id,
        new_id,
        body,
        acl,
        internal: Update::default(),
        only: Filter::All,
        facts,
        state: RuleState::default(),
    })
}

/// The id of a new row: the client's if custom ids are allowed, otherwise a random one.
fn new_id(cx: &Context, class: &ClassName, body: &mut Map<String, Json>) -> Result<String> {
    let database = &cx.app.options.database;
    let given = body.remove("objectId");
    if database.allow_custom_object_id {
        match given {
            None => {}
            Some(Json::String(id)) if !id.is_empty() => {
                return checked_id(id);
            }
            Some(id) if json::is_truthy(&id) => {
                let kind = FieldType::of(&json::decode(id)?);
                let kind = kind.map_or_else(|| "null".to_owned(), |kind| kind.to_string());
                return Err(mismatch(class, "objectId", &FieldType::String, &kind));
            }
            Some(_) => {
                return Err(ParseError::new(
                    ErrorCode::MissingObjectId,
                    "objectId must not be empty, null or undefined",
                ));
            }
        }
    } else {
        if given.is_some_and(|id| json::is_truthy(&id)) {
            return Err(ParseError::new(ErrorCode::InvalidKeyName, "objectId is an invalid field name."));
        }
        if body.get("id").is_some_and(json::is_truthy) {
            return Err(ParseError::new(ErrorCode::InvalidKeyName, "id is an invalid field name."));
        }
    }
    Ok(cx.app.random.alphanumeric(usize::from(database.object_id_size)))
}

/// Checks a custom id.
///
/// # Errors
/// 119 for an id that permissions would treat as a role or as `*`, 104 for an empty id.
pub fn checked_id(id: String) -> Result<String> {
    if id.starts_with("role:") || id == "*" {
        return Err(ParseError::forbidden("Invalid object ID."));
    }
    if id.is_empty() || id.contains('\0') {
        return Err(ParseError::new(ErrorCode::MissingObjectId, "objectId must not contain NUL"));
    }
    Ok(id)
}

/// Dates that the maintenance key sets for a new row.
fn take_times(body: &mut Map<String, Json>, facts: &mut Facts) -> Result<()> {
    let mut date = |field: &str| -> Result<Option<Date>> {
        match body.get(field) {
            Some(Json::Object(_)) => match json::decode(body.remove(field).unwrap_or_default())? {
                Value::Date(date) => Ok(Some(date)),
                _ => Err(ParseError::new(ErrorCode::IncorrectType, "This is not a valid Date")),
            },
            _ => Ok(None),
        }
    };
    facts.created_at = date("createdAt")?;
    facts.updated_at = date("updatedAt")?;
    match (facts.created_at, facts.updated_at) {
        (Some(created), Some(updated)) if updated < created => {
            Err(ParseError::new(ErrorCode::ValidationError, "updatedAt cannot occur before createdAt"))
        }
        (Some(created), None) => {
            facts.updated_at = Some(created);
            Ok(())
        }
        (None, _) => {
            facts.updated_at = None;
            Ok(())
        }
        _ => Ok(()),
    }
}

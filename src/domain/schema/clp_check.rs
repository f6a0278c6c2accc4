//! Validates class level permissions. The messages are parse-server's (`compat/transcripts/schemas-invalid.json`).

use serde_json::{Map, Value as Json};

use crate::domain::kernel::clp::Operation;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::query::javascript_text;
use crate::model::schema::{ClassSchema, FieldType};

fn refuse(text: String) -> ParseError {
    ParseError::new(ErrorCode::InvalidJson, text)
}

/// Checks the permissions of a class. `custom_ids`: clients may choose objectIds, so any string can be a user id.
///
/// # Errors
/// 107 that names the invalid part.
pub fn check(schema: &ClassSchema, permissions: &Map<String, Json>, custom_ids: bool) -> Result<()> {
    for (name, value) in permissions {
        match name.as_str() {
            "readUserFields" | "writeUserFields" => check_user_fields(schema, name, value)?,
            "protectedFields" => check_protected_fields(schema, value, custom_ids)?,
            "ACL" => check_acl(value, custom_ids)?,
            _ if Operation::ALL.iter().any(|operation| operation.name() == name) => {
                check_operation(schema, name, value, custom_ids)?;
            }
            _ => return Err(refuse(format!("{name} is not a valid operation for class level permissions"))),
        }
    }
    Ok(())
}

fn check_operation(schema: &ClassSchema, operation: &str, value: &Json, custom_ids: bool) -> Result<()> {
    let rule = value.as_object().ok_or_else(|| {
        refuse(format!(
            "'{}' is not a valid value for class level permissions {operation} - must be an object",
            javascript_text(value)
        ))
    })?;
    for (entity, granted) in rule {
        if entity == "pointerFields" {
            let fields = granted.as_array().ok_or_else(|| {
                refuse(format!(
                    "'{}' is not a valid value for {operation}[pointerFields] - expected an array.",
                    javascript_text(granted)
                ))
            })?;
            for field in fields {
                check_pointer_field(schema, operation, field)?;
            }
            continue;
        }
        if !is_entity(entity, custom_ids) && entity != "requiresAuthentication" {
            return Err(refuse(format!("'{entity}' is not a valid key for class level permissions")));
        }
        if *granted != Json::Bool(true) {
            return Err(refuse(format!(
                "'{}' is not a valid value for class level permissions acl {operation}:{entity}",
                javascript_text(granted)
            )));
        }
    }
    Ok(())
}

fn check_user_fields(schema: &ClassSchema, operation: &str, value: &Json) -> Result<()> {
    let fields = value.as_array().ok_or_else(|| {
        refuse(format!(
            "'{}' is not a valid value for class level permissions {operation} - must be an array",
            javascript_text(value)
        ))
    })?;
    fields.iter().try_for_each(|field| check_pointer_field(schema, operation, field))
}

fn check_pointer_field(schema: &ClassSchema, operation: &str, field: &Json) -> Result<()> {
    let points = match field.as_str().and_then(|field| schema.kind(field)) {
        Some(FieldType::Pointer(target)) => *target == crate::model::names::USER,
        Some(FieldType::Array) => true,
        _ => false,
    };
    if points {
        Ok(())
    } else {
        Err(refuse(format!(
            "'{}' is not a valid column for class level pointer permissions {operation}",
            javascript_text(field)
        )))
    }
}

fn check_protected_fields(schema: &ClassSchema, value: &Json, custom_ids: bool) -> Result<()> {
    let sets = value.as_object().ok_or_else(|| {
        refuse(format!(
            "'{}' is not a valid value for class level permissions protectedFields - must be an object",
            javascript_text(value)
        ))
    })?;
    for (entity, fields) in sets {
        // A field that the class does not have cannot be protected.
        let known = entity.starts_with("userField:") || is_entity(entity, custom_ids) || entity == "authenticated";
        if !known {
            return Err(refuse(format!("'{entity}' is not a valid key for class level permissions")));
        }
        let fields = fields.as_array().ok_or_else(|| {
            refuse(format!(
                "'{}' is not a valid value for protectedFields[{entity}] - expected an array.",
                javascript_text(fields)
            ))
        })?;
        for field in fields {
            let name = javascript_text(field);
            if matches!(name.as_str(), "objectId" | "createdAt" | "updatedAt" | "ACL") {
                return Err(refuse(format!("Default field '{name}' can not be protected")));
            }
            if !schema.fields.contains_key(&name) {
                return Err(refuse(format!("Field '{name}' in protectedFields:{entity} does not exist")));
            }
        }
    }
    Ok(())
}

fn check_acl(value: &Json, custom_ids: bool) -> Result<()> {
    let map = value.as_object().ok_or_else(|| {
        refuse(format!("'{}' is not a valid value for class level permissions acl", javascript_text(value)))
    })?;
    for (entity, rights) in map {
        if !is_entity(entity, custom_ids) && entity != "currentUser" {
            return Err(refuse(format!("'{entity}' is not a valid key for class level permissions acl")));
        }
        let rights = rights.as_object().ok_or_else(|| {
            refuse(format!("'{}' is not a valid value for class level permissions acl", javascript_text(rights)))
        })?;
        for (right, given) in rights {
            if !matches!(right.as_str(), "read" | "write") {
                return Err(refuse(format!("'{right}' is not a valid key for class level permissions acl")));
            }
            if !given.is_boolean() {
                return Err(refuse(format!(
                    "'{}' is not a valid value for class level permissions acl",
                    javascript_text(given)
                )));
            }
        }
    }
    Ok(())
}

/// `*`, a role, or the id of a user.
fn is_entity(entity: &str, custom_ids: bool) -> bool {
    let is_role = entity.strip_prefix("role:").is_some_and(|name| !name.is_empty());
    let is_id = !entity.is_empty() && (custom_ids || entity.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    entity == "*" || is_role || is_id
}

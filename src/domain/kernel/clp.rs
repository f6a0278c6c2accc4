//! Class level permissions, read once from their JSON.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::error::{ErrorCode, ParseError, Result};
use crate::model::acl::PUBLIC;
use crate::model::names::ClassName;

/// What a caller wants to do with a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Read several rows.
    Find,
    /// Count rows.
    Count,
    /// Read one row by its id.
    Get,
    /// Make a row.
    Create,
    /// Change a row.
    Update,
    /// Delete a row.
    Delete,
    /// Make a field by writing to it.
    AddField,
}

impl Operation {
    /// All operations, in the order the schema API lists them.
    pub const ALL: [Self; 7] =
        [Self::Find, Self::Count, Self::Get, Self::Create, Self::Update, Self::Delete, Self::AddField];

    /// Parse's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Count => "count",
            Self::Get => "get",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::AddField => "addField",
        }
    }

    /// Whether it only reads.
    #[must_use]
    pub const fn reads(self) -> bool {
        matches!(self, Self::Find | Self::Count | Self::Get)
    }
}

/// Who may carry out one operation.
#[derive(Debug, Default, Clone)]
struct Rule {
    requires_authentication: bool,
    entities: HashSet<String>,
    pointer_fields: Vec<String>,
}

/// Permissions of one class.
#[derive(Debug, Default, Clone)]
pub struct ClassPermissions {
    /// `None`: the class has no permissions of its own, everything is open.
    rules: Option<Vec<(Operation, Rule)>>,
    read_user_fields: Vec<String>,
    write_user_fields: Vec<String>,
    /// Entity → fields hidden from it; options and class together.
    pub protected_fields: IndexMap<String, Vec<String>>,
    /// ACL that new rows get when none is sent.
    pub default_acl: Option<Map<String, Json>>,
}

impl ClassPermissions {
    /// Reads the stored form, and adds the protected fields that the server's options name for the class.
    #[must_use]
    pub fn read(stored: Option<&Map<String, Json>>, protected: Option<&IndexMap<String, Vec<String>>>) -> Self {
        let texts = |json: Option<&Json>| -> Vec<String> {
            json.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
        };
        let mut permissions = Self::default();
        if let Some(stored) = stored {
            permissions.rules =
                Some(Operation::ALL.iter().map(|operation| (*operation, rule(stored.get(operation.name())))).collect());
            permissions.read_user_fields = texts(stored.get("readUserFields"));
            permissions.write_user_fields = texts(stored.get("writeUserFields"));
            permissions.default_acl =
                stored.get("ACL").and_then(Json::as_object).filter(|acl| !is_open_to_all(acl)).cloned();
            for (entity, fields) in stored.get("protectedFields").and_then(Json::as_object).into_iter().flatten() {
                permissions.protected_fields.insert(entity.clone(), texts(Some(fields)));
            }
        }
        for (entity, fields) in protected.into_iter().flatten() {
            let known = permissions.protected_fields.entry(entity.clone()).or_default();
            known.extend(fields.iter().filter(|field| !known.contains(field)).cloned().collect::<Vec<_>>());
        }
        permissions
    }

    fn rule(&self, operation: Operation) -> Option<&Rule> {
        self.rules.as_ref()?.iter().find(|(of, _)| *of == operation).map(|(_, rule)| rule)
    }

    /// Whether one of the entities is named for the operation, so that no row-wise rule is needed.
    #[must_use]
    pub fn is_open_to(&self, operation: Operation, entities: &[String]) -> bool {
        self.rule(operation).is_none_or(|rule| entities.iter().any(|entity| rule.entities.contains(entity)))
    }

    /// Whether the operation may go on, perhaps limited to some rows ([`ClassPermissions::row_fields`]).
    ///
    /// `updating`: a field is added by an update, not by a create.
    ///
    /// # Errors
    /// 119, or 101 when a session is needed; both sanitised.
    pub fn admit(&self, class: &ClassName, operation: Operation, entities: &[String], updating: bool) -> Result<()> {
        if self.is_open_to(operation, entities) {
            return Ok(());
        }
        let Some(rule) = self.rule(operation) else {
            return Ok(());
        };
        if rule.requires_authentication {
            return if entities.len() > 1 {
                Ok(())
            } else {
                Err(ParseError::sanitized(
                    ErrorCode::ObjectNotFound,
                    "Permission denied, user needs to be authenticated.",
                ))
            };
        }
        let denied = || {
            Err(ParseError::forbidden(format!("Permission denied for action {} on class {class}.", operation.name())))
        };
        if operation == Operation::Create {
            return denied();
        }
        if !self.user_fields(operation).is_empty() {
            return Ok(());
        }
        if !rule.pointer_fields.is_empty() && (operation != Operation::AddField || updating) {
            return Ok(());
        }
        denied()
    }

    /// The fields that must point at the caller for a row to be within reach; empty: the rule is not row-wise.
    #[must_use]
    pub fn row_fields(&self, operation: Operation) -> Vec<&str> {
        let mut fields: Vec<&str> = self
            .rule(operation)
            .map(|rule| rule.pointer_fields.iter().map(String::as_str).collect())
            .unwrap_or_default();
        for field in self.user_fields(operation) {
            if !fields.contains(&field.as_str()) {
                fields.push(field);
            }
        }
        fields
    }

    fn user_fields(&self, operation: Operation) -> &[String] {
        if operation.reads() { &self.read_user_fields } else { &self.write_user_fields }
    }
}

/// Whether a default ACL is what classes without one are shown with. Sent back with the rest of a schema it must not make
/// rows public that are private by other rules: new users.
fn is_open_to_all(acl: &Map<String, Json>) -> bool {
    let may = |rights: &Json, right: &str| rights.get(right) == Some(&Json::Bool(true));
    acl.len() == 1 && acl.get(PUBLIC).is_some_and(|rights| may(rights, "read") && may(rights, "write"))
}

fn rule(json: Option<&Json>) -> Rule {
    let mut rule = Rule::default();
    for (entity, value) in json.and_then(Json::as_object).into_iter().flatten() {
        match (entity.as_str(), value) {
            ("requiresAuthentication", Json::Bool(true)) => rule.requires_authentication = true,
            ("pointerFields", Json::Array(fields)) => {
                rule.pointer_fields = fields.iter().filter_map(Json::as_str).map(str::to_owned).collect();
            }
            (_, Json::Bool(true)) => {
                rule.entities.insert(entity.clone());
            }
            _ => {}
        }
    }
    rule
}

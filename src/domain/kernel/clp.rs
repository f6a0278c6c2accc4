//! Class level permissions, parsed once from their JSON.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::error::{ErrorCode, ParseError, Result};
use crate::model::acl::PUBLIC;
use crate::model::names::ClassName;

/// An operation on a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Find objects.
    Find,
    /// Count objects.
    Count,
    /// Get an object by its id.
    Get,
    /// Create an object.
    Create,
    /// Update an object.
    Update,
    /// Delete an object.
    Delete,
    /// Add a field by writing to it.
    AddField,
}

impl Operation {
    /// All operations, in the order the schema API lists them.
    pub const ALL: [Self; 7] =
        [Self::Find, Self::Count, Self::Get, Self::Create, Self::Update, Self::Delete, Self::AddField];

    /// Its name in Parse.
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

/// Who may run an operation.
#[derive(Debug, Default, Clone)]
struct Rule {
    requires_authentication: bool,
    entities: HashSet<String>,
    pointer_fields: Vec<String>,
}

/// The permissions of a class.
#[derive(Debug, Default, Clone)]
pub struct ClassPermissions {
    /// `None`: the class has no permissions of its own and is open to everyone.
    rules: Option<Vec<(Operation, Rule)>>,
    read_user_fields: Vec<String>,
    write_user_fields: Vec<String>,
    /// Entity → fields hidden from it, from the options and the class.
    pub protected_fields: IndexMap<String, Vec<String>>,
    /// Default ACL of new objects.
    pub default_acl: Option<Map<String, Json>>,
}

impl ClassPermissions {
    /// Parses the stored form and adds the protected fields in the options.
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

    /// Whether the operation is permitted to one of the entities on all rows.
    #[must_use]
    pub fn is_open_to(&self, operation: Operation, entities: &[String]) -> bool {
        self.rule(operation).is_none_or(|rule| entities.iter().any(|entity| rule.entities.contains(entity)))
    }

    /// Checks that the operation is permitted, possibly only on some rows ([`ClassPermissions::row_fields`]).
    ///
    /// `updating`: a field is added by an update, not by a create.
    ///
    /// # Errors
    /// 119, or 101 if a session is needed; both sanitised.
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

    /// The fields of which one must point to the caller in rows that the operation may reach; empty if there is no
    /// such condition.
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

/// Whether a default ACL is the one that `/schemas` returns for classes without one. A client may send it back with the
/// schema, and it must not make new users public.
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

//! Access control lists: who may read and write one row.

use indexmap::IndexMap;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value as Json;

use super::json;
use super::value::Value;
use crate::error::{ErrorCode, ParseError, Result};

/// Entity that stands for everybody.
pub const PUBLIC: &str = "*";

/// What one entity may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Access {
    /// May read.
    pub read: bool,
    /// May write.
    pub write: bool,
}

impl Access {
    /// The rights that are given.
    fn rights(self) -> impl Iterator<Item = &'static str> {
        [("read", self.read), ("write", self.write)].into_iter().filter(|(_, given)| *given).map(|(right, _)| right)
    }
}

/// Entities (`*`, user ids, `role:NAME`) and their rights, in the order they were given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acl(IndexMap<String, Access>);

impl Acl {
    /// A list that names nobody: only the master key has access.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads `{"ENTITY": {"read": true, "write": true}}`. Rights that JavaScript takes for true are given.
    ///
    /// # Errors
    /// 123 `Invalid ACL.` when it is no object or names an unresolved user.
    pub fn parse(json: &Json) -> Result<Self> {
        let invalid = || ParseError::new(ErrorCode::InvalidAcl, "Invalid ACL.");
        let map = json.as_object().ok_or_else(invalid)?;
        if map.contains_key("*unresolved") {
            return Err(invalid());
        }
        let granted = |rights: &Json, right: &str| rights.get(right).is_some_and(json::is_truthy);
        Ok(Self(
            map.iter()
                .map(|(entity, rights)| {
                    (entity.clone(), Access { read: granted(rights, "read"), write: granted(rights, "write") })
                })
                .collect(),
        ))
    }

    /// Puts an entity's rights, replacing former ones.
    pub fn grant(&mut self, entity: impl Into<String>, read: bool, write: bool) {
        self.0.insert(entity.into(), Access { read, write });
    }

    /// The entities and rights.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Access)> {
        self.0.iter().map(|(entity, access)| (entity.as_str(), *access))
    }

    /// The stored lists of readers and writers: `_rperm` and `_wperm`.
    #[must_use]
    pub fn to_permissions(&self) -> (Value, Value) {
        let list = |wanted: fn(&Access) -> bool| {
            Value::Array(
                self.0
                    .iter()
                    .filter(|(_, access)| wanted(access))
                    .map(|(entity, _)| Value::String(entity.clone()))
                    .collect(),
            )
        };
        (list(|access| access.read), list(|access| access.write))
    }

    /// The list that stored readers and writers stand for; `None` when neither is there (open to all).
    #[must_use]
    pub fn from_permissions(readers: Option<&Value>, writers: Option<&Value>) -> Option<Self> {
        if readers.is_none() && writers.is_none() {
            return None;
        }
        let texts = |list: Option<&Value>| -> Vec<String> {
            let list = list.and_then(Value::as_array).unwrap_or_default();
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Some(Self::from_lists(texts(readers), texts(writers)))
    }

    /// The list by which these may read and those may write.
    #[must_use]
    pub fn from_lists(readers: Vec<String>, writers: Vec<String>) -> Self {
        let mut acl = Self::new();
        for entity in readers {
            acl.0.entry(entity).or_default().read = true;
        }
        for entity in writers {
            acl.0.entry(entity).or_default().write = true;
        }
        acl
    }

    /// As REST JSON: only rights that are given are listed.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json::encode(&Value::from(self))
    }
}

impl Serialize for Acl {
    /// As [`Acl::to_json`].
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

impl Serialize for Access {
    /// Only rights that are given are listed.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for right in self.rights() {
            map.serialize_entry(right, &true)?;
        }
        map.end()
    }
}

/// As [`Acl::to_json`].
impl From<&Acl> for Value {
    fn from(acl: &Acl) -> Self {
        let rights = |access: &Access| access.rights().map(|right| (right, Self::Boolean(true))).collect();
        Self::Object(acl.0.iter().map(|(entity, access)| (entity.as_str(), Self::Object(rights(access)))).collect())
    }
}

//! The lines of an export.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::model::json;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::schema::{ClassSchema, Field, FieldType, IndexKeys};
use crate::storage::IndexSpec;

/// A field of a class.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FieldLine {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target_class: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_value: Option<Json>,
}

/// An index of a class.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndexLine {
    name: String,
    keys: IndexKeys,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unique: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sparse: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    case_insensitive: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expire_after_seconds: Option<u64>,
}

/// A class.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassLine {
    /// Its name.
    pub class_name: String,
    /// Whether it has a schema document. Some classes of the server have rows without one.
    pub has_schema: bool,
    fields: IndexMap<String, FieldLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class_level_permissions: Option<Map<String, Json>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    indexes: Vec<IndexLine>,
}

impl ClassLine {
    /// A class as a line.
    #[must_use]
    pub fn new(schema: &ClassSchema, has_schema: bool, indexes: Vec<IndexSpec>) -> Self {
        let fields = schema.fields.iter().map(|(name, field)| {
            let line = FieldLine {
                kind: field.kind.name().to_owned(),
                target_class: field.kind.target().map(ToString::to_string),
                required: field.required,
                default_value: field.default.as_ref().map(json::encode),
            };
            (name.clone(), line)
        });
        let indexes = indexes.into_iter().map(|index| IndexLine {
            name: index.name,
            keys: index.keys,
            unique: index.unique,
            sparse: index.sparse,
            case_insensitive: index.case_insensitive,
            expire_after_seconds: index.expire_after_seconds,
        });
        Self {
            class_name: schema.name.to_string(),
            has_schema,
            fields: fields.collect(),
            class_level_permissions: schema.permissions.clone(),
            indexes: indexes.collect(),
        }
    }

    /// The class. `None` if a field has a type that this version does not know.
    #[must_use]
    pub fn schema(&self) -> Option<ClassSchema> {
        let mut schema = ClassSchema::new(ClassName::unchecked(self.class_name.as_str()));
        for (name, line) in &self.fields {
            let kind = FieldType::from_name(&line.kind, line.target_class.as_deref())?;
            let default = line.default_value.clone().map(json::decode_stored);
            schema.fields.insert(name.clone(), Field { kind, required: line.required, default });
        }
        schema.permissions.clone_from(&self.class_level_permissions);
        Some(schema)
    }

    /// Its indexes, but for those that every server makes by itself.
    #[must_use]
    pub fn indexes(&self) -> Vec<IndexSpec> {
        let spec = |line: &IndexLine| IndexSpec {
            name: line.name.clone(),
            keys: line.keys.clone(),
            unique: line.unique,
            sparse: line.sparse,
            case_insensitive: line.case_insensitive,
            expire_after_seconds: line.expire_after_seconds,
            embedded_only: false,
        };
        self.indexes.iter().map(spec).collect()
    }
}

/// A pair of a relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairLine {
    /// The object that has the relation.
    pub owner: String,
    /// The object in it.
    pub member: String,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLine {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub length: u64,
    /// Their SHA-256 in hexadecimal digits.
    pub sha256: String,
}

/// A row from its line.
#[must_use]
pub fn row(line: Map<String, Json>) -> Object {
    line.into_iter().map(|(field, value)| (field, json::decode_stored(value))).collect()
}

//! What readers of a query see of every row, as far as it does not depend on the row.

use super::acl::Acl;
use super::names::ClassName;
use super::object::{FieldName, Object};
use super::schema::{ClassSchema, FieldType};
use super::url_component;
use super::value::Value;

/// Fields that `keys` and `excludeKeys` cannot take away.
pub const ALWAYS_SHOWN: [&str; 4] = ["objectId", "createdAt", "updatedAt", "ACL"];

/// What the column begins with that marks a pointer which an update made null: such a field exists and is not shown. A pointer that was
/// null from the beginning is an ordinary null.
pub const NULL_POINTER: &str = "_p_";

/// Names of fields that a client listed: looked up for every field of every row, so never searched one by one.
pub type Names = foldhash::HashSet<String>;

/// How rows of one class look to the reader of one query. A store may write rows in this shape from the bytes they rest
/// in, without making objects of them.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// Fields asked for, top level; `None`: all.
    pub keys: Option<Names>,
    /// Fields asked to be left out, top level.
    pub exclude: Names,
    /// Fields the reader may not see.
    pub hidden: Names,
    /// Relations with their target classes. They are no part of a row; they come with the class.
    pub relations: Vec<(FieldName, ClassName)>,
    /// What the addresses of files begin with.
    pub file_base: String,
    /// Whether internal columns are shown, but for those of the ACL.
    pub internal: bool,
}

impl Shape {
    /// The shape in which everything is seen.
    #[must_use]
    pub fn of(schema: &ClassSchema, file_base: String) -> Self {
        let mut shape = Self { file_base, ..Self::default() };
        for (name, field) in &schema.fields {
            if let FieldType::Relation(target) = &field.kind {
                shape.relations.push((name.into(), target.clone()));
            }
        }
        shape
    }

    /// Whether readers see this field of a row, internal columns included.
    #[must_use]
    pub fn shows(&self, field: &str) -> bool {
        if self.hidden.contains(field) {
            return false;
        }
        if field.starts_with('_') {
            return self.internal && !matches!(field, "_rperm" | "_wperm") && !field.starts_with(NULL_POINTER);
        }
        if self.keys.is_none() && self.exclude.is_empty() || ALWAYS_SHOWN.contains(&field) {
            return true;
        }
        let asked = |keys: &Names| keys.contains(field) || (field == "score" && keys.contains("$score"));
        !self.exclude.contains(field) && self.keys.as_ref().is_none_or(asked)
    }

    /// The address of a file.
    #[must_use]
    pub fn file_url(&self, name: &str) -> String {
        format!("{}{}", self.file_base, url_component::encode(name))
    }

    /// Files are stored by name; readers get an address as well.
    pub fn complete_files(&self, value: &mut Value) {
        match value {
            Value::File(file) if file.url.is_none() => file.url = Some(self.file_url(&file.name)),
            Value::Array(list) => list.iter_mut().for_each(|item| self.complete_files(item)),
            Value::Object(object) => object.iter_mut().for_each(|(_, item)| self.complete_files(item)),
            _ => {}
        }
    }

    /// A row as it is read: internal columns go, stored forms become Parse's.
    #[must_use]
    pub fn present(&self, mut row: Object) -> Object {
        if let Some(acl) = Acl::from_permissions(row.get("_rperm"), row.get("_wperm")) {
            row.insert("ACL", &acl);
        }
        row.retain(|field, _| self.shows(field));
        for (field, value) in &mut row {
            match value {
                Value::Date(date) if is_plain_date(field) => *value = Value::String(date.to_iso()),
                _ => self.complete_files(value),
            }
        }
        for (name, target) in &self.relations {
            row.insert(name.clone(), Value::Relation(target.clone()));
        }
        row
    }
}

/// Whether the dates of a field are plain text on the wire: those every object has, and what only maintenance reads.
#[must_use]
pub fn is_plain_date(field: &str) -> bool {
    matches!(field, "createdAt" | "updatedAt") || field.starts_with('_')
}

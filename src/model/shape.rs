//! The fields of rows that the caller of a query sees, if they are the same for every row.

use super::acl::Acl;
use super::files::addresses::FileAddresses;
use super::names::ClassName;
use super::object::{FieldName, Object};
use super::schema::{ClassSchema, FieldType};
use super::value::Value;

/// Fields that `keys` and `excludeKeys` cannot exclude.
pub const ALWAYS_SHOWN: [&str; 4] = ["objectId", "createdAt", "updatedAt", "ACL"];

/// Prefix of the column that marks a pointer which an update set to null: such a field exists and is not shown. A
/// pointer that was created as null is an ordinary null.
pub const NULL_POINTER: &str = "_p_";

/// A set of field names, for fast look-ups for every field of every row.
pub type Names = foldhash::HashSet<String>;

/// How rows of a class are shown to the caller of a query. A store can write rows in this shape directly from their
/// stored bytes.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// Requested top-level fields; `None` means all.
    pub keys: Option<Names>,
    /// Excluded top-level fields.
    pub exclude: Names,
    /// Fields that are hidden from the caller.
    pub hidden: Names,
    /// Relations with their target classes. Rows do not contain them; they are added from the class.
    pub relations: Vec<(FieldName, ClassName)>,
    /// Builds URLs of files.
    pub files: FileAddresses,
    /// Whether internal columns are shown, except those of the ACL.
    pub internal: bool,
}

impl Shape {
    /// The shape that shows everything.
    #[must_use]
    pub fn of(schema: &ClassSchema, files: FileAddresses) -> Self {
        let mut shape = Self { files, ..Self::default() };
        for (name, field) in &schema.fields {
            if let FieldType::Relation(target) = &field.kind {
                shape.relations.push((name.into(), target.clone()));
            }
        }
        shape
    }

    /// Whether the caller sees this field or internal column.
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

    /// Adds the URL to a file field. It is computed for each response, whatever the client sent. A file inside an array
    /// or object is returned unchanged.
    pub fn complete_file(&self, value: &mut Value) {
        if let Value::File(file) = value {
            file.url = Some(self.files.of(&file.name));
        }
    }

    /// Converts a row to the form that the caller sees: removes internal columns, converts stored values to Parse's
    /// form.
    #[must_use]
    pub fn present(&self, mut row: Object) -> Object {
        if let Some(acl) = Acl::from_permissions(row.get("_rperm"), row.get("_wperm")) {
            row.insert("ACL", &acl);
        }
        row.retain(|field, _| self.shows(field));
        for (field, value) in &mut row {
            match value {
                Value::Date(date) if is_plain_date(field) => *value = Value::String(date.to_iso()),
                _ => self.complete_file(value),
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

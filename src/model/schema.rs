//! Classes: fields, permissions and indexes.

use std::fmt;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::names::ClassName;
use super::value::Value;

/// Type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldType {
    /// String.
    String,
    /// 64-bit floating point number.
    Number,
    /// Boolean.
    Boolean,
    /// Date.
    Date,
    /// Object.
    Object,
    /// Array.
    Array,
    /// File.
    File,
    /// Bytes.
    Bytes,
    /// Point on earth.
    GeoPoint,
    /// Polygon on earth.
    Polygon,
    /// Access control list.
    Acl,
    /// Pointer to an object of the class.
    Pointer(ClassName),
    /// Relation to objects of the class.
    Relation(ClassName),
}

impl FieldType {
    /// Parse's name of the type, without the target class.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Number => "Number",
            Self::Boolean => "Boolean",
            Self::Date => "Date",
            Self::Object => "Object",
            Self::Array => "Array",
            Self::File => "File",
            Self::Bytes => "Bytes",
            Self::GeoPoint => "GeoPoint",
            Self::Polygon => "Polygon",
            Self::Acl => "ACL",
            Self::Pointer(_) => "Pointer",
            Self::Relation(_) => "Relation",
        }
    }

    /// The type with this name; pointers and relations need their target.
    #[must_use]
    pub fn from_name(name: &str, target: Option<&str>) -> Option<Self> {
        Some(match (name, target) {
            ("String", _) => Self::String,
            ("Number", _) => Self::Number,
            ("Boolean", _) => Self::Boolean,
            ("Date", _) => Self::Date,
            ("Object", _) => Self::Object,
            ("Array", _) => Self::Array,
            ("File", _) => Self::File,
            ("Bytes", _) => Self::Bytes,
            ("GeoPoint", _) => Self::GeoPoint,
            ("Polygon", _) => Self::Polygon,
            ("ACL", _) => Self::Acl,
            ("Pointer", Some(class)) => Self::Pointer(ClassName::unchecked(class)),
            ("Relation", Some(class)) => Self::Relation(ClassName::unchecked(class)),
            _ => return None,
        })
    }

    /// The type of a value; `None` for null, which matches every type.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => return None,
            Value::Boolean(_) => Self::Boolean,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Date(_) => Self::Date,
            Value::Bytes(_) => Self::Bytes,
            Value::Pointer(pointer) => Self::Pointer(pointer.class.clone()),
            Value::Relation(class) => Self::Relation(class.clone()),
            Value::GeoPoint(_) => Self::GeoPoint,
            Value::Polygon(_) => Self::Polygon,
            Value::File(_) => Self::File,
            Value::Array(_) => Self::Array,
            // A fetched object counts as a pointer to it.
            Value::Object(object) => match (object.get_str("__type"), object.get_str("className")) {
                (Some("Object"), Some(class)) => Self::Pointer(ClassName::unchecked(class)),
                _ => Self::Object,
            },
        })
    }

    /// The target class of a pointer or relation.
    #[must_use]
    pub const fn target(&self) -> Option<&ClassName> {
        match self {
            Self::Pointer(class) | Self::Relation(class) => Some(class),
            _ => None,
        }
    }
}

impl fmt::Display for FieldType {
    /// The type in error messages: `Pointer<C>`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target() {
            Some(class) => write!(formatter, "{}<{class}>", self.name()),
            None => formatter.write_str(self.name()),
        }
    }
}

/// A field of a class.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its type.
    pub kind: FieldType,
    /// Whether the field is required.
    pub required: bool,
    /// The default value for new rows.
    pub default: Option<Value>,
}

impl Field {
    /// An optional field without default.
    #[must_use]
    pub const fn new(kind: FieldType) -> Self {
        Self { kind, required: false, default: None }
    }
}

/// Definition of an index by the schema API: fields and directions (or kinds such as `2dsphere`), as JSON.
pub type IndexKeys = Map<String, Json>;

/// The fields of a class by name, in the order they were added.
pub type Fields = IndexMap<String, Field, RandomState>;

/// A class as stored in `_SCHEMA`, with the default columns of every class.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassSchema {
    /// Name of the class.
    pub name: ClassName,
    /// Fields by name, including default columns.
    pub fields: Fields,
    /// Stored class level permissions; `None` if the class has none and is open to everyone.
    pub permissions: Option<Map<String, Json>>,
    /// Indexes as `_metadata.indexes` lists them.
    pub indexes: IndexMap<String, IndexKeys>,
}

impl ClassSchema {
    /// A class with only the default columns.
    #[must_use]
    pub fn new(name: ClassName) -> Self {
        let mut fields = Fields::default();
        for (field, kind) in [
            ("objectId", FieldType::String),
            ("createdAt", FieldType::Date),
            ("updatedAt", FieldType::Date),
            ("ACL", FieldType::Acl),
        ] {
            fields.insert(field.to_owned(), Field::new(kind));
        }
        Self { name, fields, permissions: None, indexes: IndexMap::new() }
    }

    /// The type of a field.
    #[must_use]
    pub fn kind(&self, field: &str) -> Option<&FieldType> {
        self.fields.get(field).map(|field| &field.kind)
    }
}

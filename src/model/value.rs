//! The values of fields.

use super::date::Date;
use super::names::ClassName;
use super::object::Object;

/// A pointer to an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pointer {
    /// The class of the object.
    pub class: ClassName,
    /// The object's `objectId`.
    pub id: String,
}

/// A point on earth, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoPoint {
    /// North is positive.
    pub latitude: f64,
    /// East is positive.
    pub longitude: f64,
}

/// A file: its name in the file storage, and the URL that the client sent, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Name in the file storage.
    pub name: String,
    /// URL; computed from the name if it is missing.
    pub url: Option<String>,
}

/// A value of Parse's data model. Numbers are 64-bit floating point, as in JavaScript.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Null.
    Null,
    /// Boolean.
    Boolean(bool),
    /// Number.
    Number(f64),
    /// String.
    String(String),
    /// Date; `{"__type":"Date","iso":…}` in JSON.
    Date(Date),
    /// Bytes; base64 in JSON.
    Bytes(Vec<u8>),
    /// Pointer.
    Pointer(Pointer),
    /// Relation to a class; its members are in the join class, not in the row.
    Relation(ClassName),
    /// Point on earth.
    GeoPoint(GeoPoint),
    /// Polygon: its corners as given, with latitude first.
    Polygon(Vec<GeoPoint>),
    /// File.
    File(File),
    /// Array.
    Array(Vec<Value>),
    /// Object; also a fetched object of another class (with `__type` `Object` and `className`).
    Object(Object),
}

impl Value {
    /// Approximate bytes of memory.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::String(text) => text.len() + 24,
            Self::Bytes(bytes) => bytes.len() + 24,
            Self::Array(list) => list.iter().map(Self::weight).sum::<usize>() + 24,
            Self::Object(object) => object.weight(),
            Self::Pointer(pointer) => pointer.id.len() + 64,
            Self::File(file) => file.name.len() + 64,
            Self::Polygon(corners) => corners.len() * 16 + 24,
            Self::Null | Self::Boolean(_) | Self::Number(_) | Self::Date(_) | Self::Relation(_) | Self::GeoPoint(_) => {
                32
            }
        }
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The array, if it is one.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(list) = self { Some(list) } else { None }
    }

    /// The object, if it is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The pointer, if it is one.
    #[must_use]
    pub fn as_pointer(&self) -> Option<&Pointer> {
        if let Self::Pointer(pointer) = self { Some(pointer) } else { None }
    }

    /// The date, if it is one.
    #[must_use]
    pub fn as_date(&self) -> Option<Date> {
        if let Self::Date(date) = self { Some(*date) } else { None }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Boolean(truth) = self { Some(*truth) } else { None }
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A pointer value.
    #[must_use]
    pub fn pointer(class: &ClassName, id: impl Into<String>) -> Self {
        Self::Pointer(Pointer { class: class.clone(), id: id.into() })
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<Date> for Value {
    fn from(date: Date) -> Self {
        Self::Date(date)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<Vec<Value>> for Value {
    fn from(list: Vec<Value>) -> Self {
        Self::Array(list)
    }
}

//! Objects: maps of fields that keep their order.

use compact_str::CompactString;
use foldhash::fast::RandomState;
use indexmap::IndexMap;
use indexmap::map::{IntoIter, Iter};

use super::value::Value;

/// The name of a field. Names of up to 24 bytes are stored inline.
pub type FieldName = CompactString;

/// A map from field names to values that keeps its order.
///
/// A row of a class has the REST names (`objectId`, `createdAt`, `updatedAt`, …). Between domain and storage it also
/// contains columns that clients never see: `_rperm`, `_wperm` and the internal columns of special classes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object(IndexMap<FieldName, Value, RandomState>);

impl Object {
    /// An object without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An object without fields, with capacity for this many.
    #[must_use]
    pub fn with_capacity(fields: usize) -> Self {
        Self(IndexMap::with_capacity_and_hasher(fields, RandomState::default()))
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// The value of a field, mutable.
    pub fn get_mut(&mut self, field: &str) -> Option<&mut Value> {
        self.0.get_mut(field)
    }

    /// The value of a field, if it is a string.
    #[must_use]
    pub fn get_str(&self, field: &str) -> Option<&str> {
        self.get(field).and_then(Value::as_str)
    }

    /// Sets a field and returns its previous value.
    pub fn insert(&mut self, field: impl Into<FieldName>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(field.into(), value.into())
    }

    /// Approximate bytes of memory.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.iter().map(|(field, value)| field.len() + 32 + value.weight()).sum::<usize>() + 64
    }

    /// Removes a field, keeping the order of the others, and returns its value.
    pub fn remove(&mut self, field: &str) -> Option<Value> {
        self.0.shift_remove(field)
    }

    /// Whether the field exists (null counts).
    #[must_use]
    pub fn contains(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// Keeps the fields for which the test returns `true`.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.0.retain(|field, value| keep(field, value));
    }

    /// Fields and values in order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_, FieldName, Value> {
        self.0.iter()
    }

    /// Fields and mutable values in order.
    pub fn iter_mut(&mut self) -> indexmap::map::IterMut<'_, FieldName, Value> {
        self.0.iter_mut()
    }

    /// The names of the fields in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(FieldName::as_str)
    }

    /// The number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<FieldName>> FromIterator<(K, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(field, value)| (field.into(), value)).collect())
    }
}

impl<K: Into<FieldName>> Extend<(K, Value)> for Object {
    fn extend<I: IntoIterator<Item = (K, Value)>>(&mut self, fields: I) {
        self.0.extend(fields.into_iter().map(|(field, value)| (field.into(), value)));
    }
}

impl IntoIterator for Object {
    type Item = (FieldName, Value);
    type IntoIter = IntoIter<FieldName, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = (&'a FieldName, &'a Value);
    type IntoIter = Iter<'a, FieldName, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a mut Object {
    type Item = (&'a FieldName, &'a mut Value);
    type IntoIter = indexmap::map::IterMut<'a, FieldName, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}

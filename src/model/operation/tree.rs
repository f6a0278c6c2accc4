//! The update tree: the changes of a row, independent of the store that applies them.

use crate::model::value::Value;

/// The change of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Sets the field to this value.
    Set(Value),
    /// Deletes the field.
    Unset,
    /// Adds this amount to the number; a missing field counts as 0.
    Increment(f64),
    /// Appends these elements to the array.
    Add(Vec<Value>),
    /// Appends the elements that the array does not contain.
    AddUnique(Vec<Value>),
    /// Removes all elements that equal one of these.
    Remove(Vec<Value>),
}

/// Changes by field path, in order. Paths are in REST terms and may be dotted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update(pub Vec<(String, Change)>);

impl Update {
    /// An update that sets the fields of an object.
    #[must_use]
    pub fn setting(fields: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self(fields.into_iter().map(|(path, value)| (path, Change::Set(value))).collect())
    }

    /// Adds a change, replacing an earlier one of the same path.
    pub fn put(&mut self, path: impl Into<String>, change: Change) {
        let path = path.into();
        if let Some(slot) = self.0.iter_mut().find(|(known, _)| *known == path) {
            slot.1 = change;
        } else {
            self.0.push((path, change));
        }
    }

    /// The change of a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Change> {
        self.0.iter().find(|(known, _)| known == path).map(|(_, change)| change)
    }

    /// Removes the change of a path.
    pub fn remove(&mut self, path: &str) -> Option<Change> {
        let at = self.0.iter().position(|(known, _)| known == path)?;
        Some(self.0.remove(at).1)
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

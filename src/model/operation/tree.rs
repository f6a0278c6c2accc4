//! The update tree: what a write does to a row, independent of who carries it out.

use crate::model::value::Value;

/// What happens to one field.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The field gets this value.
    Set(Value),
    /// The field goes away.
    Unset,
    /// The number grows by so much; a missing field counts as 0.
    Increment(f64),
    /// These are appended to the array.
    Add(Vec<Value>),
    /// Those of these that the array lacks are appended.
    AddUnique(Vec<Value>),
    /// All elements equal to one of these leave the array.
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

//! Rows as JSON text of a response.

use serde::{Deserialize, Serialize};
use serde_json::Deserializer;

/// Rows as REST JSON, separated by commas: the content of an array.
#[derive(Debug, Default)]
pub struct JsonRows {
    text: Vec<u8>,
    count: usize,
}

impl JsonRows {
    /// These rows.
    ///
    /// # Errors
    /// As [`JsonRows::push`].
    pub fn of<'a, T: Serialize + 'a>(rows: impl IntoIterator<Item = &'a T>) -> serde_json::Result<Self> {
        let mut written = Self::default();
        rows.into_iter().try_for_each(|row| written.push(row))?;
        Ok(written)
    }

    /// Appends a row; if that fails, nothing is appended.
    ///
    /// # Errors
    /// The serialisation error of the row.
    pub fn push(&mut self, row: &impl Serialize) -> serde_json::Result<()> {
        self.write(|text| serde_json::to_writer(text, row))
    }

    /// Like [`JsonRows::push`], with a function that writes the row.
    ///
    /// # Errors
    /// The errors of `write`.
    pub fn write<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let before = self.text.len();
        if self.count > 0 {
            self.text.push(b',');
        }
        let written = write(&mut self.text);
        match written {
            Ok(()) => self.count += 1,
            Err(_) => self.text.truncate(before),
        }
        written
    }

    /// The number of rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Reads the rows, each as what its JSON is for this type.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> impl Iterator<Item = serde_json::Result<T>> {
        let mut rest = self.text.as_slice();
        std::iter::from_fn(move || {
            let mut values = Deserializer::from_slice(rest).into_iter();
            let row = values.next()?;
            let next = rest.get(values.byte_offset()..).unwrap_or_default();
            // After an error nothing else is read.
            rest = if row.is_ok() { next.strip_prefix(b",").unwrap_or_default() } else { &[] };
            Some(row)
        })
    }

    /// The text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// The text.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn rows_are_read_back() {
        let rows = [json!({ "a": "}," }), json!({}), json!({ "b": [1, { "c": null }] })];
        let written = JsonRows::of(&rows).unwrap();
        let read: Vec<Json> = written.read().collect::<Result<_, _>>().unwrap();
        assert_eq!(read, rows);
        let texts: Vec<&RawValue> = written.read().collect::<Result<_, _>>().unwrap();
        assert_eq!(texts.iter().map(|text| text.get()).collect::<Vec<_>>().join(",").as_bytes(), written.as_bytes());
        assert_eq!(JsonRows::default().read::<Json>().count(), 0);
        let lists: Vec<_> = written.read::<Vec<Json>>().collect();
        assert!(matches!(lists.as_slice(), [Err(_)]));
    }
}

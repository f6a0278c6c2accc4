//! Rows as JSON text of a response.

use serde::Serialize;

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

//! Rows as the text of an answer.

use serde::Serialize;

/// Rows that were written as REST JSON, one after the other, with commas between them: the inside of an array.
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

    /// Writes a row; when that fails nothing is written.
    ///
    /// # Errors
    /// What the row's own form of writing gives.
    pub fn push(&mut self, row: &impl Serialize) -> serde_json::Result<()> {
        self.write(|text| serde_json::to_writer(text, row))
    }

    /// As [`JsonRows::push`], for what writes itself.
    ///
    /// # Errors
    /// Those of `write`.
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

    /// How many rows there are.
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

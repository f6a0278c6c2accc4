//! JSON text of an answer in the making: written once, never a tree.

use serde::Serialize;

/// JSON text.
#[derive(Debug, Default)]
pub struct Text(Vec<u8>);

/// Whether the next member of an object or list is its first.
#[derive(Debug)]
pub struct First(bool);

impl Text {
    /// Text of this value.
    #[must_use]
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        let mut text = Self::default();
        text.value(value);
        text
    }

    /// Writes a value.
    pub fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        let start = self.0.len();
        if serde_json::to_writer(&mut self.0, value).is_err() {
            self.0.truncate(start);
            self.null();
        }
    }

    /// Writes null.
    pub fn null(&mut self) {
        self.0.extend_from_slice(b"null");
    }

    /// Writes what was written elsewhere.
    pub fn append(&mut self, text: &Self) {
        self.0.extend_from_slice(&text.0);
    }

    /// Begins an object (`{`) or a list (`[`).
    pub fn open(&mut self, bracket: char) -> First {
        self.mark(bracket);
        First(true)
    }

    /// Ends it.
    pub fn close(&mut self, bracket: char) {
        self.mark(bracket);
    }

    /// Goes to the next member of a list.
    pub fn next(&mut self, first: &mut First) {
        if !std::mem::replace(&mut first.0, false) {
            self.mark(',');
        }
    }

    /// Goes to the next member of an object.
    pub fn key(&mut self, first: &mut First, key: &str) {
        self.next(first);
        self.value(key);
        self.mark(':');
    }

    /// Where the text ends now.
    #[must_use]
    pub fn end(&self) -> usize {
        self.0.len()
    }

    /// Takes back what was written since.
    pub fn cut(&mut self, end: usize) {
        self.0.truncate(end);
    }

    /// The text's bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn mark(&mut self, mark: char) {
        self.0.extend_from_slice(mark.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

//! Objects written field by field.

use compact_str::CompactString;
use serde::Serialize;

/// The fields of an object on their way into a text.
#[derive(Debug)]
pub struct Fields<'a> {
    text: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Fields<'a> {
    /// Begins an object.
    pub fn begin(text: &'a mut Vec<u8>) -> Self {
        text.push(b'{');
        Self { text, empty: true }
    }

    /// Writes a field.
    ///
    /// # Errors
    /// What the value's own form of writing gives; what was written so far is no JSON then.
    pub fn put(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
        self.next();
        serde_json::to_writer(&mut *self.text, name)?;
        self.text.push(b':');
        serde_json::to_writer(&mut *self.text, value)
    }

    /// As [`Fields::put`], with the name as [`Fields::key`] gives it.
    ///
    /// # Errors
    /// As [`Fields::put`].
    pub fn put_at(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
        self.next();
        self.text.extend_from_slice(key.as_bytes());
        serde_json::to_writer(&mut *self.text, value)
    }

    /// Writes a field whose value is JSON already.
    ///
    /// # Errors
    /// None in truth.
    pub fn put_json(&mut self, name: &str, json: &[u8]) -> serde_json::Result<()> {
        self.next();
        serde_json::to_writer(&mut *self.text, name)?;
        self.text.push(b':');
        self.text.extend_from_slice(json);
        Ok(())
    }

    /// Ends the object.
    pub fn end(self) {
        self.text.push(b'}');
    }

    fn next(&mut self) {
        if !std::mem::take(&mut self.empty) {
            self.text.push(b',');
        }
    }

    /// A name with what stands around it, for names that are written often.
    #[must_use]
    pub fn key(name: &str) -> CompactString {
        if name.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\')) {
            return compact_str::format_compact!("{}:", serde_json::Value::from(name));
        }
        // Most names stand as they are, and need no formatter.
        let mut key = CompactString::with_capacity(name.len() + 3);
        key.push('"');
        key.push_str(name);
        key.push_str("\":");
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_name_as_json() {
        for name in ["a", "", "naïve 名", "a\"b", "a\\b", "a\nb", "a\u{0}b", "\u{1f}", " ", "a\u{7f}b", "\u{2028}"] {
            assert_eq!(Fields::key(name), format!("{}:", serde_json::to_string(name).unwrap()));
        }
    }
}

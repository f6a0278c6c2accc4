//! Text of the store's own shape back into values. The reader takes what the writer makes: no blanks between tokens.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{CodecError, MAX_DEPTH, Result};
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::value::{File, GeoPoint, Pointer, Value};

/// Reads a row.
///
/// # Errors
/// [`CodecError`] when the text was not made by [`write_object`](super::write_object).
pub fn read_object(text: &[u8]) -> Result<Object> {
    read_fields(text, |_| true)
}

/// Reads the fields of a row for which the test holds; the others cost little.
///
/// # Errors
/// As [`read_object`].
pub fn read_fields(text: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Object> {
    let mut reader = Reader::new(text);
    let mut object = Object::new();
    reader.fields(|reader, key| {
        if wanted(&key) {
            let value = reader.value(1)?;
            object.insert(unescape_key(key), value);
        } else {
            reader.skip()?;
        }
        Ok(true)
    })?;
    Ok(object)
}

/// Reads one field of a row; `None` when the row lacks it.
///
/// # Errors
/// As [`read_object`].
pub fn read_field(text: &[u8], field: &str) -> Result<Option<Value>> {
    find_field(text, field, |reader| reader.value(1))
}

/// Whether a row has a field (null counts).
///
/// # Errors
/// As [`read_object`].
pub fn has_field(text: &[u8], field: &str) -> Result<bool> {
    Ok(find_field(text, field, |_| Ok(()))?.is_some())
}

/// What `read` makes of a field of a row; `None` when the row lacks it.
fn find_field<T>(text: &[u8], field: &str, read: impl Fn(&mut Reader<'_>) -> Result<T>) -> Result<Option<T>> {
    let mut reader = Reader::new(text);
    let mut found = None;
    reader.fields(|reader, key| {
        if *key == *field {
            found = Some(read(reader)?);
            Ok(false)
        } else {
            reader.skip()?;
            Ok(true)
        }
    })?;
    Ok(found)
}

/// The name of a field, which has a sign more in the store when it begins with one.
pub(super) fn unescape_key(key: Cow<'_, str>) -> Cow<'_, str> {
    match key.strip_prefix("$$") {
        Some(rest) => Cow::Owned(format!("${rest}")),
        None => key,
    }
}

pub(super) struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    const fn damaged<T>(&self) -> Result<T> {
        Err(CodecError::Damaged(self.at))
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8> {
        let Some(byte) = self.peek() else { return self.damaged() };
        self.at += 1;
        Ok(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            self.damaged()
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<()> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            Ok(())
        } else {
            self.damaged()
        }
    }

    /// Calls `each` for every field of the object here; it reads the value and says whether to go on.
    pub(super) fn fields(&mut self, mut each: impl FnMut(&mut Self, Cow<'a, str>) -> Result<bool>) -> Result<()> {
        self.expect(b'{')?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.expect(b':')?;
            if !each(self, key)? {
                return Ok(());
            }
            match self.next()? {
                b',' => {}
                b'}' => return Ok(()),
                _ => return self.damaged(),
            }
        }
    }

    fn elements(&mut self, mut each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.expect(b'[')?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            each(self)?;
            match self.next()? {
                b',' => {}
                b']' => return Ok(()),
                _ => return self.damaged(),
            }
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>> {
        self.expect(b'"')?;
        let start = self.at;
        let Some(length) =
            self.text.get(start..).and_then(|rest| rest.iter().position(|byte| *byte == b'"' || *byte == b'\\'))
        else {
            return self.damaged();
        };
        let plain = self.utf8(start, start + length)?;
        self.at = start + length;
        if self.next()? == b'"' {
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        self.at -= 1;
        loop {
            match self.next()? {
                b'"' => return Ok(Cow::Owned(text)),
                b'\\' => text.push(self.escape()?),
                _ => {
                    let start = self.at - 1;
                    let Some(length) = self
                        .text
                        .get(start..)
                        .and_then(|rest| rest.iter().position(|byte| *byte == b'"' || *byte == b'\\'))
                    else {
                        return self.damaged();
                    };
                    text.push_str(self.utf8(start, start + length)?);
                    self.at = start + length;
                }
            }
        }
    }

    fn utf8(&self, from: usize, to: usize) -> Result<&'a str> {
        let bytes = self.text.get(from..to).ok_or(CodecError::Damaged(from))?;
        std::str::from_utf8(bytes).map_err(|_| CodecError::Damaged(from))
    }

    fn escape(&mut self) -> Result<char> {
        Ok(match self.next()? {
            b'"' => '"',
            b'\\' => '\\',
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'/' => '/',
            b'u' => {
                let digits = self.utf8(self.at, self.at + 4)?;
                let code = u32::from_str_radix(digits, 16).map_err(|_| CodecError::Damaged(self.at))?;
                self.at += 4;
                char::from_u32(code).ok_or(CodecError::Damaged(self.at))?
            }
            _ => return self.damaged(),
        })
    }

    fn number(&mut self) -> Result<f64> {
        let start = self.at;
        let length = self.text.get(start..).map_or(0, |rest| {
            rest.iter()
                .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
                .unwrap_or(rest.len())
        });
        let text = self.utf8(start, start + length)?;
        let value = text.parse().map_err(|_| CodecError::Damaged(start))?;
        self.at = start + length;
        Ok(value)
    }

    fn integer(&mut self) -> Result<i64> {
        let start = self.at;
        let length = self
            .text
            .get(start..)
            .map_or(0, |rest| rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'-')).unwrap_or(rest.len()));
        let value = self.utf8(start, start + length)?.parse().map_err(|_| CodecError::Damaged(start))?;
        self.at = start + length;
        Ok(value)
    }

    fn point(&mut self) -> Result<GeoPoint> {
        self.expect(b'[')?;
        let latitude = self.coordinate()?;
        self.expect(b',')?;
        let longitude = self.coordinate()?;
        self.expect(b']')?;
        Ok(GeoPoint { latitude, longitude })
    }

    fn coordinate(&mut self) -> Result<f64> {
        if self.peek() == Some(b'n') {
            self.word(b"null")?;
            return Ok(f64::NAN);
        }
        self.number()
    }

    /// The rest of a typed value after `{"$x":`.
    fn typed(&mut self, tag: u8) -> Result<Value> {
        let value = match tag {
            b'd' => Value::Date(Date::from_millis(self.integer()?)),
            b'b' => {
                let data = self.string()?;
                Value::Bytes(STANDARD.decode(data.as_bytes()).map_err(|_| CodecError::Damaged(self.at))?)
            }
            b'p' => {
                self.expect(b'[')?;
                let class = ClassName::unchecked(self.string()?);
                self.expect(b',')?;
                let id = self.string()?.into_owned();
                self.expect(b']')?;
                Value::Pointer(Pointer { class, id })
            }
            b'r' => Value::Relation(ClassName::unchecked(self.string()?)),
            b'g' => Value::GeoPoint(self.point()?),
            b'y' => {
                let mut corners = Vec::new();
                self.elements(|reader| {
                    corners.push(reader.point()?);
                    Ok(())
                })?;
                Value::Polygon(corners)
            }
            b'f' => {
                self.expect(b'[')?;
                let name = self.string()?.into_owned();
                let url = if self.peek() == Some(b',') {
                    self.at += 1;
                    Some(self.string()?.into_owned())
                } else {
                    None
                };
                self.expect(b']')?;
                Value::File(File { name, url })
            }
            _ => return self.damaged(),
        };
        self.expect(b'}')?;
        Ok(value)
    }

    /// The value here.
    pub(super) fn value(&mut self, depth: u32) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(CodecError::TooDeep);
        }
        match self.peek() {
            Some(b'n') => self.word(b"null").map(|()| Value::Null),
            Some(b't') => self.word(b"true").map(|()| Value::Boolean(true)),
            Some(b'f') => self.word(b"false").map(|()| Value::Boolean(false)),
            Some(b'"') => Ok(Value::String(self.string()?.into_owned())),
            Some(b'[') => {
                let mut list = Vec::new();
                self.elements(|reader| {
                    list.push(reader.value(depth + 1)?);
                    Ok(())
                })?;
                Ok(Value::Array(list))
            }
            Some(b'{') => {
                if let Some([b'{', b'"', b'$', tag, b'"', b':']) = self.text.get(self.at..self.at + 6)
                    && *tag != b'$'
                {
                    self.at += 6;
                    return self.typed(*tag);
                }
                let mut object = Object::new();
                self.fields(|reader, key| {
                    let value = reader.value(depth + 1)?;
                    object.insert(unescape_key(key), value);
                    Ok(true)
                })?;
                Ok(Value::Object(object))
            }
            Some(_) => Ok(Value::Number(self.number()?)),
            None => self.damaged(),
        }
    }

    /// The text of the value here.
    pub(super) fn raw(&mut self) -> Result<&'a [u8]> {
        let start = self.at;
        self.skip()?;
        self.text.get(start..self.at).ok_or(CodecError::Damaged(start))
    }

    /// Passes over one value without reading it.
    pub(super) fn skip(&mut self) -> Result<()> {
        let mut open = 0_u32;
        loop {
            match self.next()? {
                b'"' => self.skip_string()?,
                b'{' | b'[' => open += 1,
                b'}' | b']' => {
                    let Some(left) = open.checked_sub(1) else {
                        // The end of what encloses a number or a word.
                        self.at -= 1;
                        return Ok(());
                    };
                    open = left;
                    if open == 0 {
                        return Ok(());
                    }
                    continue;
                }
                b',' if open == 0 => {
                    self.at -= 1;
                    return Ok(());
                }
                _ => continue,
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// Passes over the rest of a string whose opening quote is behind.
    fn skip_string(&mut self) -> Result<()> {
        loop {
            let Some(length) =
                self.text.get(self.at..).and_then(|rest| rest.iter().position(|byte| *byte == b'"' || *byte == b'\\'))
            else {
                return self.damaged();
            };
            self.at += length;
            if self.next()? == b'"' {
                return Ok(());
            }
            self.at += 1;
        }
    }
}

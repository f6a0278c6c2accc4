//! Rows as text: JSON in a shape of the store's own, in which every value comes back exactly as it went in.
//!
//! Plain values are plain JSON. Typed ones are an object with one key: `{"$d":ms}` date, `{"$b":"base64"}` bytes,
//! `{"$p":["Class","id"]}` pointer, `{"$r":"Class"}` relation, `{"$g":[lat,lng]}` point, `{"$y":[[lat,lng],…]}` polygon,
//! `{"$f":["name","url"]}` file (`url` only when there is one). A key of a plain object that begins with `$` gets another
//! `$` in front, so no plain object can be taken for a typed value.
//!
//! The reader takes what the writer makes: no blanks between tokens.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::value::{File, GeoPoint, Pointer, Value};

/// How deep values may lie inside each other; deeper rows are refused when written.
pub const MAX_DEPTH: u32 = 256;

/// Why text cannot be written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Values lie too deep inside each other.
    #[error("objects and arrays may be nested {MAX_DEPTH} deep")]
    TooDeep,
    /// The text was not made by this module.
    #[error("a row is damaged (at byte {0})")]
    Damaged(usize),
}

type Result<T> = std::result::Result<T, CodecError>;

/// Appends an object.
///
/// # Errors
/// [`CodecError::TooDeep`].
pub fn write_object(object: &Object, out: &mut String) -> Result<()> {
    object_at(object, out, 0)
}

/// An object as text.
///
/// # Errors
/// [`CodecError::TooDeep`].
pub fn to_text(object: &Object) -> Result<String> {
    let mut out = String::with_capacity(256);
    write_object(object, &mut out)?;
    Ok(out)
}

fn object_at(object: &Object, out: &mut String, depth: u32) -> Result<()> {
    out.push('{');
    for (at, (key, value)) in object.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if key.starts_with('$') {
            string(&format!("${key}"), out);
        } else {
            string(key, out);
        }
        out.push(':');
        value_at(value, out, depth + 1)?;
    }
    out.push('}');
    Ok(())
}

fn value_at(value: &Value, out: &mut String, depth: u32) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(CodecError::TooDeep);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(value) => number(*value, out),
        Value::String(text) => string(text, out),
        Value::Date(date) => {
            let _ = write!(out, "{{\"$d\":{}}}", date.millis());
        }
        Value::Bytes(bytes) => {
            out.push_str("{\"$b\":\"");
            STANDARD.encode_string(bytes, out);
            out.push_str("\"}");
        }
        Value::Pointer(pointer) => {
            out.push_str("{\"$p\":[");
            string(pointer.class.as_str(), out);
            out.push(',');
            string(&pointer.id, out);
            out.push_str("]}");
        }
        Value::Relation(class) => {
            out.push_str("{\"$r\":");
            string(class.as_str(), out);
            out.push('}');
        }
        Value::GeoPoint(point) => {
            out.push_str("{\"$g\":");
            pair(point, out);
            out.push('}');
        }
        Value::Polygon(corners) => {
            out.push_str("{\"$y\":[");
            for (at, corner) in corners.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                pair(corner, out);
            }
            out.push_str("]}");
        }
        Value::File(file) => {
            out.push_str("{\"$f\":[");
            string(&file.name, out);
            if let Some(url) = &file.url {
                out.push(',');
                string(url, out);
            }
            out.push_str("]}");
        }
        Value::Array(list) => {
            out.push('[');
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                value_at(item, out, depth + 1)?;
            }
            out.push(']');
        }
        Value::Object(object) => object_at(object, out, depth)?,
    }
    Ok(())
}

fn pair(point: &GeoPoint, out: &mut String) {
    out.push('[');
    number(point.latitude, out);
    out.push(',');
    number(point.longitude, out);
    out.push(']');
}

fn number(value: f64, out: &mut String) {
    if !value.is_finite() {
        out.push_str("null");
    } else if value != 0.0 && !(1e-6..1e17).contains(&value.abs()) {
        let _ = write!(out, "{value:e}");
    } else {
        let _ = write!(out, "{value}");
    }
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut letters = special.chars();
        match letters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some(other) => {
                let _ = write!(out, "\\u{:04x}", u32::from(other));
            }
            None => {}
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Reads a row.
///
/// # Errors
/// [`CodecError`] when the text was not made by [`write_object`].
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
    let mut reader = Reader::new(text);
    let mut found = None;
    reader.fields(|reader, key| {
        if *key == *field {
            found = Some(reader.value(1)?);
            Ok(false)
        } else {
            reader.skip()?;
            Ok(true)
        }
    })?;
    Ok(found)
}

/// Whether a row has a field (null counts).
///
/// # Errors
/// As [`read_object`].
pub fn has_field(text: &[u8], field: &str) -> Result<bool> {
    let mut reader = Reader::new(text);
    let mut found = false;
    reader.fields(|reader, key| {
        if *key == *field {
            found = true;
            Ok(false)
        } else {
            reader.skip()?;
            Ok(true)
        }
    })?;
    Ok(found)
}

fn unescape_key(key: Cow<'_, str>) -> String {
    match key.strip_prefix("$$") {
        Some(rest) => format!("${rest}"),
        None => key.into_owned(),
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    const fn new(text: &'a [u8]) -> Self {
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
    fn fields(&mut self, mut each: impl FnMut(&mut Self, Cow<'a, str>) -> Result<bool>) -> Result<()> {
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
                let class = ClassName::trusted(self.string()?);
                self.expect(b',')?;
                let id = self.string()?.into_owned();
                self.expect(b']')?;
                Value::Pointer(Pointer { class, id })
            }
            b'r' => Value::Relation(ClassName::trusted(self.string()?)),
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

    fn value(&mut self, depth: u32) -> Result<Value> {
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

    /// Passes over one value without reading it.
    fn skip(&mut self) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Object {
        [
            ("s", Value::from("a \"quoted\" \\ line\n\u{1} é 😀")),
            ("n", Value::Number(1.5)),
            ("big", Value::Number(1.797_693_134_862_315_7e308)),
            ("small", Value::Number(5e-324)),
            ("b", Value::Boolean(true)),
            ("nul", Value::Null),
            ("d", Value::Date(Date::from_millis(-8_640_000_000_000_000))),
            ("by", Value::Bytes(vec![0, 255, 7])),
            ("p", Value::pointer(&ClassName::trusted("T"), "x\"y")),
            ("r", Value::Relation(ClassName::trusted("T"))),
            ("g", Value::GeoPoint(GeoPoint { latitude: -1.25, longitude: 100.0 })),
            ("y", Value::Polygon(vec![GeoPoint { latitude: 0.0, longitude: 1.0 }])),
            ("f", Value::File(File { name: "a.txt".into(), url: None })),
            ("f2", Value::File(File { name: "a.txt".into(), url: Some("http://x".into()) })),
            ("a", Value::Array(vec![Value::Null, Value::Array(vec![]), Value::Object(Object::new())])),
            (
                "$d",
                Value::Object(
                    [("$d".to_owned(), Value::Number(1.0)), ("$$p".to_owned(), Value::Null)].into_iter().collect(),
                ),
            ),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    #[test]
    fn every_type_comes_back() {
        let object = sample();
        let text = to_text(&object).unwrap();
        assert_eq!(read_object(text.as_bytes()).unwrap(), object);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
        for (key, value) in &object {
            let stored = if key.starts_with('$') { format!("${key}") } else { key.to_string() };
            assert_eq!(read_field(text.as_bytes(), &stored).unwrap().as_ref(), Some(value), "{key}");
        }
        assert_eq!(read_field(text.as_bytes(), "missing").unwrap(), None);
        assert!(has_field(text.as_bytes(), "nul").unwrap());
        assert_eq!(read_fields(text.as_bytes(), |key| key == "n" || key == "a").unwrap().len(), 2);
    }

    #[test]
    fn too_deep_is_refused() {
        let mut value = Value::Null;
        for _ in 0..300 {
            value = Value::Array(vec![value]);
        }
        let object: Object = [("a".to_owned(), value)].into_iter().collect();
        assert_eq!(to_text(&object), Err(CodecError::TooDeep));
    }

    #[test]
    fn damaged_text_is_an_error() {
        for text in [
            "",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":\"\\x\"}",
            "{\"a\":{\"$d\":\"x\"}}",
            "[]",
            "{\"a\":tru}",
            "{\"a\":\"",
            "{\"a\":{\"$z\":1}}",
        ] {
            assert!(read_object(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_and_number(text in ".*", number in any::<f64>(), millis in any::<i64>()) {
            let object: Object = [
                (text.clone(), Value::from(text)),
                ("n".to_owned(), Value::Number(if number.is_finite() { number } else { 0.0 })),
                ("d".to_owned(), Value::Date(Date::from_millis(millis))),
            ].into_iter().collect();
            let stored = to_text(&object).unwrap();
            prop_assert_eq!(read_object(stored.as_bytes()).unwrap(), object);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read_object(&bytes);
            let _ = read_field(&bytes, "a");
        }
    }
}

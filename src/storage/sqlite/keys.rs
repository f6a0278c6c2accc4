//! Keys: bytes whose order is MongoDB's order of values, for indexes, comparisons and sorting.
//!
//! The first byte is the type bracket: null (and missing) < number < string < object < array < bytes < boolean < date. A key
//! of an array in an index is the bracket alone: look-ups find all such rows and test them one by one. Pointers and
//! files that are the value of a field count as strings, as MongoDB stores them.

use std::borrow::Cow;

use icu_collator::options::{CollatorOptions, Strength};
use icu_collator::{Collator, CollatorBorrowed};
use icu_locale_core::locale;

use crate::model::object::Object;
use crate::model::query::compare::{as_plain, stored};
use crate::model::query::path::Path;
use crate::model::value::Value;

/// Key of an empty array when sorting: before everything.
const EMPTY_ARRAY: u8 = 0x04;
/// Key of null and of what is missing.
pub const NULL: u8 = 0x05;
/// Bracket of numbers.
pub const NUMBER: u8 = 0x10;
/// Bracket of strings.
pub const STRING: u8 = 0x20;
/// Bracket of objects and of typed values without a bracket of their own.
pub const OBJECT: u8 = 0x30;
/// Bracket of arrays; in an index the whole key of an array.
pub const ARRAY: u8 = 0x40;
/// Bracket of bytes.
const BYTES: u8 = 0x50;
/// Bracket of booleans.
pub const BOOLEAN: u8 = 0x60;
/// Bracket of dates.
pub const DATE: u8 = 0x70;

thread_local! {
    static COLLATOR: Option<CollatorBorrowed<'static>> = collator();
}

/// The collation of case-insensitive indexes: `en_US`, strength 2.
fn collator() -> Option<CollatorBorrowed<'static>> {
    let mut options = CollatorOptions::default();
    options.strength = Some(Strength::Secondary);
    Collator::try_new(locale!("en-US").into(), options).ok()
}

/// Name and version of the collation. When it changes, the indexes that use it are rebuilt.
#[must_use]
pub fn collation_version() -> String {
    // Sample keys instead of a version number: indexes depend on nothing but the keys.
    let mut probe = Vec::new();
    for text in ["Straße", "STRASSE", "ıIiİ", "e\u{301}É", "Ａａ", "ǅ", "日本", "🙂"] {
        push_folded(text, &mut probe);
    }
    let sum = probe
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("en_US/2 {sum:016x}")
}

/// Appends the collation's key of a text: equal for texts that differ in case alone.
fn push_folded(text: &str, out: &mut Vec<u8>) {
    COLLATOR.with(|collator| match collator {
        Some(collator) => {
            let Ok(()) = collator.write_sort_key_to(text, out);
        }
        None => out.extend_from_slice(text.to_lowercase().as_bytes()),
    });
}

/// The key of a value, by which equal values are equal and others are in order. The value lies inside an object or array, or
/// is in its stored form.
#[must_use]
pub fn key(value: &Value, folded: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(16);
    push_key(value, folded, &mut out);
    out
}

/// The key of a value that a constraint names, as a field of a row has it.
#[must_use]
pub fn top_key(value: &Value, folded: bool) -> Vec<u8> {
    key(&stored(value), folded)
}

/// Appends the key of a value.
pub fn push_key(value: &Value, folded: bool, out: &mut Vec<u8>) {
    out.push(bracket(value));
    match value {
        Value::String(text) if folded => push_folded(text, out),
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        other => push_body(other, folded, out),
    }
}

fn bracket(value: &Value) -> u8 {
    match value {
        Value::Null => NULL,
        Value::Boolean(_) => BOOLEAN,
        Value::Number(_) => NUMBER,
        Value::String(_) => STRING,
        Value::Date(_) => DATE,
        Value::Bytes(_) => BYTES,
        Value::Array(_) => ARRAY,
        Value::Pointer(_)
        | Value::Relation(_)
        | Value::GeoPoint(_)
        | Value::Polygon(_)
        | Value::File(_)
        | Value::Object(_) => OBJECT,
    }
}

/// What follows the bracket of a value inside another, in a form that ends by itself.
fn push_body(value: &Value, folded: bool, out: &mut Vec<u8>) {
    match value {
        Value::Null => {}
        Value::Boolean(truth) => out.push(u8::from(*truth)),
        Value::Number(number) => push_number(*number, out),
        Value::Date(date) => out.extend_from_slice(&(date.millis().cast_unsigned() ^ (1 << 63)).to_be_bytes()),
        Value::Bytes(bytes) => {
            // Shorter ones come first, as in MongoDB.
            out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            out.extend_from_slice(bytes);
        }
        Value::String(text) => {
            if folded {
                let mut bytes = Vec::new();
                push_folded(text, &mut bytes);
                push_terminated(&bytes, out);
            } else {
                push_terminated(text.as_bytes(), out);
            }
        }
        Value::Array(list) => {
            for item in list {
                out.push(bracket(item));
                push_body(item, folded, out);
            }
            out.push(0);
        }
        Value::Object(_)
        | Value::Pointer(_)
        | Value::Relation(_)
        | Value::GeoPoint(_)
        | Value::Polygon(_)
        | Value::File(_) => {
            if let Value::Object(object) = &*as_plain(value) {
                push_fields(object, folded, out);
            }
        }
    }
}

fn push_fields(object: &Object, folded: bool, out: &mut Vec<u8>) {
    for (name, value) in object {
        out.push(bracket(value));
        push_terminated(name.as_bytes(), out);
        push_body(value, folded, out);
    }
    out.push(0);
}

fn push_number(number: f64, out: &mut Vec<u8>) {
    // Zero and minus zero are the same; not-a-number is less than all others.
    let bits = (number + 0.0).to_bits();
    let ordered = match bits >> 63 {
        _ if number.is_nan() => 0,
        1 => !bits,
        _ => bits | 1 << 63,
    };
    out.extend_from_slice(&ordered.to_be_bytes());
}

fn push_terminated(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        out.push(*byte);
        if *byte == 0 {
            out.push(0xFF);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

/// What an index finds at a path below a field.
#[derive(Debug)]
pub enum Leaf<'a> {
    /// Nothing.
    Missing,
    /// There is an array on the way or at the end.
    Array,
    /// One value.
    Value(Cow<'a, Value>),
}

/// Follows a path from the value of a field.
#[must_use]
pub fn leaf<'a>(top: &'a Value, path: &[&str]) -> Leaf<'a> {
    let mut value = stored(top);
    for segment in path {
        if matches!(*value, Value::Array(_)) {
            return Leaf::Array;
        }
        match member(value, segment) {
            Some(below) => value = below,
            None => return Leaf::Missing,
        }
    }
    if matches!(*value, Value::Array(_)) { Leaf::Array } else { Leaf::Value(value) }
}

/// The elements of an array, borrowed or owned as the array is.
fn elements(value: Cow<'_, Value>) -> Vec<Cow<'_, Value>> {
    match value {
        Cow::Borrowed(Value::Array(list)) => list.iter().map(Cow::Borrowed).collect(),
        Cow::Owned(Value::Array(list)) => list.into_iter().map(Cow::Owned).collect(),
        _ => Vec::new(),
    }
}

fn has_members(value: &Value) -> bool {
    matches!(
        value,
        Value::Object(_)
            | Value::Pointer(_)
            | Value::Relation(_)
            | Value::GeoPoint(_)
            | Value::Polygon(_)
            | Value::File(_)
    )
}

fn member<'a>(value: Cow<'a, Value>, name: &str) -> Option<Cow<'a, Value>> {
    match value {
        Cow::Borrowed(value) => match as_plain(value) {
            Cow::Borrowed(value) => value.as_object()?.get(name).map(Cow::Borrowed),
            Cow::Owned(Value::Object(mut object)) => object.remove(name).map(Cow::Owned),
            Cow::Owned(_) => None,
        },
        Cow::Owned(value) => match as_plain(&value).into_owned() {
            Value::Object(mut object) => object.remove(name).map(Cow::Owned),
            _ => None,
        },
    }
}

/// The values a path below a field leads to, without those that are missing.
#[must_use]
pub fn present(top: &Value, path: &[&str]) -> Vec<Value> {
    let mut out = Vec::new();
    gather(stored(top), path, &mut out);
    out
}

fn gather(value: Cow<'_, Value>, path: &[&str], out: &mut Vec<Value>) {
    let Some((segment, rest)) = path.split_first() else {
        out.push(value.into_owned());
        return;
    };
    if !matches!(*value, Value::Array(_)) {
        if let Some(below) = member(value, segment) {
            gather(below, rest, out);
        }
        return;
    }
    let list = elements(value);
    if let Ok(index) = segment.parse::<usize>() {
        if let Some(item) = list.get(index) {
            gather(item.clone(), rest, out);
        }
        return;
    }
    for item in list.into_iter().filter(|item| has_members(item)) {
        gather(item, path, out);
    }
}

/// The key by which a row sorts: of an array its smallest element going up, its largest going down.
#[must_use]
pub fn sort_key(row: &Object, path: &Path, descending: bool, folded: bool) -> Vec<u8> {
    let mut best: Option<Vec<u8>> = None;
    path.sort_values(row, &mut |value| {
        let key = value.map_or_else(|| vec![EMPTY_ARRAY], |value| key(value, folded));
        let better = best.as_ref().is_none_or(|best| if descending { key > *best } else { key < *best });
        if better {
            best = Some(key);
        }
    });
    best.unwrap_or_else(|| vec![EMPTY_ARRAY])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::date::Date;
    use crate::model::json;
    use serde_json::json;

    #[test]
    fn order_is_mongodbs() {
        let object = |fields: &[(&str, Value)]| {
            Value::Object(fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
        };
        let ascending = [
            Value::Null,
            Value::Number(-1e300),
            Value::Number(-1.0),
            Value::Number(0.0),
            Value::Number(5e-324),
            Value::Number(2.0),
            Value::Number(1e300),
            Value::from(""),
            Value::from("A"),
            Value::from("a"),
            Value::from("a\0"),
            Value::from("aa"),
            Value::from("é"),
            Value::from("\u{ffff}"),
            Value::from("😀"),
            object(&[]),
            object(&[("a", Value::Number(1.0))]),
            object(&[("a", Value::Number(1.0)), ("b", Value::Null)]),
            object(&[("a", Value::Number(2.0))]),
            object(&[("b", Value::Number(1.0))]),
            object(&[("a", Value::from("x"))]),
            Value::Array(vec![]),
            Value::Array(vec![Value::Number(1.0)]),
            Value::Bytes(vec![9]),
            Value::Bytes(vec![1, 1]),
            Value::Boolean(false),
            Value::Boolean(true),
            Value::Date(Date::from_millis(-1)),
            Value::Date(Date::from_millis(0)),
        ];
        for pair in ascending.windows(2) {
            let [low, high] = pair else { continue };
            assert!(key(low, false) < key(high, false), "{low:?} < {high:?}");
        }
        assert_eq!(key(&Value::Number(0.0), false), key(&Value::Number(-0.0), false));
    }

    #[test]
    fn collation_is_strength_two() {
        let same = |one: &str, other: &str| key(&Value::from(one), true) == key(&Value::from(other), true);
        assert!(same("Straße", "STRAẞE"));
        assert!(!same("Straße", "STRASSE"), "the sharp s differs from two at the second level");
        assert!(same("Alice", "aLICE"));
        assert!(same("Ａｂｃ", "abc"), "full width differs at the third level");
        assert!(same("e\u{301}", "É"));
        assert!(!same("e", "é"));
        assert!(same("I", "i"));
        assert!(!same("ı", "i"), "the dotless i is another letter");
        assert!(!same("a b", "ab"), "blanks count");
        assert!(!same("a-b", "ab"), "punctuation counts");
        assert!(same("", ""));
        assert!(!same("a", "b"));
    }

    #[test]
    fn paths_of_indexes() {
        let value = json::decode(json!({"b": {"c": 1, "l": [{"x": 1}]}})).unwrap();
        assert!(matches!(leaf(&value, &["b", "c"]), Leaf::Value(one) if *one == Value::Number(1.0)));
        assert!(matches!(leaf(&value, &["b", "x"]), Leaf::Missing));
        assert!(matches!(leaf(&value, &["b", "l"]), Leaf::Array));
        assert!(matches!(leaf(&value, &["b", "l", "x"]), Leaf::Array));
    }
}

//! Field paths, and the values they select in objects and arrays.

use std::borrow::Cow;

use super::compare::{as_plain, stored};
use crate::model::columns;
use crate::model::object::Object;
use crate::model::value::Value;

/// A path, split once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The field of the row.
    field: String,
    /// What comes after the first dot.
    rest: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    name: String,
    /// The name as an index of an array, when it is one.
    index: Option<usize>,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// Nothing.
    Missing,
    /// A value directly in a field of the row, in its stored form.
    Top(&'a Value),
    /// A value inside an object or array.
    Inner(&'a Value),
}

impl Path {
    /// Splits a dotted path.
    #[must_use]
    pub fn new(path: &str) -> Self {
        let path = columns::path(path);
        let mut segments = path.split('.');
        let field = segments.next().unwrap_or_default().to_owned();
        Self { field, rest: segments.map(Segment::new).collect() }
    }

    /// Whether the path goes below a field.
    #[must_use]
    pub const fn is_dotted(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The field of the row where the path begins.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Shows `visit` what the path leads to, until it answers true; gives whether it did. Arrays on the way are entered
    /// by index and element by element. With `spread` an array at the end shows its elements before itself.
    pub fn any(&self, row: &Object, spread: bool, visit: &mut dyn FnMut(Found<'_>) -> bool) -> bool {
        let Some(value) = row.get(&self.field) else {
            return visit(Found::Missing);
        };
        if self.rest.is_empty() {
            let value = stored(value);
            return (spread && spread_out(&value, visit)) || visit(Found::Top(&value));
        }
        match &*stored(value) {
            value @ (Value::Object(_) | Value::Array(_)) => descend(value, &self.rest, spread, visit),
            _ => visit(Found::Missing),
        }
    }
}

impl Path {
    /// Shows `visit` the values by which a row is sorted on this path: of an array its elements, null for what is
    /// missing, nothing for an empty array.
    pub fn sort_values(&self, row: &Object, visit: &mut dyn FnMut(Option<&Value>)) {
        match row.get(&self.field) {
            None => visit(Some(&Value::Null)),
            Some(value) => sort_values(&stored(value), &self.rest, visit),
        }
    }
}

fn sort_values(value: &Value, path: &[Segment], visit: &mut dyn FnMut(Option<&Value>)) {
    let Some((segment, rest)) = path.split_first() else {
        match value {
            Value::Array(list) if list.is_empty() => visit(None),
            Value::Array(list) => list.iter().for_each(|item| visit(Some(item))),
            _ => visit(Some(value)),
        }
        return;
    };
    let mut member = |value: Option<&Value>| match value {
        Some(value) => sort_values(value, rest, visit),
        None => visit(Some(&Value::Null)),
    };
    if let Value::Array(list) = value {
        if let Some(item) = segment.index.and_then(|at| list.get(at)) {
            if rest.is_empty() {
                // An element named by its index counts as a whole, but for an empty array.
                return visit(Some(item).filter(|item| item.as_array().is_none_or(|list| !list.is_empty())));
            }
            return member(Some(item));
        }
        if list.is_empty() {
            return visit(Some(&Value::Null));
        }
        for item in list {
            match members(item) {
                Some(plain) => sort_values(&plain, path, visit),
                None => visit(Some(&Value::Null)),
            }
        }
        return;
    }
    member(members(value).as_deref().and_then(Value::as_object).and_then(|object| object.get(&segment.name)));
}

impl Segment {
    fn new(name: &str) -> Self {
        let plain = name == "0" || (!name.starts_with('0') && name.bytes().all(|byte| byte.is_ascii_digit()));
        Self { name: name.to_owned(), index: if plain { name.parse().ok() } else { None } }
    }
}

fn spread_out(value: &Value, visit: &mut dyn FnMut(Found<'_>) -> bool) -> bool {
    value.as_array().is_some_and(|list| list.iter().any(|item| visit(Found::Inner(item))))
}

/// The members of an object, typed objects included.
fn members(value: &Value) -> Option<Cow<'_, Value>> {
    let plain = as_plain(value);
    matches!(*plain, Value::Object(_)).then_some(plain)
}

/// Follows the path from a value inside an object; nothing of it is left: the value itself is found.
fn follow(value: Option<&Value>, path: &[Segment], spread: bool, visit: &mut dyn FnMut(Found<'_>) -> bool) -> bool {
    let Some(value) = value else {
        return visit(Found::Missing);
    };
    if path.is_empty() {
        return (spread && spread_out(value, visit)) || visit(Found::Inner(value));
    }
    descend(value, path, spread, visit)
}

fn descend(value: &Value, path: &[Segment], spread: bool, visit: &mut dyn FnMut(Found<'_>) -> bool) -> bool {
    let Some((segment, rest)) = path.split_first() else {
        return false;
    };
    if let Value::Array(list) = value {
        for (at, item) in list.iter().enumerate() {
            if let Some(plain) = members(item)
                && descend(&plain, path, spread, visit)
            {
                return true;
            }
            if segment.index == Some(at) && at_index(item, rest, spread, visit) {
                return true;
            }
        }
        return false;
    }
    let Some(plain) = members(value) else {
        return visit(Found::Missing);
    };
    follow(plain.as_object().and_then(|object| object.get(&segment.name)), rest, spread, visit)
}

/// The element that the path names by its index.
fn at_index(item: &Value, rest: &[Segment], spread: bool, visit: &mut dyn FnMut(Found<'_>) -> bool) -> bool {
    if rest.is_empty() {
        // Named by its index it counts as a whole.
        return visit(Found::Inner(item));
    }
    match item {
        Value::Array(_) => descend(item, rest, spread, visit),
        _ => members(item).is_some_and(|plain| descend(&plain, rest, spread, visit)),
    }
}

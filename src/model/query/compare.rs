//! The order of values, as MongoDB compares the values that Parse stores.
//!
//! A value has two stored forms. Directly in a field a pointer is the string `Class$id`, a file its name, a point a
//! pair `[longitude, latitude]` and a polygon `GeoJSON`; [`stored`] gives that form. Inside objects and arrays these
//! types are objects with `__type`, and [`compare`] takes values in that sense.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::model::object::Object;
use crate::model::value::{GeoPoint, Value};

/// Rank of a type in MongoDB's order of types; `$lt`, `$lte`, `$gt` and `$gte` only compare values of the same rank.
#[must_use]
pub const fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 5,
        Value::Number(_) => 10,
        Value::String(_) => 15,
        Value::Object(_)
        | Value::Pointer(_)
        | Value::Relation(_)
        | Value::GeoPoint(_)
        | Value::Polygon(_)
        | Value::File(_) => OBJECT,
        Value::Array(_) => 25,
        Value::Bytes(_) => 30,
        Value::Boolean(_) => 40,
        Value::Date(_) => 45,
    }
}

/// A total order of values in the form inside objects and arrays: by type, then by content. Objects are compared field
/// by field in their order; not-a-number is less than all numbers. Equal values are the same for every constraint.
#[must_use]
pub fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => numbers(*left, *right),
        (Value::String(left), Value::String(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Value::Array(left), Value::Array(right)) => lists(left, right),
        (Value::Bytes(left), Value::Bytes(right)) => left.len().cmp(&right.len()).then_with(|| left.cmp(right)),
        (Value::Boolean(left), Value::Boolean(right)) => left.cmp(right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::Pointer(left), Value::Pointer(right)) => {
            left.class.as_str().cmp(right.class.as_str()).then_with(|| left.id.as_bytes().cmp(right.id.as_bytes()))
        }
        _ => rank(left)
            .cmp(&rank(right))
            .then_with(|| if rank(left) == OBJECT { objects(left, right) } else { Ordering::Equal }),
    }
}

const OBJECT: u8 = 20;

/// Whether two values are equal in the sense of [`compare`].
#[must_use]
pub fn equal(left: &Value, right: &Value) -> bool {
    compare(left, right) == Ordering::Equal
}

/// Numbers; not-a-number comes first and equals itself, and the two zeros are one.
fn numbers(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| right.is_nan().cmp(&left.is_nan()))
}

fn lists(left: &[Value], right: &[Value]) -> Ordering {
    for (left, right) in left.iter().zip(right) {
        let order = compare(left, right);
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

fn objects(left: &Value, right: &Value) -> Ordering {
    let (left, right) = (as_plain(left), as_plain(right));
    let (Value::Object(left), Value::Object(right)) = (&*left, &*right) else {
        return Ordering::Equal;
    };
    for ((left_key, left), (right_key, right)) in left.iter().zip(right) {
        let order = rank(left)
            .cmp(&rank(right))
            .then_with(|| left_key.as_bytes().cmp(right_key.as_bytes()))
            .then_with(|| compare(left, right));
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

/// A typed value as a plain object, its form inside objects and arrays. A fetched object is unchanged.
#[must_use]
pub fn as_plain(value: &Value) -> Cow<'_, Value> {
    match value {
        Value::Pointer(target) => {
            let parts = [("className", target.class.as_str().into()), ("objectId", target.id.as_str().into())];
            Cow::Owned(typed("Pointer", parts))
        }
        Value::Relation(class) => Cow::Owned(typed("Relation", [("className", class.as_str().into())])),
        Value::GeoPoint(point) => {
            Cow::Owned(typed("GeoPoint", [("latitude", point.latitude.into()), ("longitude", point.longitude.into())]))
        }
        Value::Polygon(corners) => {
            let pairs = corners.iter().map(|corner| pair(corner.latitude, corner.longitude)).collect();
            Cow::Owned(typed("Polygon", [("coordinates", Value::Array(pairs))]))
        }
        Value::File(file) => {
            let name = ("name", Value::from(file.name.as_str()));
            Cow::Owned(typed("File", std::iter::once(name).chain(file.url.as_deref().map(|url| ("url", url.into())))))
        }
        Value::Null
        | Value::Boolean(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Date(_)
        | Value::Bytes(_)
        | Value::Array(_)
        | Value::Object(_) => Cow::Borrowed(value),
    }
}

/// Class and id of a fetched object.
fn fetched(object: &Object) -> Option<(&str, &str)> {
    match (object.get_str("__type"), object.get_str("className"), object.get_str("objectId")) {
        (Some("Object"), Some(class), Some(id)) => Some((class, id)),
        _ => None,
    }
}

fn typed<'a>(kind: &str, fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value));
    Value::Object(std::iter::once(("__type".to_owned(), kind.into())).chain(fields).collect())
}

fn pair(first: f64, second: f64) -> Value {
    Value::Array(vec![Value::Number(first), Value::Number(second)])
}

/// The form a value has directly in a field of a row.
#[must_use]
pub fn stored(value: &Value) -> Cow<'_, Value> {
    match value {
        Value::Pointer(pointer) => Cow::Owned(Value::String(format!("{}${}", pointer.class, pointer.id))),
        Value::File(file) => Cow::Owned(Value::String(file.name.clone())),
        Value::GeoPoint(point) => Cow::Owned(pair(point.longitude, point.latitude)),
        Value::Polygon(corners) => Cow::Owned(geo_json(corners)),
        Value::Object(object) => match fetched(object) {
            Some((class, id)) => Cow::Owned(Value::String(format!("{class}${id}"))),
            None => Cow::Borrowed(value),
        },
        Value::Null
        | Value::Boolean(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Date(_)
        | Value::Bytes(_)
        | Value::Relation(_)
        | Value::Array(_) => Cow::Borrowed(value),
    }
}

/// A polygon as `GeoJSON`: longitude first, ring closed.
fn geo_json(corners: &[GeoPoint]) -> Value {
    let mut ring: Vec<Value> = corners.iter().map(|corner| pair(corner.longitude, corner.latitude)).collect();
    if let (Some(first), Some(last)) = (ring.first(), ring.last())
        && first != last
    {
        ring.push(first.clone());
    }
    let fields = [
        ("type".to_owned(), Value::from("Polygon")),
        ("coordinates".to_owned(), Value::Array(vec![Value::Array(ring)])),
    ];
    Value::Object(fields.into_iter().collect())
}

/// A value that is ordered by [`compare`], for sorted collections.
#[derive(Debug, Clone, Copy)]
pub struct Ordered<'a>(pub &'a Value);

impl PartialEq for Ordered<'_> {
    fn eq(&self, other: &Self) -> bool {
        equal(self.0, other.0)
    }
}

impl Eq for Ordered<'_> {}

impl PartialOrd for Ordered<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.0, other.0)
    }
}

//! Evaluates a filter on an object in memory.
//!
//! The semantics are MongoDB's, applied to the stored form of values; see [`super::compare`].

use super::compare::{as_plain, compare, equal, rank, stored};
use super::filter::{Constraint, Filter, Resolved};
use super::geo;
use super::path::{Found, Path};
use super::regex::Compiled;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::object::Object;
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::value::{GeoPoint, Value};
use std::borrow::Cow;
use std::cmp::Ordering;

/// A filter, prepared once and applied to many objects.
#[derive(Debug)]
pub struct Matcher(Node);

#[derive(Debug)]
enum Node {
    All,
    Never,
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Field(Path, Box<Test>),
}

#[derive(Debug)]
enum Test {
    Equal(Operand),
    Order(Operand, Comparison),
    In(Operands),
    /// With the place of each operand in both lists.
    All(Operands, Vec<(usize, usize)>),
    AllRegex(Vec<Compiled>),
    ContainedBy(Operands),
    Exists,
    Regex(Box<Compiled>),
    Geo(Area),
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug)]
enum Area {
    Circle(GeoPoint, f64),
    Anywhere,
    Box(GeoPoint, GeoPoint),
    Polygon(Vec<GeoPoint>),
    Covering(GeoPoint),
}

/// A value to compare with, in its form directly in a field and, if that differs, inside objects and arrays.
#[derive(Debug)]
struct Operand {
    top: Value,
    inner: Option<Value>,
}

/// Several values to compare with, sorted.
#[derive(Debug)]
struct Operands {
    top: Vec<Value>,
    inner: Option<Vec<Value>>,
}

impl Operand {
    /// `array`: the field is an array, so nothing is directly in it.
    fn new(value: &Value, array: bool) -> Self {
        if array {
            return Self { top: as_plain(value).into_owned(), inner: None };
        }
        match stored(value) {
            Cow::Borrowed(_) => Self { top: value.clone(), inner: None },
            Cow::Owned(top) => Self { top, inner: Some(as_plain(value).into_owned()) },
        }
    }

    fn for_value<'a>(&'a self, found: Found<'a>) -> (&'a Value, &'a Value) {
        match found {
            Found::Missing => (&Value::Null, &self.top),
            Found::Top(value) => (value, &self.top),
            Found::Inner(value) => (value, self.inner.as_ref().unwrap_or(&self.top)),
        }
    }
}

impl Operands {
    fn new(values: &[Value], array: bool) -> Self {
        let sorted = |mut values: Vec<Value>| {
            values.sort_by(compare);
            values.dedup_by(|left, right| equal(left, right));
            values
        };
        if array {
            return Self {
                top: sorted(values.iter().map(|value| as_plain(value).into_owned()).collect()),
                inner: None,
            };
        }
        let typed = values.iter().any(|value| matches!(stored(value), Cow::Owned(_)));
        Self {
            top: sorted(values.iter().map(|value| stored(value).into_owned()).collect()),
            inner: typed.then(|| sorted(values.iter().map(|value| as_plain(value).into_owned()).collect())),
        }
    }

    /// Where one of the values is in both lists.
    fn places(&self, value: &Value, array: bool) -> Option<(usize, usize)> {
        let Operand { top, inner } = Operand::new(value, array);
        let inner = inner.as_ref().unwrap_or(&top);
        Some((position(&self.top, &top)?, position(self.inner(), inner)?))
    }

    fn inner(&self) -> &[Value] {
        self.inner.as_deref().unwrap_or(&self.top)
    }

    fn contains(&self, found: Found<'_>) -> bool {
        let (value, list) = match found {
            Found::Missing => (&Value::Null, &*self.top),
            Found::Top(value) => (value, &*self.top),
            Found::Inner(value) => (value, self.inner()),
        };
        position(list, value).is_some()
    }
}

fn position(sorted: &[Value], value: &Value) -> Option<usize> {
    sorted.binary_search_by(|known| compare(known, value)).ok()
}

impl Matcher {
    /// Prepares a filter.
    ///
    /// # Errors
    /// 102 for an invalid pattern and for `$text`, which only a store can evaluate.
    pub fn new(filter: &Resolved) -> Result<Self> {
        Node::new(filter, None).map(Self)
    }

    /// Prepares a filter for the rows of a class: what is compared with an array field is compared with its elements.
    ///
    /// # Errors
    /// As [`Matcher::new`].
    pub fn for_class(filter: &Resolved, schema: &ClassSchema) -> Result<Self> {
        Node::new(filter, Some(schema)).map(Self)
    }

    /// Whether the object matches.
    ///
    /// # Errors
    /// 102 if a pattern exceeds its work limit.
    pub fn matches(&self, row: &Object) -> Result<bool> {
        self.0.matches(row)
    }
}

impl Node {
    fn new(filter: &Resolved, schema: Option<&ClassSchema>) -> Result<Self> {
        let nodes = |parts: &[Resolved]| parts.iter().map(|part| Self::new(part, schema)).collect::<Result<Vec<_>>>();
        Ok(match filter {
            Filter::All => Self::All,
            Filter::Never => Self::Never,
            Filter::And(parts) => Self::And(nodes(parts)?),
            Filter::Or(parts) => Self::Or(nodes(parts)?),
            Filter::Nor(parts) => Self::Not(Box::new(Self::Or(nodes(parts)?))),
            Filter::Field { path, constraint } => {
                let array = schema.is_some_and(|schema| schema.kind(path) == Some(&FieldType::Array));
                Self::field(Path::new(path), constraint, array)?
            }
            Filter::Unresolved(never) => match *never {},
        })
    }

    fn field(path: Path, constraint: &Constraint, array: bool) -> Result<Self> {
        let operand = |value: &Value| Operand::new(value, array);
        let operands = |values: &[Value]| Operands::new(values, array);
        let compiled = |regex| Compiled::new(regex);
        let order = |value: &Value, comparison| Test::Order(operand(value), comparison);
        let (negated, test) = match constraint {
            Constraint::Eq(value) => (false, Test::Equal(operand(value))),
            Constraint::Ne(value) => (true, Test::Equal(operand(value))),
            Constraint::Lt(value) => (false, order(value, Comparison::Less)),
            Constraint::Lte(value) => (false, order(value, Comparison::LessOrEqual)),
            Constraint::Gt(value) => (false, order(value, Comparison::Greater)),
            Constraint::Gte(value) => (false, order(value, Comparison::GreaterOrEqual)),
            Constraint::In(list) => (false, Test::In(operands(list))),
            Constraint::NotIn(list) => (true, Test::In(operands(list))),
            Constraint::All(list) => {
                let operands = operands(list);
                let places = list.iter().filter_map(|value| operands.places(value, array)).collect();
                (false, Test::All(operands, places))
            }
            Constraint::AllRegex(list) => (false, Test::AllRegex(list.iter().map(compiled).collect::<Result<_>>()?)),
            Constraint::ContainedBy(list) => (false, Test::ContainedBy(operands(list))),
            Constraint::Exists(wanted) => (!wanted, Test::Exists),
            Constraint::Regex(regex) => (false, Test::Regex(Box::new(compiled(regex)?))),
            Constraint::Text(_) => {
                return Err(ParseError::new(ErrorCode::InvalidQuery, "$text is not supported here"));
            }
            Constraint::Near { point, max_distance: Some(radius) } => (false, Test::Geo(Area::Circle(*point, *radius))),
            Constraint::Near { point: _, max_distance: None } => (false, Test::Geo(Area::Anywhere)),
            Constraint::WithinBox { bottom_left, upper_right } => {
                (false, Test::Geo(Area::Box(*bottom_left, *upper_right)))
            }
            Constraint::WithinPolygon(corners) => (false, Test::Geo(Area::Polygon(corners.clone()))),
            Constraint::WithinSphere { center, radius } => (false, Test::Geo(Area::Circle(*center, *radius))),
            Constraint::IntersectsPoint(point) => (false, Test::Geo(Area::Covering(*point))),
        };
        let field = Self::Field(path, Box::new(test));
        Ok(if negated { Self::Not(Box::new(field)) } else { field })
    }

    fn matches(&self, row: &Object) -> Result<bool> {
        Ok(match self {
            Self::All => true,
            Self::Never => false,
            Self::And(parts) => {
                for part in parts {
                    if !part.matches(row)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Or(parts) => {
                for part in parts {
                    if part.matches(row)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Not(part) => !part.matches(row)?,
            Self::Field(path, test) => test.holds(path, row)?,
        })
    }
}

impl Test {
    fn holds(&self, path: &Path, row: &Object) -> Result<bool> {
        Ok(match self {
            Self::Equal(operand) => path.any(row, true, &mut |found| {
                let (value, operand) = operand.for_value(found);
                equal(value, operand)
            }),
            Self::Order(operand, comparison) => path.any(row, true, &mut |found| {
                let (value, operand) = operand.for_value(found);
                rank(value) == rank(operand) && comparison.accepts(value, operand)
            }),
            Self::In(operands) => path.any(row, true, &mut |found| operands.contains(found)),
            Self::All(operands, places) => all(operands, places, path, row),
            Self::AllRegex(patterns) => {
                for pattern in patterns {
                    if !search(pattern, path, row)? {
                        return Ok(false);
                    }
                }
                !patterns.is_empty()
            }
            Self::ContainedBy(operands) => !path.any(row, false, &mut |found| match found {
                Found::Missing => false,
                Found::Top(value) | Found::Inner(value) => value
                    .as_array()
                    .is_some_and(|list| list.iter().any(|item| position(operands.inner(), item).is_none())),
            }),
            Self::Exists => path.any(row, false, &mut |found| !matches!(found, Found::Missing)),
            Self::Regex(pattern) => search(pattern, path, row)?,
            Self::Geo(area) => area.holds(path, row),
        })
    }
}

impl Comparison {
    fn accepts(self, value: &Value, operand: &Value) -> bool {
        let nan = |value: &Value| value.as_number().is_some_and(f64::is_nan);
        let order = compare(value, operand);
        match self {
            Self::Less => order == Ordering::Less && !nan(operand),
            Self::LessOrEqual => order != Ordering::Greater && (!nan(operand) || nan(value)),
            Self::Greater => order == Ordering::Greater && !nan(operand),
            Self::GreaterOrEqual => order != Ordering::Less && (!nan(operand) || nan(value)),
        }
    }
}

/// Whether every operand is found somewhere. An empty list is never found.
fn all(operands: &Operands, places: &[(usize, usize)], path: &Path, row: &Object) -> bool {
    let mut seen_top = vec![false; operands.top.len()];
    let mut seen_inner = vec![false; operands.inner().len()];
    path.any(row, true, &mut |found| {
        let (list, seen, value) = match found {
            Found::Missing => (&*operands.top, &mut seen_top, &Value::Null),
            Found::Top(value) => (&*operands.top, &mut seen_top, value),
            Found::Inner(value) => (operands.inner(), &mut seen_inner, value),
        };
        if let Some(slot) = position(list, value).and_then(|at| seen.get_mut(at)) {
            *slot = true;
        }
        false
    });
    let seen = |list: &[bool], at: usize| list.get(at).copied().unwrap_or(false);
    !places.is_empty() && places.iter().all(|(top, inner)| seen(&seen_top, *top) || seen(&seen_inner, *inner))
}

fn search(pattern: &Compiled, path: &Path, row: &Object) -> Result<bool> {
    let mut failure = None;
    let found = path.any(row, true, &mut |found| {
        let (Found::Top(Value::String(text)) | Found::Inner(Value::String(text))) = found else {
            return false;
        };
        match pattern.is_match(text) {
            Ok(matched) => matched,
            Err(error) => {
                failure = Some(error);
                true
            }
        }
    });
    failure.map_or(Ok(found), Err)
}

impl Area {
    /// Whether what the path leads to lies in the area: a point, or one of several in an array.
    fn holds(&self, path: &Path, row: &Object) -> bool {
        if let (false, Some(Value::Polygon(corners))) = (path.is_dotted(), row.get(path.field())) {
            return self.accepts_polygon(corners);
        }
        path.any(row, true, &mut |found| match found {
            Found::Missing => false,
            Found::Top(value) | Found::Inner(value) => as_pair(value).is_some_and(|point| self.accepts(point)),
        })
    }

    fn accepts(&self, point: GeoPoint) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Circle(center, radius) => geo::in_circle(point, *center, *radius),
            Self::Box(one, other) => geo::in_box(point, *one, *other),
            Self::Polygon(corners) => geo::in_flat_polygon(point, corners),
            Self::Covering(wanted) => geo::distance(point, *wanted) <= 1e-9,
        }
    }

    fn accepts_polygon(&self, corners: &[GeoPoint]) -> bool {
        match self {
            Self::Covering(point) => geo::in_sphere_polygon(*point, corners),
            Self::Circle(center, radius) => corners.iter().all(|corner| geo::in_circle(*corner, *center, *radius)),
            Self::Anywhere => true,
            // What is on the sphere is not compared with what is on the flat map.
            Self::Box(..) | Self::Polygon(_) => false,
        }
    }
}

/// A pair of numbers, longitude and latitude, in an array or as the first fields of an object.
fn as_pair(value: &Value) -> Option<GeoPoint> {
    match value {
        Value::Object(object) => match (object.iter().next(), object.iter().nth(1)) {
            (Some((_, Value::Number(longitude))), Some((_, Value::Number(latitude)))) => {
                Some(GeoPoint { latitude: *latitude, longitude: *longitude })
            }
            _ => None,
        },
        Value::Array(list) => match list.as_slice() {
            [Value::Number(longitude), Value::Number(latitude), ..] => {
                Some(GeoPoint { latitude: *latitude, longitude: *longitude })
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests;

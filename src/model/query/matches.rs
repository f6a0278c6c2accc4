//! Filter × object → whether it matches, in the process.
//!
//! The meaning is MongoDB's, applied to what Parse would store; see [`super::compare`].

use super::compare::{Ordered, as_plain, compare, equal, rank, stored};
use super::filter::{Constraint, Filter, Resolved};
use super::geo;
use super::path::{Found, Path};
use super::regex::Compiled;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::object::Object;
use crate::model::value::{GeoPoint, Value};
use std::borrow::Cow;
use std::cmp::Ordering;

/// A filter, prepared once to be applied to many objects.
#[derive(Debug)]
pub struct Matcher(Node);

#[derive(Debug)]
enum Node {
    All,
    Never,
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Field(Path, Test),
}

#[derive(Debug)]
enum Test {
    Equal(Operand),
    Order(Operand, Comparison),
    In(Operands),
    All(Operands),
    AllRegex(Vec<Compiled>),
    ContainedBy(Operands),
    Exists,
    Regex(Compiled),
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
    fn new(value: &Value) -> Self {
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
    fn new(values: &[Value]) -> Self {
        let sorted = |mut values: Vec<Value>| {
            values.sort_by(compare);
            values.dedup_by(|left, right| equal(left, right));
            values
        };
        let typed = values.iter().any(|value| matches!(stored(value), Cow::Owned(_)));
        Self {
            top: sorted(values.iter().map(|value| stored(value).into_owned()).collect()),
            inner: typed.then(|| sorted(values.iter().map(|value| as_plain(value).into_owned()).collect())),
        }
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
    /// 102 for a broken pattern and for `$text`, which only a store can answer.
    pub fn new(filter: &Resolved) -> Result<Self> {
        Node::new(filter).map(Self)
    }

    /// Whether the object matches.
    ///
    /// # Errors
    /// 102 when a pattern takes more work than it may.
    pub fn matches(&self, row: &Object) -> Result<bool> {
        self.0.matches(row)
    }
}

impl Node {
    fn new(filter: &Resolved) -> Result<Self> {
        let nodes = |parts: &[Resolved]| parts.iter().map(Self::new).collect::<Result<Vec<_>>>();
        Ok(match filter {
            Filter::All => Self::All,
            Filter::Never => Self::Never,
            Filter::And(parts) => Self::And(nodes(parts)?),
            Filter::Or(parts) => Self::Or(nodes(parts)?),
            Filter::Nor(parts) => Self::Not(Box::new(Self::Or(nodes(parts)?))),
            Filter::Field { path, constraint } => Self::field(Path::new(path), constraint)?,
            Filter::Unresolved(never) => match *never {},
        })
    }

    fn field(path: Path, constraint: &Constraint) -> Result<Self> {
        let compiled = |regex| Compiled::new(regex);
        let order = |value: &Value, comparison| Test::Order(Operand::new(value), comparison);
        let (negated, test) = match constraint {
            Constraint::Eq(value) => (false, Test::Equal(Operand::new(value))),
            Constraint::Ne(value) => (true, Test::Equal(Operand::new(value))),
            Constraint::Lt(value) => (false, order(value, Comparison::Less)),
            Constraint::Lte(value) => (false, order(value, Comparison::LessOrEqual)),
            Constraint::Gt(value) => (false, order(value, Comparison::Greater)),
            Constraint::Gte(value) => (false, order(value, Comparison::GreaterOrEqual)),
            Constraint::In(list) => (false, Test::In(Operands::new(list))),
            Constraint::NotIn(list) => (true, Test::In(Operands::new(list))),
            Constraint::All(list) => (false, Test::All(Operands::new(list))),
            Constraint::AllRegex(list) => (false, Test::AllRegex(list.iter().map(compiled).collect::<Result<_>>()?)),
            Constraint::ContainedBy(list) => (false, Test::ContainedBy(Operands::new(list))),
            Constraint::Exists(wanted) => (!wanted, Test::Exists),
            Constraint::Regex(regex) => (false, Test::Regex(compiled(regex)?)),
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
        let field = Self::Field(path, test);
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
            Self::All(operands) => all(operands, path, row),
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
            // Coordinates are a matter of the value as given; its stored form does not tell a point from a list.
            Self::Geo(area) => {
                if path.is_dotted() {
                    path.any(row, true, &mut |found| area.accepts_found(found))
                } else {
                    row.get(path.field()).is_some_and(|value| area.accepts(value))
                }
            }
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
fn all(operands: &Operands, path: &Path, row: &Object) -> bool {
    // Both lists hold the same operands; which is at which place differs. A value is in one of the two forms.
    let mut missing: Vec<&Value> = Vec::new();
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
    if operands.top.is_empty() {
        return false;
    }
    if operands.inner.is_none() {
        return seen_top.iter().zip(&seen_inner).all(|(top, inner)| *top || *inner);
    }
    if seen_inner.iter().all(|seen| *seen) || seen_top.iter().all(|seen| *seen) {
        return true;
    }
    missing.extend(operands.inner().iter().zip(&seen_inner).filter(|(_, seen)| !**seen).map(|(value, _)| value));
    // What no element is may still be the whole of the field.
    missing.iter().all(|value| {
        let top = stored(value);
        position(&operands.top, &top).and_then(|at| seen_top.get(at)).copied().unwrap_or(false)
    })
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
    fn accepts(&self, value: &Value) -> bool {
        if let Some(point) = as_point(value) {
            return match self {
                Self::Anywhere => true,
                Self::Circle(center, radius) => geo::in_circle(point, *center, *radius),
                Self::Box(one, other) => geo::in_box(point, *one, *other),
                Self::Polygon(corners) => geo::in_flat_polygon(point, corners),
                Self::Covering(wanted) => geo::distance(point, *wanted) <= 1e-9,
            };
        }
        match (self, value) {
            (Self::Covering(point), Value::Polygon(corners)) => geo::in_sphere_polygon(*point, corners),
            (Self::Circle(center, radius), Value::Polygon(corners)) => {
                corners.iter().all(|corner| geo::in_circle(*corner, *center, *radius))
            }
            (_, Value::Array(list)) => list.iter().any(|item| as_point(item).is_some() && self.accepts(item)),
            _ => false,
        }
    }

    fn accepts_found(&self, found: Found<'_>) -> bool {
        match found {
            Found::Missing => false,
            Found::Top(value) | Found::Inner(value) => matches!(value, Value::Array(_)) && self.accepts(value),
        }
    }
}

/// A point, or a pair of numbers: longitude and latitude.
fn as_point(value: &Value) -> Option<GeoPoint> {
    match value {
        Value::GeoPoint(point) => Some(*point),
        Value::Array(list) => match list.as_slice() {
            [Value::Number(longitude), Value::Number(latitude)] => {
                Some(GeoPoint { latitude: *latitude, longitude: *longitude })
            }
            _ => None,
        },
        _ => None,
    }
}

/// The key by which a row is sorted for one criterion: of an array the smallest element, or the largest for descending
/// order. What is missing sorts as null, an empty array before it.
#[must_use]
pub fn sort_key(row: &Object, path: &Path, descending: bool) -> SortKey {
    let mut best: Option<Value> = None;
    path.any(row, true, &mut |found| {
        let value = match found {
            Found::Missing => &Value::Null,
            // An array counts by its elements alone.
            Found::Top(Value::Array(_)) | Found::Inner(Value::Array(_)) => return false,
            Found::Top(value) | Found::Inner(value) => value,
        };
        let better = best.as_ref().is_none_or(|best| (compare(value, best) == Ordering::Greater) == descending);
        if better {
            best = Some(value.clone());
        }
        false
    });
    SortKey(best)
}

/// A key to sort by.
#[derive(Debug, Clone)]
pub struct SortKey(Option<Value>);

impl PartialEq for SortKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SortKey {}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.as_ref().map(Ordered).cmp(&other.0.as_ref().map(Ordered))
    }
}

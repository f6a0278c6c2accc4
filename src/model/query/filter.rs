//! The query tree: the meaning of `where`, independent of the store that evaluates it.
//!
//! Three evaluators use the same tree: MongoDB, the embedded store and the matcher in memory. A new constraint is a new
//! variant, so the compiler reports every evaluator to extend; there are no catch-all arms over these types.

use std::convert::Infallible;

use crate::model::names::ClassName;
use crate::model::value::{GeoPoint, Pointer, Value};

/// A condition on the objects of a class. `U` is the type of conditions that must be resolved before a store can
/// evaluate it.
#[derive(Debug, Clone)]
pub enum Filter<U = Unresolved> {
    /// Every object.
    All,
    /// No object.
    Never,
    /// All parts match. Without parts: every object.
    And(Vec<Filter<U>>),
    /// At least one part matches. Without parts: no object.
    Or(Vec<Filter<U>>),
    /// No part matches.
    Nor(Vec<Filter<U>>),
    /// A field matches a constraint. The path may be dotted, into objects and arrays.
    Field {
        /// Name of the field in REST terms (`objectId`, `createdAt`, `a.b.0.c`), or an internal column (`_rperm`).
        path: String,
        /// The constraint.
        constraint: Constraint,
    },
    /// A condition that needs other queries first.
    Unresolved(U),
}

/// A filter that a store can evaluate.
pub type Resolved = Filter<Infallible>;

/// Conditions that need the result of another query.
#[derive(Debug, Clone)]
pub enum Unresolved {
    /// `$inQuery` and `$notInQuery`: the pointer refers to a result of the query (or not).
    InQuery {
        /// The pointer field.
        path: String,
        /// Whether it must *not* refer to a result.
        negated: bool,
        /// The other query.
        query: Box<SubQuery>,
    },
    /// `$select` and `$dontSelect`: the value occurs (or not) in a field of the query's results.
    Select {
        /// The field to compare.
        path: String,
        /// Whether the value must *not* occur.
        negated: bool,
        /// The other query.
        query: Box<SubQuery>,
        /// Field of the other query's results; may be dotted.
        key: String,
    },
    /// `$relatedTo`: members of a relation of an object.
    RelatedTo {
        /// The owning object.
        object: Pointer,
        /// Its relation field.
        key: String,
    },
}

/// A query inside a query.
#[derive(Debug, Clone)]
pub struct SubQuery {
    /// Class to search.
    pub class: ClassName,
    /// `redirectClassNameForKey`: the relation or pointer field whose target class is queried instead.
    pub redirect_key: Option<String>,
    /// Its condition.
    pub filter: Filter,
    /// `limit`, if given.
    pub limit: Option<u64>,
    /// `skip`, if given.
    pub skip: u64,
    /// `order`, if given.
    pub order: Vec<super::options::Sort>,
}

/// A constraint on the value of a field, with MongoDB's semantics: most of them match an array if they match one
/// element.
#[derive(Debug, Clone, PartialEq)]
pub enum Constraint {
    /// Equal; null also matches a missing field.
    Eq(Value),
    /// Not equal; also matches a missing field (unless compared with null).
    Ne(Value),
    /// Less; only values of the same type are compared.
    Lt(Value),
    /// Less or equal.
    Lte(Value),
    /// Greater.
    Gt(Value),
    /// Greater or equal.
    Gte(Value),
    /// One of the list; null in the list also matches a missing field.
    In(Vec<Value>),
    /// None of the list; also matches a missing field.
    NotIn(Vec<Value>),
    /// The array contains all of these.
    All(Vec<Value>),
    /// The array contains a matching element for each of these patterns.
    AllRegex(Vec<Regex>),
    /// Every element of the array is in the list; also matches a missing field and an empty array.
    ContainedBy(Vec<Value>),
    /// The field exists (null counts), or does not.
    Exists(bool),
    /// The string matches.
    Regex(Regex),
    /// Full text search.
    Text(TextSearch),
    /// Near a point, sorted by distance.
    Near {
        /// The point.
        point: GeoPoint,
        /// Maximum distance in radians.
        max_distance: Option<f64>,
    },
    /// Inside the box on a flat map, including its edges.
    WithinBox {
        /// South-west corner.
        bottom_left: GeoPoint,
        /// North-east corner.
        upper_right: GeoPoint,
    },
    /// Inside the polygon on a flat map.
    WithinPolygon(Vec<GeoPoint>),
    /// Inside a circle on the sphere.
    WithinSphere {
        /// Centre.
        center: GeoPoint,
        /// Radius in radians.
        radius: f64,
    },
    /// The polygon covers the point, on the sphere.
    IntersectsPoint(GeoPoint),
}

/// A regular expression from a client: PCRE, with the options `imxsu`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regex {
    /// The pattern.
    pub pattern: String,
    /// Its options.
    pub options: String,
}

/// `$text`: a full text search on the indexed text of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSearch {
    /// The search terms.
    pub term: String,
    /// Language of stemming and stop words.
    pub language: Option<String>,
    /// Whether the search is case-sensitive.
    pub case_sensitive: bool,
    /// Whether the search distinguishes accents.
    pub diacritic_sensitive: bool,
}

impl<U> Filter<U> {
    /// A condition on one field.
    #[must_use]
    pub fn field(path: impl Into<String>, constraint: Constraint) -> Self {
        Self::Field { path: path.into(), constraint }
    }

    /// The condition that a field has this value.
    #[must_use]
    pub fn eq(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::field(path, Constraint::Eq(value.into()))
    }

    /// The conjunction of both, simplified.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, other) | (other, Self::All) => other,
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::And(mut parts), Self::And(more)) => {
                parts.extend(more);
                Self::And(parts)
            }
            (Self::And(mut parts), other) => {
                parts.push(other);
                Self::And(parts)
            }
            (first, other) => Self::And(vec![first, other]),
        }
    }
}

impl Filter {
    /// The paths of this class in the condition, including those compared with sub-queries, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        self.collect_paths(&mut paths);
        paths
    }

    fn collect_paths<'a>(&'a self, paths: &mut Vec<&'a str>) {
        match self {
            Self::All | Self::Never | Self::Unresolved(Unresolved::RelatedTo { .. }) => {}
            Self::And(parts) | Self::Or(parts) | Self::Nor(parts) => {
                for part in parts {
                    part.collect_paths(paths);
                }
            }
            Self::Field { path, .. }
            | Self::Unresolved(Unresolved::InQuery { path, .. } | Unresolved::Select { path, .. }) => paths.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::date::Date;
    use crate::model::query::parse::{Context, parse};
    use serde_json::json;

    #[test]
    fn paths() {
        let inner = json!({"className": "T", "where": {"d": {"$notInQuery": {"className": "T", "where": {}}}}});
        let filter = parse(
            &json!({"$or": [{"a": 1}, {"$and": [{"b": {"$regex": "x"}}, {"c": {"$inQuery": inner}}]}], "g": 1}),
            &Context::unlimited(None, Date::from_millis(0)),
        );
        assert_eq!(filter.unwrap().paths(), ["a", "b", "c", "g"]);
    }
}

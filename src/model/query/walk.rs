//! Ways through a filter tree.

use super::filter::{Constraint, Filter, SubQuery, TextSearch, Unresolved};
use crate::model::value::GeoPoint;

impl<U> Filter<U> {
    /// Shows every constraint on a field of this class, in order.
    pub fn visit_fields<'a>(&'a self, visit: &mut dyn FnMut(&'a str, &'a Constraint)) {
        match self {
            Self::All | Self::Never | Self::Unresolved(_) => {}
            Self::And(parts) | Self::Or(parts) | Self::Nor(parts) => {
                for part in parts {
                    part.visit_fields(visit);
                }
            }
            Self::Field { path, constraint } => visit(path, constraint),
        }
    }

    /// Shows everything that is still to be resolved, in order.
    pub fn visit_unresolved<'a>(&'a self, visit: &mut dyn FnMut(&'a U)) {
        match self {
            Self::All | Self::Never | Self::Field { .. } => {}
            Self::And(parts) | Self::Or(parts) | Self::Nor(parts) => {
                for part in parts {
                    part.visit_unresolved(visit);
                }
            }
            Self::Unresolved(unresolved) => visit(unresolved),
        }
    }

    /// Puts another filter in the place of each unresolved condition.
    ///
    /// # Errors
    /// The first error of `resolve`.
    pub fn try_resolve<V, E>(self, resolve: &mut dyn FnMut(U) -> Result<Filter<V>, E>) -> Result<Filter<V>, E> {
        let mut all =
            |parts: Vec<Self>| parts.into_iter().map(|part| part.try_resolve(resolve)).collect::<Result<Vec<_>, E>>();
        Ok(match self {
            Self::All => Filter::All,
            Self::Never => Filter::Never,
            Self::And(parts) => Filter::And(all(parts)?),
            Self::Or(parts) => Filter::Or(all(parts)?),
            Self::Nor(parts) => Filter::Nor(all(parts)?),
            Self::Field { path, constraint } => Filter::Field { path, constraint },
            Self::Unresolved(unresolved) => return resolve(unresolved),
        })
    }

    /// Changes constraints in place.
    pub fn for_each_constraint(&mut self, change: &mut dyn FnMut(&str, &mut Constraint)) {
        match self {
            Self::All | Self::Never | Self::Unresolved(_) => {}
            Self::And(parts) | Self::Or(parts) | Self::Nor(parts) => {
                for part in parts {
                    part.for_each_constraint(change);
                }
            }
            Self::Field { path, constraint } => change(path, constraint),
        }
    }

    /// How deep `$or`, `$and` and `$nor` are nested.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Self::All | Self::Never | Self::Unresolved(_) | Self::Field { .. } => 0,
            Self::And(parts) | Self::Or(parts) | Self::Nor(parts) => {
                1 + parts.iter().map(Self::depth).max().unwrap_or(0)
            }
        }
    }

    /// Whether a pattern is among the constraints.
    #[must_use]
    pub fn uses_regex(&self) -> bool {
        let mut found = false;
        self.visit_fields(&mut |_, constraint| {
            found |= matches!(constraint, Constraint::Regex(_) | Constraint::AllRegex(_));
        });
        found
    }

    /// The full text search among the constraints, with its field.
    #[must_use]
    pub fn text_search(&self) -> Option<(&str, &TextSearch)> {
        let mut found = None;
        self.visit_fields(&mut |path, constraint| {
            if let Constraint::Text(search) = constraint {
                found = found.or(Some((path, search)));
            }
        });
        found
    }

    /// The field and point by whose distance matches are sorted.
    #[must_use]
    pub fn near(&self) -> Option<(&str, GeoPoint)> {
        let mut found = None;
        self.visit_fields(&mut |path, constraint| {
            if let Constraint::Near { point, .. } = constraint {
                found = found.or(Some((path, *point)));
            }
        });
        found
    }

    /// The same matches without an order: to be counted.
    #[must_use]
    pub fn unsorted(mut self) -> Self {
        self.for_each_constraint(&mut |_, constraint| {
            if let Constraint::Near { point, max_distance } = *constraint {
                let radius = max_distance.unwrap_or(std::f64::consts::PI);
                *constraint = Constraint::WithinSphere { center: point, radius };
            }
        });
        self
    }
}

impl Filter {
    /// The paths that the condition is on in this class, those compared with sub-queries included, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        self.collect_paths(&mut paths);
        paths
    }

    fn collect_paths<'a>(&'a self, paths: &mut Vec<&'a str>) {
        match self {
            Self::All | Self::Never | Self::Unresolved(Unresolved::RelatedTo { .. } | Unresolved::Invalid(_)) => {}
            Self::And(parts) | Self::Or(parts) | Self::Nor(parts) => {
                for part in parts {
                    part.collect_paths(paths);
                }
            }
            Self::Field { path, .. }
            | Self::Unresolved(Unresolved::InQuery { path, .. } | Unresolved::Select { path, .. }) => paths.push(path),
        }
    }

    /// How deep sub-queries are nested.
    #[must_use]
    pub fn subquery_depth(&self) -> usize {
        let mut depth = 0;
        self.visit_unresolved(&mut |unresolved| {
            depth = depth.max(unresolved.subquery().map_or(0, |query| 1 + query.filter.subquery_depth()));
        });
        depth
    }
}

impl Unresolved {
    /// The query inside.
    #[must_use]
    pub fn subquery(&self) -> Option<&SubQuery> {
        match self {
            Self::InQuery { query, .. } | Self::Select { query, .. } => Some(query),
            Self::RelatedTo { .. } | Self::Invalid(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::date::Date;
    use crate::model::query::parse::{Context, parse};
    use serde_json::json;

    #[test]
    fn facts() {
        let filter = parse(
            &json!({"$or": [{"a": 1}, {"$and": [{"b": {"$regex": "x"}}, {"c": {"$inQuery": {"className": "T", "where": {
                "d": {"$notInQuery": {"className": "T", "where": {}}}}}}}]}], "g": {"$nearSphere": {"latitude": 1, "longitude": 2}}}),
            &Context::unlimited(None, Date::from_millis(0)),
        )
        .unwrap();
        assert_eq!(filter.paths(), ["a", "b", "c", "g"]);
        assert_eq!(filter.subquery_depth(), 2);
        assert!(filter.uses_regex());
        assert_eq!(filter.near().map(|(path, _)| path), Some("g"));
        assert!(filter.unsorted().near().is_none());
    }
}

//! Converts a condition to JSON that [`super::parse`] can parse.

use serde_json::{Map, Value as Json, json};

use super::filter::{Constraint, Filter, Regex, SubQuery, TextSearch, Unresolved};
use super::options::Sort;
use crate::model::json as rest;
use crate::model::value::{GeoPoint, Value};

impl Filter {
    /// The condition as JSON. Parsing it gives an equivalent condition.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Json> {
        let mut conditions = Conditions::default();
        conditions.add(self);
        conditions.into_map()
    }
}

/// A sort order as a string: `a,-b`.
#[must_use]
pub fn order(order: &[Sort]) -> String {
    let words: Vec<String> =
        order.iter().map(|sort| if sort.descending { format!("-{}", sort.path) } else { sort.path.clone() }).collect();
    words.join(",")
}

/// Conditions that hold together. What has no place beside the others goes into an `$and`.
#[derive(Default)]
struct Conditions {
    map: Map<String, Json>,
    others: Vec<Json>,
}

impl Conditions {
    fn add(&mut self, filter: &Filter) {
        match filter {
            Filter::All => {}
            Filter::Never => self.put("objectId", json!({ "$in": [] })),
            Filter::And(parts) => parts.iter().for_each(|part| self.add(part)),
            Filter::Or(parts) => self.put("$or", branches(parts)),
            Filter::Nor(parts) => self.put("$nor", branches(parts)),
            Filter::Field { path, constraint } => self.put(path, constraint_json(constraint)),
            Filter::Unresolved(Unresolved::InQuery { path, negated, query }) => {
                let operator = if *negated { "$notInQuery" } else { "$inQuery" };
                self.put(path, json!({ operator: query_json(query) }));
            }
            Filter::Unresolved(Unresolved::Select { path, negated, query, key }) => {
                let operator = if *negated { "$dontSelect" } else { "$select" };
                self.put(path, json!({ operator: { "query": query_json(query), "key": key } }));
            }
            Filter::Unresolved(Unresolved::RelatedTo { object, key }) => {
                let object = rest::encode(&Value::Pointer(object.clone()));
                self.put("$relatedTo", json!({ "object": object, "key": key }));
            }
        }
    }

    fn put(&mut self, key: &str, condition: Json) {
        let Some(known) = self.map.get_mut(key) else {
            self.map.insert(key.to_owned(), condition);
            return;
        };
        let others = match (known, condition) {
            (Json::Object(known), Json::Object(more)) if are_operators(known) && fit(known, &more) => {
                known.extend(more);
                return;
            }
            (_, condition) => condition,
        };
        self.others.push(json!({ key: others }));
    }

    fn into_map(mut self) -> Map<String, Json> {
        if !self.others.is_empty() {
            self.map.insert("$and".to_owned(), Json::Array(self.others));
        }
        self.map
    }
}

fn are_operators(map: &Map<String, Json>) -> bool {
    !map.is_empty() && map.keys().all(|key| key.starts_with('$'))
}

/// Whether more operators can stand beside others: none twice, and none that would be taken for a part of another.
fn fit(known: &Map<String, Json>, more: &Map<String, Json>) -> bool {
    let needs = |map: &Map<String, Json>| ["$regex", "$nearSphere"].iter().any(|name| map.contains_key(*name));
    are_operators(more) && !more.keys().any(|key| known.contains_key(key)) && !(needs(known) && needs(more))
}

fn branches(parts: &[Filter]) -> Json {
    Json::Array(parts.iter().map(|part| Json::Object(part.to_json())).collect())
}

fn constraint_json(constraint: &Constraint) -> Json {
    match constraint {
        // A list is compared with the whole array only under the operator.
        Constraint::Eq(value @ Value::Array(_)) => json!({ "$eq": rest::encode(value) }),
        // What could be read as an operator must be named as a value.
        Constraint::Eq(value @ Value::Object(object)) if object.keys().any(|key| key.starts_with('$')) => {
            json!({ "$eq": rest::encode(value) })
        }
        Constraint::Eq(value) => rest::encode(value),
        Constraint::Ne(value) => json!({ "$ne": rest::encode(value) }),
        Constraint::Lt(value) => json!({ "$lt": rest::encode(value) }),
        Constraint::Lte(value) => json!({ "$lte": rest::encode(value) }),
        Constraint::Gt(value) => json!({ "$gt": rest::encode(value) }),
        Constraint::Gte(value) => json!({ "$gte": rest::encode(value) }),
        Constraint::In(values) => json!({ "$in": nested(values) }),
        Constraint::NotIn(values) => json!({ "$nin": nested(values) }),
        Constraint::All(values) => json!({ "$all": list(values) }),
        Constraint::AllRegex(patterns) => {
            let patterns: Vec<Json> =
                patterns.iter().map(|Regex { pattern, .. }| json!({ "$regex": pattern })).collect();
            json!({ "$all": patterns })
        }
        Constraint::ContainedBy(values) => json!({ "$containedBy": list(values) }),
        Constraint::Exists(there) => json!({ "$exists": there }),
        Constraint::Regex(Regex { pattern, options }) if options.is_empty() => json!({ "$regex": pattern }),
        Constraint::Regex(Regex { pattern, options }) => json!({ "$regex": pattern, "$options": options }),
        Constraint::Text(search) => json!({ "$text": { "$search": text(search) } }),
        Constraint::Near { point: at, max_distance: None } => json!({ "$nearSphere": point(at) }),
        Constraint::Near { point: at, max_distance: Some(distance) } => {
            json!({ "$nearSphere": point(at), "$maxDistance": rest::number(*distance) })
        }
        Constraint::WithinBox { bottom_left, upper_right } => {
            json!({ "$within": { "$box": [point(bottom_left), point(upper_right)] } })
        }
        Constraint::WithinPolygon(corners) => {
            json!({ "$geoWithin": { "$polygon": corners.iter().map(point).collect::<Vec<_>>() } })
        }
        Constraint::WithinSphere { center, radius } => {
            json!({ "$geoWithin": { "$centerSphere": [point(center), rest::number(*radius)] } })
        }
        Constraint::IntersectsPoint(at) => json!({ "$geoIntersects": { "$point": point(at) } }),
    }
}

fn list(values: &[Value]) -> Vec<Json> {
    values.iter().map(rest::encode).collect()
}

/// A list that is flattened by one level when it is read.
fn nested(values: &[Value]) -> Vec<Json> {
    let is_list = |value: &Value| matches!(value, Value::Array(_));
    values.iter().map(|value| if is_list(value) { json!([rest::encode(value)]) } else { rest::encode(value) }).collect()
}

fn point(point: &GeoPoint) -> Json {
    rest::encode(&Value::GeoPoint(*point))
}

fn text(search: &TextSearch) -> Json {
    let mut map = Map::new();
    map.insert("$term".to_owned(), search.term.as_str().into());
    if let Some(language) = &search.language {
        map.insert("$language".to_owned(), language.as_str().into());
    }
    for (name, flag) in [("$caseSensitive", search.case_sensitive), ("$diacriticSensitive", search.diacritic_sensitive)]
    {
        if flag {
            map.insert(name.to_owned(), true.into());
        }
    }
    Json::Object(map)
}

fn query_json(query: &SubQuery) -> Json {
    let SubQuery { class, redirect_key, filter, limit, skip, order: sort } = query;
    let mut map = Map::new();
    map.insert("className".to_owned(), class.as_str().into());
    map.insert("where".to_owned(), filter.to_json().into());
    if let Some(key) = redirect_key {
        map.insert("redirectClassNameForKey".to_owned(), key.as_str().into());
    }
    if let Some(limit) = limit {
        map.insert("limit".to_owned(), (*limit).into());
    }
    if *skip > 0 {
        map.insert("skip".to_owned(), (*skip).into());
    }
    if !sort.is_empty() {
        map.insert("order".to_owned(), order(sort).into());
    }
    Json::Object(map)
}

#[cfg(test)]
mod tests;

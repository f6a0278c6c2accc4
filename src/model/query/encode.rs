//! The filter tree → `where` as clients write it, for triggers and web hooks.

use serde_json::{Map, Value as Json};

use super::filter::{Constraint, Filter, Regex, SubQuery, TextSearch, Unresolved};
use crate::model::json::{encode as value, number};
use crate::model::value::{GeoPoint, Pointer, Value};

/// Writes a condition. Reading it again gives the same tree, up to what has no written form: [`Filter::Never`] and
/// [`Unresolved::Invalid`] become a condition that nothing meets.
#[must_use]
pub fn encode(filter: &Filter) -> Map<String, Json> {
    let mut map = Map::new();
    match filter {
        Filter::All => {}
        Filter::Never | Filter::Unresolved(Unresolved::Invalid(_)) => {
            map.insert("objectId".into(), object([("$in", Json::Array(Vec::new()))]));
        }
        Filter::And(parts) => {
            return merged(parts).unwrap_or_else(|| Map::from_iter([("$and".to_owned(), branches(parts))]));
        }
        Filter::Or(parts) => {
            map.insert("$or".into(), branches(parts));
        }
        Filter::Nor(parts) => {
            map.insert("$nor".into(), branches(parts));
        }
        Filter::Field { path, constraint } => {
            let written = match constraint {
                Constraint::Eq(value) => plain(value),
                _ => Json::Object(operators(constraint)),
            };
            map.insert(path.clone(), written);
        }
        Filter::Unresolved(Unresolved::RelatedTo { object: owner, key }) => {
            map.insert("$relatedTo".into(), object([("object", pointer(owner)), ("key", key.as_str().into())]));
        }
        Filter::Unresolved(Unresolved::InQuery { path, .. } | Unresolved::Select { path, .. }) => {
            map.insert(path.clone(), Json::Object(subquery_operators(filter)));
        }
    }
    map
}

fn branches(parts: &[Filter]) -> Json {
    Json::Array(parts.iter().map(|part| Json::Object(encode(part))).collect())
}

/// Operators that are read before all others, in this order.
const SUBQUERIES: [&str; 4] = ["$inQuery", "$notInQuery", "$select", "$dontSelect"];

/// Several conditions as one object; `None` when they do not fit in one.
fn merged(parts: &[Filter]) -> Option<Map<String, Json>> {
    if parts.len() < 2 {
        return None;
    }
    let mut map = Map::new();
    let mut last_path: Option<&str> = None;
    let mut last_operator: Option<String> = None;
    for part in parts {
        let (Filter::Field { path, .. }
        | Filter::Unresolved(Unresolved::InQuery { path, .. } | Unresolved::Select { path, .. })) = part
        else {
            last_path = None;
            let written = match part {
                // Nested as it was.
                Filter::And(parts) => one("$and", branches(parts)),
                _ => encode(part),
            };
            let (key, value) = written.into_iter().next()?;
            if map.insert(key, value).is_some() {
                return None;
            }
            continue;
        };
        if last_path == Some(path) {
            // One more constraint on the same field.
            let slot = map.get_mut(path)?;
            let before = slot.take();
            let mut known = match before {
                Json::Object(known) if known.keys().next().is_some_and(|key| key.starts_with('$')) => known,
                plain => one("$eq", comparable(plain)?),
            };
            let more = match part {
                Filter::Field { constraint: Constraint::Eq(value), .. } => {
                    Map::from_iter([("$eq".to_owned(), comparable(plain(value))?)])
                }
                Filter::Field { constraint, .. } => operators(constraint),
                _ => subquery_operators(part),
            };
            // Read again, they must come in the same order.
            let place =
                |operator: &str| SUBQUERIES.iter().position(|known| *known == operator).unwrap_or(SUBQUERIES.len());
            let (last, next) = (last_operator.take()?, more.keys().next()?.clone());
            if (place(&last), &next) >= (place(&next), &last) {
                return None;
            }
            last_operator = Some(next);
            for (key, value) in more {
                if known.insert(key, value).is_some() {
                    return None;
                }
            }
            *slot = Json::Object(known);
        } else {
            for (key, value) in encode(part) {
                last_operator = Some(
                    value
                        .as_object()
                        .and_then(|operators| operators.keys().find(|key| key.starts_with('$')))
                        .map_or("$eq", |key| key)
                        .to_owned(),
                );
                if map.insert(key, value).is_some() {
                    return None;
                }
            }
            last_path = Some(path);
        }
    }
    Some(map)
}

/// A plain value as the operand of `$eq`, if it means the same there.
fn comparable(plain: Json) -> Option<Json> {
    match plain {
        Json::Object(map) if map.is_empty() => None,
        Json::Object(mut map) if map.contains_key("$eq") => map.remove("$eq"),
        Json::String(_) | Json::Array(_) => None,
        other => Some(other),
    }
}

/// A value to be equal to.
fn plain(wanted: &Value) -> Json {
    match wanted {
        Value::Array(_) => object([("$eq", value(wanted))]),
        Value::Object(object_wanted) if !object_wanted.is_empty() => object([("$eq", value(wanted))]),
        _ => value(wanted),
    }
}

fn object<const N: usize>(fields: [(&str, Json); N]) -> Json {
    Json::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn list(values: &[Value]) -> Json {
    Json::Array(values.iter().map(value).collect())
}

/// A list that is flattened by one level when read.
fn nested_list(values: &[Value]) -> Json {
    let written =
        |item: &Value| if matches!(item, Value::Array(_)) { Json::Array(vec![value(item)]) } else { value(item) };
    Json::Array(values.iter().map(written).collect())
}

fn point(point: GeoPoint) -> Json {
    value(&Value::GeoPoint(point))
}

fn pointer(pointer: &Pointer) -> Json {
    value(&Value::Pointer(pointer.clone()))
}

fn one(operator: &str, operand: Json) -> Map<String, Json> {
    Map::from_iter([(operator.to_owned(), operand)])
}

/// A constraint as operators.
fn operators(constraint: &Constraint) -> Map<String, Json> {
    match constraint {
        Constraint::Eq(wanted) => one("$eq", value(wanted)),
        Constraint::Ne(wanted) => one("$ne", value(wanted)),
        Constraint::Lt(bound) => one("$lt", value(bound)),
        Constraint::Lte(bound) => one("$lte", value(bound)),
        Constraint::Gt(bound) => one("$gt", value(bound)),
        Constraint::Gte(bound) => one("$gte", value(bound)),
        Constraint::In(values) => one("$in", nested_list(values)),
        Constraint::NotIn(values) => one("$nin", nested_list(values)),
        Constraint::All(values) => one("$all", list(values)),
        Constraint::AllRegex(patterns) => {
            one("$all", Json::Array(patterns.iter().map(|regex| Json::Object(pattern(regex))).collect()))
        }
        Constraint::ContainedBy(values) => one("$containedBy", list(values)),
        Constraint::Exists(wanted) => one("$exists", Json::Bool(*wanted)),
        Constraint::Regex(regex) => pattern(regex),
        Constraint::Text(search) => one("$text", text(search)),
        Constraint::Near { point: center, max_distance } => {
            let mut map = one("$nearSphere", point(*center));
            if let Some(distance) = max_distance {
                map.insert("$maxDistanceInRadians".into(), number(*distance));
            }
            map
        }
        Constraint::WithinBox { bottom_left, upper_right } => {
            one("$within", object([("$box", Json::Array(vec![point(*bottom_left), point(*upper_right)]))]))
        }
        Constraint::WithinPolygon(corners) => {
            one("$geoWithin", object([("$polygon", Json::Array(corners.iter().copied().map(point).collect()))]))
        }
        Constraint::WithinSphere { center, radius } => {
            one("$geoWithin", object([("$centerSphere", Json::Array(vec![point(*center), number(*radius)]))]))
        }
        Constraint::IntersectsPoint(wanted) => one("$geoIntersects", object([("$point", point(*wanted))])),
    }
}

fn pattern(regex: &Regex) -> Map<String, Json> {
    let mut map = one("$regex", regex.pattern.as_str().into());
    if !regex.options.is_empty() {
        map.insert("$options".into(), regex.options.as_str().into());
    }
    map
}

fn text(search: &TextSearch) -> Json {
    let mut map = one("$term", search.term.as_str().into());
    if let Some(language) = &search.language {
        map.insert("$language".into(), language.as_str().into());
    }
    for (key, flag) in [("$caseSensitive", search.case_sensitive), ("$diacriticSensitive", search.diacritic_sensitive)]
    {
        if flag {
            map.insert(key.into(), Json::Bool(true));
        }
    }
    object([("$search", Json::Object(map))])
}

/// A sub-query as an operator; empty for other filters.
fn subquery_operators(filter: &Filter) -> Map<String, Json> {
    match filter {
        Filter::Unresolved(Unresolved::InQuery { negated, query, .. }) => {
            one(if *negated { "$notInQuery" } else { "$inQuery" }, subquery(query))
        }
        Filter::Unresolved(Unresolved::Select { negated, query, key, .. }) => one(
            if *negated { "$dontSelect" } else { "$select" },
            object([("query", subquery(query)), ("key", key.as_str().into())]),
        ),
        _ => Map::new(),
    }
}

fn subquery(query: &SubQuery) -> Json {
    let mut encoded = Map::new();
    encoded.insert("where".to_owned(), Json::Object(encode(&query.filter)));
    encoded.insert("className".to_owned(), query.class.as_str().into());
    if let Some(key) = &query.redirect_key {
        encoded.insert("redirectClassNameForKey".to_owned(), key.as_str().into());
    }
    Json::Object(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::date::Date;
    use crate::model::names::ClassName;
    use crate::model::query::parse::{Context, parse};
    use crate::model::schema::{ClassSchema, Field, FieldType};
    use proptest::prelude::*;
    use serde_json::json;

    fn schema() -> ClassSchema {
        let mut schema = ClassSchema::new(ClassName::trusted("Q"));
        for (name, kind) in
            [("n", FieldType::Number), ("a", FieldType::Array), ("p", FieldType::Pointer(ClassName::trusted("T")))]
        {
            schema.fields.insert(name.into(), Field::new(kind));
        }
        schema
    }

    fn atom() -> impl Strategy<Value = Json> {
        prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Json::from),
            any::<i32>().prop_map(Json::from),
            any::<f32>()
                .prop_filter("finite", |number| number.is_finite() && *number != 0.0)
                .prop_map(|number| json!(number)),
            "[a-z]{0,3}".prop_map(Json::from),
            Just(json!({"__type": "Pointer", "className": "T", "objectId": "x"})),
            Just(json!({"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"})),
            Just(json!({"__type": "GeoPoint", "latitude": 1.5, "longitude": 2})),
            Just(json!({"__type": "Date"})),
        ]
    }

    fn inner_value() -> impl Strategy<Value = Json> {
        atom().prop_recursive(2, 8, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
                proptest::collection::vec(("[a-c]", inner), 0..3)
                    .prop_map(|fields| Json::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn field() -> impl Strategy<Value = (String, Json)> {
        let path =
            prop_oneof![Just("n"), Just("a"), Just("p"), Just("a.0.b"), Just("zz"), Just("createdAt"), Just("_rperm")];
        let operand =
            prop_oneof![atom(), inner_value(), proptest::collection::vec(inner_value(), 0..3).prop_map(Json::from)];
        let special = prop_oneof![
            Just(json!({"$regex": "^a", "$options": "im"})),
            Just(json!({"$regex": "a"})),
            Just(json!({"$nearSphere": {"latitude": 1, "longitude": 2}, "$maxDistanceInMiles": 3})),
            Just(json!({"$within": {"$box": [{"latitude": 1, "longitude": 2}, {"latitude": 3, "longitude": 4}]}})),
            Just(json!({"$geoWithin": {"$polygon": [[0, 0], [0, 1], [1, 1]]}})),
            Just(json!({"$geoWithin": {"$centerSphere": [[0, 0], 0.25]}})),
            Just(json!({"$geoIntersects": {"$point": {"__type": "GeoPoint", "latitude": 1, "longitude": 2}}})),
            Just(json!({"$text": {"$search": {"$term": "x", "$caseSensitive": true}}})),
            Just(json!({"$inQuery": {"className": "T", "where": {"n": {"$gt": 1, "$lt": 5}}}, "$exists": true})),
            Just(json!({"$dontSelect": {"query": {"className": "T", "where": {}}, "key": "x"}})),
            Just(json!({"$all": [{"$regex": "^\\Qa\\E"}]})),
        ];
        let operator = prop_oneof![
            Just("$eq"),
            Just("$ne"),
            Just("$lt"),
            Just("$lte"),
            Just("$gt"),
            Just("$gte"),
            Just("$in"),
            Just("$nin"),
            Just("$all"),
            Just("$containedBy"),
            Just("$exists"),
        ];
        let condition = prop_oneof![
            operand.clone(),
            special,
            proptest::collection::vec((operator.prop_map(str::to_owned), operand), 1..4)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ];
        (path.prop_map(str::to_owned), condition)
    }

    fn condition() -> impl Strategy<Value = Json> {
        let leaf =
            proptest::collection::vec(field(), 0..4).prop_map(|fields| Json::Object(fields.into_iter().collect()));
        leaf.prop_recursive(3, 12, 3, |inner| {
            let logic = prop_oneof![Just("$or"), Just("$and"), Just("$nor")].prop_map(str::to_owned);
            let branch = (logic, proptest::collection::vec(inner, 1..3).prop_map(Json::from));
            proptest::collection::vec(prop_oneof![branch, field()], 1..4)
                .prop_map(|fields| Json::Object(fields.into_iter().collect()))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn reading_what_was_written_gives_the_same(condition in condition()) {
            let schema = schema();
            let context = Context::unlimited(Some(&schema), Date::from_millis(0));
            if let Ok(filter) = parse(&condition, &context) {
                let written = Json::Object(encode(&filter));
                let again = parse(&written, &context).map_err(|error| TestCaseError::fail(format!("{written}: {error}")))?;
                prop_assert_eq!(format!("{:?}", again), format!("{:?}", filter), "{} became {}", condition, written);
            }
        }
    }

    #[test]
    fn plain_conditions_stay_as_they_are() {
        let schema = schema();
        for condition in [
            json!({}),
            json!({"n": 1, "s": "x"}),
            json!({"n": {"$lt": 5, "$gt": 1}}),
            json!({"$or": [{"n": 1}, {"a": {"$in": [1, 2]}}]}),
            json!({"p": {"$inQuery": {"where": {"x": 1}, "className": "T"}}}),
            json!({"$relatedTo": {"object": {"__type": "Pointer", "className": "T", "objectId": "x"}, "key": "k"}}),
        ] {
            let filter = parse(&condition, &Context::unlimited(Some(&schema), Date::from_millis(0))).unwrap();
            assert_eq!(Json::Object(encode(&filter)), condition);
        }
    }
}

//! Converts `where` of GraphQL to `where` of REST by renaming operators. The domain validates them.

use serde_json::{Map, Value as Json, json};

use crate::error::{ErrorCode, ParseError, Result};
use crate::graphql::parse::catalog::{Catalog, Class};
use crate::graphql::parse::geo::point;
use crate::graphql::parse::ids;
use crate::model::schema::FieldType;

const JOINERS: [(&str, &str); 3] = [("OR", "$or"), ("AND", "$and"), ("NOR", "$nor")];

const OPERATORS: [(&str, &str); 19] = [
    ("equalTo", "$eq"),
    ("notEqualTo", "$ne"),
    ("lessThan", "$lt"),
    ("lessThanOrEqualTo", "$lte"),
    ("greaterThan", "$gt"),
    ("greaterThanOrEqualTo", "$gte"),
    ("in", "$in"),
    ("notIn", "$nin"),
    ("exists", "$exists"),
    ("containedBy", "$containedBy"),
    ("contains", "$all"),
    ("matchesRegex", "$regex"),
    ("options", "$options"),
    ("maxDistance", "$maxDistance"),
    ("maxDistanceInRadians", "$maxDistanceInRadians"),
    ("maxDistanceInMiles", "$maxDistanceInMiles"),
    ("maxDistanceInKilometers", "$maxDistanceInKilometers"),
    ("inQuery", "$inQuery"),
    ("notInQuery", "$notInQuery"),
];

fn operator(name: &str) -> Option<&'static str> {
    OPERATORS.iter().find(|(word, _)| *word == name).map(|(_, operator)| *operator)
}

fn bad(name: &str) -> ParseError {
    ParseError::new(ErrorCode::InvalidQuery, format!("bad constraint: {name}"))
}

/// Converts a filter.
///
/// # Errors
/// 102 for a constraint that is null.
pub fn to_rest(catalog: &Catalog, class: Option<&Class>, filter: &Map<String, Json>) -> Result<Map<String, Json>> {
    let mut rest = Map::new();
    for (field, value) in filter {
        if let Some((_, joiner)) = JOINERS.iter().find(|(word, _)| word == field) {
            let parts = value.as_array().ok_or_else(|| bad(field))?;
            let parts = parts.iter().map(|part| sub_filter(catalog, class, part)).collect::<Result<Vec<_>>>()?;
            rest.insert((*joiner).to_owned(), Json::Array(parts));
        } else {
            constrain(catalog, class, field, value, &mut rest)?;
        }
    }
    Ok(rest)
}

fn sub_filter(catalog: &Catalog, class: Option<&Class>, filter: &Json) -> Result<Json> {
    let filter = filter.as_object().ok_or_else(|| bad("where"))?;
    to_rest(catalog, class, filter).map(Json::Object)
}

/// Adds the constraints on a field.
fn constrain(
    catalog: &Catalog,
    class: Option<&Class>,
    field: &str,
    value: &Json,
    rest: &mut Map<String, Json>,
) -> Result<()> {
    let Some(constraints) = value.as_object().filter(|map| !map.contains_key("__type")) else {
        if value.is_null() {
            return Err(bad(field));
        }
        // A plain value, from a filter inside `inQueryKey`, which has no type.
        rest.insert(field.to_owned(), value.clone());
        return Ok(());
    };
    let name = if field == "id" { "objectId" } else { field };
    let kind = class.and_then(|class| class.fields.get(name));
    let target = kind
        .and_then(FieldType::target)
        .map(|target| (target.as_str(), catalog.class(target.as_str()).map(|class| &**class)));
    for (word, value) in constraints {
        if let (Some(key), Some(compared)) = (value.get("key").and_then(Json::as_str), value.get("value"))
            && let Some(operator) = operator(word)
        {
            put(rest, &format!("{name}.{key}"), operator, compared.clone());
            continue;
        }
        match (word.as_str(), target) {
            ("in" | "notIn", _) if is_keyed(value) => {
                let operator = if word == "in" { "$in" } else { "$nin" };
                for (key, values) in by_key(value) {
                    put(rest, &format!("{name}.{key}"), operator, Json::Array(values));
                }
            }
            ("have" | "haveNot", Some((target, class))) => {
                let operator = if word == "have" { "$inQuery" } else { "$notInQuery" };
                let filter = sub_filter(catalog, class, value)?;
                put(rest, name, operator, json!({ "where": filter, "className": target }));
            }
            ("exists", Some((target, _))) if matches!(kind, Some(FieldType::Relation(_))) => {
                let operator = if value.as_bool() == Some(true) { "$inQuery" } else { "$notInQuery" };
                put(rest, name, operator, json!({ "where": { "objectId": { "$exists": true } }, "className": target }));
            }
            _ => {
                let (operator, value) = translate(catalog, class, word, value)?;
                let value = if field == "id" { local_ids(class, value) } else { value };
                put(rest, name, &operator, value);
            }
        }
    }
    if constraints.is_empty() {
        rest.entry(name).or_insert_with(|| json!({}));
    }
    Ok(())
}

fn put(rest: &mut Map<String, Json>, field: &str, operator: &str, value: Json) {
    if let Some(constraints) = rest.entry(field).or_insert_with(|| json!({})).as_object_mut() {
        constraints.insert(operator.to_owned(), value);
    }
}

/// Whether the value is a list of keys and values, as in filters on objects.
fn is_keyed(value: &Json) -> bool {
    value.as_array().is_some_and(|list| {
        !list.is_empty() && list.iter().all(|item| item.get("key").is_some() && item.get("value").is_some())
    })
}

fn by_key(value: &Json) -> Vec<(String, Vec<Json>)> {
    let mut groups: Vec<(String, Vec<Json>)> = Vec::new();
    for item in value.as_array().map(Vec::as_slice).unwrap_or_default() {
        let key = item.get("key").and_then(Json::as_str).unwrap_or_default();
        let value = item.get("value").cloned().unwrap_or_default();
        match groups.iter_mut().find(|(known, _)| known == key) {
            Some((_, values)) => values.push(value),
            None => groups.push((key.to_owned(), vec![value])),
        }
    }
    groups
}

fn local_ids(class: Option<&Class>, value: Json) -> Json {
    let Some(class) = class else { return value };
    match value {
        Json::String(id) => Json::from(ids::local(&class.name, &id)),
        Json::Array(list) => list.into_iter().map(|item| local_ids(Some(class), item)).collect(),
        other => other,
    }
}

fn translate(catalog: &Catalog, class: Option<&Class>, word: &str, value: &Json) -> Result<(String, Json)> {
    let at = |path: &[&str]| path.iter().try_fold(value, |json, key| json.get(key)).filter(|json| !json.is_null());
    let need = |path: &[&str]| at(path).ok_or_else(|| bad(word));
    if let Some(operator) = operator(word) {
        return Ok((operator.to_owned(), value.clone()));
    }
    Ok(match word {
        "inQueryKey" | "notInQueryKey" => {
            let name = need(&["query", "className"])?.as_str().unwrap_or_default();
            let inner = catalog.class(name).map(|class| &**class).or(class);
            let filter = sub_filter(catalog, inner, need(&["query", "where"])?)?;
            let operator = if word == "inQueryKey" { "$select" } else { "$dontSelect" };
            (operator.to_owned(), json!({ "query": { "className": name, "where": filter }, "key": need(&["key"])? }))
        }
        "text" => {
            let mut search = Map::new();
            for word in ["term", "language", "caseSensitive", "diacriticSensitive"] {
                if let Some(value) = at(&["search", word]) {
                    search.insert(format!("${word}"), value.clone());
                }
            }
            ("$text".to_owned(), json!({ "$search": search }))
        }
        "nearSphere" => ("$nearSphere".to_owned(), point(value)),
        "within" => {
            let (from, to) = (need(&["box", "bottomLeft"])?, need(&["box", "upperRight"])?);
            ("$within".to_owned(), json!({ "$box": [point(from), point(to)] }))
        }
        "geoWithin" => {
            let mut within = Map::new();
            if let Some(corners) = at(&["polygon"]).and_then(Json::as_array) {
                within.insert("$polygon".to_owned(), corners.iter().map(point).collect());
            }
            if let (Some(center), Some(distance)) = (at(&["centerSphere", "center"]), at(&["centerSphere", "distance"]))
            {
                within.insert("$centerSphere".to_owned(), json!([point(center), distance]));
            }
            ("$geoWithin".to_owned(), Json::Object(within))
        }
        "geoIntersects" => ("$geoIntersects".to_owned(), json!({ "$point": point(need(&["point"])?) })),
        other => (other.to_owned(), value.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::schema::build;
    use super::*;
    use crate::graphql::parse::config::SchemaConfig;
    use crate::graphql::parse::samples::sample_classes;

    #[test]
    fn filters() {
        let classes = sample_classes();
        let classes: Vec<_> = classes.iter().collect();
        let built = build(&classes, &SchemaConfig::default()).unwrap();
        let class = built.catalog.classes.class("GameScore").unwrap();
        for (given, expected) in [
            (json!({"aString": {"equalTo": "a"}}), json!({"aString": {"$eq": "a"}})),
            (json!({"aNumber": {"greaterThan": 1, "in": [2]}}), json!({"aNumber": {"$gt": 1, "$in": [2]}})),
            (json!({"id": {"equalTo": ids::global("GameScore", "x")}}), json!({"objectId": {"$eq": "x"}})),
            (json!({"id": {"in": [ids::global("GameScore", "x"), "y"]}}), json!({"objectId": {"$in": ["x", "y"]}})),
            (
                json!({"anObject": {"lessThan": {"key": "a.b", "value": 5}, "greaterThan": {"key": "a.b", "value": 1}}}),
                json!({"anObject.a.b": {"$lt": 5, "$gt": 1}}),
            ),
            (
                json!({"OR": [{"aNumber": {"equalTo": 1}}, {"AND": [{"aBoolean": {"equalTo": true}}]}]}),
                json!({"$or": [{"aNumber": {"$eq": 1}}, {"$and": [{"aBoolean": {"$eq": true}}]}]}),
            ),
            (
                json!({"player": {"have": {"username": {"equalTo": "u"}}}}),
                json!({"player": {"$inQuery": {"where": {"username": {"$eq": "u"}}, "className": "_User"}}}),
            ),
            (json!({"player": {"exists": true}}), json!({"player": {"$exists": true}})),
            (
                json!({"fans": {"exists": false}}),
                json!({"fans": {"$notInQuery": {"where": {"objectId": {"$exists": true}}, "className": "_User"}}}),
            ),
            (
                json!({"aGeoPoint": {"within": {"box": {"bottomLeft": {"latitude": 0, "longitude": 1}, "upperRight": {"latitude": 2, "longitude": 3}}}}}),
                json!({"aGeoPoint": {"$within": {"$box": [
                    {"__type": "GeoPoint", "latitude": 0, "longitude": 1}, {"__type": "GeoPoint", "latitude": 2, "longitude": 3}]}}}),
            ),
            (
                json!({"aString": {"text": {"search": {"term": "x", "caseSensitive": true}}}}),
                json!({"aString": {"$text": {"$search": {"$term": "x", "$caseSensitive": true}}}}),
            ),
            (
                json!({"aString": {"inQueryKey": {"query": {"className": "GameScore", "where": {"aNumber": {"greaterThan": 2}, "aString": "b"}}, "key": "k"}}}),
                json!({"aString": {"$select": {"query": {"className": "GameScore", "where": {"aNumber": {"$gt": 2}, "aString": "b"}}, "key": "k"}}}),
            ),
        ] {
            assert_eq!(
                Json::Object(to_rest(&built.catalog.classes, Some(class), given.as_object().unwrap()).unwrap()),
                expected,
                "{given}"
            );
        }
        assert!(to_rest(&built.catalog.classes, Some(class), json!({"aString": null}).as_object().unwrap()).is_err());
    }
}

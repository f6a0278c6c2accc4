//! Converts filters and bodies of the legacy dialect to REST's form.

use serde_json::{Map, Value as Json, json};

use crate::graphql::parse::catalog::Class;
use crate::graphql::parse::geo::{point, polygon};
use crate::model::schema::FieldType;

const JOINERS: [(&str, &str); 3] = [("_or", "$or"), ("_and", "$and"), ("_nor", "$nor")];

const OPERATORS: [(&str, &str); 27] = [
    ("_eq", "$eq"),
    ("_ne", "$ne"),
    ("_lt", "$lt"),
    ("_lte", "$lte"),
    ("_gt", "$gt"),
    ("_gte", "$gte"),
    ("_in", "$in"),
    ("_nin", "$nin"),
    ("_exists", "$exists"),
    ("_select", "$select"),
    ("_dontSelect", "$dontSelect"),
    ("_inQuery", "$inQuery"),
    ("_notInQuery", "$notInQuery"),
    ("_containedBy", "$containedBy"),
    ("_contains", "$all"),
    ("_all", "$all"),
    ("_regex", "$regex"),
    ("_options", "$options"),
    ("_text", "$text"),
    ("_maxDistance", "$maxDistance"),
    ("_maxDistanceInRadians", "$maxDistanceInRadians"),
    ("_maxDistanceInMiles", "$maxDistanceInMiles"),
    ("_maxDistanceInKilometers", "$maxDistanceInKilometers"),
    ("_nearSphere", "$nearSphere"),
    ("_within", "$within"),
    ("_geoWithin", "$geoWithin"),
    ("_geoIntersects", "$geoIntersects"),
];

fn operator(word: &str) -> Option<&'static str> {
    OPERATORS.iter().find(|(name, _)| *name == word).map(|(_, operator)| *operator)
}

/// Converts a filter. Unknown keys stay unchanged; the domain reports the invalid ones.
pub fn filter(given: &Map<String, Json>) -> Map<String, Json> {
    let mut rest = Map::new();
    for (field, value) in given {
        if let Some((_, joiner)) = JOINERS.iter().find(|(word, rest)| word == field || rest == field) {
            let parts = match value {
                Json::Array(parts) => parts.iter().map(sub_filter).collect(),
                other => other.clone(),
            };
            rest.insert((*joiner).to_owned(), parts);
        } else if field == "_relatedTo" {
            rest.insert("$relatedTo".to_owned(), value.clone());
        } else {
            rest.insert(field.clone(), constraints(value));
        }
    }
    rest
}

fn sub_filter(given: &Json) -> Json {
    given.as_object().map_or_else(|| given.clone(), |given| Json::Object(filter(given)))
}

/// The constraints on a field. An object without an operator is a value to compare with.
fn constraints(value: &Json) -> Json {
    let Some(given) = value.as_object().filter(|given| given.keys().any(|word| is_operator(word))) else {
        return value.clone();
    };
    let words = given.iter().map(|(word, value)| match operator(word) {
        Some(operator) => (operator.to_owned(), operand(operator, value)),
        None if is_operator(word) => (word.clone(), operand(word, value)),
        None => (word.clone(), value.clone()),
    });
    Json::Object(words.collect())
}

fn is_operator(word: &str) -> bool {
    operator(word).is_some() || OPERATORS.iter().any(|(_, operator)| *operator == word)
}

fn operand(operator: &str, value: &Json) -> Json {
    let Some(given) = value.as_object() else { return value.clone() };
    match operator {
        "$inQuery" | "$notInQuery" => subquery(given),
        "$select" | "$dontSelect" => {
            let mut select = given.clone();
            if let Some(query) = given.get("query").and_then(Json::as_object) {
                select.insert("query".to_owned(), subquery(query));
            }
            Json::Object(select)
        }
        "$nearSphere" => point_of(value),
        "$text" | "$within" | "$geoWithin" | "$geoIntersects" => Json::Object(given.iter().map(inner).collect()),
        _ => value.clone(),
    }
}

fn subquery(given: &Map<String, Json>) -> Json {
    let mut query = given.clone();
    if let Some(inner) = given.get("where") {
        query.insert("where".to_owned(), sub_filter(inner));
    }
    Json::Object(query)
}

/// A key inside `_text` or a geographic operator.
fn inner((word, value): (&String, &Json)) -> (String, Json) {
    let renamed = match word.as_str() {
        "_search" => "$search",
        "_box" => "$box",
        "_polygon" => "$polygon",
        "_centerSphere" => "$centerSphere",
        "_point" => "$point",
        other => other,
    };
    let at = |key: &str| value.get(key).filter(|value| !value.is_null());
    let value = match renamed {
        "$search" => match value {
            Json::Object(search) => Json::Object(search.iter().map(search_word).collect()),
            other => other.clone(),
        },
        "$box" => match (at("bottomLeft"), at("upperRight")) {
            (Some(from), Some(to)) => json!([point_of(from), point_of(to)]),
            _ => value.clone(),
        },
        "$polygon" => match value {
            Json::Array(corners) => corners.iter().map(point_of).collect(),
            other => other.clone(),
        },
        "$centerSphere" => match (at("center"), at("distance")) {
            (Some(center), Some(distance)) => json!([point_of(center), distance]),
            _ => value.clone(),
        },
        "$point" => point_of(value),
        _ => value.clone(),
    };
    (renamed.to_owned(), value)
}

fn search_word((word, value): (&String, &Json)) -> (String, Json) {
    let renamed = match word.as_str() {
        "_term" => "$term",
        "_language" => "$language",
        "_caseSensitive" => "$caseSensitive",
        "_diacriticSensitive" => "$diacriticSensitive",
        other => other,
    };
    (renamed.to_owned(), value.clone())
}

/// Converts a point to REST's form; other values stay unchanged.
fn point_of(value: &Json) -> Json {
    if value.get("latitude").is_some() && value.get("longitude").is_some() { point(value) } else { value.clone() }
}

/// The body that creates or updates an object with these fields. Scalars are already in REST's form.
pub fn body(class: &Class, fields: &Map<String, Json>) -> Map<String, Json> {
    let value = |name: &str, value: &Json| match class.fields.get(name) {
        _ if value.is_null() => json!({ "__op": "Delete" }),
        Some(FieldType::GeoPoint) => point(value),
        Some(FieldType::Polygon) => polygon(value),
        Some(FieldType::Relation(_)) => relation(value),
        _ => value.clone(),
    };
    fields.iter().map(|(name, given)| (name.clone(), value(name, given))).collect()
}

fn relation(value: &Json) -> Json {
    let Some(given) = value.as_object() else { return value.clone() };
    let mut operation = Map::new();
    for (key, value) in given {
        match (key.as_str(), value) {
            ("_op", _) => drop(operation.insert("__op".to_owned(), value.clone())),
            ("ops", Json::Array(ops)) => drop(operation.insert("ops".to_owned(), ops.iter().map(relation).collect())),
            (_, Json::Null) => {}
            (key, value) => drop(operation.insert(key.to_owned(), value.clone())),
        }
    }
    Json::Object(operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        let p =
            |latitude: i32, longitude: i32| json!({"__type": "GeoPoint", "latitude": latitude, "longitude": longitude});
        let bare = |latitude: i32, longitude: i32| json!({"latitude": latitude, "longitude": longitude});
        for (given, expected) in [
            (json!({"a": {"_eq": "x"}, "b": "bare", "c": null}), json!({"a": {"$eq": "x"}, "b": "bare", "c": null})),
            (
                json!({"n": {"_gt": 1, "_lte": 2, "_in": [2], "_exists": true}}),
                json!({"n": {"$gt": 1, "$lte": 2, "$in": [2], "$exists": true}}),
            ),
            (json!({"n": {"$gte": 1}}), json!({"n": {"$gte": 1}})),
            // Values are not looked into.
            (
                json!({"o": {"_eq": {"_in": 1}}, "p": {"q": {"_lt": 1}}}),
                json!({"o": {"$eq": {"_in": 1}}, "p": {"q": {"_lt": 1}}}),
            ),
            (
                json!({"_or": [{"n": {"_eq": 1}}, {"_and": [{"b": {"_ne": true}}]}], "_nor": [{"n": 3}]}),
                json!({"$or": [{"n": {"$eq": 1}}, {"$and": [{"b": {"$ne": true}}]}], "$nor": [{"n": 3}]}),
            ),
            (
                json!({"l": {"_containedBy": [1], "_all": [2]}, "m": {"_contains": [3]}}),
                json!({"l": {"$containedBy": [1], "$all": [2]}, "m": {"$all": [3]}}),
            ),
            (
                json!({"p": {"_inQuery": {"className": "C", "where": {"n": {"_gt": 1}}}}}),
                json!({"p": {"$inQuery": {"className": "C", "where": {"n": {"$gt": 1}}}}}),
            ),
            (
                json!({"s": {"_dontSelect": {"query": {"className": "C", "where": {"_or": [{"n": {"_lt": 1}}]}}, "key": "k"}}}),
                json!({"s": {"$dontSelect": {"query": {"className": "C", "where": {"$or": [{"n": {"$lt": 1}}]}}, "key": "k"}}}),
            ),
            (
                json!({"s": {"_text": {"_search": {"_term": "x", "_language": "en", "_caseSensitive": true, "_diacriticSensitive": false}}}}),
                json!({"s": {"$text": {"$search": {"$term": "x", "$language": "en", "$caseSensitive": true, "$diacriticSensitive": false}}}}),
            ),
            (
                json!({"g": {"_nearSphere": bare(1, 2), "_maxDistance": 3}}),
                json!({"g": {"$nearSphere": p(1, 2), "$maxDistance": 3}}),
            ),
            (
                json!({"g": {"_within": {"_box": {"bottomLeft": bare(0, 1), "upperRight": bare(2, 3)}}}}),
                json!({"g": {"$within": {"$box": [p(0, 1), p(2, 3)]}}}),
            ),
            (
                json!({"g": {"_geoWithin": {"_polygon": [bare(0, 1), bare(2, 3), bare(4, 5)]}}}),
                json!({"g": {"$geoWithin": {"$polygon": [p(0, 1), p(2, 3), p(4, 5)]}}}),
            ),
            (
                json!({"g": {"_geoWithin": {"_centerSphere": {"center": bare(0, 1), "distance": 0.5}}}}),
                json!({"g": {"$geoWithin": {"$centerSphere": [p(0, 1), 0.5]}}}),
            ),
            (
                json!({"g": {"_geoIntersects": {"_point": bare(0, 1)}}}),
                json!({"g": {"$geoIntersects": {"$point": p(0, 1)}}}),
            ),
        ] {
            assert_eq!(Json::Object(filter(given.as_object().unwrap())), expected, "{given}");
        }
    }
}

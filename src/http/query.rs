//! Parses query strings and forms without files: `a=1&b=2`.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

/// Maximum number of pairs; further ones are ignored.
const MAX_PAIRS: usize = 1000;
/// Maximum number of brackets in a name that are parsed; the rest is used as a literal name.
const MAX_DEPTH: usize = 5;
/// Maximum length of a list that is written with positions; with more, positions become names of members.
const MAX_POSITIONS: usize = 20;

/// The decoded names and values.
pub fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('&').filter(|pair| !pair.is_empty()).take(MAX_PAIRS).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key), decode(value))
    })
}

/// Decodes percent escapes and plus signs; invalid UTF-8 becomes replacement characters.
fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// Parses a query to an object, as parse-server does. Names with brackets build objects and arrays of strings
/// (`where[a][$in][]=x`). The value of any other name is converted by `plain`; if the name occurs several times, the
/// values become an array.
pub fn object(text: &str, plain: impl Fn(String) -> Json) -> Map<String, Json> {
    let mut object = Map::new();
    let (mut bracketed, mut repeated) = (HashSet::new(), HashSet::new());
    for (name, value) in pairs(text) {
        if let Some((head, inner)) = segments(&name) {
            let slot = object.entry(head.to_owned()).or_insert(Json::Null);
            insert(slot, &inner, value);
            bracketed.insert(head.to_owned());
        } else {
            // A list that is the first value of its name stays one value.
            match (object.get_mut(&name), repeated.contains(&name)) {
                (Some(Json::Array(list)), true) => list.push(plain(value)),
                (Some(known), _) => {
                    *known = Json::Array(vec![known.take(), plain(value)]);
                    repeated.insert(name);
                }
                (None, _) => {
                    object.insert(name, plain(value));
                }
            }
        }
    }
    for name in &bracketed {
        object.get_mut(name).into_iter().for_each(close_gaps);
    }
    object
}

/// Removes empty positions of lists.
fn close_gaps(value: &mut Json) {
    match value {
        Json::Array(list) => {
            list.retain(|member| !member.is_null());
            list.iter_mut().for_each(close_gaps);
        }
        Json::Object(object) => object.values_mut().for_each(close_gaps),
        _ => {}
    }
}

/// The part of a name before its brackets, and their contents. `None` if it has no brackets or they are not closed.
fn segments(name: &str) -> Option<(&str, Vec<&str>)> {
    let (head, mut rest) = name.split_once('[').map(|(head, _)| (head, name.get(head.len()..).unwrap_or_default()))?;
    if head.is_empty() {
        return None;
    }
    let mut segments = Vec::new();
    while let Some(inner) = rest.strip_prefix('[') {
        if segments.len() == MAX_DEPTH {
            segments.push(rest);
            break;
        }
        let (segment, after) = inner.split_once(']')?;
        segments.push(segment);
        rest = after;
    }
    Some((head, segments))
}

fn insert(slot: &mut Json, path: &[&str], value: String) {
    let Some((segment, rest)) = path.split_first() else {
        match slot {
            Json::Null => *slot = Json::String(value),
            known => combine(known, Json::String(value)),
        }
        return;
    };
    let position = segment.parse::<usize>().ok().filter(|position| *position < MAX_POSITIONS);
    match slot {
        Json::Null if segment.is_empty() || position.is_some() => *slot = Json::Array(Vec::new()),
        Json::Null => *slot = Json::Object(Map::new()),
        // A list to which a name is added becomes an object; a string to which a value is added becomes the first item of a list.
        Json::Array(list) if !segment.is_empty() && position.is_none() => {
            let members = std::mem::take(list).into_iter().enumerate();
            *slot = Json::Object(members.map(|(index, value)| (index.to_string(), value)).collect());
        }
        Json::Array(_) | Json::Object(_) => {}
        _ => *slot = Json::Array(vec![slot.take()]),
    }
    match slot {
        Json::Array(list) => {
            let position = position.unwrap_or(list.len());
            if list.len() <= position {
                list.resize(position.saturating_add(1), Json::Null);
            }
            if let Some(member) = list.get_mut(position) {
                insert(member, rest, value);
            }
        }
        Json::Object(object) => insert(object.entry((*segment).to_owned()).or_insert(Json::Null), rest, value),
        _ => {}
    }
}

fn combine(known: &mut Json, value: Json) {
    match known {
        Json::Array(list) => list.push(value),
        known => *known = Json::Array(vec![known.take(), value]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn brackets_build_objects_and_lists() {
        for (text, expected) in [
            ("a=1&b=x+y%21", json!({"a": "1", "b": "x y!"})),
            ("a=1&a=2", json!({"a": ["1", "2"]})),
            ("where[a]=x", json!({"where": {"a": "x"}})),
            ("where%5Ba%5D%5B$in%5D%5B%5D=x&where[a][$in][]=y", json!({"where": {"a": {"$in": ["x", "y"]}}})),
            ("keys[]=a", json!({"keys": ["a"]})),
            ("keys[1]=b&keys[0]=a", json!({"keys": ["a", "b"]})),
            ("keys[3]=b&keys[1]=a", json!({"keys": ["a", "b"]})),
            ("a[30]=x", json!({"a": {"30": "x"}})),
            ("a[b][c][d][e][f][g]=x", json!({"a": {"b": {"c": {"d": {"e": {"f": {"[g]": "x"}}}}}}})),
            ("a[b=x", json!({"a[b": "x"})),
            ("[a]=x", json!({"[a]": "x"})),
            ("=x&&", json!({"": "x"})),
        ] {
            assert_eq!(Json::Object(object(text, Json::String)), expected, "{text}");
        }
    }

    #[test]
    fn hostile_queries_stay_small() {
        let deep = format!("a{}=x", "[b]".repeat(10_000));
        assert!(Json::Object(object(&deep, Json::String)).to_string().len() < 2 * deep.len());
        let many = "a=1&".repeat(5000);
        assert_eq!(object(&many, Json::String)["a"].as_array().unwrap().len(), MAX_PAIRS);
    }
}

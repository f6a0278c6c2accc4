//! Query strings, and forms without files: `a=1&b=2`.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

/// Pairs that are read at most; what follows does not count.
const MAX_PAIRS: usize = 1000;
/// Brackets of one name that are read; what follows is the name of a member as it is.
const MAX_DEPTH: usize = 5;
/// Lists that are written with positions may have this many; with more, positions are names of members.
const MAX_POSITIONS: usize = 20;

/// The names and values.
pub fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('&').filter(|pair| !pair.is_empty()).take(MAX_PAIRS).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key), decode(value))
    })
}

/// Percent and plus decoding; bytes that are no UTF-8 become replacement characters.
fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// A query as an object, as parse-server reads it. Names with brackets build objects and lists of texts
/// (`where[a][$in][]=x`); the value of another name goes through `plain`, and becomes one of a list if the name comes
/// several times.
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

/// Removes the places of lists that nothing was put in.
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

/// The head of a name with brackets, and what is in them. `None`: there are none, or they do not close.
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
        // A list that gets a name becomes an object; a text that gets one becomes the first of a list.
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

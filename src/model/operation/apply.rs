//! Applies an update to a row, as MongoDB does.

use std::collections::BTreeSet;

use super::tree::{Change, Update};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json;
use crate::model::object::Object;
use crate::model::query::compare::{Ordered, as_plain};
use crate::model::value::Value;

/// Maximum distance beyond the end of an array at which an element may be set; the gap is filled with nulls.
const MAX_GAP: usize = 1_500_000;

/// Maximum number of parts of a path.
const MAX_PATH: usize = 100;

/// Updates a row in place.
///
/// # Errors
/// 111 if a change cannot be applied: a number added to a string, a path through a value that is not an object, two
/// changes of which one is inside the other. The row may then be partly changed; discard it.
pub fn apply(update: &Update, row: &mut Object) -> Result<()> {
    check_conflicts(update)?;
    for (path, change) in &update.0 {
        apply_one(path, change, row)?;
    }
    Ok(())
}

/// The row that an update creates: amounts become numbers, added elements become arrays (with duplicates), removed
/// elements become empty arrays, and deleted fields are missing. Fields are set before paths inside them; a path with a
/// number after the field name creates an array.
///
/// # Errors
/// 111 if a dotted path leads through a value that is not an object.
pub fn for_create(update: &Update) -> Result<Object> {
    check_depth(update)?;
    let mut row = Object::new();
    let (fields, mut below): (Vec<_>, Vec<_>) = update.0.iter().partition(|(path, _)| !path.contains('.'));
    for (path, change) in fields {
        let value = match change {
            Change::Set(value) => value.clone(),
            Change::Unset => continue,
            Change::Increment(amount) => Value::Number(*amount),
            Change::Add(list) | Change::AddUnique(list) => Value::Array(list.clone()),
            Change::Remove(_) => Value::Array(Vec::new()),
        };
        row.insert(path.as_str(), value);
    }
    below.sort_by_key(|(path, _)| path.as_str());
    for (path, change) in below {
        if let Some((field, rest)) = path.split_once('.')
            && !row.contains(field)
            && rest.split('.').next().and_then(index).is_some()
            && !matches!(change, Change::Unset | Change::Remove(_))
        {
            row.insert(field, Value::Array(Vec::new()));
        }
        apply_one(path, change, &mut row)?;
    }
    Ok(row)
}

fn check_depth(update: &Update) -> Result<()> {
    if let Some((path, _)) = update.0.iter().find(|(path, _)| path.split('.').nth(MAX_PATH).is_some()) {
        let shown: String = path.chars().take(100).collect();
        return Err(mismatch(format!("The path '{shown}…' is too deep")));
    }
    Ok(())
}

/// Refuses an update with a path inside another, or with a path that is too deep.
///
/// # Errors
/// 111 with MongoDB's message.
pub fn check_conflicts(update: &Update) -> Result<()> {
    check_depth(update)?;
    // The dot sorts before all characters of names, so paths inside another directly follow it.
    let mut paths: Vec<&str> = update.0.iter().map(|(path, _)| path.as_str()).collect();
    paths.sort_unstable();
    for (outer, inner) in paths.iter().zip(paths.iter().skip(1)) {
        if inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
            return Err(mismatch(format!("Updating the path '{inner}' would create a conflict at '{outer}'")));
        }
    }
    Ok(())
}

fn mismatch(message: String) -> ParseError {
    ParseError::new(ErrorCode::IncorrectType, message)
}

fn apply_one(path: &str, change: &Change, row: &mut Object) -> Result<()> {
    match path.split_once('.') {
        None => change_member(row, path, change, path),
        Some((field, rest)) => {
            if let Some(value) = row.get_mut(field) {
                return descend(value, rest, change, path);
            }
            if matches!(change, Change::Unset | Change::Remove(_)) {
                return Ok(());
            }
            let mut made = Value::Object(Object::new());
            descend(&mut made, rest, change, path)?;
            row.insert(field, made);
            Ok(())
        }
    }
}

/// Applies a change below a value. Recursion ends with the path, whose nesting below existing values is that of the
/// row;
/// what it makes anew is made in a loop.
fn descend(value: &mut Value, path: &str, change: &Change, whole: &str) -> Result<()> {
    // These create nothing; only `Unset` may have a path that does not exist.
    let removes = matches!(change, Change::Unset | Change::Remove(_));
    let unset = matches!(change, Change::Unset);
    if let Value::Pointer(_) | Value::GeoPoint(_) | Value::File(_) | Value::Polygon(_) | Value::Relation(_) = value {
        // Inside objects and arrays, typed values are objects and can be changed as such.
        let mut plain = as_plain(value).into_owned();
        descend(&mut plain, path, change, whole)?;
        let typed = json::decode_stored(json::encode(&plain));
        *value = if *as_plain(&typed) == plain { typed } else { plain };
        return Ok(());
    }
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    match value {
        Value::Object(object) => {
            let Some(rest) = rest else {
                return change_member(object, name, change, whole);
            };
            if let Some(member) = object.get_mut(name) {
                return descend(member, rest, change, whole);
            }
            if !removes {
                object.insert(name, make(rest, change, whole)?);
            }
            Ok(())
        }
        Value::Array(list) => {
            let Some(at) = index(name) else {
                return if unset {
                    Ok(())
                } else {
                    Err(mismatch(format!("Cannot create field '{name}' in an array of '{whole}'")))
                };
            };
            if let Some(item) = list.get_mut(at) {
                return match rest {
                    Some(rest) => descend(item, rest, change, whole),
                    // The other elements keep their positions.
                    None if matches!(change, Change::Unset) => {
                        *item = Value::Null;
                        Ok(())
                    }
                    None => {
                        *item = changed(Some(item), change, whole)?.unwrap_or(Value::Null);
                        Ok(())
                    }
                };
            }
            if removes {
                return Ok(());
            }
            if at - list.len() > MAX_GAP {
                return Err(mismatch(format!("'{whole}' is too far beyond the end of the array")));
            }
            let made = match rest {
                Some(rest) => make(rest, change, whole)?,
                None => changed(None, change, whole)?.unwrap_or(Value::Null),
            };
            list.resize(at, Value::Null);
            list.push(made);
            Ok(())
        }
        _ if unset => Ok(()),
        _ => Err(mismatch(format!("Cannot create field '{name}' of '{whole}' in a value that is no object"))),
    }
}

fn index(name: &str) -> Option<usize> {
    let plain =
        name == "0" || (!name.starts_with('0') && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()));
    if plain { name.parse().ok() } else { None }
}

/// Creates the missing objects of a path with the change at its end.
fn make(path: &str, change: &Change, whole: &str) -> Result<Value> {
    let mut made = changed(None, change, whole)?.unwrap_or(Value::Null);
    for name in path.rsplit('.') {
        let mut object = Object::new();
        object.insert(name, made);
        made = Value::Object(object);
    }
    Ok(made)
}

fn change_member(object: &mut Object, name: &str, change: &Change, whole: &str) -> Result<()> {
    if matches!(change, Change::Unset) {
        object.remove(name);
        return Ok(());
    }
    if let (Some(Value::Array(list)), Change::Add(more)) = (object.get_mut(name), change) {
        // In place, to avoid a copy of a long list.
        list.extend_from_slice(more);
        return Ok(());
    }
    if let Some(value) = changed(object.get(name), change, whole)? {
        object.insert(name, value);
    }
    Ok(())
}

/// The value after a change; `None` if it is deleted.
fn changed(before: Option<&Value>, change: &Change, path: &str) -> Result<Option<Value>> {
    let array = |verb: &str| match before {
        None => Ok(&[][..]),
        Some(value) => {
            value.as_array().ok_or_else(|| mismatch(format!("The field '{path}' must be an array to {verb} elements")))
        }
    };
    Ok(Some(match change {
        Change::Set(value) => value.clone(),
        Change::Unset => return Ok(None),
        Change::Increment(amount) => match before {
            None => Value::Number(*amount),
            Some(Value::Number(number)) => Value::Number(number + amount),
            Some(_) => {
                return Err(mismatch(format!("Cannot increment '{path}', which is not a number")));
            }
        },
        Change::Add(more) => Value::Array(array("add")?.iter().chain(more).cloned().collect()),
        Change::AddUnique(more) => {
            let known = array("add")?;
            let mut seen: BTreeSet<Ordered<'_>> = known.iter().map(Ordered).collect();
            let fresh = more.iter().filter(|value| seen.insert(Ordered(value)));
            Value::Array(known.iter().chain(fresh).cloned().collect())
        }
        Change::Remove(unwanted) => {
            if before.is_none() {
                return Ok(None);
            }
            let unwanted: BTreeSet<Ordered<'_>> = unwanted.iter().map(Ordered).collect();
            Value::Array(array("remove")?.iter().filter(|value| !unwanted.contains(&Ordered(value))).cloned().collect())
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn object(json: Json) -> Object {
        match json::decode_stored(json) {
            Value::Object(object) => object,
            _ => Object::new(),
        }
    }

    fn list(json: &Json) -> Vec<Value> {
        json.as_array().cloned().unwrap_or_default().into_iter().map(json::decode_stored).collect()
    }

    #[test]
    fn effects() {
        let row = json!({"n": 5, "a": [1, {"k": 1}, 1], "o": {"x": 1}, "s": "t", "nul": null,
            "l": [{"__type": "Pointer", "className": "T", "objectId": "x"}]});
        let value = |json: Json| json::decode_stored(json);
        for (path, change, field, expected) in [
            ("n", Change::Increment(2.5), "n", json!(7.5)),
            ("fresh", Change::Increment(1.0), "fresh", json!(1)),
            ("a", Change::Add(list(&json!([1, 2]))), "a", json!([1, {"k": 1}, 1, 1, 2])),
            ("a", Change::AddUnique(list(&json!([1, 2, 2, {"k": 1}]))), "a", json!([1, {"k": 1}, 1, 2])),
            ("a", Change::Remove(list(&json!([1, 7]))), "a", json!([{"k": 1}])),
            ("fresh", Change::Remove(list(&json!([1]))), "fresh", Json::Null),
            ("o.x", Change::Increment(1.0), "o", json!({"x": 2})),
            ("o.b.c", Change::Increment(5.0), "o", json!({"x": 1, "b": {"c": 5}})),
            ("z.b.c", Change::Set(value(json!(1))), "z", json!({"b": {"c": 1}})),
            ("a.1.k", Change::Set(value(json!("y"))), "a", json!([1, {"k": "y"}, 1])),
            ("a.5", Change::Set(value(json!("y"))), "a", json!([1, {"k": 1}, 1, null, null, "y"])),
            ("a.4.z", Change::Set(value(json!("y"))), "a", json!([1, {"k": 1}, 1, null, {"z": "y"}])),
            ("a.0", Change::Unset, "a", json!([null, {"k": 1}, 1])),
            ("o.x", Change::Unset, "o", json!({})),
            ("o.x.y", Change::Unset, "o", json!({"x": 1})),
            ("s", Change::Set(Value::Null), "s", Json::Null),
            (
                "l.0.objectId",
                Change::Set("y".into()),
                "l",
                json!([{"__type": "Pointer", "className": "T", "objectId": "y"}]),
            ),
        ] {
            let mut changed = object(row.clone());
            apply(&Update(vec![(path.to_owned(), change.clone())]), &mut changed).unwrap();
            assert_eq!(changed.get(field).map_or(Json::Null, json::encode), expected, "{path} {change:?}");
        }
    }

    #[test]
    fn refusals() {
        let row = json!({"n": 5, "a": [1], "s": "t", "nul": null});
        let deep = "x.".repeat(200_000) + "y";
        for (path, change) in [
            ("s", Change::Increment(1.0)),
            ("nul", Change::Increment(1.0)),
            ("n", Change::Add(vec![])),
            ("nul", Change::AddUnique(vec![])),
            ("s", Change::Remove(vec![])),
            ("n.x", Change::Set(Value::Null)),
            ("nul.x", Change::Set(Value::Null)),
            ("a.k", Change::Set(Value::Null)),
            ("a.0.k", Change::Set(Value::Null)),
            ("a.2000000", Change::Set(Value::Null)),
            (&deep, Change::Set(Value::Null)),
        ] {
            let error = apply(&Update(vec![(path.to_owned(), change)]), &mut object(row.clone())).unwrap_err();
            assert!(error.is(ErrorCode::IncorrectType));
        }
        let conflict =
            Update(vec![("o.x".into(), Change::Unset), ("ox".into(), Change::Unset), ("o".into(), Change::Unset)]);
        assert!(apply(&conflict, &mut Object::new()).is_err());
    }

    #[test]
    fn creation() {
        let update = Update(vec![
            ("n".into(), Change::Increment(3.0)),
            ("a".into(), Change::Add(list(&json!([1, 2])))),
            ("u".into(), Change::AddUnique(list(&json!([1, 1])))),
            ("r".into(), Change::Remove(list(&json!([1])))),
            ("d".into(), Change::Unset),
        ]);
        assert_eq!(
            json::encode(&Value::Object(for_create(&update).unwrap())),
            json!({"n": 3, "a": [1, 2], "u": [1, 1], "r": []})
        );
    }
}

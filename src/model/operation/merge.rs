//! Changes that a trigger makes, on top of those that are pending.

use super::tree::{Change, Update};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::value::Value;

/// One change after another on the same field, as a single change with the same effect.
///
/// # Errors
/// 111 when the second does not fit what the first leaves: a number added to an array, say.
pub fn combine(first: Change, second: Change) -> Result<Change> {
    let unfit = || ParseError::new(ErrorCode::IncorrectType, "Operation is invalid after previous operation.");
    Ok(match (first, second) {
        (_, second @ (Change::Set(_) | Change::Unset)) => second,
        (Change::Set(value), second) => onto(Some(value), second)?,
        (Change::Unset, second) => onto(None, second)?,
        (Change::Increment(first), Change::Increment(second)) => Change::Increment(first + second),
        (Change::Add(mut first), Change::Add(second)) => {
            first.extend(second);
            Change::Add(first)
        }
        (Change::AddUnique(mut first), Change::AddUnique(second)) => {
            for value in second {
                if !first.contains(&value) {
                    first.push(value);
                }
            }
            Change::AddUnique(first)
        }
        (Change::Remove(mut first), Change::Remove(second)) => {
            first.extend(second);
            Change::Remove(first)
        }
        // There is no single change for these; a trigger that mixes them must set the field.
        (
            Change::Increment(_) | Change::Add(_) | Change::AddUnique(_) | Change::Remove(_),
            Change::Increment(_) | Change::Add(_) | Change::AddUnique(_) | Change::Remove(_),
        ) => return Err(unfit()),
    })
}

/// A change of a value that is known.
fn onto(value: Option<Value>, change: Change) -> Result<Change> {
    let mut row = crate::model::object::Object::new();
    if let Some(value) = value {
        row.insert("field", value);
    }
    super::apply::apply(&Update(vec![("field".to_owned(), change)]), &mut row)?;
    Ok(row.remove("field").map_or(Change::Unset, Change::Set))
}

/// Puts changes on top of pending ones.
///
/// # Errors
/// As [`combine`].
pub fn merge(pending: &mut Update, changes: Update) -> Result<()> {
    for (path, change) in changes.0 {
        let change = match pending.get(&path).cloned() {
            Some(first) => combine(first, change)?,
            None => change,
        };
        // A field that is set as a whole takes what was to happen inside of it along.
        pending.0.retain(|(known, _)| !is_inside(known, &path));
        pending.put(path, change);
    }
    Ok(())
}

/// Whether a path lies below another.
fn is_inside(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: f64) -> Value {
        Value::Number(value)
    }

    #[test]
    fn combinations() {
        for (first, second, expected) in [
            (Change::Set(number(1.0)), Change::Increment(2.0), Change::Set(number(3.0))),
            (Change::Increment(1.0), Change::Increment(2.0), Change::Increment(3.0)),
            (Change::Increment(1.0), Change::Unset, Change::Unset),
            (Change::Unset, Change::Add(vec![number(1.0)]), Change::Set(Value::Array(vec![number(1.0)]))),
            (
                Change::Add(vec![number(1.0)]),
                Change::Add(vec![number(2.0)]),
                Change::Add(vec![number(1.0), number(2.0)]),
            ),
            (
                Change::AddUnique(vec![number(1.0)]),
                Change::AddUnique(vec![number(1.0)]),
                Change::AddUnique(vec![number(1.0)]),
            ),
        ] {
            assert_eq!(combine(first, second).unwrap(), expected);
        }
        assert!(combine(Change::Increment(1.0), Change::Add(vec![])).is_err());
        assert!(combine(Change::Set("x".into()), Change::Increment(1.0)).is_err());
    }

    #[test]
    fn outer_paths_replace_inner_ones() {
        let mut pending = Update(vec![("o.x".into(), Change::Increment(1.0)), ("s".into(), Change::Unset)]);
        merge(&mut pending, Update(vec![("o".into(), Change::Set(number(1.0)))])).unwrap();
        assert_eq!(pending.0, [("s".into(), Change::Unset), ("o".into(), Change::Set(number(1.0)))]);
    }
}

//! Sorts rows.

use std::cmp::Ordering;

use super::compare::{Ordered, compare};
use super::options::Sort;
use super::path::Path;
use crate::model::object::Object;
use crate::model::value::Value;

/// The sort key of a row for a criterion: the smallest element of an array, or the largest in descending order. A
/// missing value sorts as null, an empty array before it.
#[must_use]
pub fn sort_key(row: &Object, path: &Path, descending: bool) -> SortKey {
    let mut best: Option<SortKey> = None;
    path.sort_values(row, &mut |value| {
        let better = match &best {
            None => true,
            Some(SortKey(best)) => {
                let order = match (value, best) {
                    (Some(value), Some(best)) => compare(value, best),
                    (value, best) => value.is_some().cmp(&best.is_some()),
                };
                order == if descending { Ordering::Greater } else { Ordering::Less }
            }
        };
        if better {
            best = Some(SortKey(value.cloned()));
        }
    });
    best.unwrap_or(SortKey(None))
}

/// A key to sort by.
#[derive(Debug, Clone)]
pub struct SortKey(Option<Value>);

impl PartialEq for SortKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SortKey {}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.as_ref().map(Ordered).cmp(&other.0.as_ref().map(Ordered))
    }
}

/// Sorts rows by several criteria. The sort is stable.
pub fn sort_rows(rows: &mut Vec<Object>, criteria: &[Sort]) {
    let criteria: Vec<(Path, bool)> = criteria.iter().map(|sort| (Path::new(&sort.path), sort.descending)).collect();
    let mut keyed: Vec<(Vec<SortKey>, Object)> = std::mem::take(rows)
        .into_iter()
        .map(|row| (criteria.iter().map(|(path, descending)| sort_key(&row, path, *descending)).collect(), row))
        .collect();
    keyed.sort_by(|(left, _), (right, _)| {
        for ((left, right), (_, descending)) in left.iter().zip(right).zip(&criteria) {
            let order = if *descending { right.cmp(left) } else { left.cmp(right) };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    });
    rows.extend(keyed.into_iter().map(|(_, row)| row));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::json;
    use serde_json::json;

    #[test]
    fn rows_in_order() {
        let row = |value: serde_json::Value| match json::decode_stored(json!({"a": value})) {
            Value::Object(row) => row,
            _ => Object::new(),
        };
        let values =
            [json!("b"), json!([5, 0]), json!(null), json!([]), json!(1), json!({"x": 1}), json!(true), json!("a")];
        let order = |descending| {
            let mut rows: Vec<Object> = values.iter().cloned().map(row).collect();
            sort_rows(&mut rows, &[Sort { path: "a".into(), descending }]);
            rows.iter().map(|row| row.get("a").map(json::encode).unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(
            order(false),
            [json!([]), json!(null), json!([5, 0]), json!(1), json!("a"), json!("b"), json!({"x": 1}), json!(true)]
        );
        assert_eq!(
            order(true),
            [json!(true), json!({"x": 1}), json!("b"), json!("a"), json!([5, 0]), json!(1), json!(null), json!([])]
        );
    }
}

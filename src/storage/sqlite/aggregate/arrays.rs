//! Operators on arrays.

use super::operators::{MAX_LENGTH, Operand, Operator, is_null, kind};
use super::refused;
use crate::model::query::compare::{compare, equal};
use crate::model::value::Value;
use crate::storage::Result;

/// Applies an operator on arrays.
///
/// # Errors
/// `Refused` when it does not take its operands.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "places in arrays"
)]
pub fn call(operator: Operator, mut operands: Vec<Operand>) -> Result<Operand> {
    let array = |operand: &Operand, name: &str| match operand {
        Some(Value::Array(_)) => Ok(()),
        other => refused(format!("The argument to {name} must be an array, but was of type: {}", kind(other))),
    };
    if matches!(operator, Operator::ConcatArrays | Operator::SetUnion) {
        let mut all = Vec::new();
        for operand in operands {
            match operand {
                None | Some(Value::Null) => return Ok(Some(Value::Null)),
                Some(Value::Array(more)) => all.extend(more),
                other => return refused(format!("$concatArrays only supports arrays, not {}", kind(&other))),
            }
            if all.len() > MAX_LENGTH / 64 {
                return refused("the array is too long");
            }
        }
        if operator == Operator::SetUnion {
            all.sort_by(compare);
            all.dedup_by(|left, right| equal(left, right));
        }
        return Ok(Some(Value::Array(all)));
    }
    let rest = operands.split_off(operands.len().min(1));
    let operand = operands.pop().flatten();
    let number = |place: usize| match rest.get(place) {
        Some(Some(Value::Number(number))) => Ok(*number as i64),
        other => refused(format!("a numeric argument is needed, not {}", kind(other.unwrap_or(&None)))),
    };
    match operator {
        Operator::IsArray => return Ok(Some(Value::Boolean(matches!(operand, Some(Value::Array(_)))))),
        Operator::Size => array(&operand, "$size")?,
        Operator::In => {
            let Some(Some(Value::Array(list))) = rest.first() else {
                return refused(format!(
                    "$in requires an array as a second argument, found: {}",
                    kind(rest.first().unwrap_or(&None))
                ));
            };
            return Ok(Some(Value::Boolean(operand.is_some_and(|value| list.iter().any(|item| equal(item, &value))))));
        }
        _ if is_null(&operand) => return Ok(Some(Value::Null)),
        _ => array(&operand, "the operator")?,
    }
    let Some(Value::Array(mut items)) = operand else { return Ok(None) };
    let length = items.len() as i64;
    // Counted from the end when negative.
    let place = |at: i64| usize::try_from(if at < 0 { at + length } else { at }).ok();
    Ok(match operator {
        Operator::Size => Some(Value::Number(length as f64)),
        Operator::ElementAt => {
            let at = place(number(0)?);
            at.filter(|at| *at < items.len()).map(|at| items.swap_remove(at))
        }
        Operator::First => items.into_iter().next(),
        Operator::Last => items.pop(),
        Operator::Reverse => {
            items.reverse();
            Some(Value::Array(items))
        }
        _ => {
            let (start, count) = if rest.len() > 1 { (number(0)?, number(1)?) } else { (0, number(0)?) };
            if rest.len() > 1 && count <= 0 {
                return refused("Third argument to $slice must be positive");
            }
            let (start, count) =
                if count < 0 { (count.max(-length), count.saturating_neg()) } else { (start.max(-length), count) };
            let start = place(start).unwrap_or(0);
            Some(Value::Array(
                items.into_iter().skip(start).take(usize::try_from(count).unwrap_or(usize::MAX)).collect(),
            ))
        }
    })
}

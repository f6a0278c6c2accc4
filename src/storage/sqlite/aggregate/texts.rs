//! Operators on texts.

use super::operators::{MAX_LENGTH, Operand, Operator, is_null, kind};
use super::refused;
use crate::model::value::Value;
use crate::storage::Result;

/// The text that operators on texts use for a value; null is an empty text.
fn as_text(operand: Option<&Value>) -> Result<String> {
    match operand {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(crate::model::json::number(*number).to_string()),
        Some(Value::Date(date)) => Ok(date.to_iso()),
        other => refused(format!("can't convert from BSON type {} to String", kind(&other.cloned()))),
    }
}

/// Applies an operator on texts.
///
/// # Errors
/// `Refused` when it does not take its operands.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "lengths of texts"
)]
pub fn call(operator: Operator, operands: &[Operand]) -> Result<Operand> {
    let at = |place: usize| operands.get(place).and_then(Option::as_ref);
    let number = |place: usize| match at(place) {
        Some(Value::Number(number)) => Ok(*number),
        other => refused(format!("a numeric argument is needed, not {}", kind(&other.cloned()))),
    };
    let string = |place: usize| match at(place) {
        Some(Value::String(text)) => Ok(text.as_str()),
        other => refused(format!("a string argument is needed, not {}", kind(&other.cloned()))),
    };
    let made = |text: String| Ok(Some(Value::String(text)));
    match operator {
        Operator::Concat => {
            let mut text = String::new();
            for operand in operands {
                match operand {
                    None | Some(Value::Null) => return Ok(Some(Value::Null)),
                    Some(Value::String(part)) => text.push_str(part),
                    other => return refused(format!("$concat only supports strings, not {}", kind(other))),
                }
                if text.len() > MAX_LENGTH {
                    return refused("the text is too long");
                }
            }
            made(text)
        }
        Operator::ToLower => made(as_text(at(0))?.to_ascii_lowercase()),
        Operator::ToUpper => made(as_text(at(0))?.to_ascii_uppercase()),
        Operator::ToText => match at(0) {
            None | Some(Value::Null) => Ok(Some(Value::Null)),
            Some(Value::Boolean(truth)) => made(truth.to_string()),
            other => made(as_text(other)?),
        },
        Operator::SubstringBytes => {
            let text = as_text(at(0))?;
            let (start, length) = (number(1)?, number(2)?);
            if start < 0.0 {
                return made(String::new());
            }
            let start = start as usize;
            let end = if length < 0.0 { text.len() } else { start.saturating_add(length as usize).min(text.len()) };
            if start >= text.len() {
                return made(String::new());
            }
            match text.get(start..end) {
                Some(part) => made(part.to_owned()),
                None => refused(
                    "$substrBytes: Invalid range, starting or ending index is in the middle of a UTF-8 character",
                ),
            }
        }
        Operator::SubstringChars => {
            let text = as_text(at(0))?;
            let (start, length) = (number(1)?, number(2)?);
            if start < 0.0 || length < 0.0 {
                return refused("$substrCP: starting index and length must be non-negative");
            }
            made(text.chars().skip(start as usize).take(length as usize).collect())
        }
        Operator::LengthBytes => Ok(Some(Value::Number(string(0)?.len() as f64))),
        Operator::LengthChars => Ok(Some(Value::Number(string(0)?.chars().count() as f64))),
        Operator::IndexOf => {
            if is_null(operands.first().unwrap_or(&None)) {
                return Ok(Some(Value::Null));
            }
            let (text, part) = (string(0)?, string(1)?);
            let place = text.find(part).map(|at| text.get(..at).unwrap_or_default().chars().count());
            Ok(Some(Value::Number(place.map_or(-1.0, |place| place as f64))))
        }
        Operator::Split => {
            if operands.iter().any(is_null) {
                return Ok(Some(Value::Null));
            }
            let (text, separator) = (string(0)?, string(1)?);
            if separator.is_empty() {
                return refused("$split requires a non-empty separator");
            }
            Ok(Some(Value::Array(text.split(separator).map(Value::from).collect())))
        }
        Operator::Trim | Operator::TrimLeft | Operator::TrimRight => {
            if is_null(operands.first().unwrap_or(&None)) {
                return Ok(Some(Value::Null));
            }
            let text = string(0)?;
            let letters: Option<Vec<char>> = match at(1) {
                None => None,
                Some(_) => Some(string(1)?.chars().collect()),
            };
            let goes = |letter: char| {
                letters.as_ref().map_or(letter.is_whitespace() || letter == '\0', |list| list.contains(&letter))
            };
            let text = if operator == Operator::TrimRight { text } else { text.trim_start_matches(goes) };
            let text = if operator == Operator::TrimLeft { text } else { text.trim_end_matches(goes) };
            made(text.to_owned())
        }
        _ => {
            let order = as_text(at(0))?.to_ascii_uppercase().cmp(&as_text(at(1))?.to_ascii_uppercase());
            Ok(Some(Value::Number(f64::from(order as i8))))
        }
    }
}

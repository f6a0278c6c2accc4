//! The operators of expressions.

use std::cmp::Ordering;

use super::dates;
use super::expression::is_true;
use super::refused;
use crate::model::date::Date;
use crate::model::object::Object;
use crate::model::query::compare::{compare, equal};
use crate::model::value::Value;
use crate::storage::Result;

/// Longest text or list an operator may make, in bytes or elements.
const MAX_LENGTH: usize = 16 * 1024 * 1024;

/// A part of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Year,
    Month,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hour,
    Minute,
    Second,
    Millisecond,
    Week,
    IsoWeek,
    IsoDayOfWeek,
    IsoWeekYear,
}

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Mod,
    Power,
    /// A function of one number.
    Number(fn(f64) -> f64),
    Round,
    Truncate,
    Concat,
    ToLower,
    ToUpper,
    SubstringBytes,
    SubstringChars,
    LengthBytes,
    LengthChars,
    IndexOf,
    Split,
    Trim,
    TrimLeft,
    TrimRight,
    CompareFolded,
    And,
    Or,
    Not,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Compare,
    Cond,
    IfNull,
    Size,
    ElementAt,
    In,
    ConcatArrays,
    Slice,
    IsArray,
    First,
    Last,
    Reverse,
    SetUnion,
    MergeObjects,
    Sum,
    Average,
    Min,
    Max,
    DatePart(Part),
    DateToString,
    ToDate,
    ToText,
    ToNumber,
    ToInteger,
    ToBoolean,
    Kind,
}

/// The part of a date that an operator gives.
#[must_use]
pub fn date_part(name: &str) -> Option<Part> {
    Some(match name {
        "$year" => Part::Year,
        "$month" => Part::Month,
        "$dayOfMonth" => Part::DayOfMonth,
        "$dayOfWeek" => Part::DayOfWeek,
        "$dayOfYear" => Part::DayOfYear,
        "$hour" => Part::Hour,
        "$minute" => Part::Minute,
        "$second" => Part::Second,
        "$millisecond" => Part::Millisecond,
        "$week" => Part::Week,
        "$isoWeek" => Part::IsoWeek,
        "$isoDayOfWeek" => Part::IsoDayOfWeek,
        "$isoWeekYear" => Part::IsoWeekYear,
        _ => return None,
    })
}

/// The operator of a name, with its least and largest number of operands.
#[must_use]
pub fn named(name: &str) -> Option<(Operator, usize, usize)> {
    const ANY: usize = usize::MAX;
    if let Some(part) = date_part(name) {
        return Some((Operator::DatePart(part), 1, 1));
    }
    Some(match name {
        "$add" => (Operator::Add, 0, ANY),
        "$subtract" => (Operator::Subtract, 2, 2),
        "$multiply" => (Operator::Multiply, 0, ANY),
        "$divide" => (Operator::Divide, 2, 2),
        "$mod" => (Operator::Mod, 2, 2),
        "$pow" => (Operator::Power, 2, 2),
        "$abs" => (Operator::Number(f64::abs), 1, 1),
        "$ceil" => (Operator::Number(f64::ceil), 1, 1),
        "$floor" => (Operator::Number(f64::floor), 1, 1),
        "$sqrt" => (Operator::Number(f64::sqrt), 1, 1),
        "$exp" => (Operator::Number(f64::exp), 1, 1),
        "$ln" => (Operator::Number(f64::ln), 1, 1),
        "$log10" => (Operator::Number(f64::log10), 1, 1),
        "$round" => (Operator::Round, 1, 2),
        "$trunc" => (Operator::Truncate, 1, 2),
        "$concat" => (Operator::Concat, 0, ANY),
        "$toLower" => (Operator::ToLower, 1, 1),
        "$toUpper" => (Operator::ToUpper, 1, 1),
        "$substr" | "$substrBytes" => (Operator::SubstringBytes, 3, 3),
        "$substrCP" => (Operator::SubstringChars, 3, 3),
        "$strLenBytes" => (Operator::LengthBytes, 1, 1),
        "$strLenCP" => (Operator::LengthChars, 1, 1),
        "$indexOfCP" => (Operator::IndexOf, 2, 2),
        "$split" => (Operator::Split, 2, 2),
        "$strcasecmp" => (Operator::CompareFolded, 2, 2),
        "$and" => (Operator::And, 0, ANY),
        "$or" => (Operator::Or, 0, ANY),
        "$not" => (Operator::Not, 1, 1),
        "$eq" => (Operator::Equal, 2, 2),
        "$ne" => (Operator::NotEqual, 2, 2),
        "$lt" => (Operator::Less, 2, 2),
        "$lte" => (Operator::LessOrEqual, 2, 2),
        "$gt" => (Operator::Greater, 2, 2),
        "$gte" => (Operator::GreaterOrEqual, 2, 2),
        "$cmp" => (Operator::Compare, 2, 2),
        "$cond" => (Operator::Cond, 3, 3),
        "$ifNull" => (Operator::IfNull, 2, ANY),
        "$size" => (Operator::Size, 1, 1),
        "$arrayElemAt" => (Operator::ElementAt, 2, 2),
        "$in" => (Operator::In, 2, 2),
        "$concatArrays" => (Operator::ConcatArrays, 0, ANY),
        "$slice" => (Operator::Slice, 2, 3),
        "$isArray" => (Operator::IsArray, 1, 1),
        "$first" => (Operator::First, 1, 1),
        "$last" => (Operator::Last, 1, 1),
        "$reverseArray" => (Operator::Reverse, 1, 1),
        "$setUnion" => (Operator::SetUnion, 0, ANY),
        "$mergeObjects" => (Operator::MergeObjects, 0, ANY),
        "$sum" => (Operator::Sum, 0, ANY),
        "$avg" => (Operator::Average, 0, ANY),
        "$min" => (Operator::Min, 0, ANY),
        "$max" => (Operator::Max, 0, ANY),
        "$toDate" => (Operator::ToDate, 1, 1),
        "$toString" => (Operator::ToText, 1, 1),
        "$toDouble" | "$toDecimal" => (Operator::ToNumber, 1, 1),
        "$toInt" | "$toLong" => (Operator::ToInteger, 1, 1),
        "$toBool" => (Operator::ToBoolean, 1, 1),
        "$type" => (Operator::Kind, 1, 1),
        _ => return None,
    })
}

type Operand = Option<Value>;

fn is_null(operand: &Operand) -> bool {
    operand.as_ref().is_none_or(Value::is_null)
}

const fn kind(value: &Operand) -> &'static str {
    match value {
        None => "missing",
        Some(Value::Null) => "null",
        Some(Value::Boolean(_)) => "bool",
        Some(Value::Number(_)) => "double",
        Some(Value::String(_)) => "string",
        Some(Value::Date(_)) => "date",
        Some(Value::Bytes(_)) => "binData",
        Some(Value::Array(_)) => "array",
        Some(
            Value::Object(_)
            | Value::Pointer(_)
            | Value::Relation(_)
            | Value::GeoPoint(_)
            | Value::Polygon(_)
            | Value::File(_),
        ) => "object",
    }
}

/// Missing is less than everything.
fn order(left: &Operand, right: &Operand) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => compare(left, right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

/// Applies an operator to its operands.
///
/// # Errors
/// `Refused` in MongoDB's words when it does not take them.
pub fn call(operator: Operator, operands: Vec<Operand>) -> Result<Operand> {
    match operator {
        Operator::Add | Operator::Multiply => arithmetic(operator, &operands),
        Operator::Subtract => subtract(&operands),
        Operator::Divide | Operator::Mod | Operator::Power => two_numbers(operator, &operands),
        Operator::Number(function) => one_number(&operands, function),
        Operator::Round | Operator::Truncate => round(operator, &operands),
        Operator::Concat
        | Operator::ToLower
        | Operator::ToUpper
        | Operator::SubstringBytes
        | Operator::SubstringChars
        | Operator::LengthBytes
        | Operator::LengthChars
        | Operator::IndexOf
        | Operator::Split
        | Operator::Trim
        | Operator::TrimLeft
        | Operator::TrimRight
        | Operator::CompareFolded
        | Operator::ToText => text(operator, &operands),
        Operator::Not => Ok(Some(Value::Boolean(!first(&operands).is_some_and(is_true)))),
        Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessOrEqual
        | Operator::Greater
        | Operator::GreaterOrEqual
        | Operator::Compare => Ok(Some(comparison(operator, &operands))),
        Operator::Size
        | Operator::ElementAt
        | Operator::In
        | Operator::ConcatArrays
        | Operator::Slice
        | Operator::IsArray
        | Operator::First
        | Operator::Last
        | Operator::Reverse
        | Operator::SetUnion => list(operator, operands),
        Operator::MergeObjects => merge(operands),
        Operator::Sum | Operator::Average | Operator::Min | Operator::Max => Ok(summary(operator, operands)),
        Operator::DatePart(part) => {
            let Some(date) = date_of(&operands)? else { return Ok(Some(Value::Null)) };
            let moment = dates::at(date, operands.get(1).and_then(Option::as_ref))?;
            Ok(Some(Value::Number(dates::part(&moment, part))))
        }
        Operator::DateToString => date_to_string(&operands),
        Operator::ToDate => match first(&operands) {
            None | Some(Value::Null) => Ok(Some(Value::Null)),
            Some(Value::Date(date)) => Ok(Some(Value::Date(*date))),
            #[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates, and dates are cut off")]
            Some(Value::Number(millis)) => Ok(Some(Value::Date(Date::from_millis(*millis as i64)))),
            Some(Value::String(text)) => match Date::parse(text) {
                Some(date) => Ok(Some(Value::Date(date))),
                None => refused(format!("Error parsing date string '{text}'")),
            },
            other => refused(format!("Unsupported conversion from {} to date in $convert", kind(&other.cloned()))),
        },
        Operator::ToNumber | Operator::ToInteger => to_number(operator, first(&operands)),
        Operator::ToBoolean => Ok(Some(match first(&operands) {
            None | Some(Value::Null) => Value::Null,
            Some(value) => Value::Boolean(is_true(value)),
        })),
        Operator::Kind => Ok(Some(Value::from(kind(operands.first().unwrap_or(&None))))),
        // These look at their operands one after the other.
        Operator::And | Operator::Or | Operator::Cond | Operator::IfNull => Ok(None),
    }
}

fn first(operands: &[Operand]) -> Option<&Value> {
    operands.first().and_then(Option::as_ref)
}

fn arithmetic(operator: Operator, operands: &[Operand]) -> Result<Operand> {
    let add = operator == Operator::Add;
    let mut result = if add { 0.0 } else { 1.0 };
    let mut date = None;
    for operand in operands {
        match operand {
            None | Some(Value::Null) => return Ok(Some(Value::Null)),
            Some(Value::Number(number)) if add => result += number,
            Some(Value::Number(number)) => result *= number,
            Some(Value::Date(_)) if add && date.is_some() => {
                return refused("only one date allowed in an $add expression");
            }
            Some(Value::Date(moment)) if add => date = Some(*moment),
            other if add => return refused(format!("$add only supports numeric or date types, not {}", kind(other))),
            other => return refused(format!("$multiply only supports numeric types, not {}", kind(other))),
        }
    }
    Ok(Some(match date {
        Some(date) => Value::Date(date.plus_seconds(result / 1000.0)),
        None => Value::Number(result),
    }))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of dates fit into a float")]
fn subtract(operands: &[Operand]) -> Result<Operand> {
    match operands {
        [left, right] if is_null(left) || is_null(right) => Ok(Some(Value::Null)),
        [Some(Value::Number(left)), Some(Value::Number(right))] => Ok(Some(Value::Number(left - right))),
        [Some(Value::Date(left)), Some(Value::Date(right))] => {
            Ok(Some(Value::Number((left.millis() - right.millis()) as f64)))
        }
        [Some(Value::Date(left)), Some(Value::Number(right))] => {
            Ok(Some(Value::Date(left.plus_seconds(-right / 1000.0))))
        }
        [left, right] => refused(format!("can't $subtract {} from {}", kind(right), kind(left))),
        _ => Ok(None),
    }
}

fn two_numbers(operator: Operator, operands: &[Operand]) -> Result<Operand> {
    let name = match operator {
        Operator::Divide => "$divide",
        Operator::Mod => "$mod",
        _ => "$pow",
    };
    match operands {
        [left, right] if is_null(left) || is_null(right) => Ok(Some(Value::Null)),
        [Some(Value::Number(_)), Some(Value::Number(zero))] if *zero == 0.0 && operator != Operator::Power => {
            refused(format!("can't {name} by zero"))
        }
        [Some(Value::Number(left)), Some(Value::Number(right))] => Ok(Some(Value::Number(match operator {
            Operator::Divide => left / right,
            Operator::Mod => left % right,
            _ => left.powf(*right),
        }))),
        [left, right] => refused(format!("{name} only supports numeric types, not {} and {}", kind(left), kind(right))),
        _ => Ok(None),
    }
}

fn one_number(operands: &[Operand], function: fn(f64) -> f64) -> Result<Operand> {
    match first(operands) {
        None | Some(Value::Null) => Ok(Some(Value::Null)),
        Some(Value::Number(number)) => {
            let result = function(*number);
            if result.is_nan() {
                refused("the argument is out of the operator's range")
            } else {
                Ok(Some(Value::Number(result)))
            }
        }
        Some(other) => refused(format!("the operator only supports numeric types, not {}", kind(&Some(other.clone())))),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be small")]
fn round(operator: Operator, operands: &[Operand]) -> Result<Operand> {
    let places = match operands.get(1) {
        None => 0,
        Some(None | Some(Value::Null)) => return Ok(Some(Value::Null)),
        Some(Some(Value::Number(places))) if places.fract() == 0.0 && (-20.0..=100.0).contains(places) => {
            *places as i32
        }
        Some(_) => return refused("precision argument to round must be a whole number between -20 and 100"),
    };
    match first(operands) {
        None | Some(Value::Null) => Ok(Some(Value::Null)),
        Some(Value::Number(number)) => {
            let factor = 10_f64.powi(places);
            let scaled = number * factor;
            // Halves go to the even neighbour.
            let whole = if operator == Operator::Round { scaled.round_ties_even() } else { scaled.trunc() };
            Ok(Some(Value::Number(if scaled.is_finite() { whole / factor } else { *number })))
        }
        Some(other) => refused(format!("$round only supports numeric types, not {}", kind(&Some(other.clone())))),
    }
}

/// A value as the text operators see it; null is an empty text.
fn as_text(operand: Option<&Value>) -> Result<String> {
    match operand {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(crate::model::json::number(*number).to_string()),
        Some(Value::Date(date)) => Ok(date.to_iso()),
        other => refused(format!("can't convert from BSON type {} to String", kind(&other.cloned()))),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "lengths of texts"
)]
fn text(operator: Operator, operands: &[Operand]) -> Result<Operand> {
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

fn comparison(operator: Operator, operands: &[Operand]) -> Value {
    let order = order(operands.first().unwrap_or(&None), operands.get(1).unwrap_or(&None));
    Value::Boolean(match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
        _ => return Value::Number(f64::from(order as i8)),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "places in arrays")]
fn list(operator: Operator, mut operands: Vec<Operand>) -> Result<Operand> {
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

fn merge(operands: Vec<Operand>) -> Result<Operand> {
    let mut merged = Object::new();
    for operand in operands {
        match operand {
            None | Some(Value::Null) => {}
            Some(Value::Object(more)) => merged.extend(more),
            other => {
                return refused(format!("$mergeObjects requires object inputs, but input is of type {}", kind(&other)));
            }
        }
    }
    Ok(Some(Value::Object(merged)))
}

/// Sum, average, least and largest of the operands, or of the elements when there is one array.
#[expect(clippy::cast_precision_loss, reason = "numbers of operands")]
fn summary(operator: Operator, mut operands: Vec<Operand>) -> Operand {
    if let [Some(Value::Array(list))] = operands.as_mut_slice() {
        operands = std::mem::take(list).into_iter().map(Some).collect();
    }
    let numbers: Vec<f64> = operands.iter().flatten().filter_map(Value::as_number).collect();
    let present = operands.iter().flatten().filter(|value| !value.is_null());
    match operator {
        Operator::Sum => Some(Value::Number(numbers.iter().sum())),
        Operator::Average if numbers.is_empty() => Some(Value::Null),
        Operator::Average => Some(Value::Number(numbers.iter().sum::<f64>() / numbers.len() as f64)),
        Operator::Min => Some(present.min_by(|left, right| compare(left, right)).cloned().unwrap_or(Value::Null)),
        _ => Some(present.max_by(|left, right| compare(left, right)).cloned().unwrap_or(Value::Null)),
    }
}

fn date_of(operands: &[Operand]) -> Result<Option<Date>> {
    match first(operands) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Date(date)) => Ok(Some(*date)),
        other => refused(format!("can't convert from BSON type {} to Date", kind(&other.cloned()))),
    }
}

fn date_to_string(operands: &[Operand]) -> Result<Operand> {
    let at = |place: usize| operands.get(place).and_then(Option::as_ref);
    let Some(date) = date_of(operands)? else { return Ok(Some(at(3).cloned().unwrap_or(Value::Null))) };
    let moment = dates::at(date, at(2))?;
    let pattern = match at(1) {
        None => "%Y-%m-%dT%H:%M:%S.%LZ",
        Some(Value::String(pattern)) => pattern,
        other => {
            return refused(format!(
                "$dateToString requires that 'format' be a string, found: {}",
                kind(&other.cloned())
            ));
        }
    };
    Ok(Some(Value::String(dates::format(&moment, pattern)?)))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of dates fit into a float")]
fn to_number(operator: Operator, operand: Option<&Value>) -> Result<Operand> {
    let number = match operand {
        None | Some(Value::Null) => return Ok(Some(Value::Null)),
        Some(Value::Number(number)) => *number,
        Some(Value::Boolean(truth)) => f64::from(u8::from(*truth)),
        Some(Value::Date(date)) => date.millis() as f64,
        Some(Value::String(text)) => match text.parse::<f64>() {
            Ok(number) if operator == Operator::ToNumber || number.fract() == 0.0 => number,
            _ => return refused(format!("Failed to parse number '{text}' in $convert with no onError value")),
        },
        other => {
            return refused(format!(
                "Unsupported conversion from {} in $convert with no onError value",
                kind(&other.cloned())
            ));
        }
    };
    Ok(Some(Value::Number(if operator == Operator::ToInteger { number.trunc() } else { number })))
}

//! The operators of expressions.

use std::cmp::Ordering;

use super::arrays;
use super::dates;
use super::expression::is_true;
use super::refused;
use super::texts;
use crate::model::date::Date;
use crate::model::object::Object;
use crate::model::query::compare::compare;
use crate::model::value::Value;
use crate::storage::Result;

/// Maximum length of the text or list that an operator may make, in bytes or elements.
pub(super) const MAX_LENGTH: usize = 16 * 1024 * 1024;

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

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Abs,
    Ceil,
    Floor,
    Sqrt,
    Exp,
    Ln,
    Log10,
}

impl Function {
    fn of(self, number: f64) -> f64 {
        match self {
            Self::Abs => number.abs(),
            Self::Ceil => number.ceil(),
            Self::Floor => number.floor(),
            Self::Sqrt => number.sqrt(),
            Self::Exp => number.exp(),
            Self::Ln => number.ln(),
            Self::Log10 => number.log10(),
        }
    }
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
    Number(Function),
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

/// The operator with this name, with its minimum and maximum number of operands.
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
        "$abs" => (Operator::Number(Function::Abs), 1, 1),
        "$ceil" => (Operator::Number(Function::Ceil), 1, 1),
        "$floor" => (Operator::Number(Function::Floor), 1, 1),
        "$sqrt" => (Operator::Number(Function::Sqrt), 1, 1),
        "$exp" => (Operator::Number(Function::Exp), 1, 1),
        "$ln" => (Operator::Number(Function::Ln), 1, 1),
        "$log10" => (Operator::Number(Function::Log10), 1, 1),
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

/// The value of an operand; `None`: missing.
pub(super) type Operand = Option<Value>;

/// Whether an operand is null or missing.
pub(super) fn is_null(operand: &Operand) -> bool {
    operand.as_ref().is_none_or(Value::is_null)
}

/// The name of a value's type.
pub(super) const fn kind(value: &Operand) -> &'static str {
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
/// `Refused`, with MongoDB's message, when the operator does not accept them.
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
        | Operator::ToText => texts::call(operator, &operands),
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
        | Operator::SetUnion => arrays::call(operator, operands),
        Operator::MergeObjects => merge(operands),
        Operator::Sum | Operator::Average | Operator::Min | Operator::Max => Ok(Some(summary(operator, operands))),
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
        // These evaluate their operands one after the other.
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

fn one_number(operands: &[Operand], function: Function) -> Result<Operand> {
    match first(operands) {
        None | Some(Value::Null) => Ok(Some(Value::Null)),
        Some(Value::Number(number)) => {
            let result = function.of(*number);
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
            // Halves are rounded to the even neighbour.
            let whole = if operator == Operator::Round { scaled.round_ties_even() } else { scaled.trunc() };
            Ok(Some(Value::Number(if scaled.is_finite() { whole / factor } else { *number })))
        }
        Some(other) => refused(format!("$round only supports numeric types, not {}", kind(&Some(other.clone())))),
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

/// Sum, average, minimum and maximum of the operands, or of the elements if the only operand is an array.
#[expect(clippy::cast_precision_loss, reason = "numbers of operands")]
fn summary(operator: Operator, mut operands: Vec<Operand>) -> Value {
    if let [Some(Value::Array(list))] = operands.as_mut_slice() {
        operands = std::mem::take(list).into_iter().map(Some).collect();
    }
    let numbers: Vec<f64> = operands.iter().flatten().filter_map(Value::as_number).collect();
    let present = operands.iter().flatten().filter(|value| !value.is_null());
    match operator {
        Operator::Sum => Value::Number(numbers.iter().sum()),
        Operator::Average if numbers.is_empty() => Value::Null,
        Operator::Average => Value::Number(numbers.iter().sum::<f64>() / numbers.len() as f64),
        Operator::Min => present.min_by(|left, right| compare(left, right)).cloned().unwrap_or(Value::Null),
        _ => present.max_by(|left, right| compare(left, right)).cloned().unwrap_or(Value::Null),
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

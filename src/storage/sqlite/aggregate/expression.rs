//! Expressions: fields, constants, operators. What is missing is `None`, which most operators take for null.

use std::cell::Cell;

use serde_json::{Map, Value as Json};

use super::operators::{self, Operator};
use super::refused;
use super::translate::Translator;
use crate::model::object::Object;
use crate::model::query::compare::as_plain;
use crate::model::value::Value;
use crate::storage::Result;
use crate::storage::sqlite::functions;

/// An expression, ready to be evaluated.
#[derive(Debug)]
pub enum Expression {
    /// A constant.
    Constant(Value),
    /// A value that is always missing.
    Missing,
    /// A field of the document.
    Field(Vec<String>),
    /// The document, or what a path leads to in a variable.
    Variable(String, Vec<String>),
    /// The whole document.
    Root,
    /// An object of expressions.
    Document(Vec<(String, Expression)>),
    /// A list of expressions.
    List(Vec<Expression>),
    /// An operator with its operands.
    Call(Operator, Vec<Expression>),
    /// Each element of an array, changed (`true`) or tested.
    Each {
        /// The array.
        input: Box<Expression>,
        /// Name of the element.
        name: String,
        /// What each element becomes, or the condition that it must meet.
        body: Box<Expression>,
        /// Whether elements are changed; otherwise they are kept when the body is true.
        map: bool,
    },
    /// The first case that is true.
    Switch(Vec<(Expression, Expression)>, Option<Box<Expression>>),
}

/// Whether a value counts as true: all but null, 0 and false.
#[must_use]
pub fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Boolean(false)) && value.as_number() != Some(0.0)
}

/// Reads an expression.
///
/// # Errors
/// `Refused` for what is malformed or not supported.
pub fn parse(translator: &Translator<'_>, json: &Json) -> Result<Expression> {
    match json {
        Json::String(text) => reference(translator, text),
        Json::Array(list) => {
            list.iter().map(|item| parse(translator, item)).collect::<Result<_>>().map(Expression::List)
        }
        Json::Object(map) => object(translator, map),
        other => Ok(Expression::Constant(Translator::constant(other))),
    }
}

fn reference(translator: &Translator<'_>, text: &str) -> Result<Expression> {
    let path = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
    if let Some(variable) = text.strip_prefix("$$") {
        let (name, rest) = variable.split_once('.').map_or((variable, None), |(name, rest)| (name, Some(rest)));
        return Ok(match (name, rest) {
            ("ROOT" | "CURRENT", None) => Expression::Root,
            ("ROOT" | "CURRENT", Some(rest)) => Expression::Field(path(&translator.key(rest))),
            ("REMOVE", None) => Expression::Missing,
            ("NOW" | "CLUSTER_TIME" | "USER_ROLES" | "DESCEND" | "PRUNE" | "KEEP", _) => {
                return refused(format!("The variable {name} is not supported by the embedded database"));
            }
            (name, rest) => Expression::Variable(name.to_owned(), rest.map(path).unwrap_or_default()),
        });
    }
    match text.strip_prefix('$') {
        None => Ok(Expression::Constant(Value::String(text.to_owned()))),
        Some("") => refused("'$' by itself is not a valid FieldPath"),
        Some(field) if field.split('.').any(str::is_empty) => {
            refused("FieldPath field names may not be empty strings.")
        }
        Some(field) => Ok(Expression::Field(path(&translator.key(field)))),
    }
}

fn object(translator: &Translator<'_>, map: &Map<String, Json>) -> Result<Expression> {
    if let Some(date) = Translator::date(map) {
        return Ok(Expression::Constant(Value::Date(date)));
    }
    let mut entries = map.iter();
    match (entries.next(), entries.next()) {
        (Some((name, argument)), None) if name.starts_with('$') => operator(translator, name, argument),
        _ => {
            if let Some(name) = map.keys().find(|key| key.starts_with('$')) {
                return refused(format!(
                    "an expression specification must contain exactly one field, the name of the expression. Found {} fields with {name}",
                    map.len()
                ));
            }
            if map.contains_key("__type") {
                return Ok(Expression::Constant(Translator::constant(&Json::Object(map.clone()))));
            }
            let fields = map.iter().map(|(key, value)| Ok((key.clone(), parse(translator, value)?)));
            fields.collect::<Result<_>>().map(Expression::Document)
        }
    }
}

fn operator(translator: &Translator<'_>, name: &str, argument: &Json) -> Result<Expression> {
    let named = |names: &[&str]| -> Result<Vec<Option<Expression>>> {
        let Json::Object(map) = argument else { return refused(format!("{name} needs an object as its argument")) };
        if let Some(unknown) = map.keys().find(|key| !names.contains(&key.as_str())) {
            return refused(format!("Unrecognized argument to {name}: {unknown}"));
        }
        names.iter().map(|key| map.get(*key).map(|value| parse(translator, value)).transpose()).collect()
    };
    let or_missing = |expression: Option<Expression>| expression.unwrap_or(Expression::Missing);
    match name {
        "$literal" => Ok(Expression::Constant(Translator::constant(argument))),
        "$map" | "$filter" => {
            let Json::Object(options) = argument else {
                return refused(format!("{name} only supports an object as its argument"));
            };
            let map = name == "$map";
            let body = if map { "in" } else { "cond" };
            let (Some(input), Some(body)) = (options.get("input"), options.get(body)) else {
                return refused(format!("Missing 'input' or '{body}' parameter to {name}"));
            };
            let element = options.get("as").map_or(Some("this"), Json::as_str);
            let Some(element) = element else { return refused(format!("{name} needs a text for 'as'")) };
            if let Some(unknown) = options.keys().find(|key| !["input", "as", "in", "cond"].contains(&key.as_str())) {
                return refused(format!("Unrecognized parameter to {name}: {unknown}"));
            }
            Ok(Expression::Each {
                input: Box::new(parse(translator, input)?),
                name: element.to_owned(),
                body: Box::new(parse(translator, body)?),
                map,
            })
        }
        "$switch" => {
            let branches = argument.get("branches").and_then(Json::as_array).filter(|list| !list.is_empty());
            let Some(branches) = branches else { return refused("$switch requires at least one branch") };
            let cases = branches
                .iter()
                .map(|branch| match (branch.get("case"), branch.get("then")) {
                    (Some(case), Some(then)) => Ok((parse(translator, case)?, parse(translator, then)?)),
                    _ => refused("$switch requires each branch have a 'case' and a 'then' expression"),
                })
                .collect::<Result<_>>()?;
            let default = argument.get("default").map(|default| parse(translator, default)).transpose()?;
            Ok(Expression::Switch(cases, default.map(Box::new)))
        }
        "$cond" if argument.is_object() => {
            let parts = named(&["if", "then", "else"])?;
            if parts.iter().any(Option::is_none) {
                return refused("Missing 'if', 'then' or 'else' parameter to $cond");
            }
            Ok(Expression::Call(Operator::Cond, parts.into_iter().map(or_missing).collect()))
        }
        "$dateToString" => {
            let parts = named(&["date", "format", "timezone", "onNull"])?;
            if parts.first().is_none_or(Option::is_none) {
                return refused("Missing 'date' parameter to $dateToString");
            }
            Ok(Expression::Call(Operator::DateToString, parts.into_iter().map(or_missing).collect()))
        }
        "$trim" | "$ltrim" | "$rtrim" => {
            let parts = named(&["input", "chars"])?.into_iter().map(or_missing).collect();
            let operator = match name {
                "$trim" => Operator::Trim,
                "$ltrim" => Operator::TrimLeft,
                _ => Operator::TrimRight,
            };
            Ok(Expression::Call(operator, parts))
        }
        "$year" | "$month" | "$dayOfMonth" | "$dayOfWeek" | "$dayOfYear" | "$hour" | "$minute" | "$second"
        | "$millisecond" | "$week" | "$isoWeek" | "$isoDayOfWeek" | "$isoWeekYear"
            if argument.get("date").is_some() =>
        {
            let parts = named(&["date", "timezone"])?.into_iter().map(or_missing).collect();
            Ok(Expression::Call(Operator::DatePart(operators::date_part(name).unwrap_or(operators::Part::Year)), parts))
        }
        _ => {
            let Some((operator, least, most)) = operators::named(name) else {
                return refused(format!("Unrecognized expression '{name}'"));
            };
            let operands = match argument {
                Json::Array(list) => list.iter().map(|item| parse(translator, item)).collect::<Result<Vec<_>>>()?,
                other => vec![parse(translator, other)?],
            };
            if operands.len() < least || operands.len() > most {
                return refused(if least == most {
                    format!("Expression {name} takes exactly {least} arguments. {} were passed in.", operands.len())
                } else {
                    format!(
                        "Expression {name} takes at least {least} arguments, and at most {most}, but {} were passed in.",
                        operands.len()
                    )
                });
            }
            Ok(Expression::Call(operator, operands))
        }
    }
}

/// The document and the variables that an expression can read.
struct Scope<'a> {
    document: &'a Object,
    variables: Vec<(&'a str, Value)>,
    /// Elements visited so far: loops inside loops are bounded by it.
    steps: &'a Cell<u64>,
}

/// Maximum number of elements that one expression may visit in one document.
const MAX_STEPS: u64 = 1_000_000;

impl Expression {
    /// The value of the expression for a document; `None` when it is missing.
    ///
    /// # Errors
    /// `Refused` when an operator does not take a value; `TimedOut`.
    pub fn evaluate(&self, document: &Object) -> Result<Option<Value>> {
        let steps = Cell::new(0);
        self.value(&mut Scope { document, variables: Vec::new(), steps: &steps })
    }

    fn value<'a>(&'a self, scope: &mut Scope<'a>) -> Result<Option<Value>> {
        Ok(match self {
            Self::Constant(value) => Some(value.clone()),
            Self::Missing => None,
            Self::Root => Some(Value::Object(scope.document.clone())),
            Self::Field(path) => {
                let Some((first, rest)) = path.split_first() else { return Ok(None) };
                scope.document.get(first).and_then(|value| walk(value, rest))
            }
            Self::Variable(name, path) => {
                let Some((_, value)) = scope.variables.iter().rev().find(|(known, _)| known == name) else {
                    return refused(format!("Use of undefined variable: {name}"));
                };
                walk(value, path)
            }
            Self::Document(fields) => {
                let mut object = Object::new();
                for (field, expression) in fields {
                    if let Some(value) = expression.value(scope)? {
                        object.insert(field.as_str(), value);
                    }
                }
                Some(Value::Object(object))
            }
            Self::List(list) => {
                let items = list.iter().map(|item| Ok(item.value(scope)?.unwrap_or(Value::Null)));
                Some(Value::Array(items.collect::<Result<_>>()?))
            }
            Self::Switch(cases, default) => {
                for (case, then) in cases {
                    if case.value(scope)?.is_some_and(|value| is_true(&value)) {
                        return then.value(scope);
                    }
                }
                match default {
                    Some(default) => return default.value(scope),
                    None => {
                        return refused(
                            "$switch could not find a matching branch for an input, and no default was specified.",
                        );
                    }
                }
            }
            Self::Each { input, name, body, map } => return each(scope, input, name, body, *map),
            Self::Call(Operator::Cond, operands) => {
                let [test, then, otherwise] = operands.as_slice() else { return Ok(None) };
                let chosen = if test.value(scope)?.is_some_and(|value| is_true(&value)) { then } else { otherwise };
                return chosen.value(scope);
            }
            Self::Call(Operator::IfNull, operands) => {
                let mut last = None;
                for operand in operands {
                    last = operand.value(scope)?;
                    if last.as_ref().is_some_and(|value| !value.is_null()) {
                        break;
                    }
                }
                last
            }
            Self::Call(operator @ (Operator::And | Operator::Or), operands) => {
                let wanted = *operator == Operator::Or;
                for operand in operands {
                    if operand.value(scope)?.is_some_and(|value| is_true(&value)) == wanted {
                        return Ok(Some(Value::Boolean(wanted)));
                    }
                }
                Some(Value::Boolean(!wanted))
            }
            Self::Call(operator, operands) => {
                let values = operands.iter().map(|operand| operand.value(scope)).collect::<Result<Vec<_>>>()?;
                return operators::call(*operator, values);
            }
        })
    }
}

fn each<'a>(
    scope: &mut Scope<'a>,
    input: &'a Expression,
    name: &'a str,
    body: &'a Expression,
    map: bool,
) -> Result<Option<Value>> {
    let list = match input.value(scope)? {
        None | Some(Value::Null) => return Ok(Some(Value::Null)),
        Some(Value::Array(list)) => list,
        Some(_) => return refused(format!("input to {} must be an array", if map { "$map" } else { "$filter" })),
    };
    let mut result = Vec::with_capacity(list.len());
    for item in list {
        scope.steps.set(scope.steps.get() + 1);
        if scope.steps.get() > MAX_STEPS {
            return refused("the expression takes too much work");
        }
        if scope.steps.get().is_multiple_of(256) {
            functions::check_time()?;
        }
        scope.variables.push((name, item));
        let made = body.value(scope);
        let item = scope.variables.pop().map(|(_, item)| item);
        let made = made?;
        if map {
            result.push(made.unwrap_or(Value::Null));
        } else if made.is_some_and(|value| is_true(&value)) {
            result.extend(item);
        }
    }
    Ok(Some(Value::Array(result)))
}

/// Follows a path. In an array it collects the values of the elements.
fn walk(value: &Value, path: &[String]) -> Option<Value> {
    let Some((first, rest)) = path.split_first() else { return Some(value.clone()) };
    match &*as_plain(value) {
        Value::Object(object) => walk(object.get(first)?, rest),
        Value::Array(list) => Some(Value::Array(list.iter().filter_map(|item| walk(item, path)).collect())),
        _ => None,
    }
}

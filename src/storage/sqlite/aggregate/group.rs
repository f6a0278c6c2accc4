//! `$group`.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::expression::{self, Expression};
use super::translate::Translator;
use super::{Budget, refused};
use crate::model::object::Object;
use crate::model::query::compare::compare;
use crate::model::value::Value;
use crate::storage::Result;
use crate::storage::sqlite::keys;

/// A value that is computed from the documents of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accumulator {
    Sum,
    Average,
    Min,
    Max,
    First,
    Last,
    Push,
    AddToSet,
    Count,
    MergeObjects,
}

/// A `$group` stage.
#[derive(Debug)]
pub struct Group {
    id: Expression,
    fields: Vec<(String, Accumulator, Expression)>,
}

/// The state of an accumulator.
#[derive(Debug, Default, Clone)]
struct State {
    number: f64,
    count: f64,
    value: Option<Value>,
    list: Vec<Value>,
    seen: std::collections::HashSet<Vec<u8>>,
}

/// Reads the stage.
///
/// # Errors
/// `Refused` for what is malformed or not supported.
pub fn parse(translator: &mut Translator<'_>, spec: &Map<String, Json>) -> Result<Group> {
    let Some(id) = spec.get("_id") else { return refused("a group specification must include an _id") };
    let mut fields = Vec::new();
    for (field, accumulator) in spec.iter().filter(|(field, _)| *field != "_id") {
        if field.contains('.') {
            return refused(format!("The field name '{field}' cannot contain '.'"));
        }
        if field.starts_with('$') {
            return refused(format!("The field name '{field}' cannot be an operator name"));
        }
        let only = accumulator.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next());
        let Some((name, argument)) = only else {
            return refused(format!("The field '{field}' must be an accumulator object"));
        };
        let accumulator = match name.as_str() {
            "$sum" => Accumulator::Sum,
            "$avg" => Accumulator::Average,
            "$min" => Accumulator::Min,
            "$max" => Accumulator::Max,
            "$first" => Accumulator::First,
            "$last" => Accumulator::Last,
            "$push" => Accumulator::Push,
            "$addToSet" => Accumulator::AddToSet,
            "$count" => Accumulator::Count,
            "$mergeObjects" => Accumulator::MergeObjects,
            other => return refused(format!("unknown group operator '{other}'")),
        };
        fields.push((field.clone(), accumulator, expression::parse(translator, argument)?));
    }
    let expression = expression::parse(translator, id)?;
    translator.group_by(id);
    Ok(Group { id: expression, fields })
}

impl Group {
    /// Groups documents. The groups are in the order of their first documents.
    ///
    /// # Errors
    /// `TimedOut`; `Refused` for values that do not fit, and when it needs too much memory.
    pub fn run(&self, documents: &[Object], budget: &mut Budget) -> Result<Vec<Object>> {
        let mut places: HashMap<Option<Vec<u8>>, usize> = HashMap::new();
        let mut groups: Vec<(Value, Vec<State>)> = Vec::new();
        let mut held = 0;
        for document in documents {
            budget.step()?;
            let id = self.id(document)?;
            let key = Some(keys::key(&id, false));
            let at = *places.entry(key).or_insert_with(|| {
                groups.push((id.clone(), vec![State::default(); self.fields.len()]));
                groups.len() - 1
            });
            let Some((_, states)) = groups.get_mut(at) else { continue };
            for (state, (_, accumulator, expression)) in states.iter_mut().zip(&self.fields) {
                let value = expression.evaluate(document)?;
                if matches!(accumulator, Accumulator::Push | Accumulator::AddToSet) {
                    budget.hold(&mut held, value.as_ref().map_or(0, Value::weight))?;
                }
                state.take(*accumulator, value)?;
            }
            budget.hold(&mut held, 8)?;
        }
        Ok(groups
            .into_iter()
            .map(|(id, states)| {
                let fields = states
                    .into_iter()
                    .zip(&self.fields)
                    .map(|(state, (field, accumulator, _))| (field.clone(), state.give(*accumulator)));
                std::iter::once(("_id".to_owned(), id)).chain(fields).collect()
            })
            .collect())
    }
}

impl Group {
    /// What a document is grouped by. As in MongoDB a missing value is null, but in an object of several values it has no key.
    fn id(&self, document: &Object) -> Result<Value> {
        let Expression::Document(fields) = &self.id else {
            return Ok(self.id.evaluate(document)?.unwrap_or(Value::Null));
        };
        let mut id = Object::new();
        for (field, part) in fields {
            match part.evaluate(document)? {
                Some(value) => id.insert(field.as_str(), value),
                None if fields.len() == 1 => id.insert(field.as_str(), Value::Null),
                None => None,
            };
        }
        Ok(Value::Object(id))
    }
}

impl State {
    fn take(&mut self, accumulator: Accumulator, value: Option<Value>) -> Result<()> {
        match accumulator {
            Accumulator::Sum | Accumulator::Average => {
                if let Some(Value::Number(number)) = value {
                    self.number += number;
                    self.count += 1.0;
                }
            }
            Accumulator::Count => self.count += 1.0,
            Accumulator::Min | Accumulator::Max => {
                let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(()) };
                let better = self.value.as_ref().is_none_or(|best| {
                    let order = compare(&value, best);
                    if accumulator == Accumulator::Min { order.is_lt() } else { order.is_gt() }
                });
                if better {
                    self.value = Some(value);
                }
            }
            Accumulator::First => {
                if self.count == 0.0 {
                    self.value = value;
                    self.count = 1.0;
                }
            }
            Accumulator::Last => self.value = value,
            Accumulator::Push => self.list.extend(value),
            Accumulator::AddToSet => {
                if let Some(value) = value
                    && self.seen.insert(keys::key(&value, false))
                {
                    self.list.push(value);
                }
            }
            Accumulator::MergeObjects => match value {
                None | Some(Value::Null) => {}
                Some(Value::Object(more)) => {
                    let mut merged = match self.value.take() {
                        Some(Value::Object(merged)) => merged,
                        _ => Object::new(),
                    };
                    merged.extend(more);
                    self.value = Some(Value::Object(merged));
                }
                Some(_) => return refused("$mergeObjects requires object inputs"),
            },
        }
        Ok(())
    }

    fn give(self, accumulator: Accumulator) -> Value {
        match accumulator {
            Accumulator::Sum => Value::Number(self.number),
            Accumulator::Average if self.count == 0.0 => Value::Null,
            Accumulator::Average => Value::Number(self.number / self.count),
            Accumulator::Count => Value::Number(self.count),
            Accumulator::Push | Accumulator::AddToSet => Value::Array(self.list),
            Accumulator::MergeObjects => self.value.unwrap_or_else(|| Value::Object(Object::new())),
            Accumulator::Min | Accumulator::Max | Accumulator::First | Accumulator::Last => {
                self.value.unwrap_or(Value::Null)
            }
        }
    }
}

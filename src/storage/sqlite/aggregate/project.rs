//! `$project`, `$addFields` and `$unset` choose and compute the fields of documents.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::expression::{self, Expression};
use super::refused;
use super::translate::Translator;
use crate::model::object::Object;
use crate::model::value::Value;
use crate::storage::Result;

/// What happens to a field.
#[derive(Debug)]
enum Item {
    Include,
    Exclude,
    Compute(Expression),
    Inside(IndexMap<String, Item>),
}

/// A projection.
#[derive(Debug)]
pub struct Projection {
    items: IndexMap<String, Item>,
    /// Fields not named stay.
    keep: bool,
}

/// Reads a `$project`.
///
/// # Errors
/// `Refused` for what is malformed.
pub fn project(translator: &Translator<'_>, fields: &Map<String, Json>) -> Result<Projection> {
    if fields.is_empty() {
        return refused("Invalid $project :: caused by :: projection specification must have at least one field");
    }
    let mut items = IndexMap::new();
    read(translator, fields, &mut items, "", false)?;
    let includes = items.iter().any(|(field, item)| field != "_id" && shows(item, true));
    let excludes = items.iter().any(|(field, item)| field != "_id" && shows(item, false));
    if includes && excludes {
        return refused("Invalid $project :: caused by :: Cannot do exclusion in an inclusion projection");
    }
    // Naming `_id` alone does not tell which of the two it is, unless it is shown.
    let keep = if includes { false } else { excludes || matches!(items.get("_id"), Some(Item::Exclude)) };
    if !keep && !items.contains_key("_id") {
        items.insert("_id".to_owned(), Item::Include);
    }
    Ok(Projection { items, keep })
}

fn shows(item: &Item, wanted: bool) -> bool {
    match item {
        Item::Include | Item::Compute(_) => wanted,
        Item::Exclude => !wanted,
        Item::Inside(items) => items.values().any(|item| shows(item, wanted)),
    }
}

/// Reads an `$addFields`.
///
/// # Errors
/// `Refused` for what is malformed.
pub fn add_fields(translator: &Translator<'_>, fields: &Map<String, Json>) -> Result<Projection> {
    let mut items = IndexMap::new();
    read(translator, fields, &mut items, "", true)?;
    Ok(Projection { items, keep: true })
}

/// Reads an `$unset`.
///
/// # Errors
/// `Refused` for what is malformed.
pub fn unset(translator: &Translator<'_>, content: &Json) -> Result<Projection> {
    let list = match content {
        Json::String(_) => std::slice::from_ref(content),
        Json::Array(list) if !list.is_empty() => list,
        _ => return refused("$unset specification must be a string or an array"),
    };
    let mut items = IndexMap::new();
    for field in list {
        let Some(field) = field.as_str() else {
            return refused("$unset specification must be a string or an array containing only string values");
        };
        put(&mut items, &translator.key(field), Item::Exclude)?;
    }
    Ok(Projection { items, keep: true })
}

fn read(
    translator: &Translator<'_>,
    fields: &Map<String, Json>,
    items: &mut IndexMap<String, Item>,
    prefix: &str,
    computed: bool,
) -> Result<()> {
    for (field, json) in fields {
        let name = if prefix.is_empty() { translator.key(field) } else { format!("{prefix}.{field}") };
        let item = match json {
            Json::Number(number) if !computed => {
                if number.as_f64() == Some(0.0) {
                    Item::Exclude
                } else {
                    Item::Include
                }
            }
            Json::Bool(shown) if !computed => {
                if *shown {
                    Item::Include
                } else {
                    Item::Exclude
                }
            }
            Json::Object(map)
                if !map.is_empty() && !map.keys().any(|key| key.starts_with('$')) && !map.contains_key("__type") =>
            {
                read(translator, map, items, &name, computed)?;
                continue;
            }
            other => Item::Compute(expression::parse(translator, other)?),
        };
        put(items, &name, item)?;
    }
    Ok(())
}

fn put(items: &mut IndexMap<String, Item>, path: &str, item: Item) -> Result<()> {
    let collision = || refused(format!("Invalid $project :: caused by :: Path collision at {path}"));
    if path.is_empty() || path.split('.').any(str::is_empty) {
        return refused("FieldPath field names may not be empty strings.");
    }
    match path.split_once('.') {
        None => {
            if items.contains_key(path) {
                return collision();
            }
            items.insert(path.to_owned(), item);
            Ok(())
        }
        Some((field, rest)) => match items.entry(field.to_owned()).or_insert_with(|| Item::Inside(IndexMap::new())) {
            Item::Inside(inner) => put(inner, rest, item),
            _ => collision(),
        },
    }
}

impl Projection {
    /// The document after the stage.
    ///
    /// # Errors
    /// `Refused` when an expression does not fit the values.
    pub fn apply(&self, document: Object) -> Result<Object> {
        let mut computed = Vec::new();
        collect(&self.items, &mut Vec::new(), &document, &mut computed)?;
        let mut document = if self.keep { leave_out(document, &self.items) } else { show(document, &self.items) };
        for (path, value) in computed {
            replace(&mut document, &path, value);
        }
        Ok(document)
    }
}

/// Evaluates the computed fields before any field changes.
fn collect(
    items: &IndexMap<String, Item>,
    path: &mut Vec<String>,
    document: &Object,
    out: &mut Vec<(Vec<String>, Option<Value>)>,
) -> Result<()> {
    for (field, item) in items {
        path.push(field.clone());
        match item {
            Item::Compute(expression) => out.push((path.clone(), expression.evaluate(document)?)),
            Item::Inside(inner) => collect(inner, path, document, out)?,
            Item::Include | Item::Exclude => {}
        }
        path.pop();
    }
    Ok(())
}

fn leave_out(document: Object, items: &IndexMap<String, Item>) -> Object {
    document
        .into_iter()
        .filter_map(|(field, value)| match items.get(field.as_str()) {
            Some(Item::Exclude) => None,
            Some(Item::Inside(inner)) => Some((field, each(value, &|object| leave_out(object, inner), true)?)),
            _ => Some((field, value)),
        })
        .collect()
}

fn show(document: Object, items: &IndexMap<String, Item>) -> Object {
    document
        .into_iter()
        .filter_map(|(field, value)| match items.get(field.as_str())? {
            Item::Include => Some((field, value)),
            Item::Inside(inner) if inner.values().any(|item| !matches!(item, Item::Compute(_))) => {
                Some((field, each(value, &|object| show(object, inner), false)?))
            }
            Item::Exclude | Item::Compute(_) | Item::Inside(_) => None,
        })
        .collect()
}

/// Changes an object, or the objects of an array. Other values are kept or removed.
fn each(value: Value, change: &dyn Fn(Object) -> Object, keep: bool) -> Option<Value> {
    match value {
        Value::Object(object) => Some(Value::Object(change(object))),
        Value::Array(list) => {
            Some(Value::Array(list.into_iter().filter_map(|item| each(item, change, keep)).collect()))
        }
        other => keep.then_some(other),
    }
}

/// Sets or removes the value at a path; in an array, that of each element.
pub fn replace(document: &mut Object, path: &[String], value: Option<Value>) {
    let Some((field, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        match value {
            Some(value) => drop(document.insert(field.as_str(), value)),
            None => drop(document.remove(field)),
        }
        return;
    }
    match document.get_mut(field) {
        Some(below) => replace_below(below, rest, value),
        None => {
            if value.is_some() {
                let mut made = Object::new();
                replace(&mut made, rest, value);
                document.insert(field.as_str(), made);
            }
        }
    }
}

fn replace_below(below: &mut Value, path: &[String], value: Option<Value>) {
    match below {
        Value::Object(object) => replace(object, path, value),
        Value::Array(list) => {
            for item in list {
                replace_below(item, path, value.clone());
            }
        }
        other => {
            if value.is_some() {
                let mut made = Object::new();
                replace(&mut made, path, value);
                *other = Value::Object(made);
            }
        }
    }
}

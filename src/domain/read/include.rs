//! Replaces pointers by their objects (`include`), with one query per level and class.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Rows, View, resolve, triggers};
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::commands::FindQuery;
use crate::domain::kernel::context::Context;
use crate::domain::permissions::protected_fields::Visibility;
use crate::domain::permissions::{Operation, admit, scope};
use crate::error::Result;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::query::parameters::{Include, QueryParameters, ReadPreferences};
use crate::model::query::{Constraint, Filter};
use crate::model::schema::FieldType;
use crate::model::value::{Pointer, Value};

/// Includes the objects of the pointers that a query names.
///
/// # Errors
/// 119 or 101 if the caller may not read the class of a pointer.
pub async fn include(cx: &Context, class: &Class, rows: &mut [Object], parameters: &QueryParameters) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    // Every prefix of a path is a separate level; shorter ones come first.
    let mut levels: BTreeSet<(usize, Vec<String>)> = BTreeSet::new();
    let mut add = |path: &str| {
        let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
        for depth in 1..=parts.len() {
            levels.insert((depth, parts.iter().take(depth).cloned().collect()));
        }
    };
    parameters.include.paths.iter().for_each(|path| add(path));
    if parameters.include.all {
        for (name, field) in &class.schema.fields {
            if matches!(field.kind, FieldType::Pointer(_) | FieldType::Array) {
                add(name);
            }
        }
    }
    for (_, path) in levels {
        // Boxed, so that a query that includes nothing does not take the memory for it.
        Box::pin(include_level(cx, rows, &path, parameters)).await?;
    }
    Ok(())
}

async fn include_level(cx: &Context, rows: &mut [Object], path: &[String], parameters: &QueryParameters) -> Result<()> {
    // By class: the ids, and the number of pointers to each.
    let mut wanted: BTreeMap<ClassName, HashMap<String, usize>> = BTreeMap::new();
    let (mut places, room) = (0, cx.budget.room_for_included());
    for row in rows.iter_mut() {
        walk(row, path, &mut |value| {
            if let Value::Pointer(pointer) = value {
                places += 1;
                // Above the budget they are only counted.
                if places <= room {
                    note(&mut wanted, pointer);
                }
            }
            true
        });
    }
    cx.budget.charge_included(places)?;
    let mut fetched: HashMap<Pointer, (Object, usize)> = HashMap::new();
    for (class, mut uses) in wanted {
        for object in fetch(cx, &class, uses.keys().cloned().collect(), path, parameters).await? {
            let entry = object.get_str("objectId").and_then(|id| uses.remove_entry(id));
            if let Some((id, uses)) = entry {
                fetched.insert(Pointer { class: class.clone(), id }, (object, uses));
            }
        }
    }
    let bytes =
        fetched.values().map(|(object, uses)| object.weight().saturating_mul(*uses)).fold(0, usize::saturating_add);
    cx.budget.charge_bytes(bytes)?;
    for row in rows {
        walk(row, path, &mut |value| {
            let Value::Pointer(pointer) = value else { return true };
            let Some((object, uses)) = fetched.get_mut(pointer) else { return false };
            *uses = uses.saturating_sub(1);
            // The last pointer to an object gets the object itself, the others a copy.
            *value = Value::Object(if *uses == 0 { std::mem::take(object) } else { object.clone() });
            true
        });
    }
    Ok(())
}

/// Counts a pointer.
fn note(wanted: &mut BTreeMap<ClassName, HashMap<String, usize>>, pointer: &Pointer) {
    match wanted.get_mut(&pointer.class).and_then(|ids| ids.get_mut(&pointer.id)) {
        Some(uses) => *uses += 1,
        None => {
            wanted.entry(pointer.class.clone()).or_default().insert(pointer.id.clone(), 1);
        }
    }
}

/// Visits the values at a path, through objects and arrays, and removes those for which `visit` returns `false`.
fn walk(object: &mut Object, path: &[String], visit: &mut dyn FnMut(&mut Value) -> bool) {
    let Some((field, rest)) = path.split_first() else {
        return;
    };
    let Some(value) = object.get_mut(field) else {
        return;
    };
    if !walk_value(value, rest, visit) {
        object.remove(field);
    }
}

fn walk_value(value: &mut Value, rest: &[String], visit: &mut dyn FnMut(&mut Value) -> bool) -> bool {
    match value {
        Value::Array(list) => {
            list.retain_mut(|item| walk_value(item, rest, visit));
            true
        }
        Value::Object(object) if !rest.is_empty() => {
            walk(object, rest, visit);
            true
        }
        _ if rest.is_empty() => visit(value),
        _ => true,
    }
}

/// Reads the objects with these ids that the caller may read.
async fn fetch(
    cx: &Context,
    class_name: &ClassName,
    ids: Vec<String>,
    path: &[String],
    parameters: &QueryParameters,
) -> Result<Vec<Object>> {
    let single = if ids.len() == 1 { ids.first().cloned() } else { None };
    let operation = if single.is_some() { Operation::Get } else { Operation::Find };
    admit::refuse_caller(cx, class_name, operation)?;
    let mut query = FindQuery {
        unlimited: true,
        ..FindQuery::of(class_name.clone(), filter_of(ids), parameters_below(path, parameters))
    };
    let concerned = triggers::before_find(cx, class_name, &mut query, single.is_some()).await?;
    let class = cx.class(class_name);
    let only = cx.app.rules.of(class_name).read_filter(cx)?;
    scope::admit(cx, &class, operation).await?;
    let visibility = Visibility::of(cx, &class, single.as_deref()).await?;
    let filter = std::mem::replace(&mut query.filter, Filter::All);
    let inside = resolve::SubQueryContext { depth: query.depth + 1, ..resolve::SubQueryContext::default() };
    let filter = resolve::resolve(cx, &class, filter, inside).await?;
    let scope = scope::scope(cx, &class, operation, filter.and(only), None).await?;
    let view = View::new(cx, &class, &visibility, &query.parameters);
    let rows = Rows { cx, class: &class, operation };
    let options = rows.options(&query, &view)?;
    let mut objects = rows.find(&scope, &options, &view).await?;
    if let Some(concerned) = &concerned {
        objects = concerned.after_find(cx, objects).await?;
    }
    for object in &mut objects {
        object.insert("__type", "Object");
        object.insert("className", class_name.as_str());
    }
    Ok(objects)
}

/// The condition that a row has one of these ids.
fn filter_of(mut ids: Vec<String>) -> Filter {
    match (ids.len(), ids.pop()) {
        (1, Some(id)) => Filter::eq("objectId", id),
        (_, last) => {
            let ids = ids.into_iter().chain(last).map(Value::String).collect();
            Filter::field("objectId", Constraint::In(ids))
        }
    }
}

/// The parameters of a query for the objects at a path.
fn parameters_below(path: &[String], parameters: &QueryParameters) -> QueryParameters {
    let QueryParameters { keys, exclude_keys, include, read_preferences, .. } = parameters;
    let paths = below(Some(&include.paths), path).unwrap_or_default();
    QueryParameters {
        keys: below(keys.as_deref(), path),
        exclude_keys: below(Some(exclude_keys), path).unwrap_or_default(),
        include: Include { named: paths.clone(), paths, ..Include::default() },
        read_preferences: ReadPreferences { rows: read_preferences.included, ..ReadPreferences::default() },
        ..QueryParameters::default()
    }
}

/// The parts of dotted paths below a path; `None` if there are none.
fn below(paths: Option<&[String]>, path: &[String]) -> Option<Vec<String>> {
    let prefix = format!("{}.", path.join("."));
    let below: Vec<String> = paths?.iter().filter_map(|key| key.strip_prefix(&prefix)).map(str::to_owned).collect();
    (!below.is_empty()).then_some(below)
}

//! Applies the class definitions of the option `schema` at every start: creates what is missing and changes what
//! differs, as far as the options allow. Afterwards only the master key may add fields.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::change::{self, ClassChange, read_field};
use super::{Class, bootstrap, system_classes};
use crate::config::Options;
use crate::config::schema::Definitions;
use crate::domain::kernel::app::App;
use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::{self, ClassName};
use crate::model::schema::{ClassSchema, IndexKeys};

/// Definitions of fields or indexes.
type Parts = IndexMap<String, Map<String, Json>>;

/// The definition of a class.
#[derive(Debug)]
struct Definition {
    name: String,
    fields: Parts,
    indexes: Parts,
    permissions: Map<String, Json>,
}

/// Applies the definitions, if there are any.
///
/// # Errors
/// An invalid definition, with the name of its class; if the store fails.
pub async fn apply(app: &Arc<App>) -> Result<()> {
    let Some(options) = &app.options.schema.definitions else { return Ok(()) };
    let definitions: Vec<Definition> = options.definitions.iter().map(Definition::read).collect::<Result<_>>()?;
    let mut defined = HashSet::new();
    if let Some(twice) = definitions.iter().find(|definition| !defined.insert(definition.name.as_str())) {
        return Err(invalid(format!("The class {} is defined twice in schema.definitions", twice.name)));
    }
    let cx = Context::of_server(app);
    let known = |name: &str| cx.schemas().get(&ClassName::unchecked(name)).filter(|class| class.stored).cloned();
    if known(names::SESSION).is_none() {
        change::create(&cx, names::SESSION, ClassChange::default()).await?;
    }
    for definition in &definitions {
        let applied = match known(&definition.name) {
            None => change::create(&cx, &definition.name, definition.whole()).await.map(|_| ()),
            Some(class) => bring_in_line(&cx, options, definition, &class).await,
        };
        applied.map_err(|error| ParseError {
            message: format!("schema.definitions, class {}: {}", definition.name, error.message).into(),
            ..error
        })?;
    }
    let schemas = cx.schemas();
    let others: Vec<&Arc<Class>> =
        schemas.iter().filter(|class| class.stored && !defined.contains(class.schema.name.as_str())).collect();
    for class in others {
        if options.strict && !class.schema.name.is_system() {
            tracing::warn!(class = %class.schema.name, "the class is in the database, but not in schema.definitions");
        }
        let permissions = class.schema.permissions.clone().unwrap_or_else(open_to_all);
        if permissions.get("addField") != Some(&json!({})) {
            let permissions = Some(without_new_fields(permissions));
            change::update(&cx, class.schema.name.as_str(), ClassChange { permissions, ..ClassChange::default() })
                .await?;
        }
    }
    Ok(())
}

/// The classes with their fields as [`apply`] will leave them. Changes nothing.
///
/// # Errors
/// An invalid definition, with the name of its class.
pub fn foresee(options: &Options, mut classes: Vec<ClassSchema>) -> Result<Vec<ClassSchema>> {
    for class in &mut classes {
        system_classes::add_default_columns(class);
    }
    let Some(options) = &options.schema.definitions else { return Ok(classes) };
    for json in &options.definitions {
        let definition = Definition::read(json)?;
        let name = ClassName::parse(&definition.name)?;
        let at = classes.iter().position(|class| class.name == name).unwrap_or_else(|| {
            let mut class = ClassSchema::new(name.clone());
            system_classes::add_default_columns(&mut class);
            classes.push(class);
            classes.len() - 1
        });
        let Some(class) = classes.get_mut(at) else { continue };
        if options.delete_extra_fields {
            class.fields.retain(|field, _| {
                definition.fields.contains_key(field) || system_classes::is_default_column(&name, field)
            });
        }
        for (field, wanted) in &definition.fields {
            let wanted = read_field(&name, field, wanted)?;
            let stays = class.fields.get(field).is_some_and(|known| known.kind != wanted.kind);
            if !stays || options.recreate_modified_fields {
                class.fields.insert(field.clone(), wanted);
            }
        }
    }
    Ok(classes)
}

/// Changes an existing class.
async fn bring_in_line(cx: &Context, options: &Definitions, definition: &Definition, class: &Class) -> Result<()> {
    let name = &class.schema.name;
    let mut first = ClassChange::default();
    let mut second = ClassChange { permissions: Some(definition.permissions.clone()), ..ClassChange::default() };
    for (field, wanted) in &definition.fields {
        let Some(known) = class.schema.fields.get(field) else {
            second.fields.insert(field.clone(), wanted.clone());
            continue;
        };
        let read = read_field(name, field, wanted)?;
        if read.kind == known.kind {
            if read != *known {
                second.fields.insert(field.clone(), wanted.clone());
            }
        } else if options.recreate_modified_fields {
            first.deleted_fields.push(field.clone());
            second.fields.insert(field.clone(), wanted.clone());
        } else {
            tracing::warn!(class = %name, field, defined = %read.kind, real = %known.kind, "the type of the field differs from its definition");
        }
    }
    let extra = class
        .schema
        .fields
        .keys()
        .filter(|field| !definition.fields.contains_key(*field) && !system_classes::is_default_column(name, field));
    for field in extra {
        if options.delete_extra_fields {
            first.deleted_fields.push(field.clone());
        } else if options.strict {
            tracing::warn!(class = %name, field, "the field is in the database, but not in schema.definitions");
        }
    }
    let kept = kept_indexes(cx, name);
    for (index, keys) in &class.schema.indexes {
        if kept.contains(index.as_str()) || is_on_demand(index, keys) {
            continue;
        }
        match definition.indexes.get(index) {
            Some(wanted) if wanted == keys => {}
            Some(wanted) => {
                first.deleted_indexes.push(index.clone());
                second.indexes.insert(index.clone(), wanted.clone());
            }
            None if options.keep_unknown_indexes => {}
            None => first.deleted_indexes.push(index.clone()),
        }
    }
    for (index, keys) in &definition.indexes {
        if !class.schema.indexes.contains_key(index) && !kept.contains(index.as_str()) {
            second.indexes.insert(index.clone(), keys.clone());
        }
    }
    if !first.deleted_fields.is_empty() || !first.deleted_indexes.is_empty() {
        change::update(cx, name.as_str(), first).await?;
    }
    change::update(cx, name.as_str(), second).await.map(|_| ())
}

/// Indexes that the server itself creates and needs.
fn kept_indexes(cx: &Context, class: &ClassName) -> HashSet<String> {
    let own = bootstrap::indexes(&cx.app.options).shift_remove(class.as_str()).unwrap_or_default();
    own.into_iter().map(|index| index.name).chain(["_id_".to_owned()]).collect()
}

/// Whether the index was created for a query or a polygon field.
fn is_on_demand(name: &str, keys: &IndexKeys) -> bool {
    keys.iter().any(|(field, kind)| {
        kind.as_str()
            .is_some_and(|kind| matches!(kind, "2d" | "2dsphere" | "text") && name == format!("{field}_{kind}"))
    })
}

impl Definition {
    fn read(json: &Json) -> Result<Self> {
        let name = json.get("className").and_then(Json::as_str);
        let name = name.ok_or_else(|| invalid("Each of schema.definitions needs a className"))?.to_owned();
        let part = |key: &str| match json.get(key) {
            None | Some(Json::Null) => Ok(Map::new()),
            Some(Json::Object(part)) => Ok(part.clone()),
            Some(_) => Err(invalid(format!("schema.definitions, class {name}: {key} must be an object"))),
        };
        let class = ClassName::unchecked(name.as_str());
        // Definitions of default fields are ignored.
        let parts = |key: &str| -> Result<Parts> {
            part(key)?
                .into_iter()
                .filter(|(entry, _)| key != "fields" || !system_classes::is_default_column(&class, entry))
                .map(|(entry, definition)| match definition {
                    Json::Object(definition) => Ok((entry, definition)),
                    _ => Err(invalid(format!("schema.definitions, class {name}: {key}.{entry} must be an object"))),
                })
                .collect()
        };
        let fields = parts("fields")?;
        let indexes = parts("indexes")?;
        let permissions = without_new_fields(part("classLevelPermissions")?);
        Ok(Self { name, fields, indexes, permissions })
    }

    /// All changes that create a missing class.
    fn whole(&self) -> ClassChange {
        ClassChange {
            fields: self.fields.clone(),
            indexes: self.indexes.clone(),
            permissions: Some(self.permissions.clone()),
            ..ClassChange::default()
        }
    }
}

/// Permissions under which only the master key can add fields.
fn without_new_fields(mut permissions: Map<String, Json>) -> Map<String, Json> {
    permissions.insert("addField".to_owned(), json!({}));
    permissions
}

/// The permissions of a class without permissions of its own.
fn open_to_all() -> Map<String, Json> {
    ["find", "count", "get", "create", "update", "delete"]
        .into_iter()
        .map(|operation| (operation.to_owned(), json!({ "*": true })))
        .collect()
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::InvalidJson, message)
}

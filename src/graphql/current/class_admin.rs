//! Queries and mutations on classes and configuration, which need the master key.

use serde_json::{Map, Value as Json, json};

use super::catalog::Root;
use super::resolve::{Parts, Resolved};
use super::root_field::RootField;
use crate::domain::features::global_config;
use crate::domain::features::schemas;
use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::graphql::parse::error::FieldError;

/// The lists of a schema input, and the field types that they add.
const ADDITIONS: [(&str, &str); 12] = [
    ("addStrings", "String"),
    ("addNumbers", "Number"),
    ("addBooleans", "Boolean"),
    ("addArrays", "Array"),
    ("addObjects", "Object"),
    ("addDates", "Date"),
    ("addFiles", "File"),
    ("addGeoPoint", "GeoPoint"),
    ("addPolygons", "Polygon"),
    ("addBytes", "Bytes"),
    ("addPointers", "Pointer"),
    ("addRelations", "Relation"),
];

/// Runs a query or mutation on classes or configuration.
///
/// # Errors
/// 119 without a master key; those of the domain.
pub async fn resolve(cx: &Context, field: &RootField) -> Result<Resolved, FieldError> {
    cx.require_master()?;
    let text = |key: &str| field.arguments.get(key).and_then(Json::as_str).unwrap_or_default();
    let name = text("name");
    let input = field.arguments.get("schemaFields").filter(|input| !input.is_null());
    let changed = |schema: Json| payload("class", class(&schema));
    Ok(match &field.root {
        Root::Class => Resolved::Json(class(&schemas::get(cx, name).await?)),
        Root::Classes => Resolved::Json(schemas::all(cx).await?.iter().map(class).collect()),
        Root::CreateClass => {
            let body =
                Map::from_iter([("className".to_owned(), json!(name)), ("fields".to_owned(), fields(input, None)?)]);
            changed(schemas::create(cx, Some(name), body).await?)
        }
        Root::UpdateClass => {
            let existing = schemas::get(cx, name).await?;
            let known = existing.get("fields").and_then(Json::as_object);
            let body =
                Map::from_iter([("className".to_owned(), json!(name)), ("fields".to_owned(), fields(input, known)?)]);
            changed(schemas::update(cx, name, body).await?)
        }
        Root::DeleteClass => {
            let existing = schemas::get(cx, name).await?;
            schemas::delete(cx, name).await?;
            changed(existing)
        }
        Root::UpdateCloudConfig => {
            let (name, value) = (text("paramName"), text("value"));
            let master_only = field.arguments.get("isMasterKeyOnly").and_then(Json::as_bool).unwrap_or(false);
            let body = json!({ "params": { name: value }, "masterKeyOnly": { name: master_only } });
            global_config::update(cx, body.as_object().cloned().unwrap_or_default()).await?;
            payload("cloudConfig", json!({ "value": value, "isMasterKeyOnly": master_only }))
        }
        _ => Resolved::Json(cloud_config(&global_config::get(cx).await?, text("paramName"))),
    })
}

fn payload(key: &str, value: Json) -> Resolved {
    Resolved::Payload(Parts { values: Map::from_iter([(key.to_owned(), value)]), ..Parts::default() })
}

fn cloud_config(config: &Json, name: &str) -> Json {
    let part = |part: &str| config.get(part).and_then(|map| map.get(name));
    let value = match part("params") {
        None | Some(Json::Null) => return json!({ "value": null, "isMasterKeyOnly": null }),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    json!({ "value": value, "isMasterKeyOnly": part("masterKeyOnly").and_then(Json::as_bool) })
}

/// Converts a class of the schema API to GraphQL's form.
fn class(schema: &Json) -> Json {
    let fields = schema.get("fields").and_then(Json::as_object).into_iter().flatten();
    let shown: Vec<Json> = fields
        .map(|(name, field)| {
            let kind = field.get("type").and_then(Json::as_str).unwrap_or_default();
            json!({ "__typename": format!("Schema{kind}Field"), "name": name, "targetClassName": field.get("targetClass") })
        })
        .collect();
    json!({ "name": schema.get("className"), "schemaFields": shown })
}

/// Converts the fields of a schema input to the schema API's form.
fn fields(input: Option<&Json>, existing: Option<&Map<String, Json>>) -> Result<Json> {
    let mut fields = Map::new();
    let list = |key: &str| match input.and_then(|input| input.get(key)) {
        Some(Json::Array(list)) => list.clone(),
        Some(Json::Null) | None => Vec::new(),
        Some(one) => vec![one.clone()],
    };
    let name_of = |field: &Json| field.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
    let removed: Vec<String> = list("remove").iter().map(name_of).collect();
    for (key, kind) in ADDITIONS {
        for field in list(key) {
            let name = name_of(&field);
            if removed.contains(&name) {
                continue;
            }
            if fields.contains_key(&name) || existing.is_some_and(|existing| existing.contains_key(&name)) {
                return Err(ParseError::new(ErrorCode::InvalidKeyName, format!("Duplicated field name: {name}")));
            }
            let mut definition = json!({ "type": kind });
            if let (Some(target), Some(definition)) = (field.get("targetClassName"), definition.as_object_mut()) {
                definition.insert("targetClass".to_owned(), target.clone());
            }
            fields.insert(name, definition);
        }
    }
    for name in removed {
        if existing.is_some_and(|existing| existing.contains_key(&name)) {
            fields.insert(name, json!({ "__op": "Delete" }));
        }
    }
    Ok(Json::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_class() {
        let input = json!({
            "addStrings": [{"name": "s"}], "addGeoPoint": {"name": "g"},
            "addPointers": [{"name": "p", "targetClassName": "_User"}], "remove": [{"name": "old"}, {"name": "never"}]
        });
        let existing = json!({"old": {"type": "String"}});
        assert_eq!(
            fields(Some(&input), existing.as_object()).unwrap(),
            json!({"s": {"type": "String"}, "g": {"type": "GeoPoint"}, "p": {"type": "Pointer", "targetClass": "_User"}, "old": {"__op": "Delete"}})
        );
        let twice = json!({"addStrings": [{"name": "old"}]});
        assert!(fields(Some(&twice), existing.as_object()).unwrap_err().is(ErrorCode::InvalidKeyName));
    }
}

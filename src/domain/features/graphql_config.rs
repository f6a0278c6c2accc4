//! The configuration of classes in the GraphQL API (`/graphql-config`): one row with one object.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use serde_json::{Map, Value as Json, json};

use crate::domain::features::global_config;
use crate::domain::kernel::caches::Cache;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::feature::Feature;
use crate::domain::read;
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json;
use crate::model::names;
use crate::model::operation::parse::field_value;
use crate::model::operation::{Change, Update};

/// The column with the object.
const CONFIG: &str = "config";

/// The cached configuration and when it was read, in milliseconds since 1970.
#[derive(Debug, Default)]
pub struct ConfigCache(ArcSwapOption<(i64, Json)>);

impl Cache for ConfigCache {
    fn watches(&self) -> &'static [&'static str] {
        &[names::GRAPHQL_CONFIG]
    }

    fn forget(&self, _class: &str, _id: Option<&str>) {
        self.clear();
    }

    fn clear(&self) {
        self.0.store(None);
    }
}

/// The GraphQL configuration, for the kernel.
#[must_use]
pub fn feature() -> Feature {
    Feature::new("graphql_config").cache(ConfigCache::default())
}

/// The configuration for the GraphQL API, cached for `cacheTTL`; an empty object if there is none.
///
/// # Errors
/// If the store fails.
pub async fn current(cx: &Context) -> Result<Json> {
    let now = cx.now().millis();
    let ttl = i64::try_from(cx.app.options.server.cache_ttl).unwrap_or(i64::MAX);
    let cache = &cx.app.feature::<ConfigCache>()?.0;
    if let Some(known) = cache.load().as_ref().filter(|known| now.saturating_sub(known.0) < ttl) {
        return Ok(known.1.clone());
    }
    let config = Json::Object(load(cx).await?);
    cache.store(Some(Arc::new((now, config.clone()))));
    Ok(config)
}

/// The stored configuration; empty if there is none.
async fn load(cx: &Context) -> Result<Map<String, Json>> {
    let row =
        read::internal_one(cx, names::GRAPHQL_CONFIG, store::by_id(global_config::ROW_ID), "the GraphQL configuration")
            .await?;
    match row.and_then(|mut row| row.remove(CONFIG)).as_ref().map(json::encode) {
        Some(Json::Object(config)) => Ok(config),
        _ => Ok(Map::new()),
    }
}

/// Gets the configuration; needs the master key.
///
/// # Errors
/// 403 without a master key.
pub async fn get(cx: &Context) -> Result<Json> {
    cx.require_master()?;
    load(cx).await.map(Json::Object)
}

/// Replaces the configuration. `parameters`: the configuration itself.
///
/// # Errors
/// 403 without a master key, 119 for the read-only one, 107 with a list of the problems.
pub async fn update(cx: &Context, parameters: Option<Json>) -> Result<Json> {
    cx.require_master()?;
    cx.refuse_read_only("read-only masterKey isn't allowed to update the GraphQL config.")?;
    let config = match parameters {
        None | Some(Json::Null) => Map::new(),
        Some(Json::Object(config)) => config,
        Some(_) => return Err(invalid(&["must be a valid object".to_owned()])),
    };
    cx.app.denylist.check_map(&config)?;
    let faults = faults(&config);
    if !faults.is_empty() {
        return Err(invalid(&faults));
    }
    let mut update = Update::default();
    update.put(CONFIG, Change::Set(field_value(Json::Object(config))?));
    global_config::save(cx, names::GRAPHQL_CONFIG, &update).await?;
    cx.app.caches.forget(names::GRAPHQL_CONFIG, None);
    Ok(json!({ "response": { "result": true } }))
}

fn invalid(faults: &[String]) -> ParseError {
    ParseError::new(ErrorCode::InvalidJson, format!("Invalid graphQLConfig: {}", faults.join("; ")))
}

/// The problems of a configuration.
fn faults(config: &Map<String, Json>) -> Vec<String> {
    let mut faults = Vec::new();
    let strange = unknown(config, &["enabledForClasses", "disabledForClasses", "classConfigs"]);
    if !strange.is_empty() {
        faults.push(format!("encountered invalid keys: [{strange}]"));
    }
    for list in ["enabledForClasses", "disabledForClasses"] {
        if given(config, list).is_some_and(|value| !is_names(value)) {
            faults.push(format!("\"{list}\" is not a valid array"));
        }
    }
    match given(config, "classConfigs") {
        None => {}
        Some(Json::Array(classes)) => {
            for class in classes {
                if let Err(fault) = check_class(class) {
                    let name = class.get("className").and_then(Json::as_str).unwrap_or("undefined");
                    faults.push(format!("classConfig:{name} is invalid because {fault}"));
                }
            }
        }
        Some(_) => faults.push("\"classConfigs\" is not a valid array".to_owned()),
    }
    faults
}

fn check_class(class: &Json) -> Result<(), String> {
    let class = class.as_object().ok_or("it must be a valid object")?;
    let strange = unknown(class, &["className", "type", "query", "mutation"]);
    if !strange.is_empty() {
        return Err(format!("\"invalidKeys\" [{strange}] should not be present"));
    }
    let name = class.get("className").and_then(Json::as_str).filter(|name| !name.trim().is_empty());
    let name = name.ok_or("\"className\" must be a valid string")?;
    if let Some(kind) = part(class, "type")? {
        check_type(kind, name)?;
    }
    for (name, flags, aliases) in [
        ("query", ["find", "get"].as_slice(), ["findAlias", "getAlias"].as_slice()),
        ("mutation", &["create", "update", "destroy"], &["createAlias", "updateAlias", "destroyAlias"]),
    ] {
        let Some(verbs) = part(class, name)? else { continue };
        let strange = unknown(verbs, &[flags, aliases].concat());
        if !strange.is_empty() {
            return Err(format!("\"{name}\" contains invalid keys, [{strange}]"));
        }
        if let Some(flag) = flags.iter().find(|flag| given(verbs, flag).is_some_and(|value| !value.is_boolean())) {
            return Err(format!("\"{name}.{flag}\" must be a boolean"));
        }
        if let Some(alias) = aliases.iter().find(|alias| given(verbs, alias).is_some_and(|value| !value.is_string())) {
            return Err(format!("\"{name}.{alias}\" must be a string"));
        }
    }
    Ok(())
}

fn check_type(kind: &Map<String, Json>, class: &str) -> Result<(), String> {
    let strange = unknown(kind, &["inputFields", "outputFields", "constraintFields", "sortFields"]);
    if !strange.is_empty() {
        return Err(format!("\"type\" contains invalid keys, [{strange}]"));
    }
    for list in ["outputFields", "constraintFields"] {
        if given(kind, list).is_some_and(|value| !is_names(value)) {
            return Err(format!("\"{list}\" must be a valid string array"));
        }
    }
    match given(kind, "sortFields") {
        None => {}
        Some(Json::Array(fields)) => {
            for (at, field) in fields.iter().enumerate() {
                check_sort_field(field).map_err(|fault| format!("\"sortField\" at index {at} {fault}"))?;
            }
        }
        Some(_) => return Err("\"sortFields\" must be a valid array.".to_owned()),
    }
    let Some(input) = part(kind, "inputFields")? else { return Ok(()) };
    let strange = unknown(input, &["create", "update"]);
    if !strange.is_empty() {
        return Err(format!("\"inputFields\" contains invalid keys: [{strange}]"));
    }
    for list in ["update", "create"] {
        if given(input, list).is_some_and(|value| !is_names(value)) {
            return Err(format!("\"inputFields.{list}\" must be a valid string array"));
        }
    }
    if let Some(Json::Array(fields)) = given(input, "create")
        && class == names::USER
        && !["username", "password"].iter().all(|needed| fields.iter().any(|field| field == needed))
    {
        return Err("\"inputFields.create\" must include required fields, username and password".to_owned());
    }
    Ok(())
}

fn check_sort_field(field: &Json) -> Result<(), String> {
    let field = field.as_object().ok_or("is not a valid object")?;
    let strange = unknown(field, &["field", "asc", "desc"]);
    if !strange.is_empty() {
        return Err(format!("contains invalid keys, [{strange}]"));
    }
    if field.get("field").and_then(Json::as_str).is_none_or(|name| name.trim().is_empty()) {
        return Err("did not provide the \"field\" as a string".to_owned());
    }
    if !["asc", "desc"].iter().all(|way| field.get(*way).is_some_and(Json::is_boolean)) {
        return Err("did not provide \"asc\" or \"desc\" as booleans".to_owned());
    }
    Ok(())
}

/// A member, unless it is missing or null.
fn given<'a>(map: &'a Map<String, Json>, name: &str) -> Option<&'a Json> {
    map.get(name).filter(|value| !value.is_null())
}

/// A member that must be an object.
fn part<'a>(map: &'a Map<String, Json>, name: &str) -> Result<Option<&'a Map<String, Json>>, String> {
    match given(map, name) {
        None => Ok(None),
        Some(Json::Object(part)) => Ok(Some(part)),
        Some(_) => Err(format!("\"{name}\" must be a valid object")),
    }
}

/// The unknown keys, separated by commas.
fn unknown(map: &Map<String, Json>, known: &[&str]) -> String {
    map.keys().map(String::as_str).filter(|key| !known.contains(key)).collect::<Vec<_>>().join(",")
}

fn is_names(value: &Json) -> bool {
    value
        .as_array()
        .is_some_and(|list| list.iter().all(|name| name.as_str().is_some_and(|name| !name.trim().is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(config: Json) -> String {
        let Json::Object(config) = config else { panic!("not an object: {config}") };
        faults(&config).join("; ")
    }

    #[test]
    fn configurations() {
        let good = json!({
            "enabledForClasses": ["A"], "disabledForClasses": null,
            "classConfigs": [{
                "className": "_User",
                "type": {
                    "inputFields": {"create": ["username", "password", "x"], "update": []},
                    "sortFields": [{"field": "a", "asc": true, "desc": false}],
                },
                "query": {"find": false, "getAlias": "one"}, "mutation": {"destroy": true},
            }],
        });
        assert_eq!(faults_of(good), "");
        for (bad, fault) in [
            (json!({"x": 1, "y": 2}), "encountered invalid keys: [x,y]"),
            (json!({"enabledForClasses": [""]}), "\"enabledForClasses\" is not a valid array"),
            (json!({"classConfigs": {}}), "\"classConfigs\" is not a valid array"),
            (
                json!({"classConfigs": [{"className": "A", "query": {"find": 1}}]}),
                "classConfig:A is invalid because \"query.find\" must be a boolean",
            ),
            (
                json!({"classConfigs": [{"className": "_User", "type": {"inputFields": {"create": ["username"]}}}]}),
                "classConfig:_User is invalid because \"inputFields.create\" must include required fields, username and \
                 password",
            ),
        ] {
            assert_eq!(faults_of(bad), fault);
        }
    }
}

//! How classes appear in the GraphQL API: stored, checked, kept at hand.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use serde_json::{Map, Value as Json};

use super::context::Context;
use super::permissions::Scoped;
use super::schema::check::known_class;
use super::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json;
use crate::model::names::{ClassName, GRAPHQL_CONFIG, USER};
use crate::model::operation::{Change, Update};
use crate::model::query::Filter;
use crate::model::value::Value;

/// The one row's id.
const ID: &str = "1";

/// The configuration as last read, and when that was, in milliseconds since 1970.
#[derive(Debug, Default)]
pub struct ConfigCache(ArcSwapOption<(i64, Json)>);

impl ConfigCache {
    /// Forgets it: it has changed.
    pub fn clear(&self) {
        self.0.store(None);
    }
}

fn row() -> Scoped {
    Scoped::internal(Filter::eq("objectId", ID), "the GraphQL configuration")
}

/// The configuration; an empty object when there is none.
///
/// # Errors
/// 403 without a master key.
pub async fn get(cx: &Context) -> Result<Json> {
    cx.require_master()?;
    current(cx).await
}

/// The same, for the server's own use.
///
/// # Errors
/// When the store cannot be read.
pub async fn current(cx: &Context) -> Result<Json> {
    let now = cx.now().millis();
    let ttl = i64::try_from(cx.app.options.server.cache_ttl).unwrap_or(i64::MAX);
    let cache = &cx.app.graphql_config.0;
    if let Some(known) = cache.load().as_ref().filter(|known| now.saturating_sub(known.0) < ttl) {
        return Ok(known.1.clone());
    }
    let class = known_class(cx, &ClassName::trusted(GRAPHQL_CONFIG));
    let found = store::find_one(cx, &class, &row()).await?;
    let config =
        found.as_ref().and_then(|row| row.get("config")).map_or_else(|| Json::Object(Map::new()), json::encode);
    cache.store(Some(Arc::new((now, config.clone()))));
    Ok(config)
}

/// Replaces the configuration by `params` of the body.
///
/// # Errors
/// 403 without a master key, 119 with the read-only one, 142 for a configuration that makes no sense.
pub async fn update(cx: &Context, mut body: Map<String, Json>) -> Result<()> {
    cx.require_master()?;
    cx.refuse_read_only("read-only masterKey isn't allowed to update the GraphQL config.")?;
    let config = body.remove("params").unwrap_or_default();
    check(&config)
        .map_err(|problem| ParseError::new(ErrorCode::ValidationError, format!("Invalid graphQLConfig: {problem}")))?;
    let class = known_class(cx, &ClassName::trusted(GRAPHQL_CONFIG));
    let value: Value = json::decode_stored(config);
    let mut update = Update::default();
    update.put("config", Change::Set(value));
    store::upsert(cx, &class, &row(), &update).await?;
    cx.app.graphql_config.clear();
    Ok(())
}

type Problem = String;

fn check(config: &Json) -> Result<(), Problem> {
    let config = config.as_object().ok_or("it must be an object")?;
    for (key, value) in config {
        match key.as_str() {
            "enabledForClasses" | "disabledForClasses" => names(key, value)?,
            "classConfigs" if value.is_null() => {}
            "classConfigs" => {
                for class in value.as_array().ok_or("classConfigs must be an array")? {
                    check_class(class)?;
                }
            }
            _ => return Err(format!("unknown property {key}")),
        }
    }
    Ok(())
}

fn names(key: &str, value: &Json) -> Result<(), Problem> {
    let fine = value.is_null() || value.as_array().is_some_and(|list| list.iter().all(Json::is_string));
    if fine { Ok(()) } else { Err(format!("{key} must be an array of strings")) }
}

fn check_class(class: &Json) -> Result<(), Problem> {
    let class = class.as_object().ok_or("a class config must be an object")?;
    let name = class
        .get("className")
        .and_then(Json::as_str)
        .filter(|name| !name.is_empty())
        .ok_or("className must be a string")?;
    for (key, value) in class {
        match key.as_str() {
            "className" => {}
            "type" | "query" | "mutation" if value.is_null() => {}
            "type" => check_type(name, value)?,
            "query" => operations(key, value, &["find", "get"], &["findAlias", "getAlias"])?,
            "mutation" => {
                operations(
                    key,
                    value,
                    &["create", "update", "destroy"],
                    &["createAlias", "updateAlias", "destroyAlias"],
                )?;
            }
            _ => return Err(format!("unknown property {key} of {name}")),
        }
    }
    Ok(())
}

fn operations(key: &str, value: &Json, flags: &[&str], aliases: &[&str]) -> Result<(), Problem> {
    for (name, value) in value.as_object().ok_or_else(|| format!("{key} must be an object"))? {
        let fine = (flags.contains(&name.as_str()) && value.is_boolean())
            || (aliases.contains(&name.as_str()) && value.is_string());
        if !fine && !(value.is_null() && (flags.contains(&name.as_str()) || aliases.contains(&name.as_str()))) {
            return Err(format!("{key}.{name} is not understood"));
        }
    }
    Ok(())
}

fn check_type(class: &str, value: &Json) -> Result<(), Problem> {
    for (key, value) in value.as_object().ok_or("type must be an object")? {
        match key.as_str() {
            _ if value.is_null() => {}
            "outputFields" | "constraintFields" => names(key, value)?,
            "inputFields" => {
                for (verb, fields) in value.as_object().ok_or("inputFields must be an object")? {
                    if !matches!(verb.as_str(), "create" | "update") {
                        return Err(format!("unknown property inputFields.{verb}"));
                    }
                    names(verb, fields)?;
                    let lacks =
                        |needed: &str| !fields.as_array().is_some_and(|list| list.iter().any(|field| field == needed));
                    if verb == "create"
                        && class == USER
                        && !fields.is_null()
                        && (lacks("username") || lacks("password"))
                    {
                        return Err("inputFields.create of users must hold username and password".to_owned());
                    }
                }
            }
            "sortFields" => {
                for field in value.as_array().ok_or("sortFields must be an array")? {
                    let field = field.as_object().ok_or("a sort field must be an object")?;
                    let fine = field.iter().all(|(key, value)| match key.as_str() {
                        "field" => value.as_str().is_some_and(|name| !name.is_empty()),
                        "asc" | "desc" => value.is_boolean(),
                        _ => false,
                    });
                    if !fine || field.len() != 3 {
                        return Err("a sort field needs field, asc and desc".to_owned());
                    }
                }
            }
            _ => return Err(format!("unknown property type.{key}")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;
    use serde_json::json;

    #[test]
    fn what_makes_sense() {
        for good in [
            json!({}),
            json!({"enabledForClasses": null, "disabledForClasses": ["A"]}),
            json!({"classConfigs": [{"className": "A", "type": {"inputFields": {"create": ["a"], "update": []}, "outputFields": ["a"],
                "constraintFields": ["a"], "sortFields": [{"field": "a", "asc": true, "desc": false}]},
                "query": {"getAlias": "x", "find": false}, "mutation": {"createAlias": "y", "update": false}}]}),
        ] {
            assert!(check(&good).is_ok(), "{good} {:?}", check(&good));
        }
        for bad in [
            json!(null),
            json!({"foo": 1}),
            json!({"enabledForClasses": "x"}),
            json!({"classConfigs": [{"type": {}}]}),
            json!({"classConfigs": [{"className": "A", "query": {"get": "x"}}]}),
            json!({"classConfigs": [{"className": "_User", "type": {"inputFields": {"create": ["username"]}}}]}),
            json!({"classConfigs": [{"className": "A", "type": {"sortFields": [{"field": "a"}]}}]}),
        ] {
            assert!(check(&bad).is_err(), "{bad}");
        }
    }
}

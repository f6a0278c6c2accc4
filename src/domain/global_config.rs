//! The application's configuration: parameters that clients may read, and some that only masters may.

use serde_json::{Map, Value as Json, json};

use super::context::Context;
use super::permissions::Scoped;
use super::schema::check::known_class;
use super::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json::{decode, encode};
use crate::model::names::{ClassName, GLOBAL_CONFIG};
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::Filter;
use crate::model::value::Value;

/// The one row's id.
const ID: &str = "1";

fn row() -> Scoped {
    Scoped::internal(Filter::eq("objectId", ID), "the application's configuration")
}

/// `{params, masterKeyOnly}`; clients do not see the parameters that are for masters alone.
///
/// # Errors
/// When the store cannot be read.
pub async fn get(cx: &Context) -> Result<Json> {
    let class = known_class(cx, &ClassName::trusted(GLOBAL_CONFIG));
    let Some(found) = store::find_one(cx, &class, &row()).await? else { return Ok(json!({ "params": {} })) };
    let part = |key: &str| found.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let (mut params, mut master_only) = (part("params"), part("masterKeyOnly"));
    if !cx.auth.is_master() {
        let hidden = |key: &str| master_only.get(key).and_then(Value::as_bool) == Some(true);
        params.retain(|key, _| !hidden(key));
        master_only.retain(|_, flag| flag.as_bool() != Some(true));
    }
    Ok(json!({ "params": encode(&Value::Object(params)), "masterKeyOnly": encode(&Value::Object(master_only)) }))
}

/// Merges `params` and `masterKeyOnly` of the body into what is there; `{"__op":"Delete"}` removes a parameter.
///
/// # Errors
/// 403 without a master key, 119 with the read-only one, 141 when there is nothing to change.
pub async fn update(cx: &Context, body: Map<String, Json>) -> Result<()> {
    cx.require_master()?;
    cx.refuse_read_only("read-only masterKey isn't allowed to update the config.")?;
    let map = |key: &str| match body.get(key) {
        None | Some(Json::Null) => Ok(Map::new()),
        Some(Json::Object(map)) => Ok(map.clone()),
        Some(_) => Err(ParseError::new(ErrorCode::InvalidJson, format!("{key} must be an object"))),
    };
    let (params, master_only) = (map("params")?, map("masterKeyOnly")?);
    if params.is_empty() {
        return Err(ParseError::new(ErrorCode::ScriptFailed, "Update document requires atomic operators"));
    }
    let class = known_class(cx, &ClassName::trusted(GLOBAL_CONFIG));
    let found = store::find_one(cx, &class, &row()).await?.unwrap_or_default();
    let part = |key: &str| found.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let (mut all, mut flags): (Object, Object) = (part("params"), part("masterKeyOnly"));
    for (name, value) in params {
        if name.is_empty() || name.starts_with('$') || name.contains(['.', '\0']) {
            return Err(ParseError::new(ErrorCode::InvalidKeyName, format!("Invalid key name: {name}")));
        }
        let deleted = value.get("__op").and_then(Json::as_str) == Some("Delete");
        let only = master_only.get(&name).and_then(Json::as_bool).unwrap_or(false);
        if deleted {
            all.remove(&name);
        } else {
            all.insert(name.clone(), decode(value)?);
        }
        flags.insert(name, Value::Boolean(only && !deleted));
    }
    let mut update = Update::default();
    update.put("params", Change::Set(Value::Object(all)));
    update.put("masterKeyOnly", Change::Set(Value::Object(flags)));
    store::upsert(cx, &class, &row(), &update).await
}

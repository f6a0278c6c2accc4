//! Push audiences: named queries on installations. The query is stored as a JSON string and returned as an object.

use serde_json::{Map, Value as Json, json};

use crate::config::Options;
use crate::domain::classes;
use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::feature::Feature;
use crate::domain::read::Found;
use crate::domain::write::Saved;
use crate::error::Result;
use crate::model::json;
use crate::model::names::AUDIENCE;
use crate::model::object::Object;
use crate::model::value::Value;

const QUERY: &str = "query";
const LAST_USED: &str = "lastUsed";

/// Push audiences, for the kernel.
#[must_use]
pub fn feature() -> Feature {
    Feature { server_info: Some(server_info), ..Feature::new("audiences").rules(AUDIENCE, Rules) }
}

/// What is special about the rows.
struct Rules;

impl ClassRules for Rules {
    /// parse-server shows the moment of the last use as a text, not as a date; dashboards go by that.
    fn redact(&self, _cx: &Context, row: &mut Object) {
        if let Some(Value::Date(moment)) = row.get(LAST_USED) {
            let text = moment.to_iso();
            row.insert(LAST_USED, text);
        }
    }
}

fn server_info(_options: &Options) -> Json {
    json!({ "push": { "pushAudiences": true } })
}

/// Finds audiences.
///
/// # Errors
/// 403 without a master key; as any find.
pub async fn find(cx: &Context, parameters: Map<String, Json>) -> Result<Found> {
    cx.require_master()?;
    let mut found = classes::find(cx, AUDIENCE, parameters).await?;
    found.results.iter_mut().for_each(present);
    Ok(found)
}

/// Gets an audience.
///
/// # Errors
/// 403 without a master key, 101 if it does not exist.
pub async fn get(cx: &Context, id: &str, parameters: Map<String, Json>) -> Result<Object> {
    cx.require_master()?;
    let mut audience = classes::get(cx, AUDIENCE, id, parameters).await?;
    present(&mut audience);
    Ok(audience)
}

/// Creates an audience.
///
/// # Errors
/// 403 without a master key; as any create.
pub async fn create(cx: &Context, body: Map<String, Json>) -> Result<Saved> {
    cx.require_master()?;
    classes::create(cx, AUDIENCE, body).await
}

/// Updates an audience.
///
/// # Errors
/// 403 without a master key, 101 if it does not exist.
pub async fn update(cx: &Context, id: &str, body: Map<String, Json>) -> Result<Saved> {
    cx.require_master()?;
    classes::update(cx, AUDIENCE, id, body).await
}

/// Deletes an audience.
///
/// # Errors
/// 403 without a master key, 101 if it does not exist.
pub async fn delete(cx: &Context, id: &str) -> Result<()> {
    cx.require_master()?;
    classes::delete(cx, AUDIENCE, id).await
}

fn present(audience: &mut Object) {
    let condition = audience.get_str(QUERY).and_then(|text| serde_json::from_str::<Map<String, Json>>(text).ok());
    if let Some(condition) = condition {
        audience.insert(QUERY, json::decode_stored(Json::Object(condition)));
    }
}

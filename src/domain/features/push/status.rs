//! The row of a push in `_PushStatus`: what masters and dashboards read of it.

use std::sync::Arc;

use md5::{Digest as _, Md5};
use serde_json::{Map, Value as Json, json};

use super::devices::context;
use super::request::{Request, When};
use super::work::Work;
use crate::domain::kernel::app::App;
use crate::domain::kernel::commands::Save;
use crate::domain::permissions::Scoped;
use crate::domain::store;
use crate::domain::write;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json;
use crate::model::names::{self, ClassName};
use crate::model::operation::Update;
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::value::Value;
use crate::random;

/// States of a push that is not over.
const OPEN: [&str; 3] = ["scheduled", "pending", "running"];

/// Makes the row.
///
/// # Errors
/// When the store fails.
pub(super) async fn create(app: &Arc<App>, work: &Work) -> Result<()> {
    let Request { body, condition, when, base_url } = &work.request;
    let data = body.get("data").filter(|data| !data.is_null()).cloned().unwrap_or_else(|| json!({}));
    let time = match (when, body.get("push_time")) {
        (When::At(_) | When::LocalTime(_), Some(time)) => time.clone(),
        _ => app.clock.now().to_iso().into(),
    };
    let mut row = Map::new();
    row.insert("pushTime".to_owned(), time);
    row.insert("query".to_owned(), javascript(&Json::Object(condition.clone())).into());
    row.insert("payload".to_owned(), javascript(&data).into());
    row.insert("source".to_owned(), "rest".into());
    for (key, field) in [("expiration_time", "expiry"), ("expiration_interval", "expiration_interval")] {
        if let Some(value) = body.get(key) {
            row.insert(field.to_owned(), value.clone());
        }
    }
    row.insert("status".to_owned(), if *when == When::Now { "pending" } else { "scheduled" }.into());
    row.insert("numSent".to_owned(), 0.into());
    row.insert("pushHash".to_owned(), hash(data.get("alert")).into());
    row.insert("ACL".to_owned(), json!({}));
    let save = Save { new_id: Some(work.id.clone()), ..Save::create(names::PUSH_STATUS, row)? };
    write::save(&context(app, base_url), save).await.map(|_| ())
}

/// Changes the row, if it is there and the push is not over. Tells whether it is.
///
/// # Errors
/// When the store fails.
pub(super) async fn change(app: &Arc<App>, work: &Work, fields: Map<String, Json>) -> Result<bool> {
    let save = Save::update(names::PUSH_STATUS, &work.id, fields)?;
    match write::save_only(&context(app, &work.request.base_url), save, is_open(), Update::default()).await {
        Ok(_) => Ok(true),
        Err(error) if error.is(ErrorCode::ObjectNotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the row is there and the push is not over.
///
/// # Errors
/// When the store fails.
pub(super) async fn exists(app: &Arc<App>, id: &str) -> Result<bool> {
    let cx = context(app, "");
    let scope = Scoped::internal(store::by_id(id).and(is_open()), "whether a push was taken back");
    let row = store::find_one(&cx, &cx.class(&ClassName::unchecked(names::PUSH_STATUS)), &scope).await?;
    Ok(row.is_some())
}

fn is_open() -> Resolved {
    let states = OPEN.into_iter().map(|state| Value::String(state.to_owned())).collect();
    Filter::field("status", Constraint::In(states))
}

/// The fields of a push that goes on.
pub(super) fn running(work: &Work) -> Map<String, Json> {
    let mut fields = work.progress.tally.fields();
    fields.insert("status".to_owned(), "running".into());
    fields.insert("count".to_owned(), work.progress.left().into());
    if let Some(expiry) = work.request.expires_at().filter(|_| matches!(work.request.when, When::At(_))) {
        fields.insert("expiry".to_owned(), expiry.millis().into());
    }
    fields
}

/// The fields of a push that is over.
pub(super) fn succeeded(work: &Work) -> Map<String, Json> {
    let mut fields = work.progress.tally.fields();
    fields.insert("status".to_owned(), "succeeded".into());
    fields.insert("count".to_owned(), json!({ "__op": "Delete" }));
    fields
}

/// The fields of a push that cannot go on.
pub(super) fn failed(work: &Work, error: &ParseError) -> Map<String, Json> {
    let mut fields = work.progress.tally.fields();
    fields.insert("status".to_owned(), "failed".into());
    fields.insert("count".to_owned(), json!({ "__op": "Delete" }));
    let mut message = json!({ "message": error.message });
    if let (Some(code), Some(message)) = (error.code, message.as_object_mut()) {
        message.insert("code".to_owned(), code.number().into());
    }
    fields.insert("errorMessage".to_owned(), message);
    fields
}

/// MD5 of an alert: of the text, or of the JSON text of an object.
fn hash(alert: Option<&Json>) -> String {
    let text = match alert {
        Some(Json::String(text)) => text.clone(),
        Some(alert @ (Json::Object(_) | Json::Array(_))) => javascript(alert),
        _ => String::new(),
    };
    random::hex(&Md5::digest(text.as_bytes()))
}

/// JSON text as JavaScript writes it: a number without a fraction has no point.
fn javascript(value: &Json) -> String {
    fn plain(value: &Json) -> Json {
        match value {
            Json::Number(number) if number.is_f64() => json::number(number.as_f64().unwrap_or(f64::NAN)),
            Json::Array(list) => list.iter().map(plain).collect(),
            Json::Object(map) => Json::Object(map.iter().map(|(key, value)| (key.clone(), plain(value))).collect()),
            other => other.clone(),
        }
    }
    plain(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_of_the_alert() {
        for (alert, expected) in [
            (json!("Hello"), "8b1a9953c4611296a827abf8c47804d7"),
            (json!({ "title": "T", "body": "B" }), "09df25bada3b12e202dc9174988d873f"),
            (json!(null), "d41d8cd98f00b204e9800998ecf8427e"),
            (json!(7), "d41d8cd98f00b204e9800998ecf8427e"),
        ] {
            assert_eq!(hash(Some(&alert)), expected, "{alert}");
        }
    }

    #[test]
    fn numbers_are_written_as_javascript_does() {
        assert_eq!(javascript(&json!({ "a": [1.0, 1.5, "ü"], "b": 2 })), r#"{"a":[1,1.5,"ü"],"b":2}"#);
    }
}

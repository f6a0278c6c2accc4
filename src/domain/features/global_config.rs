//! The application's configuration (`/config`): parameters by name, each marked whether only the master key may read
//! it. All are in one row.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::config::Options;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::feature::Feature;
use crate::domain::kernel::triggers::ClassTriggers;
use crate::domain::permissions::Scoped;
use crate::domain::read;
use crate::domain::store;
use crate::domain::triggers::{self, payload};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::parse::{self, WriteKind};
use crate::model::operation::{Change, Update};
use crate::model::trigger::{self, Trigger};
use crate::model::value::Value;

/// The id of the row.
pub(super) const ROW_ID: &str = "1";

const PARAMETERS: &str = "params";
const MASTER_ONLY: &str = "masterKeyOnly";

/// The application's configuration, for the kernel.
#[must_use]
pub fn feature() -> Feature {
    Feature { server_info: Some(server_info), ..Feature::new("global_config") }
}

fn server_info(_options: &Options) -> Json {
    json!({ "globalConfig": { "create": true, "read": true, "update": true, "delete": true } })
}

/// The parameters that the caller may read: `{"params", "masterKeyOnly"}`.
///
/// # Errors
/// If the store fails.
pub async fn get(cx: &Context) -> Result<Json> {
    let Some(mut row) =
        read::internal_one(cx, names::GLOBAL_CONFIG, store::by_id(ROW_ID), "the app's configuration").await?
    else {
        return Ok(json!({ PARAMETERS: {} }));
    };
    let mut parameters = take_object(&mut row, PARAMETERS).unwrap_or_default();
    let mut marks = take_object(&mut row, MASTER_ONLY);
    if !cx.auth.is_master()
        && let Some(marks) = &mut marks
    {
        let hidden = |marks: &Object, name: &str| marks.get(name).is_some_and(|mark| *mark == Value::Boolean(true));
        parameters.retain(|name, _| !hidden(marks, name));
        marks.retain(|_, mark| *mark != Value::Boolean(true));
    }
    let mut answer = Map::new();
    answer.insert(PARAMETERS.to_owned(), json::encode(&Value::Object(parameters)));
    if let Some(marks) = marks {
        answer.insert(MASTER_ONLY.to_owned(), json::encode(&Value::Object(marks)));
    }
    Ok(Json::Object(answer))
}

fn take_object(row: &mut Object, field: &str) -> Option<Object> {
    match row.remove(field) {
        Some(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// Sets and deletes parameters; others are unchanged. `body`: `{"params", "masterKeyOnly"}`.
///
/// # Errors
/// 403 without a master key, 119 for the read-only one, 107, 111, 121 for invalid parameters, 141 without parameters.
pub async fn update(cx: &Context, mut body: Map<String, Json>) -> Result<Json> {
    cx.require_master()?;
    cx.refuse_read_only("read-only masterKey isn't allowed to update the config.")?;
    let parameters = taken(&mut body, PARAMETERS)?;
    let marks = taken(&mut body, MASTER_ONLY)?;
    if parameters.is_empty() {
        return Err(ParseError::new(ErrorCode::ScriptFailed, "Update document requires atomic operators"));
    }
    cx.app.denylist.check_map(&parameters)?;
    let sent = parameters.clone();
    let mut changes = Map::new();
    let mut update = Update::default();
    for (name, value) in parameters {
        check_name(&name)?;
        let mark = marks.get(&name) == Some(&Json::Bool(true));
        update.put(format!("{MASTER_ONLY}.{name}"), Change::Set(Value::Boolean(mark)));
        changes.insert(format!("{PARAMETERS}.{name}"), value);
    }
    let parsed = parse::parse(changes, WriteKind::Update)?;
    if !parsed.relations.is_empty() {
        return Err(ParseError::new(ErrorCode::IncorrectType, "A parameter cannot be a relation"));
    }
    update.0.extend(parsed.update.0);
    let concerned = Concerned::find(cx).await?;
    if let Some(concerned) = &concerned {
        concerned.fire(cx, Trigger::BeforeSave, sent).await?;
    }
    save(cx, names::GLOBAL_CONFIG, &update).await?;
    if let Some(concerned) = &concerned {
        // The client gets its error, although the parameters have been saved: parse-server does so, too.
        concerned.fire(cx, Trigger::AfterSave, stored(cx).await?).await?;
    }
    Ok(json!({ "result": true }))
}

/// All parameters, regardless of who may read them; empty if none have been saved.
async fn stored(cx: &Context) -> Result<Map<String, Json>> {
    let row = read::internal_one(cx, names::GLOBAL_CONFIG, store::by_id(ROW_ID), "the app's configuration").await?;
    let parameters = row.and_then(|mut row| take_object(&mut row, PARAMETERS));
    Ok(parameters.as_ref().map(json::encode_object).unwrap_or_default())
}

/// The triggers of the configuration, and the parameters before the write.
struct Concerned {
    triggers: Arc<ClassTriggers>,
    original: Map<String, Json>,
}

impl Concerned {
    async fn find(cx: &Context) -> Result<Option<Self>> {
        let Some(triggers) = cx.app.triggers.of(trigger::CONFIG) else { return Ok(None) };
        Ok(Some(Self { triggers, original: stored(cx).await? }))
    }

    async fn fire(&self, cx: &Context, moment: Trigger, parameters: Map<String, Json>) -> Result<()> {
        let Some(handler) = self.triggers.get(moment) else { return Ok(()) };
        let mut payload = payload::trigger(cx, moment);
        payload.insert("object".to_owned(), parameters.into());
        if !self.original.is_empty() {
            payload.insert("original".to_owned(), self.original.clone().into());
        }
        triggers::fire(cx, handler, moment, &ClassName::unchecked(trigger::CONFIG), payload).await.map(|_| ())
    }
}

/// Writes the row of a class that has only one row.
///
/// # Errors
/// If the store fails.
pub(super) async fn save(cx: &Context, class: &str, update: &Update) -> Result<()> {
    let class = cx.class(&ClassName::unchecked(class));
    store::upsert(cx, &class, &Scoped::internal(store::by_id(ROW_ID), "settings have one row"), update).await
}

fn taken(body: &mut Map<String, Json>, part: &str) -> Result<Map<String, Json>> {
    match body.remove(part) {
        None | Some(Json::Null) => Ok(Map::new()),
        Some(Json::Object(map)) => Ok(map),
        Some(_) => Err(ParseError::new(ErrorCode::InvalidJson, format!("{part} must be an object"))),
    }
}

/// Parameter names are keys inside the row.
fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.contains(['.', '$', '\0']) {
        return Err(ParseError::new(
            ErrorCode::InvalidNestedKey,
            "Nested keys should not contain the '$' or '.' characters",
        ));
    }
    Ok(())
}

//! beforeSave and afterSave, and what is told of a write.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::open;
use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::events::Written;
use crate::domain::kernel::stages::{Concerned, Draft, Saved};
use crate::domain::kernel::triggers::{Answer, ClassTriggers, Handler};
use crate::domain::permissions::protected_fields::Visibility;
use crate::domain::permissions::{Operation, scope};
use crate::domain::store;
use crate::domain::triggers::{self, answer, payload};
use crate::error::{ParseError, Result};
use crate::model::acl::Acl;
use crate::model::json;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::operation::{apply, parse};
use crate::model::query::Resolved;
use crate::model::schema::FieldType;
use crate::model::trigger::Trigger;

/// Calls beforeSave, and reads the row before where afterSave or a subscriber wants it.
///
/// # Errors
/// 101 when the row is out of the caller's reach, what the trigger refuses, what its answer must not do.
pub async fn before_save(cx: &Context, draft: Draft, rules: &dyn ClassRules) -> Result<Draft> {
    let triggers = cx.app.triggers.of(draft.class.as_str());
    let triggers = triggers.filter(|triggers| triggers.has_any(&[Trigger::BeforeSave, Trigger::AfterSave]));
    let told = cx.app.events.wanted(&draft.class);
    if triggers.is_none() && !told {
        return Ok(draft);
    }
    // Boxed, so that a write that concerns nobody does not take the memory for this.
    Box::pin(call_before_save(cx, draft, rules, triggers, told)).await
}

/// Reads the row before, calls beforeSave, and notes what afterSave and subscribers need.
async fn call_before_save(
    cx: &Context,
    mut draft: Draft,
    rules: &dyn ClassRules,
    triggers: Option<Arc<ClassTriggers>>,
    told: bool,
) -> Result<Draft> {
    let class = cx.class(&draft.class);
    let (mut before, mut original, mut visibility) = (None, None, Visibility::default());
    if let Some(id) = &draft.id {
        before = reach(cx, &class, id, draft.only.clone()).await?.map(Arc::new);
        let Some(row) = &before else { return Err(rules.refused_update(cx, ParseError::not_found())) };
        if triggers.is_some() {
            visibility = visibility_of(cx, &class, Some(id)).await?;
            original = Some(payload::object(cx, &class, &visibility, Object::clone(row)));
        }
    }
    let sent_aside = draft.facts.sent_aside.clone();
    let (relations, written, changed, removed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut concerned =
        Concerned { triggers, told, relations, before, original, sent_aside, written, changed, removed };
    let handler = concerned.triggers.as_ref().and_then(|triggers| triggers.get(Trigger::BeforeSave)).cloned();
    if let Some(handler) = handler {
        let mut payload = payload::trigger(cx, Trigger::BeforeSave);
        if handler.tells_changes() {
            payload.insert("changes".to_owned(), sent(&draft).into());
        } else {
            payload.insert("object".to_owned(), wanted(cx, &class, &draft, &concerned, &visibility).into());
        }
        if let Some(original) = &concerned.original {
            payload.insert("original".to_owned(), original.clone().into());
        }
        let answer = triggers::fire_before_write(cx, &handler, Trigger::BeforeSave, &draft.class, payload).await?;
        take(cx, &mut draft, &mut concerned, answer, rules)?;
    }
    if concerned.has_after_save() {
        concerned.written = draft.body.keys().map(|key| key.split('.').next().unwrap_or(key).to_owned()).collect();
    }
    draft.facts.concerned = Some(concerned);
    Ok(draft)
}

/// The row to change, if the caller may change it.
async fn reach(cx: &Context, class: &Class, id: &str, only: Resolved) -> Result<Option<Object>> {
    let scope = scope::scope(cx, class, Operation::Update, store::by_id(id).and(only), None).await?;
    store::find_one(cx, class, &scope).await
}

async fn visibility_of(cx: &Context, class: &Class, id: Option<&str>) -> Result<Visibility> {
    if cx.app.options.security.protected_fields_trigger_exempt {
        return Ok(Visibility::default());
    }
    Visibility::of(cx, class, id).await
}

/// The object as it will be: the row before with what is sent on it. Operations stay operations.
fn wanted(
    cx: &Context,
    class: &Class,
    draft: &Draft,
    concerned: &Concerned,
    visibility: &Visibility,
) -> Map<String, Json> {
    let mut object = match &concerned.before {
        None => Map::new(),
        Some(row) => {
            let dotted = draft.body.iter().filter(|(key, _)| key.contains('.'));
            let dotted = dotted.map(|(key, value)| (key.clone(), value.clone())).collect();
            let mut row = Object::clone(row);
            // What does not fit is refused later.
            if let Ok(changes) = parse::parse(dotted, parse::WriteKind::Update) {
                let _ = apply::apply(&changes.update, &mut row);
            }
            payload::fields(cx, class, visibility, row)
        }
    };
    object.extend(sent(draft).into_iter().filter(|(key, _)| !key.contains('.')));
    object.insert("className".to_owned(), draft.class.as_str().into());
    object
}

/// What is to be written, as it was sent.
fn sent(draft: &Draft) -> Map<String, Json> {
    let mut sent = draft.body.clone();
    sent.extend(draft.facts.sent_aside.clone());
    sent.extend(sent_acl(draft).map(|acl| ("ACL".to_owned(), acl)));
    if draft.creates() && draft.facts.id_given {
        sent.insert("objectId".to_owned(), draft.new_id.as_str().into());
    }
    sent
}

fn sent_acl(draft: &Draft) -> Option<Json> {
    serde_json::to_value(draft.acl.as_ref()?).ok()
}

/// Puts the answer of beforeSave in the place of what was sent.
fn take(
    cx: &Context,
    draft: &mut Draft,
    concerned: &mut Concerned,
    answer: Answer,
    rules: &dyn ClassRules,
) -> Result<()> {
    let roots = |body: &Map<String, Json>| -> Vec<String> {
        body.keys().filter_map(|key| key.split_once('.')).map(|(root, _)| root.to_owned()).collect()
    };
    // Of dotted keys the client reads the whole field.
    let Some(data) = answer.object else {
        concerned.changed.extend(roots(&draft.body));
        // An object that a client sends is one to the code, which stores it as any other: by a pointer.
        let whole = draft.body.iter_mut().filter_map(|(field, value)| answer::refer(value).then(|| field.clone()));
        concerned.changed.extend(whole);
        return Ok(());
    };
    let mut data = answer::judge(cx, data)?;
    concerned.changed.extend(roots(&data));
    // The client that sent a value reads the one that stays.
    concerned.changed.extend(answer.reverted.iter().cloned());
    if draft.creates() {
        concerned.removed.extend(answer.reverted);
    }
    for field in rules.judged_before() {
        data.shift_remove(*field);
    }
    let id = data.shift_remove("objectId");
    if draft.creates()
        && let Some(Json::String(id)) = id
    {
        draft.new_id = open::checked_id(id)?;
    }
    let mut sent = std::mem::take(&mut draft.body);
    sent.extend(sent_acl(draft).map(|acl| ("ACL".to_owned(), acl)));
    for (field, value) in &mut data {
        if !answer::refer(value) && sent.get(field) == Some(value) {
            continue;
        }
        let removes = value.get("__op").and_then(Json::as_str) == Some("Delete");
        if removes { &mut concerned.removed } else { &mut concerned.changed }.push(field.clone());
    }
    // What is as it was needs no write, which could undo that of somebody else.
    let unchanged = |field: &str, value: &Json| {
        !sent.contains_key(field)
            && concerned.original.as_ref().is_some_and(|original| original.get(field) == Some(value))
    };
    data.retain(|field, value| field == "ACL" || !unchanged(field, value));
    draft.acl = match data.shift_remove("ACL") {
        None | Some(Json::Null) => None,
        Some(acl) => Some(Acl::parse(&acl)?),
    };
    draft.body = data;
    Ok(())
}

/// Publishes the write and calls afterSave; inside a transaction, once it is committed.
pub async fn after_save(cx: &Context, class: Arc<Class>, concerned: Concerned, saved: &mut Saved) {
    match cx.deferred() {
        None => {
            if let Some(answer) =
                done(cx, &class, concerned, saved.row.as_ref(), saved.body.get_str("sessionToken")).await
            {
                tell(answer, saved);
            }
        }
        Some(deferred) => {
            let (cx, row) = (cx.outside_transaction(), saved.row.clone());
            let token = saved.body.get_str("sessionToken").map(str::to_owned);
            deferred.push(async move {
                done(&cx, &class, concerned, row.as_ref(), token.as_deref()).await;
            });
        }
    }
}

async fn done(
    cx: &Context,
    class: &Class,
    concerned: Concerned,
    row: Option<&Object>,
    session_token: Option<&str>,
) -> Option<Answer> {
    let row = row?;
    if concerned.told {
        cx.app.events.publish(&Written {
            class: class.schema.name.clone(),
            id: row.get_str("objectId").unwrap_or_default().to_owned(),
            before: concerned.before.clone(),
            after: Some(Arc::new(row.clone())),
            relations: concerned.relations,
        });
    }
    let triggers = concerned.triggers?;
    let handler = triggers.get(Trigger::AfterSave)?;
    let mut more = concerned.sent_aside;
    more.extend(session_token.map(|token| ("sessionToken".to_owned(), token.into())));
    let seen = Seen { row, written: &concerned.written, more };
    fire_after_save(cx, handler, class, seen, concerned.original).await
}

/// Calls afterSave for a log in that a sign up turned out to be: nothing was made, and the trigger gets to see the user. `more`: what it
/// sees besides the row. Inside a transaction it is called once that is committed.
pub async fn after_log_in(cx: &Context, class: &ClassName, row: &Object, more: Map<String, Json>) {
    let Some(handler) = cx.app.triggers.handler(Trigger::AfterSave, class.as_str()) else { return };
    let class = cx.class(class);
    let Some(deferred) = cx.deferred() else {
        fire_after_save(cx, &handler, &class, Seen { row, written: &[], more }, None).await;
        return;
    };
    let (cx, row) = (cx.outside_transaction(), row.clone());
    deferred.push(async move {
        fire_after_save(&cx, &handler, &class, Seen { row: &row, written: &[], more }, None).await;
    });
}

/// What afterSave sees of the object.
struct Seen<'a> {
    /// The stored row.
    row: &'a Object,
    /// Fields that the request writes.
    written: &'a [String],
    /// What is not in the row.
    more: Map<String, Json>,
}

impl Seen<'_> {
    /// What the caller may read or has written. Of a new object no relations are told that have no members.
    fn object(self, cx: &Context, class: &Class, visibility: &Visibility, is_new: bool) -> Map<String, Json> {
        let mut shown = self.row.clone();
        visibility.redact(&mut shown);
        for field in self.written {
            if let Some(value) = self.row.get(field).filter(|_| !shown.contains(field)) {
                shown.insert(field.clone(), value.clone());
            }
        }
        let mut object = payload::object(cx, class, &Visibility::default(), shown);
        let is_relation = |field: &str| matches!(class.schema.kind(field), Some(FieldType::Relation(_)));
        object.retain(|field, _| !is_new || !is_relation(field) || self.written.contains(field));
        object.extend(self.more);
        object
    }
}

async fn fire_after_save(
    cx: &Context,
    handler: &Arc<dyn Handler>,
    class: &Class,
    seen: Seen<'_>,
    original: Option<Map<String, Json>>,
) -> Option<Answer> {
    let visibility = match visibility_of(cx, class, seen.row.get_str("objectId")).await {
        Ok(visibility) => visibility,
        Err(error) => {
            tracing::error!(%error, class = %class.schema.name, "afterSave could not be called");
            return None;
        }
    };
    let mut payload = payload::trigger(cx, Trigger::AfterSave);
    let object = seen.object(cx, class, &visibility, original.is_none());
    payload.insert("object".to_owned(), object.into());
    if let Some(original) = original {
        payload.insert("original".to_owned(), original.into());
    }
    // Its errors are in the log.
    triggers::fire(cx, handler, Trigger::AfterSave, &class.schema.name, payload).await.ok()
}

/// Lets the client read what afterSave says.
fn tell(answer: Answer, saved: &mut Saved) {
    let objects = |map: Map<String, Json>| map.into_iter().map(|(key, value)| (key, json::decode_stored(value)));
    if let Some(object) = answer.object {
        saved.body = objects(object).collect();
    }
    saved.body.extend(answer.changed.into_iter().flat_map(objects));
}

//! The delete pipeline: check the caller, narrow the filter, beforeDelete, delete, class rules, events, afterDelete.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::commands::{Delete, GetQuery};
use crate::domain::kernel::context::Context;
use crate::domain::kernel::events::Written;
use crate::domain::kernel::rehearsal::Rehearsal;
use crate::domain::kernel::triggers::ClassTriggers;
use crate::domain::permissions::{Operation, admit, scope};
use crate::domain::read;
use crate::domain::store;
use crate::domain::triggers::{self, payload};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::query::Filter;
use crate::model::trigger::Trigger;

/// The triggers of a deletion.
const TRIGGERS: [Trigger; 2] = [Trigger::BeforeDelete, Trigger::AfterDelete];

/// Deletes an object.
///
/// # Errors
/// 101 if the caller can reach no such object, 119 if the class does not permit it, and errors of class rules and
/// triggers.
pub async fn delete(cx: &Context, delete: Delete) -> Result<()> {
    let Delete { class: class_name, id } = delete;
    let (class_name, id) = (&class_name, id.as_str());
    admit::refuse_caller(cx, class_name, Operation::Delete)?;
    let concerning = cx.app.triggers.of(class_name.as_str()).filter(|triggers| triggers.has_any(&TRIGGERS));
    if concerning.is_none() {
        triggers::end_when_asked(cx)?;
    }
    // a class that does not exist has no objects: 101, even if clients may not create classes
    let rules = cx.app.rules.of(class_name);
    rules.before_delete(cx, id).await?;
    let concerned = Concerned::find(cx, concerning, class_name, id).await?;
    let class = cx.class(class_name);
    scope::admit(cx, &class, Operation::Delete).await?;
    // objects that the caller can never read, such as sessions of others, cannot be deleted either
    let row = Filter::eq("objectId", id).and(rules.read_filter(cx)?);
    let scope = scope::scope(cx, &class, Operation::Delete, row, None).await?;
    let mut before = None;
    if let Some(concerned) = &concerned {
        before = Some(store::find_one(cx, &class, &scope).await?.ok_or_else(|| concerned.out_of_reach(&*rules, cx))?);
        concerned.fire(cx, class_name, Trigger::BeforeDelete).await?;
    }
    triggers::end_when_asked(cx)?;
    if store::delete(cx, &class, &scope).await? == 0 {
        return Err(rules.undeletable(cx));
    }
    cx.app.caches.forget(class_name.as_str(), Some(id));
    rules.after_delete(cx, id).await?;
    let (Some(concerned), Some(before)) = (concerned, before) else { return Ok(()) };
    let Some(deferred) = cx.deferred() else { return concerned.done(cx, class_name, before).await };
    let (cx, class_name) = (cx.outside_transaction(), class_name.clone());
    deferred.push(async move {
        // Its error is in the log.
        let _ = concerned.done(&cx, &class_name, before).await;
    });
    Ok(())
}

/// The triggers and subscribers that are called for a deletion.
struct Concerned {
    triggers: Option<Arc<ClassTriggers>>,
    told: bool,
    /// The object as the caller reads it.
    object: Map<String, Json>,
}

impl Concerned {
    /// Reads the object for triggers and subscribers. `None` if there are none.
    async fn find(
        cx: &Context,
        triggers: Option<Arc<ClassTriggers>>,
        class: &ClassName,
        id: &str,
    ) -> Result<Option<Self>> {
        let told = cx.app.events.wanted(class);
        if triggers.is_none() {
            return Ok(told.then(|| Self { triggers, told, object: Map::new() }));
        }
        // The find triggers of the class are called once, for a part of a transaction before that begins.
        if let Some(object) = cx.rehearsal().and_then(Rehearsal::take_found) {
            return Ok(Some(Self { triggers, told, object }));
        }
        // What find triggers leave in the context is not for those of the deletion.
        let cx = &cx.with_empty_cloud_context();
        let object = read::get(cx, GetQuery::of(class.as_str(), id)).await;
        let object = object.map_err(|error| if error.is(ErrorCode::ObjectNotFound) { gone() } else { error })?;
        let mut object = json::encode_object(&object);
        object.insert("className".to_owned(), class.as_str().into());
        if let Some(rehearsal) = cx.rehearsal().filter(|rehearsal| rehearsal.is_on()) {
            rehearsal.note_found(object.clone());
        }
        Ok(Some(Self { triggers, told, object }))
    }

    fn out_of_reach(&self, rules: &dyn ClassRules, cx: &Context) -> ParseError {
        if self.triggers.is_some() { gone() } else { rules.undeletable(cx) }
    }

    async fn fire(&self, cx: &Context, class: &ClassName, trigger: Trigger) -> Result<()> {
        let Some(handler) = self.triggers.as_ref().and_then(|triggers| triggers.get(trigger)) else { return Ok(()) };
        let mut payload = payload::trigger(cx, trigger);
        payload.insert("object".to_owned(), self.object.clone().into());
        let answer = if trigger.is_before() {
            triggers::fire_before_write(cx, handler, trigger, class, payload).await
        } else {
            triggers::fire(cx, handler, trigger, class, payload).await
        };
        answer.map(|_| ())
    }

    async fn done(&self, cx: &Context, class: &ClassName, before: Object) -> Result<()> {
        if self.told {
            let id = before.get_str("objectId").unwrap_or_default().to_owned();
            let before = Some(Arc::new(before));
            cx.app.events.publish(&Written { class: class.clone(), id, before, after: None, relations: Vec::new() });
        }
        self.fire(cx, class, Trigger::AfterDelete).await
    }
}

fn gone() -> ParseError {
    ParseError::new(ErrorCode::ObjectNotFound, "Object not found for delete.")
}

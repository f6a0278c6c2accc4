//! beforeFind and afterFind.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::resolve;
use crate::domain::kernel::commands::FindQuery;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::triggers::{Answer, ClassTriggers, Given};
use crate::domain::triggers::{self, payload};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::query::{Filter, unparse};
use crate::model::trigger::Trigger;
use crate::model::value::Value;

/// What the app's code has to do with one query.
#[derive(Debug)]
pub struct Concerned {
    class: ClassName,
    triggers: Arc<ClassTriggers>,
    /// Whether one object is asked for by its id.
    is_get: bool,
    /// The query as triggers see it.
    query: Map<String, Json>,
    /// Objects with which beforeFind answers the query.
    pub answered: Option<Vec<Object>>,
}

/// Calls beforeFind, which may refuse, change the query or answer it. `None`: the class has no such triggers.
///
/// # Errors
/// What the trigger refuses, and what its query is refused for.
pub async fn before_find(
    cx: &Context,
    class: &ClassName,
    request: &mut FindQuery,
    is_get: bool,
) -> Result<Option<Concerned>> {
    if request.quiet {
        return Ok(None);
    }
    let Some(triggers) = cx.app.triggers.of(class.as_str()) else { return Ok(None) };
    if !triggers.has_any(&[Trigger::BeforeFind, Trigger::AfterFind]) {
        return Ok(None);
    }
    // Boxed, so that a query without triggers does not take the memory for them.
    Box::pin(call_before_find(cx, class, triggers, request, is_get)).await.map(Some)
}

/// Calls beforeFind, if there is one, and notes what afterFind needs.
async fn call_before_find(
    cx: &Context,
    class: &ClassName,
    triggers: Arc<ClassTriggers>,
    request: &mut FindQuery,
    is_get: bool,
) -> Result<Concerned> {
    let filter = std::mem::replace(&mut request.filter, Filter::All);
    request.filter = resolve::relations(cx, filter).await?;
    let query = query(cx, request, is_get);
    let mut concerned = Concerned { class: class.clone(), triggers, is_get, query, answered: None };
    if let Some(handler) = concerned.triggers.get(Trigger::BeforeFind) {
        let mut payload = payload::trigger(cx, Trigger::BeforeFind);
        payload.insert("query".to_owned(), concerned.query.clone().into());
        payload.insert("count".to_owned(), request.parameters.count.into());
        payload.insert("isGet".to_owned(), is_get.into());
        let Answer { query: changed, objects, .. } =
            triggers::fire(cx, handler, Trigger::BeforeFind, class, payload).await?;
        concerned.answered = objects.map(|list| replaced(Vec::new(), list));
        if let Some(changed) = changed {
            change(cx, class, request, changed)?;
            concerned.query = self::query(cx, request, is_get);
        }
    }
    Ok(concerned)
}

/// Calls beforeFind for an aggregation, which it may refuse.
///
/// # Errors
/// What the trigger refuses.
pub async fn before_aggregate(cx: &Context, class: &ClassName, pipeline: &[Json]) -> Result<()> {
    let Some(handler) = cx.app.triggers.handler(Trigger::BeforeFind, class.as_str()) else { return Ok(()) };
    let mut payload = payload::trigger(cx, Trigger::BeforeFind);
    payload.insert("query".to_owned(), json!({ "where": {}, "pipeline": pipeline }));
    payload.insert("count".to_owned(), false.into());
    payload.insert("isGet".to_owned(), false.into());
    triggers::fire(cx, &handler, Trigger::BeforeFind, class, payload).await.map(|_| ())
}

impl Concerned {
    /// Whether afterFind comes, or beforeFind answered: then rows must be looked into.
    #[must_use]
    pub fn looks_into_rows(&self) -> bool {
        self.answered.is_some() || self.triggers.get(Trigger::AfterFind).is_some()
    }

    /// Calls afterFind, which may refuse, and replace what was found.
    ///
    /// # Errors
    /// What the trigger refuses.
    pub async fn after_find(&self, cx: &Context, mut found: Vec<Object>) -> Result<Vec<Object>> {
        let Some(handler) = self.triggers.get(Trigger::AfterFind) else { return Ok(found) };
        let mut payload = payload::trigger(cx, Trigger::AfterFind);
        payload.insert("object".to_owned(), Json::Null);
        payload.insert("isGet".to_owned(), self.is_get.into());
        payload.insert("query".to_owned(), self.query.clone().into());
        let answer = triggers::fire_with_found(cx, handler, &self.class, payload, &found).await?;
        if let Some(objects) = answer.objects {
            found = replaced(found, objects);
        }
        for object in &mut found {
            object.insert("className", self.class.as_str());
        }
        Ok(found)
    }
}

/// The objects that come in the place of those found: some of those, changed or not, and such as the app's code gives.
fn replaced(mut found: Vec<Object>, list: Vec<Given>) -> Vec<Object> {
    let mut uses = vec![0_u32; found.len()];
    for place in list.iter().filter_map(Given::place) {
        uses.get_mut(place).into_iter().for_each(|uses| *uses += 1);
    }
    // An object that is answered once need not be copied.
    let mut at = |place: usize| {
        let uses = uses.get_mut(place)?;
        *uses -= 1;
        let object = found.get_mut(place)?;
        Some(if *uses == 0 { std::mem::take(object) } else { object.clone() })
    };
    let object = |given: Given| match given {
        Given::Untouched(place) => at(place),
        Given::Changed(place, changed, removed) => {
            let mut object = at(place)?;
            for field in &removed {
                object.remove(field);
            }
            object.extend(changed.into_iter().map(|(field, value)| (field, json::decode_stored(value))));
            Some(object)
        }
        Given::Other(json) => to_object(json),
    };
    list.into_iter().filter_map(object).collect()
}

/// An object as the app's code gives it.
fn to_object(json: Json) -> Option<Object> {
    match json::decode_stored(json) {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// A query as triggers see it: what was asked for, and the limit that applies to a find without one.
fn query(cx: &Context, request: &FindQuery, is_get: bool) -> Map<String, Json> {
    let parameters = &request.parameters;
    let mut query = Map::new();
    query.insert("where".to_owned(), request.filter.to_json().into());
    let usual = || (!request.unlimited).then(|| cx.app.options.database.default_limit.unsigned_abs());
    if let Some(limit) = parameters.limit.or_else(usual).filter(|_| !is_get) {
        query.insert("limit".to_owned(), limit.into());
    }
    if parameters.skip > 0 {
        query.insert("skip".to_owned(), parameters.skip.into());
    }
    let mut put = |name: &str, words: String| {
        if !words.is_empty() {
            query.insert(name.to_owned(), words.into());
        }
    };
    put("order", unparse::order(&parameters.order));
    put("keys", parameters.keys.as_deref().unwrap_or_default().join(","));
    put("excludeKeys", parameters.exclude_keys.join(","));
    put("include", if parameters.include.all { "*".to_owned() } else { parameters.include.named.join(",") });
    put("explain", parameters.explain.clone().unwrap_or_default());
    put("comment", parameters.comment.clone().unwrap_or_default());
    if let Some(hint) = &parameters.hint {
        query.insert("hint".to_owned(), hint.clone());
    }
    query
}

/// Replaces what a trigger changed in a query. It may ask for what masters may ask for.
fn change(cx: &Context, class: &ClassName, request: &mut FindQuery, changed: Map<String, Json>) -> Result<()> {
    let has = |name: &str| changed.contains_key(name);
    let (limits, skips, keys, includes) =
        (has("limit"), has("skip"), has("keys") || has("excludeKeys"), has("include"));
    let (orders, conditions) = (has("order"), has("where"));
    let new = FindQuery::read(&cx.as_master(), class.as_str(), changed)
        .map_err(|error| ParseError::new(error.code.unwrap_or(ErrorCode::InvalidQuery), error.message))?;
    if conditions {
        request.filter = new.filter;
        request.object_id = new.object_id;
    }
    let (old, new) = (&mut request.parameters, new.parameters);
    // A limit or skip of 0 is none.
    old.limit = new.limit.filter(|limit| limits && *limit > 0).or(old.limit);
    if skips && new.skip > 0 {
        old.skip = new.skip;
    }
    if orders {
        old.order = new.order;
    }
    if keys {
        old.keys = new.keys;
        old.exclude_keys = new.exclude_keys;
    }
    if includes || keys {
        old.include = new.include;
    }
    old.explain = new.explain.or(old.explain.take());
    old.hint = new.hint.or(old.hint.take());
    old.comment = new.comment.or(old.comment.take());
    old.read_preferences.rows = new.read_preferences.rows.or(old.read_preferences.rows);
    old.read_preferences.included = new.read_preferences.included.or(old.read_preferences.included);
    old.read_preferences.sub_queries = new.read_preferences.sub_queries.or(old.read_preferences.sub_queries);
    Ok(())
}

//! Replaces conditions that need other queries (`$inQuery`, `$relatedTo`, …) by conditions that a store can evaluate.

use std::collections::BTreeSet;
use std::pin::Pin;

use super::{Found, find, get};
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::commands::{FindQuery, GetQuery};
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::permissions::protected_fields::Visibility;
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::columns;
use crate::model::query::options::ReadPreference;
use crate::model::query::parameters::{QueryParameters, ReadPreferences};
use crate::model::query::{Constraint, Filter, Resolved, SubQuery, Unresolved};
use crate::model::schema::FieldType;
use crate::model::trigger::Trigger;
use crate::model::value::{Pointer, Value};

/// Maximum depth of nested sub-queries, whatever the options allow.
const MAX_DEPTH: u32 = 20;

/// The query whose condition is being resolved.
#[derive(Debug, Clone, Copy, Default)]
pub struct SubQueryContext {
    /// The number of queries around it.
    pub depth: u32,
    /// Read preference of its sub-queries.
    pub read_preference: Option<ReadPreference>,
}

/// Resolves a filter of a class for the caller.
///
/// # Errors
/// The errors of sub-queries.
#[must_use]
pub fn resolve<'a>(
    cx: &'a Context,
    class: &'a Class,
    filter: Filter,
    inside: SubQueryContext,
) -> Pin<Box<dyn Future<Output = Result<Resolved>> + Send + 'a>> {
    Box::pin(async move {
        Ok(match filter {
            Filter::All => Filter::All,
            Filter::Never => Filter::Never,
            Filter::And(parts) => {
                let mut all = Filter::All;
                for part in resolve_all(cx, class, parts, inside).await? {
                    all = all.and(part);
                }
                all
            }
            Filter::Or(parts) => Filter::Or(resolve_all(cx, class, parts, inside).await?),
            Filter::Nor(parts) => Filter::Nor(resolve_all(cx, class, parts, inside).await?),
            Filter::Field { path, constraint } => match class.schema.kind(&path) {
                Some(FieldType::Relation(_)) => members_filter(cx, class, &path, constraint).await?,
                _ => Filter::Field { path: stored_path(&path), constraint },
            },
            Filter::Unresolved(unresolved) => resolve_one(cx, class, unresolved, inside).await?,
        })
    })
}

async fn resolve_all(
    cx: &Context,
    class: &Class,
    parts: Vec<Filter>,
    inside: SubQueryContext,
) -> Result<Vec<Resolved>> {
    let mut resolved = Vec::with_capacity(parts.len());
    for part in parts {
        resolved.push(resolve(cx, class, part, inside).await?);
    }
    Ok(resolved)
}

/// `authData.PROVIDER` is stored in a column of its own.
fn stored_path(path: &str) -> String {
    columns::path(path).into_owned()
}

async fn resolve_one(cx: &Context, class: &Class, unresolved: Unresolved, inside: SubQueryContext) -> Result<Resolved> {
    match unresolved {
        Unresolved::InQuery { path, negated, query } => {
            let redirected = super::redirect(cx, &query.class, query.redirect_key.as_deref()).await?;
            let target = redirected.unwrap_or_else(|| query.class.clone());
            let found = sub_query(cx, *query, vec!["objectId".to_owned()], inside).await?;
            let pointers: Vec<Value> = found
                .results
                .iter()
                .filter_map(|row| row.get_str("objectId"))
                .map(|id| Value::pointer(&target, id))
                .collect();
            let constraint = if negated { Constraint::NotIn(pointers) } else { Constraint::In(pointers) };
            resolve(cx, class, Filter::field(path, constraint), inside).await
        }
        Unresolved::Select { path, negated, query, key } => {
            let found = sub_query(cx, *query, vec![key.clone()], inside).await?;
            let mut values = Vec::new();
            for row in &found.results {
                collect(&Value::Object(row.clone()), &key, &mut values);
            }
            // The ids of a pointer's class stand for pointers, as in a condition that a client writes.
            if let Some(FieldType::Pointer(target)) = class.schema.kind(&path) {
                for value in &mut values {
                    if let Value::String(id) = value {
                        *value = Value::pointer(target, id.as_str());
                    }
                }
            }
            let constraint = if negated { Constraint::NotIn(values) } else { Constraint::In(values) };
            resolve(cx, class, Filter::field(path, constraint), inside).await
        }
        Unresolved::RelatedTo { object, key } => {
            Ok(related_to(cx, &object, &key).await?.map_or(Filter::Never, store::by_ids))
        }
    }
}

/// A condition with the members' ids in the place of a relation, which is how triggers see it.
///
/// # Errors
/// What the relation is refused for.
pub async fn relations(cx: &Context, filter: Filter) -> Result<Filter> {
    let parts = match filter {
        Filter::And(parts) => parts,
        other => vec![other],
    };
    let mut all = Filter::All;
    for part in parts {
        let part = match part {
            Filter::Unresolved(Unresolved::RelatedTo { object, key }) => match related_to(cx, &object, &key).await? {
                Some(members) => {
                    let members = members.into_iter().map(Value::String).collect();
                    Filter::field("objectId", Constraint::In(members))
                }
                None => Filter::Never,
            },
            other => other,
        };
        all = all.and(part);
    }
    Ok(all)
}

async fn sub_query(cx: &Context, query: SubQuery, keys: Vec<String>, inside: SubQueryContext) -> Result<Found> {
    if inside.depth >= MAX_DEPTH {
        return Err(ParseError::new(
            ErrorCode::InvalidQuery,
            format!("Subquery nesting depth exceeds maximum allowed depth of {MAX_DEPTH}"),
        ));
    }
    let most = cx.app.options.security.request_complexity.subquery_limit.get().filter(|_| !cx.auth.is_master());
    let limit = match (query.limit, most) {
        (Some(limit), Some(most)) => Some(limit.min(most)),
        (limit, most) => limit.or(most),
    };
    let preference = inside.read_preference;
    // A trigger sees whole objects.
    let seen = cx.app.triggers.of(query.class.as_str());
    let seen = seen.is_some_and(|triggers| triggers.has_any(&[Trigger::BeforeFind, Trigger::AfterFind]));
    let parameters = QueryParameters {
        order: query.order,
        limit,
        skip: query.skip,
        redirect_key: query.redirect_key,
        keys: (!seen).then_some(keys),
        read_preferences: ReadPreferences { rows: preference, included: None, sub_queries: preference },
        ..QueryParameters::default()
    };
    let request =
        FindQuery { unlimited: true, depth: inside.depth + 1, ..FindQuery::of(query.class, query.filter, parameters) };
    find(cx, request).await
}

/// The values at a dotted key; elements of arrays one by one.
fn collect(value: &Value, key: &str, values: &mut Vec<Value>) {
    let (field, rest) = key.split_once('.').map_or((key, None), |(field, rest)| (field, Some(rest)));
    let object = match value {
        Value::Object(object) => object,
        Value::Pointer(pointer) => {
            match key {
                "objectId" => values.push(pointer.id.as_str().into()),
                "className" => values.push(pointer.class.as_str().into()),
                _ => {}
            }
            return;
        }
        _ => return,
    };
    let found = match field {
        "createdAt" | "updatedAt" => object.get(field).and_then(|value| match value {
            Value::String(iso) => crate::model::Date::parse(iso).map(Value::Date),
            other => Some(other.clone()),
        }),
        _ => object.get(field).cloned(),
    };
    match (found, rest) {
        (Some(Value::Array(list)), Some(rest)) => list.iter().for_each(|item| collect(item, rest, values)),
        (Some(inner), Some(rest)) => collect(&inner, rest, values),
        (Some(Value::Array(list)), None) => values.extend(list),
        (Some(value), None) => values.push(value),
        (None, _) => {}
    }
}

/// `$relatedTo`: the members of a relation, if the caller may read its owner and the field is not hidden.
async fn related_to(cx: &Context, object: &Pointer, key: &str) -> Result<Option<Vec<String>>> {
    let owner_class = cx.class(&object.class);
    if !cx.auth.is_master() {
        if object.class.is_internal() {
            return Ok(None);
        }
        let visibility = Visibility::of(cx, &owner_class, Some(&object.id)).await?;
        visibility.refuse(&owner_class, key, "query")?;
        let parameters = QueryParameters { keys: Some(vec!["objectId".to_owned()]), ..QueryParameters::default() };
        let query = GetQuery { class: object.class.clone(), id: object.id.clone(), parameters, quiet: true };
        match get(cx, query).await {
            Ok(_) => {}
            Err(error) if error.is(ErrorCode::ObjectNotFound) || error.is(ErrorCode::OperationForbidden) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
    }
    let join = object.class.join(key);
    let members = cx
        .app
        .storage
        .members(&join, std::slice::from_ref(&object.id), cx.transaction.as_ref())
        .await
        .map_err(failure)?;
    Ok(Some(members.into_iter().map(|(_, member)| member).collect()))
}

/// A condition on a relation field: the rows whose relation contains the object, or does not.
async fn members_filter(cx: &Context, class: &Class, field: &str, constraint: Constraint) -> Result<Resolved> {
    let ids = |values: Vec<Value>| -> Vec<String> {
        values
            .into_iter()
            .filter_map(|value| match value {
                Value::Pointer(pointer) => Some(pointer.id),
                _ => None,
            })
            .collect()
    };
    let (members, negated) = match constraint {
        Constraint::Eq(value) => (Some(ids(vec![value])), false),
        Constraint::Ne(value) => (Some(ids(vec![value])), true),
        Constraint::In(values) => (Some(ids(values)), false),
        Constraint::NotIn(values) => (Some(ids(values)), true),
        // Whether the relation has any member.
        Constraint::Exists(there) => (None, !there),
        // A relation has no value to compare.
        Constraint::Lt(_)
        | Constraint::Lte(_)
        | Constraint::Gt(_)
        | Constraint::Gte(_)
        | Constraint::All(_)
        | Constraint::AllRegex(_)
        | Constraint::ContainedBy(_)
        | Constraint::Regex(_)
        | Constraint::Text(_)
        | Constraint::Near { .. }
        | Constraint::WithinBox { .. }
        | Constraint::WithinPolygon(_)
        | Constraint::WithinSphere { .. }
        | Constraint::IntersectsPoint(_) => return Ok(Filter::Never),
    };
    let join = class.schema.name.join(field);
    let owners = cx.app.storage.owners(&join, members.as_deref(), cx.transaction.as_ref()).await.map_err(failure)?;
    let owners: BTreeSet<String> = owners.into_iter().map(|(owner, _)| owner).collect();
    let owners = store::by_ids(owners);
    Ok(if negated { Filter::Nor(vec![owners]) } else { owners })
}

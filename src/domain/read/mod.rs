//! The read pipeline: how rows are found, whatever their class.
//!
//! Stages: refuse callers and unknown classes → limits → hidden fields → class permission → [`resolve`] (sub-queries) → scope →
//! store → [`redact`] (what the caller may read of each row) → [`include`] (pointers).

pub mod include;
pub mod limits;
pub mod redact;
pub mod related;
pub mod request;
pub mod resolve;

use std::sync::Arc;

use serde_json::Value as Json;

use self::redact::View;
pub use self::request::ReadRequest;
use super::context::Context;
use super::permissions::protected_fields::Hidden;
use super::permissions::{Operation, Scoped, scope};
use super::schema::Class;
use super::schema::check::known_class;
use super::store;
use super::write::open;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::query::matches::Matcher;
use crate::model::query::options::FindOptions;
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::schema::FieldType;
use crate::model::value::Value;

/// Answer to a query.
#[derive(Debug, Default)]
pub struct Found {
    /// The rows, ready for the wire.
    pub results: Vec<Object>,
    /// How many match, when asked.
    pub count: Option<u64>,
    /// The store's plan, when it was asked instead of rows.
    pub plan: Option<Json>,
}

/// Finds rows.
///
/// # Errors
/// 102, 105, 107 for what is asked; 101, 119 for who asks.
pub async fn find(cx: &Context, class_name: &ClassName, request: ReadRequest) -> Result<Found> {
    Box::pin(run(cx, class_name, request, Operation::Find, None)).await
}

/// Reads one row by its id.
///
/// # Errors
/// 101 when there is none that the caller may read.
pub async fn get(cx: &Context, class_name: &ClassName, id: &str, request: ReadRequest) -> Result<Object> {
    get_written(cx, class_name, id, request, None).await
}

/// As [`get`], of a row that has just been written. `written`: the row as it went to the store; where that is exactly what the store
/// would give back, the store is not asked. All rules of reading hold as for any row.
///
/// # Errors
/// As [`get`].
pub async fn get_written(
    cx: &Context,
    class_name: &ClassName,
    id: &str,
    mut request: ReadRequest,
    written: Option<Object>,
) -> Result<Object> {
    request.filter = Filter::eq("objectId", id);
    request.object_id = Some(id.to_owned());
    request.limit = Some(1);
    let mut found = Box::pin(run(cx, class_name, request, Operation::Get, written)).await?;
    let mut object = found.results.pop().ok_or_else(ParseError::not_found)?;
    cx.app.rules.of(class_name).present_own(cx, &mut object);
    Ok(object)
}

/// A query inside another one: without default limit.
pub(super) async fn sub_find(cx: &Context, class_name: &ClassName, request: ReadRequest) -> Result<Found> {
    Box::pin(run(cx, class_name, request, Operation::Find, None)).await
}

/// `verb`: find or get, as the caller asks. `written`: the only row that can match, as it was just written.
async fn run(
    cx: &Context,
    class_name: &ClassName,
    mut request: ReadRequest,
    verb: Operation,
    written: Option<Object>,
) -> Result<Found> {
    let mut class_name = class_name.clone();
    open::refuse_caller(cx, &class_name, verb)?;
    let redirected = redirect(cx, &class_name, request.redirect_key.as_deref())?;
    if let Some(target) = &redirected {
        class_name = target.clone();
        open::refuse_caller(cx, &class_name, verb)?;
    }
    let operation = permission_needed(&request, verb);
    open::refuse_unknown_class(cx, &class_name)?;
    limits::check(cx, &request)?;
    if !names::is_valid_class_name(class_name.as_str()) && cx.schemas().get(&class_name).is_none() {
        return Ok(Found { count: request.count.then_some(0), ..Found::default() });
    }
    let class = known_class(cx, &class_name);
    let rows = Rows { cx, class: &class, operation };
    let rules = cx.app.rules.of(&class_name);
    let only = rules.read_filter(cx)?;
    let hidden = Hidden::of(cx, &class, request.object_id.as_deref()).await?;
    refuse_hidden(&class, &hidden, &request)?;
    scope::admit(cx, &class, operation).await?;
    let counts = request.count.then_some(Operation::Count).filter(|count| *count != operation);
    if let Some(count) = counts {
        scope::admit(cx, &class, count).await?;
    }
    let filter =
        resolve::resolve(cx, &class, std::mem::replace(&mut request.filter, Filter::All), request.depth).await?;
    let scope = scope::scope(cx, &class, operation, filter.and(only), counts).await?;
    let view = View::new(cx, &class, &hidden, &request);
    let options = rows.options(&request, &view)?;
    if let Some(verbosity) = &request.explain {
        let plan =
            cx.app.storage.explain(&class.schema, scope.filter(), &options, verbosity).await.map_err(store::failure)?;
        return Ok(Found { plan: Some(plan), ..Found::default() });
    }
    let mut results = match written.filter(|_| is_told_by_row(&class, &request, &scope)) {
        Some(row) if Matcher::for_class(scope.filter(), &class.schema)?.matches(&row)? => vec![view.present(row)],
        Some(_) => Vec::new(),
        None => rows.find(&scope, &options, &view).await?,
    };
    let count = if request.count { Some(store::count(cx, &class, &scope, &options).await?) } else { None };
    include::include(cx, &class, &mut results, &request).await?;
    if redirected.is_some() {
        for row in &mut results {
            row.insert("className", class_name.as_str());
        }
    }
    Ok(Found { results, count, plan: None })
}

/// Whether a row that was just written answers a query as well as the store would: a class without rules of its own, fields whose
/// values rest as they are written, permissions that look at nothing but the row's ACL.
fn is_told_by_row(class: &Class, request: &ReadRequest, scope: &Scoped) -> bool {
    let rests_as_written = |field: &String| {
        let kind = class.schema.kind(field);
        matches!(kind, Some(FieldType::String | FieldType::Number | FieldType::Boolean | FieldType::Date))
    };
    !class.schema.name.is_system()
        && request.keys.as_ref().is_some_and(|keys| keys.iter().all(rests_as_written))
        && request.include.paths.is_empty()
        && !request.include.all
        && request.redirect_key.is_none()
        && !request.count
        && is_about_acl_alone(scope.filter())
}

fn is_about_acl_alone(filter: &Resolved) -> bool {
    match filter {
        Filter::All | Filter::Never => true,
        Filter::And(parts) => parts.iter().all(is_about_acl_alone),
        Filter::Field { path, .. } => matches!(path.as_str(), "objectId" | "_rperm"),
        Filter::Or(_) | Filter::Nor(_) => false,
        Filter::Unresolved(never) => match *never {},
    }
}

/// The class level permission that the rows of a query need: a find of nothing but one id is a get, one of no rows a count.
fn permission_needed(request: &ReadRequest, verb: Operation) -> Operation {
    let by_id = matches!(
        &request.filter,
        Filter::Field { path, constraint: Constraint::Eq(Value::String(_)) } if path == "objectId"
    );
    match (request.count && request.limit == Some(0), by_id) {
        (true, _) => Operation::Count,
        (false, true) => Operation::Get,
        (false, false) => verb,
    }
}

/// One query's class and purpose.
pub(super) struct Rows<'a> {
    /// The request.
    pub cx: &'a Context,
    /// The class.
    pub class: &'a Arc<Class>,
    /// What for.
    pub operation: Operation,
}

impl Rows<'_> {
    /// Finds rows and makes them ready for the caller's eyes.
    pub async fn find(&self, scope: &Scoped, options: &FindOptions, view: &View<'_>) -> Result<Vec<Object>> {
        let rows = store::find(self.cx, self.class, scope, options).await?;
        let mut rows: Vec<Object> = rows.into_iter().map(|row| view.present(row)).collect();
        self.cx.app.rules.of(&self.class.schema.name).complete(self.cx, &mut rows).await;
        Ok(rows)
    }

    /// What the store is asked besides the filter.
    pub fn options(&self, request: &ReadRequest, view: &View<'_>) -> Result<FindOptions> {
        let database = &self.cx.app.options.database;
        let limit = match (request.limit, self.operation, request.unlimited) {
            (Some(limit), ..) => Some(limit),
            (None, _, true) => None,
            (None, ..) => Some(database.default_limit.unsigned_abs()),
        };
        let limit = match (limit, database.max_limit) {
            (Some(limit), Some(most)) if !request.unlimited => Some(limit.min(most.unsigned_abs())),
            (limit, _) => limit,
        };
        let mut sort = request.sort.clone();
        sort.retain(|criterion| {
            let root = criterion.path.split('.').next().unwrap_or_default();
            criterion.path.starts_with('$') || self.class.schema.fields.contains_key(root)
        });
        if let Some(criterion) = sort.iter().find(|criterion| criterion.path.starts_with("authData.")) {
            return Err(ParseError::new(ErrorCode::InvalidKeyName, format!("Cannot sort by {}", criterion.path)));
        }
        Ok(FindOptions {
            sort,
            skip: request.skip,
            limit,
            keys: view.needed_fields(),
            case_insensitive: false,
            hint: request.hint.clone(),
            comment: request.comment.clone(),
            read_preference: request.read_preference,
        })
    }
}

/// The class that `redirectClassNameForKey` leads to.
fn redirect(cx: &Context, class: &ClassName, key: Option<&str>) -> Result<Option<ClassName>> {
    let Some(key) = key else { return Ok(None) };
    let class = known_class(cx, class);
    if !cx.auth.is_master() && class.permissions.protected_fields.values().flatten().any(|field| field == key) {
        return Err(ParseError::forbidden(format!(
            "This user is not allowed to query {key} on class {}",
            class.schema.name
        )));
    }
    match class.schema.kind(key) {
        Some(FieldType::Relation(target) | FieldType::Pointer(target)) => Ok(Some(target.clone())),
        _ => Ok(None),
    }
}

fn refuse_hidden(class: &Class, hidden: &Hidden, request: &ReadRequest) -> Result<()> {
    for path in request.filter.paths() {
        hidden.refuse(class, path, "query")?;
    }
    request.sort.iter().try_for_each(|criterion| hidden.refuse(class, &criterion.path, "sort by"))
}

/// The first row of a class that meets a condition, as it rests, outside of any caller's permissions.
///
/// # Errors
/// When the store fails.
pub async fn internal_one(cx: &Context, class: &str, filter: Resolved, why: &'static str) -> Result<Option<Object>> {
    let class = known_class(cx, &ClassName::trusted(class));
    store::find_one(cx, &class, &Scoped::internal(filter, why)).await
}

/// As [`internal_one`], all rows and with options.
///
/// # Errors
/// When the store fails.
pub async fn internal_all(
    cx: &Context,
    class: &str,
    filter: Resolved,
    options: &FindOptions,
    why: &'static str,
) -> Result<Vec<Object>> {
    let class = known_class(cx, &ClassName::trusted(class));
    store::find(cx, &class, &Scoped::internal(filter, why), options).await
}

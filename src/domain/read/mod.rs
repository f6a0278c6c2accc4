//! The read pipeline for objects of any class.
//!
//! Stages: check the caller → beforeFind ([`triggers`]) → unknown classes → limits → hidden fields → class permission →
//! [`resolve`] (sub-queries) → scope → store → [`redact`] (hidden fields and columns) → [`include`] (pointers) →
//! afterFind. If the same fields are hidden in every row, no pointer is included and there is no trigger, the store
//! writes JSON directly.

pub mod include;
pub mod limits;
pub mod redact;
pub mod related;
pub mod resolve;
pub mod standing;
pub mod triggers;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use self::redact::View;
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::commands::{FindQuery, GetQuery};
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::permissions::protected_fields::Visibility;
use crate::domain::permissions::{Operation, Scoped, admit, scope};
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::query::matches::Matcher;
use crate::model::query::options::FindOptions;
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::rows::JsonRows;
use crate::model::schema::FieldType;
use crate::model::value::Value;

/// The result of a query.
#[derive(Debug, Default)]
pub struct Found<R = Vec<Object>> {
    /// The rows in the form that the caller sees.
    pub results: R,
    /// Number of matching rows, if requested.
    pub count: Option<u64>,
    /// The query plan of the store, if requested instead of rows.
    pub plan: Option<Json>,
}

impl Found {
    /// The rows as JSON text.
    ///
    /// # Errors
    /// 1 if a row cannot be serialised, which does not happen.
    pub fn into_json(self) -> Result<Found<JsonRows>> {
        let results = JsonRows::of(&self.results).map_err(ParseError::internal)?;
        Ok(Found { results, count: self.count, plan: self.plan })
    }
}

/// Finds objects.
///
/// # Errors
/// 102, 105, 107 for invalid queries; 101, 119 for missing permissions.
pub async fn find(cx: &Context, query: FindQuery) -> Result<Found> {
    // Boxed, because conditions may contain queries.
    Box::pin(async {
        let query = Query::prepare(cx, query, Operation::Find).await?;
        if let Some(plan) = query.explained().await? {
            return Ok(plan);
        }
        query.found(query.objects().await?).await
    })
    .await
}

/// Like [`find`], with the rows as JSON text. If no rule inspects the rows, the store writes the JSON from its stored
/// bytes.
///
/// # Errors
/// As [`find`].
pub async fn find_json(cx: &Context, query: FindQuery) -> Result<Found<JsonRows>> {
    let query = Query::prepare(cx, query, Operation::Find).await?;
    if let Some(plan) = query.explained().await? {
        return Ok(plan);
    }
    query.found(query.json(|_| {}).await?).await
}

/// Gets an object by its id.
///
/// # Errors
/// 101 if no object with this id is readable by the caller.
pub async fn get(cx: &Context, query: GetQuery) -> Result<Object> {
    get_known(cx, query, CachedRow::None).await
}

/// A row that is already in memory, to avoid a read.
#[derive(Debug)]
pub enum CachedRow {
    /// None.
    None,
    /// The row that has just been written.
    Written(Object),
    /// The complete row that the store has just returned.
    Read(Object),
}

/// Like [`get`], but does not read the store if the known row is what it would return. All permissions apply as usual.
///
/// # Errors
/// As [`get`].
pub async fn get_known(cx: &Context, query: GetQuery, known: CachedRow) -> Result<Object> {
    Box::pin(async {
        let rules = cx.app.rules.of(&query.class);
        let query = Query::prepare(cx, query.into(), Operation::Get).await?;
        let known = match known {
            CachedRow::Written(row) if query.is_told_by_row() && query.rests_as_written() => Some(row),
            CachedRow::Read(row) if query.is_told_by_row() => Some(row),
            _ => None,
        };
        let mut found = match known {
            Some(row) => query.after_find(query.object_of(row).await?.into_iter().collect()).await?,
            None => query.objects().await?,
        };
        let mut object = found.pop().ok_or_else(ParseError::not_found)?;
        rules.complete_get(cx, &mut object);
        Ok(object)
    })
    .await
}

/// Like [`get`], with the object as JSON text.
///
/// # Errors
/// As [`get`].
pub async fn get_json(cx: &Context, query: GetQuery) -> Result<Vec<u8>> {
    let rules = cx.app.rules.of(&query.class);
    let query = Query::prepare(cx, query.into(), Operation::Get).await?;
    let row = query.json(|object| rules.complete_get(cx, object)).await?;
    if row.is_empty() { Err(ParseError::not_found()) } else { Ok(row.into_bytes()) }
}

/// What was found.
trait Counted {
    /// The number of rows.
    fn number(&self) -> u64;
}

impl Counted for Vec<Object> {
    fn number(&self) -> u64 {
        self.len() as u64
    }
}

impl Counted for JsonRows {
    fn number(&self) -> u64 {
        self.len() as u64
    }
}

/// A query whose permissions have been checked.
struct Query<'a> {
    cx: &'a Context,
    class: Arc<Class>,
    operation: Operation,
    /// The parameters; the condition is in the scope.
    request: FindQuery,
    visibility: Visibility,
    scope: Scoped,
    /// The filter of `count`, if the permissions for count and find reach different rows.
    counted: Option<Scoped>,
    /// Whether `redirectClassNameForKey` was given: then each result names its class.
    redirected: bool,
    /// The find triggers of the class.
    concerned: Option<triggers::Concerned>,
}

impl<'a> Query<'a> {
    /// Runs all stages before the store. `verb`: find or get.
    async fn prepare(cx: &'a Context, mut request: FindQuery, verb: Operation) -> Result<Self> {
        let named = request.class.clone();
        let named = &named;
        admit::refuse_caller(cx, named, verb)?;
        let redirected = redirect(cx, named, request.parameters.redirect_key.as_deref()).await?;
        if let Some(target) = &redirected {
            admit::refuse_caller(cx, target, verb)?;
        }
        let class_name = redirected.as_ref().unwrap_or(named);
        let concerned = triggers::before_find(cx, class_name, &mut request, verb == Operation::Get).await?;
        let operation = permission_needed(&request, verb);
        admit::refuse_unknown_class(cx, class_name)?;
        limits::check(cx, &request.parameters)?;
        let nowhere = !cx.schemas().may_hold(class_name);
        let class = cx.class(class_name);
        let redirected = redirected.is_some();
        if nowhere {
            let scope = Scoped::internal(Filter::Never, "no class can have such a name");
            let visibility = Visibility::default();
            return Ok(Self { cx, class, operation, request, visibility, scope, counted: None, redirected, concerned });
        }
        let only = cx.app.rules.of(class_name).read_filter(cx)?;
        let visibility = Visibility::of(cx, &class, request.object_id.as_deref()).await?;
        refuse_hidden(&class, &visibility, &request)?;
        scope::admit(cx, &class, operation).await?;
        let counts = request.parameters.count.then_some(Operation::Count).filter(|count| *count != operation);
        if let Some(count) = counts {
            scope::admit(cx, &class, count).await?;
        }
        let filter = std::mem::replace(&mut request.filter, Filter::All);
        let inside = resolve::SubQueryContext {
            depth: request.depth,
            read_preference: request.parameters.read_preferences.sub_queries,
        };
        let filter = resolve::resolve(cx, &class, filter, inside).await?;
        let filter = filter.and(only);
        let counted = match counts.filter(|count| scope::differ(cx, &class, operation, *count)) {
            Some(count) => Some(scope::scope(cx, &class, count, filter.clone(), None).await?),
            None => None,
        };
        let scope = scope::scope(cx, &class, operation, filter, None).await?;
        Ok(Self { cx, class, operation, request, visibility, scope, counted, redirected, concerned })
    }

    /// The rows, and their number where it is asked for.
    async fn found<R: Counted>(&self, results: R) -> Result<Found<R>> {
        let answered = self.concerned.as_ref().is_some_and(|concerned| concerned.answered.is_some());
        let count = if self.request.parameters.count && answered {
            // The app's code says what there is.
            Some(results.number())
        } else if self.request.parameters.count {
            let scope = self.counted.as_ref().unwrap_or(&self.scope);
            Some(store::count(self.cx, &self.class, scope, &self.options(&self.view())?).await?)
        } else {
            None
        };
        Ok(Found { results, count, plan: None })
    }

    /// The store's plan instead of rows, if the query asks for it.
    async fn explained<R: Default>(&self) -> Result<Option<Found<R>>> {
        let Some(verbosity) = &self.request.parameters.explain else { return Ok(None) };
        let mut plan = None;
        if !self.scope.is_never() {
            let options = self.options(&self.view())?;
            let told = self.cx.app.storage.explain(&self.class.schema, self.scope.filter(), &options, verbosity);
            plan = Some(told.await.map_err(failure)?);
        }
        Ok(Some(Found { plan, ..Found::default() }))
    }

    fn view(&self) -> View<'_> {
        View::new(self.cx, &self.class, &self.visibility, &self.request.parameters)
    }

    const fn rows(&self) -> Rows<'_> {
        Rows { cx: self.cx, class: &self.class, operation: self.operation }
    }

    fn options(&self, view: &View<'_>) -> Result<FindOptions> {
        self.rows().options(&self.request, view)
    }

    async fn objects(&self) -> Result<Vec<Object>> {
        let found = match self.concerned.as_ref().and_then(|concerned| concerned.answered.as_ref()) {
            Some(answered) => self.answered(answered).await?,
            None => self.searched().await?,
        };
        self.after_find(found).await
    }

    async fn after_find(&self, found: Vec<Object>) -> Result<Vec<Object>> {
        match &self.concerned {
            // Boxed, so that a query without triggers does not take the memory for them.
            Some(concerned) => Box::pin(concerned.after_find(self.cx, found)).await,
            None => Ok(found),
        }
    }

    /// The objects that beforeFind returned. Stored objects are limited to those that the caller may read; others are
    /// unchanged.
    async fn answered(&self, objects: &[Object]) -> Result<Vec<Object>> {
        if self.cx.auth.is_master() {
            return Ok(objects.to_vec());
        }
        let id = |object: &Object| object.get_str("objectId").map(str::to_owned);
        let stored: Vec<String> = objects.iter().filter_map(id).collect();
        let mut readable: HashMap<String, Object> = HashMap::new();
        if !stored.is_empty() {
            let scope =
                scope::scope(self.cx, &self.class, self.operation, store::by_ids(stored.iter().cloned()), None).await?;
            let view = self.view();
            let options = FindOptions { limit: None, skip: 0, ..self.options(&view)? };
            for object in self.rows().find(&scope, &options, &view).await? {
                readable.extend(id(&object).map(|id| (id, object)));
            }
        }
        Ok(objects
            .iter()
            .filter_map(|object| match id(object) {
                Some(id) => readable.get(&id).cloned(),
                None => Some(object.clone()),
            })
            .collect())
    }

    async fn searched(&self) -> Result<Vec<Object>> {
        let view = self.view();
        let options = self.options(&view)?;
        let mut rows = self.rows().find(&self.scope, &options, &view).await?;
        self.cx.budget.charge_bytes(rows.iter().map(Object::weight).sum())?;
        include::include(self.cx, &self.class, &mut rows, &self.request.parameters).await?;
        if self.redirected {
            for row in &mut rows {
                row.insert("className", self.class.schema.name.as_str());
            }
        }
        Ok(rows)
    }

    /// Whether the known row answers the query: it contains all requested fields, and permissions depend only on its
    /// ACL.
    fn is_told_by_row(&self) -> bool {
        self.concerned.as_ref().is_none_or(|concerned| concerned.answered.is_none())
            && self.visibility.is_uniform()
            && self.request.parameters.include.is_empty()
            && !self.redirected
            && is_about_acl_alone(self.scope.filter())
    }

    /// Whether the store would return the requested fields unchanged: simple types in a class without rules of its own.
    fn rests_as_written(&self) -> bool {
        let simple = |field: &String| {
            let kind = self.class.schema.kind(field);
            matches!(kind, Some(FieldType::String | FieldType::Number | FieldType::Boolean | FieldType::Date))
        };
        !self.class.schema.name.is_system()
            && self.request.parameters.keys.as_ref().is_some_and(|keys| keys.iter().all(simple))
    }

    /// The row in the form that the caller sees; `None` if the caller may not read it.
    async fn object_of(&self, row: Object) -> Result<Option<Object>> {
        if !Matcher::for_class(self.scope.filter(), &self.class.schema)?.matches(&row)? {
            return Ok(None);
        }
        Ok(self.rows().redact(vec![row], &self.view()).await.pop())
    }

    /// Lets the rules of the class complete the rows.
    async fn json(&self, complete: impl Fn(&mut Object)) -> Result<JsonRows> {
        let view = self.view();
        let looked_into = self.redirected
            || !self.request.parameters.include.is_empty()
            || self.concerned.as_ref().is_some_and(triggers::Concerned::looks_into_rows);
        let uniform = view.uniform().filter(|_| !looked_into);
        if let Some(shape) = uniform {
            let options = self.options(&view)?;
            self.cx.budget.refuse_exceeded()?;
            let rows = store::find_json(self.cx, &self.class, &self.scope, &options, shape).await?;
            self.cx.budget.charge_rows(rows.len())?;
            self.cx.budget.charge_bytes(rows.as_bytes().len())?;
            return Ok(rows);
        }
        // Boxed, so that queries that need no such thing do not take the memory for it.
        let mut objects = Box::pin(self.objects()).await?;
        objects.iter_mut().for_each(complete);
        JsonRows::of(&objects).map_err(ParseError::internal)
    }
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

/// The class level permission of a query: a find by one id only counts as get, a find without rows as count.
fn permission_needed(request: &FindQuery, verb: Operation) -> Operation {
    let by_id = matches!(
        &request.filter,
        Filter::Field { path, constraint: Constraint::Eq(Value::String(_)) } if path == "objectId"
    );
    match (request.parameters.count && request.parameters.limit == Some(0), by_id) {
        (true, _) => Operation::Count,
        (false, true) => Operation::Get,
        (false, false) => verb,
    }
}

/// The class and the operation of a query.
pub(super) struct Rows<'a> {
    /// The request.
    pub cx: &'a Context,
    /// The class.
    pub class: &'a Arc<Class>,
    /// The operation.
    pub operation: Operation,
}

impl Rows<'_> {
    /// Finds rows, in the form the caller may see.
    pub async fn find(&self, scope: &Scoped, options: &FindOptions, view: &View<'_>) -> Result<Vec<Object>> {
        self.cx.budget.refuse_exceeded()?;
        let rows = store::find(self.cx, self.class, scope, options).await?;
        self.cx.budget.charge_rows(rows.len())?;
        Ok(self.redact(rows, view).await)
    }

    /// Converts stored rows to the form the caller may see.
    async fn redact(&self, rows: Vec<Object>, view: &View<'_>) -> Vec<Object> {
        let mut rows: Vec<Object> = rows.into_iter().map(|row| view.redact(row)).collect();
        self.cx.app.rules.of(&self.class.schema.name).redact_remotely(self.cx, &mut rows).await;
        rows
    }

    /// The options for the store.
    pub fn options(&self, request: &FindQuery, view: &View<'_>) -> Result<FindOptions> {
        let database = &self.cx.app.options.database;
        let limit = match (request.parameters.limit, self.operation, request.unlimited) {
            (Some(limit), ..) => Some(limit),
            (None, _, true) => None,
            (None, ..) => Some(database.default_limit.unsigned_abs()),
        };
        let limit = match (limit, database.max_limit) {
            (Some(limit), Some(most)) if !request.unlimited => Some(limit.min(most.unsigned_abs())),
            (limit, _) => limit,
        };
        let mut sort = request.parameters.order.clone();
        sort.retain(|criterion| {
            let root = criterion.path.split('.').next().unwrap_or_default();
            criterion.path.starts_with('$') || self.class.schema.fields.contains_key(root)
        });
        if let Some(criterion) = sort.iter().find(|criterion| criterion.path.starts_with("authData.")) {
            return Err(ParseError::new(ErrorCode::InvalidKeyName, format!("Cannot sort by {}", criterion.path)));
        }
        Ok(FindOptions {
            sort,
            skip: request.parameters.skip,
            limit,
            keys: view.needed_fields(),
            case_insensitive: false,
            hint: request.parameters.hint.clone(),
            comment: request.parameters.comment.clone(),
            read_preference: request.parameters.read_preferences.rows,
        })
    }
}

/// The class that `redirectClassNameForKey` leads to: the target of the relation, or the class itself.
async fn redirect(cx: &Context, class: &ClassName, key: Option<&str>) -> Result<Option<ClassName>> {
    let Some(key) = key else { return Ok(None) };
    let class = cx.class(class);
    Visibility::of(cx, &class, None).await?.refuse(&class, key, "query")?;
    match class.schema.kind(key) {
        Some(FieldType::Relation(target)) => Ok(Some(target.clone())),
        _ => Ok(Some(class.schema.name.clone())),
    }
}

fn refuse_hidden(class: &Class, visibility: &Visibility, request: &FindQuery) -> Result<()> {
    for path in request.filter.paths() {
        visibility.refuse(class, path, "query")?;
    }
    request.parameters.order.iter().try_for_each(|criterion| visibility.refuse(class, &criterion.path, "sort by"))
}

/// The first row of a class that matches a condition, in its stored form and without permission checks.
///
/// # Errors
/// When the store fails.
pub async fn internal_one(cx: &Context, class: &str, filter: Resolved, why: &'static str) -> Result<Option<Object>> {
    let class = cx.class(&ClassName::unchecked(class));
    store::find_one(cx, &class, &Scoped::internal(filter, why)).await
}

/// Like [`internal_one`], for all matching rows and with options.
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
    let class = cx.class(&ClassName::unchecked(class));
    store::find(cx, &class, &Scoped::internal(filter, why), options).await
}

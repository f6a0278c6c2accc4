//! Queries that stand: rows are judged one by one, as they are written, by the rules that hold for a find.
//!
//! A [`Condition`] says which rows match, whoever asks. A [`Reader`] says what one caller may read of them now.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::permission_needed;
use super::redact::View;
use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::commands::FindQuery;
use crate::domain::kernel::context::Context;
use crate::domain::permissions::protected_fields::Visibility;
use crate::domain::permissions::{Operation, admit, scope};
use crate::error::{ErrorCode, ParseError, Result, SANITIZED_MESSAGE};
use crate::model::columns;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::query::filter::Regex;
use crate::model::query::matches::Matcher;
use crate::model::query::parameters::QueryParameters;
use crate::model::query::regex::Compiled;
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::schema::FieldType;

const LOGIC: [&str; 3] = ["$or", "$and", "$nor"];

/// The condition of a standing query, for the fields that its class has now.
#[derive(Debug)]
pub struct Condition {
    matcher: Matcher,
    paths: Vec<String>,
    object_id: Option<String>,
    operation: Operation,
}

impl Condition {
    /// Reads a condition in Parse's query language. What needs other rows to be judged (`$inQuery`, `$select`, `$relatedTo`,
    /// members of relations, `$text`) is accepted, and no row ever matches it.
    ///
    /// # Errors
    /// 102 for a condition that is none, that cannot be judged row by row, or that breaks the limits on the caller's conditions.
    pub fn read(cx: &Context, class: &ClassName, condition: Map<String, Json>) -> Result<Self> {
        check(cx, &condition)?;
        let query = FindQuery::new(cx, class.clone(), condition, QueryParameters::default()).map_err(refused)?;
        let known = cx.class(class);
        let paths = query.filter.paths().into_iter().map(str::to_owned).collect();
        let (operation, object_id) = (permission_needed(&query, Operation::Find), query.object_id);
        let filter = by_itself(query.filter, &known).unwrap_or(Filter::Never);
        let matcher = Matcher::for_class(&filter, &known.schema).map_err(refused)?;
        Ok(Self { matcher, paths, object_id, operation })
    }

    /// Whether a row as it rests matches. A pattern that takes more work than it may does not match.
    #[must_use]
    pub fn matches(&self, row: &Object) -> bool {
        self.matcher.matches(row).unwrap_or_else(|error| {
            tracing::debug!(%error, "a row cannot be judged by a live query");
            false
        })
    }
}

/// What a caller may read of the rows of a class.
pub struct Reader {
    cx: Context,
    class: Arc<Class>,
    visibility: Visibility,
    rights: Matcher,
    rules: Arc<dyn ClassRules>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reader").field("cx", &self.cx).finish_non_exhaustive()
    }
}

impl Reader {
    /// Admits a caller to a standing query, as a find with its condition would be admitted now. `watch`: fields whose changes the caller
    /// wants to hear of.
    ///
    /// # Errors
    /// 119, 101, 209 for callers that may not search the class, or not by these fields.
    pub async fn admit(cx: Context, class: &ClassName, condition: &Condition, watch: &[String]) -> Result<Self> {
        admit::refuse_caller(&cx, class, condition.operation)?;
        let known = cx.class(class);
        let rules = cx.app.rules.of(class);
        let only = rules.read_filter(&cx)?;
        let visibility = Visibility::of(&cx, &known, condition.object_id.as_deref()).await?;
        // What is hidden is not said.
        let hidden = || ParseError::new(ErrorCode::OperationForbidden, SANITIZED_MESSAGE);
        for path in condition.paths.iter().chain(watch) {
            visibility.refuse(&known, path, "query").map_err(|_| hidden())?;
        }
        // Columns that no condition can name; they would tell when somebody's password changes.
        if !cx.auth.is_master() && watch.iter().any(|path| path.starts_with('_')) {
            return Err(hidden());
        }
        scope::admit(&cx, &known, condition.operation).await?;
        let scope = scope::scope(&cx, &known, condition.operation, only, None).await?;
        let rights = Matcher::for_class(scope.filter(), &known.schema)?;
        Ok(Self { cx, class: known, visibility, rights, rules })
    }

    /// Who reads.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.cx
    }

    /// Whether the caller may read a row as it rests.
    #[must_use]
    pub fn may_read(&self, row: &Object) -> bool {
        self.rights.matches(row).unwrap_or(false)
    }

    /// A row as the caller reads it, with the name of its class.
    pub async fn read(&self, row: &Object) -> Object {
        let parameters = QueryParameters::default();
        let mut rows = vec![View::new(&self.cx, &self.class, &self.visibility, &parameters).redact(row.clone())];
        if self.rules.look_into_rows() {
            self.rules.redact_remotely(&self.cx, &mut rows).await;
        }
        let mut object = rows.pop().unwrap_or_default();
        object.insert("className", self.class.schema.name.as_str());
        object
    }

    /// Takes out of an object what is hidden from the caller.
    pub fn redact(&self, object: &mut Object) {
        self.visibility.redact(object);
    }
}

/// The filter, if rows can be judged by it one by one.
fn by_itself(filter: Filter, class: &Class) -> Option<Resolved> {
    let all = |parts: Vec<Filter>| parts.into_iter().map(|part| by_itself(part, class)).collect::<Option<Vec<_>>>();
    Some(match filter {
        Filter::All => Filter::All,
        Filter::Never => Filter::Never,
        Filter::And(parts) => Filter::And(all(parts)?),
        Filter::Or(parts) => Filter::Or(all(parts)?),
        Filter::Nor(parts) => Filter::Nor(all(parts)?),
        Filter::Field { constraint: Constraint::Text(_), .. } | Filter::Unresolved(_) => return None,
        Filter::Field { path, constraint } => match class.schema.kind(&path) {
            Some(FieldType::Relation(_)) => return None,
            _ => Filter::Field { path: columns::path(&path).into_owned(), constraint },
        },
    })
}

/// A condition that cannot be judged is a bad query, whatever a find would say.
fn refused(error: ParseError) -> ParseError {
    if error.is(ErrorCode::InvalidQuery) { error } else { bad_query(error.message) }
}

fn bad_query(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::InvalidQuery, message)
}

/// Checks what live queries refuse in their own words, at any depth of the condition.
fn check(cx: &Context, condition: &Map<String, Json>) -> Result<()> {
    let limits = &cx.app.options.security.request_complexity;
    let depth = limits.query_depth.get().filter(|_| !cx.auth.is_master());
    let regex = limits.allow_regex || cx.auth.is_master();
    check_map(condition, 0, Bounds { depth, regex })
}

#[derive(Clone, Copy)]
struct Bounds {
    depth: Option<u64>,
    regex: bool,
}

fn check_map(map: &Map<String, Json>, depth: u64, bounds: Bounds) -> Result<()> {
    if let Some(pattern) = map.get("$regex") {
        check_pattern(pattern, map.get("$options"), bounds)?;
    }
    for (key, value) in map {
        let mut depth = depth;
        if LOGIC.contains(&key.as_str()) {
            if !value.is_array() {
                return Err(bad_query(format!("{key} must be an array")));
            }
            depth += 1;
            if let Some(most) = bounds.depth.filter(|most| depth > *most) {
                return Err(bad_query(format!(
                    "Query condition nesting depth exceeds maximum allowed depth of {most}"
                )));
            }
        }
        check_value(value, depth, bounds)?;
    }
    Ok(())
}

fn check_value(value: &Json, depth: u64, bounds: Bounds) -> Result<()> {
    match value {
        Json::Object(map) => check_map(map, depth, bounds),
        Json::Array(list) => list.iter().try_for_each(|item| check_value(item, depth, bounds)),
        _ => Ok(()),
    }
}

fn check_pattern(pattern: &Json, options: Option<&Json>, bounds: Bounds) -> Result<()> {
    if !bounds.regex {
        return Err(bad_query("$regex operator is not allowed"));
    }
    let Some(pattern) = pattern.as_str() else {
        return Err(bad_query("Invalid regular expression: $regex must be a string or RegExp"));
    };
    let options = match options {
        None | Some(Json::Null) => "",
        Some(Json::String(options)) if options.bytes().all(|option| b"imsxu".contains(&option)) => options,
        Some(_) => return Err(bad_query("Invalid regular expression: unknown $options")),
    };
    let regex = Regex { pattern: pattern.to_owned(), options: options.to_owned() };
    Compiled::new(&regex).map(|_| ()).map_err(|error| bad_query(format!("Invalid regular expression: {error}")))
}

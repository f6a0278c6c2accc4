//! Reading what selections want: rows with the pointers they need, and the relations of rows, level by level.

use std::collections::{HashMap, HashSet};

use futures_util::StreamExt as _;
use serde_json::{Map, Value as Json, json};

use super::catalog::Catalog;
use super::paging::{DEFAULT_LIMIT, Page};
use super::plan::{ConnectionPlan, FieldKind, ObjectPlan, Wanted};
use super::where_input::{order_to_rest, to_rest};
use crate::domain::classes;
use crate::domain::context::Context;
use crate::domain::read::Found;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::object::Object;
use crate::model::value::Value;

/// Queries for relations that run at the same time, for one request.
const TOGETHER: usize = 8;

/// Queries for relations that one field of an operation may lead to.
const MAX_QUERIES: usize = 10_000;

/// Rows of a connection.
#[derive(Debug, Default)]
pub struct Connection {
    /// The rows.
    pub rows: Vec<Object>,
    /// How many rows were passed over.
    pub skip: u64,
    /// How many there are in all, when that was wanted.
    pub count: Option<u64>,
}

/// Relations of rows: by the slot of the selection and the `objectId` of the row.
pub type Relations = HashMap<(usize, String), Result<Connection>>;

/// Reads for one request.
#[derive(Debug, Clone, Copy)]
pub struct Fetcher<'a> {
    /// The request.
    pub cx: &'a Context,
    /// The classes.
    pub catalog: &'a Catalog,
}

/// A relation of one row that is to be read.
struct Job<'p> {
    plan: &'p ConnectionPlan,
    class: &'p str,
    field: &'p str,
    owner: String,
}

impl Fetcher<'_> {
    /// Reads one object as selected.
    ///
    /// # Errors
    /// Those of the domain; 101 when the caller may not read it.
    pub async fn object(self, class: &str, id: &str, wanted: &Wanted, options: Option<&Json>) -> Result<Object> {
        let mut parameters = wanted.parameters();
        add_options(&mut parameters, options);
        classes::get(self.cx, class, id, parameters).await
    }

    /// Reads the rows of a connection.
    ///
    /// # Errors
    /// 102 for paging that makes no sense; those of the domain.
    pub async fn connection(self, plan: &ConnectionPlan, related: Option<Json>) -> Result<Connection> {
        let max_limit = self.cx.app.options.database.max_limit.map(|limit| u64::from(limit.unsigned_abs()));
        let mut page = Page::read(&plan.arguments, max_limit)?;
        let filter = match plan.arguments.get("where").and_then(Json::as_object) {
            Some(filter) => to_rest(self.catalog, Some(&plan.class), filter)?,
            None => Map::new(),
        };
        let mut parameters = Map::new();
        let mut filter = filter;
        if let Some(related) = related {
            filter.insert("$relatedTo".to_owned(), related);
        }
        parameters.insert("where".to_owned(), Json::Object(filter));
        add_options(&mut parameters, plan.arguments.get("options"));

        let mut counted = None;
        if page.from_end {
            let limit = page.limit.unwrap_or(0);
            let mut counting = parameters.clone();
            counting.insert("limit".to_owned(), json!(0));
            counting.insert("count".to_owned(), json!(1));
            let count = self.find(&plan.class.name, counting).await?.count.unwrap_or(0);
            if page.skip.unwrap_or(0).saturating_add(limit) < count {
                page.skip = Some(count - limit);
            }
            counted = Some(count);
        }
        let limit = if plan.wants_rows() { page.limit.unwrap_or(DEFAULT_LIMIT) } else { 0 };
        parameters.insert("limit".to_owned(), json!(limit));
        if limit > 0 {
            parameters.extend(Wanted::by(plan.nodes()).parameters());
            if let Some(order) = plan.arguments.get("order").and_then(order_to_rest) {
                parameters.insert("order".to_owned(), Json::from(order));
            }
            if let Some(skip) = page.skip.filter(|skip| *skip > 0) {
                parameters.insert("skip".to_owned(), json!(skip));
            }
        }
        if counted.is_none() && plan.wants_count() {
            parameters.insert("count".to_owned(), json!(1));
        }
        let found = self.find(&plan.class.name, parameters).await?;
        Ok(Connection { rows: found.results, skip: page.skip.unwrap_or(0), count: counted.or(found.count) })
    }

    async fn find(self, class: &str, parameters: Map<String, Json>) -> Result<Found> {
        classes::find(self.cx, class, parameters).await
    }

    /// Reads all relations that are selected of these objects, and of the rows they lead to.
    pub async fn relations<'p>(self, objects: impl IntoIterator<Item = (&'p ObjectPlan, &Object)>) -> Relations {
        let mut level = Vec::new();
        for (plan, object) in objects {
            walk(plan, object, &mut level);
        }
        let mut relations = Relations::new();
        let mut queries = 0;
        while !level.is_empty() {
            let mut seen = HashSet::new();
            level.retain(|job| seen.insert((job.plan.slot, job.owner.clone())));
            queries += level.len();
            let too_many = queries > MAX_QUERIES;
            let mut reads = Vec::with_capacity(level.len());
            for job in std::mem::take(&mut level) {
                reads.push(self.relation(job, too_many));
            }
            let read: Vec<_> = futures_util::stream::iter(reads).buffered(TOGETHER).collect().await;
            for (job, rows) in read {
                if let Ok(connection) = &rows {
                    for plan in job.plan.nodes() {
                        connection.rows.iter().for_each(|row| walk(plan, row, &mut level));
                    }
                }
                relations.insert((job.plan.slot, job.owner), rows);
            }
        }
        relations
    }

    async fn relation(self, job: Job<'_>, too_many: bool) -> (Job<'_>, Result<Connection>) {
        if too_many {
            return (job, Err(too_many_relations()));
        }
        let owner = json!({ "__type": "Pointer", "className": job.class, "objectId": job.owner });
        let rows = Box::pin(self.connection(job.plan, Some(json!({ "object": owner, "key": job.field })))).await;
        (job, rows)
    }
}

fn too_many_relations() -> ParseError {
    ParseError::new(ErrorCode::InvalidQuery, "Too many relations are selected of too many objects.")
}

/// Notes the relations that are selected of an object and of the objects in it.
fn walk<'p>(plan: &'p ObjectPlan, object: &Object, jobs: &mut Vec<Job<'p>>) {
    for field in &plan.fields {
        match &field.kind {
            FieldKind::Relation(relation) => {
                if let Some(owner) = object.get_str("objectId") {
                    jobs.push(Job { plan: relation, class: &plan.class.name, field: &field.name, owner: owner.to_owned() });
                }
            }
            FieldKind::Pointer(inner) => {
                if let Some(Value::Object(target)) = object.get(&field.name) {
                    walk(inner, target, jobs);
                }
            }
            FieldKind::Array(array) => {
                for element in object.get(&field.name).and_then(Value::as_array).unwrap_or_default() {
                    if let Some((inner, target)) = included(&array.objects, element) {
                        walk(inner, target, jobs);
                    }
                }
            }
            FieldKind::TypeName | FieldKind::GlobalId | FieldKind::Value(..) => {}
        }
    }
}

/// The selection of an element of an array and the object it is, when it is an object of a class that was included.
pub fn included<'p, 'o>(plans: &'p HashMap<String, ObjectPlan>, element: &'o Value) -> Option<(&'p ObjectPlan, &'o Object)> {
    let object = element.as_object()?;
    if object.get_str("__type") != Some("Object") {
        return None;
    }
    Some((plans.get(object.get_str("className")?)?, object))
}

fn add_options(parameters: &mut Map<String, Json>, options: Option<&Json>) {
    for key in ["readPreference", "includeReadPreference", "subqueryReadPreference"] {
        if let Some(value) = options.and_then(|options| options.get(key)).filter(|value| !value.is_null()) {
            parameters.insert(key.to_owned(), value.clone());
        }
    }
}

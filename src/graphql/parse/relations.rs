//! Relations of objects that were read, level by level: all relations of a level are read before those of the next.
//!
//! The same relation of several objects is read by one query for its members and one for the members' class, unless the rows of
//! each object are paged: then each object has its own query, and these run together.

use std::collections::{HashMap, HashSet};

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;

use super::fetch::{Connection, Fetcher, order};
use super::paging::{DEFAULT_LIMIT, Page};
use super::plan::{ConnectionPlan, FieldKind, ObjectPlan, Wanted};
use crate::domain::read::related::members_of;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::query::filter::{Constraint, Filter, Unresolved};
use crate::model::query::parameters::{QueryParameters, ReadPreferences};
use crate::model::value::{Pointer, Value};

/// Queries for relations that run at the same time, for one request.
const TOGETHER: usize = 8;

/// Relations that one field of an operation may lead to.
const MAX_RELATIONS: usize = 10_000;

/// Members of one relation, over all objects, that are read by one query.
const MAX_MEMBERS: usize = 1_000;

/// Relations of objects: by the slot of the selection and the `objectId` of the object.
pub type Relations = HashMap<(usize, String), Result<Connection>>;

/// A relation of one object that is to be read.
struct RelationRead<'p> {
    plan: &'p ConnectionPlan,
    class: &'p str,
    field: &'p str,
    owner: String,
}

type Read<'p> = Vec<(RelationRead<'p>, Result<Connection>)>;

impl Fetcher<'_> {
    /// Reads all relations that are selected of these objects, and of the rows they lead to.
    pub async fn relations<'p>(self, objects: impl IntoIterator<Item = (&'p ObjectPlan, &Object)>) -> Relations {
        let mut level = Vec::new();
        for (plan, object) in objects {
            walk(plan, object, &mut level);
        }
        let mut relations = Relations::new();
        let mut total = 0;
        while !level.is_empty() {
            let mut seen = HashSet::new();
            level.retain(|read| seen.insert((read.plan.slot, read.owner.clone())));
            total += level.len();
            let reads = std::mem::take(&mut level);
            if total > MAX_RELATIONS {
                relations.extend(reads.into_iter().map(|read| ((read.plan.slot, read.owner), Err(too_many()))));
                break;
            }
            let read: Vec<Read<'_>> = futures_util::stream::iter(self.reads(reads)).buffered(TOGETHER).collect().await;
            for (read, rows) in read.into_iter().flatten() {
                if let Ok(connection) = &rows {
                    for plan in read.plan.nodes() {
                        connection.rows.iter().for_each(|row| walk(plan, row, &mut level));
                    }
                }
                relations.insert((read.plan.slot, read.owner), rows);
            }
        }
        relations
    }

    /// The queries of a level.
    fn reads<'f, 'p: 'f>(self, reads: Vec<RelationRead<'p>>) -> Vec<BoxFuture<'f, Read<'p>>>
    where
        Self: 'f,
    {
        let mut groups: indexmap::IndexMap<usize, Vec<RelationRead<'p>>> = indexmap::IndexMap::new();
        for read in reads {
            groups.entry(read.plan.slot).or_default().push(read);
        }
        let max_limit = self.cx.app.options.database.max_limit.map(i64::unsigned_abs);
        let mut reads: Vec<BoxFuture<'f, Read<'p>>> = Vec::new();
        for (_, group) in groups {
            let paged = group
                .first()
                .is_none_or(|read| Page::read(&read.plan.arguments, max_limit).map_or(true, |page| !page.is_default()));
            if paged || group.len() < 2 {
                for read in group {
                    reads.push(Box::pin(async move { vec![self.relation(read).await] }));
                }
            } else {
                reads.push(Box::pin(self.relation_of_many(group, max_limit)));
            }
        }
        reads
    }

    async fn relation(self, read: RelationRead<'_>) -> (RelationRead<'_>, Result<Connection>) {
        let owner = Pointer { class: ClassName::unchecked(read.class), id: read.owner.clone() };
        let members = Unresolved::RelatedTo { object: owner, key: read.field.to_owned() };
        let rows = Box::pin(self.connection(read.plan, Some(Filter::Unresolved(members)))).await;
        (read, rows)
    }

    /// Reads a relation of several objects by one query. Where that does not work, each object's relation is read by itself, which
    /// also tells what was wrong.
    async fn relation_of_many(self, reads: Vec<RelationRead<'_>>, max_limit: Option<u64>) -> Read<'_> {
        if let Some(mut rows) = self.rows_of_many(&reads, max_limit).await {
            return reads
                .into_iter()
                .map(|read| {
                    let connection = rows
                        .remove(&read.owner)
                        .unwrap_or_else(|| Connection { count: Some(0), ..Connection::default() });
                    (read, Ok(connection))
                })
                .collect();
        }
        let mut alone = Vec::with_capacity(reads.len());
        for read in reads {
            alone.push(self.relation(read));
        }
        futures_util::stream::iter(alone).buffered(TOGETHER).collect().await
    }

    async fn rows_of_many(
        self,
        reads: &[RelationRead<'_>],
        max_limit: Option<u64>,
    ) -> Option<HashMap<String, Connection>> {
        let first = reads.first()?;
        let plan = first.plan;
        let owners: Vec<String> = reads.iter().map(|read| read.owner.clone()).collect();
        let pairs = members_of(self.cx, first.class, first.field, &owners).await.ok()?;
        let members: HashSet<&str> = pairs.iter().map(|(_, member)| member.as_str()).collect();
        let most = max_limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(MAX_MEMBERS).min(MAX_MEMBERS);
        if members.len() > most {
            return None;
        }
        let parameters = QueryParameters {
            limit: u64::try_from(members.len()).ok(),
            // Whether the caller may count is for the domain to say.
            count: plan.wants_count(),
            order: plan.arguments.get("order").map(order).unwrap_or_default(),
            read_preferences: ReadPreferences::parse(plan.options()).ok()?,
            ..Wanted::by(plan.nodes()).parameters()
        };
        let of_members = Filter::field("objectId", Constraint::In(members.iter().copied().map(Value::from).collect()));
        let found = self.find(&plan.class.name, self.condition(plan).ok()?, Some(of_members), parameters).await.ok()?;

        let mut owners_of: HashMap<&str, Vec<&str>> = HashMap::new();
        for (owner, member) in &pairs {
            owners_of.entry(member).or_default().push(owner);
        }
        let mut connections: HashMap<String, Connection> = HashMap::new();
        for row in found.results {
            for owner in owners_of.get(row.get_str("objectId").unwrap_or_default()).into_iter().flatten() {
                let connection = connections.entry((*owner).to_owned()).or_default();
                let count = connection.count.unwrap_or(0) + 1;
                connection.count = Some(count);
                if count <= DEFAULT_LIMIT && plan.wants_rows() {
                    connection.rows.push(row.clone());
                }
            }
        }
        Some(connections)
    }
}

/// Why a relation was not read.
fn too_many() -> ParseError {
    ParseError::new(ErrorCode::InvalidQuery, "Too many relations are selected of too many objects.")
}

/// Notes the relations that are selected of an object and of the objects in it.
fn walk<'p>(plan: &'p ObjectPlan, object: &Object, reads: &mut Vec<RelationRead<'p>>) {
    for field in &plan.fields {
        match &field.kind {
            FieldKind::Relation(relation) => {
                if let Some(owner) = object.get_str("objectId") {
                    reads.push(RelationRead {
                        plan: relation,
                        class: &plan.class.name,
                        field: &field.name,
                        owner: owner.to_owned(),
                    });
                }
            }
            FieldKind::Pointer(inner) => {
                if let Some(Value::Object(target)) = object.get(&field.name) {
                    walk(inner, target, reads);
                }
            }
            FieldKind::Array(array) => {
                for element in object.get(&field.name).and_then(Value::as_array).unwrap_or_default() {
                    if let Some((inner, target)) = included(&array.objects, element) {
                        walk(inner, target, reads);
                    }
                }
            }
            FieldKind::TypeName | FieldKind::GlobalId | FieldKind::Value(..) => {}
        }
    }
}

/// The selection of an element of an array and the object it is, when it is an object of a class that was included.
pub fn included<'p, 'o>(
    plans: &'p HashMap<String, ObjectPlan>,
    element: &'o Value,
) -> Option<(&'p ObjectPlan, &'o Object)> {
    let object = element.as_object()?;
    if object.get_str("__type") != Some("Object") {
        return None;
    }
    Some((plans.get(object.get_str("className")?)?, object))
}

//! Queries: builds SQL from the plan of a filter and runs it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;

use indexmap::IndexMap;
use rusqlite::params_from_iter;
use rusqlite::types::Value as Sql;
use serde_json::{Value as Json, json};

use super::catalog::Table;
use super::codec;
use super::db::Db;
use super::error::{is_missing_table, translate};
use super::filter::{self, ColumnInfo, Plan};
use super::functions::{RowScore, RowTest};
use super::keys;
use super::names::{literal, table};
use crate::model::names::{ClassName, FieldPath};
use crate::model::object::Object;
use crate::model::query::Resolved;
use crate::model::query::geo;
use crate::model::query::options::{FindOptions, Sort};
use crate::model::rows::JsonRows;
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::shape::{Names, Shape};
use crate::model::value::Value;
use crate::storage::{Result, StorageError};

/// The field that requests the score of a text search.
const SCORE: &str = "$score";

/// A prepared query, for the thread that runs it.
#[derive(Debug)]
pub struct Search {
    from: String,
    plan: Plan,
    order: String,
    skip: u64,
    limit: Option<u64>,
    keys: Option<Vec<String>>,
}

/// The source of the rows of a class. The pairs of join classes are presented as rows.
fn source(class: &ClassName) -> String {
    let table = table(class);
    if class.is_join() {
        return format!(
            "(SELECT 0 AS n, owner||':'||member AS id, json_object('objectId',owner||':'||member,'owningId',owner,'relatedId',member) AS body FROM {table})"
        );
    }
    table
}

impl Search {
    /// Prepares a query.
    ///
    /// # Errors
    /// `Refused` for queries that are not supported.
    pub fn new(schema: &ClassSchema, indexes: &Table, filter: &Resolved, options: &FindOptions) -> Result<Self> {
        let known = ColumnInfo { schema, table: indexes, folded: options.case_insensitive };
        let mut plan = filter::plan(filter, known)?;
        // Expired rows are invisible, although they are deleted a little later.
        for over in indexes.indexes.values().filter_map(super::write::expired) {
            let word = if plan.condition.is_empty() { "" } else { " AND " };
            let _ = write!(plan.condition, "{word}NOT coalesce({over},0)");
        }
        let order = order(&plan, known, &options.sort);
        Ok(Self {
            from: source(&schema.name),
            order,
            plan,
            skip: options.skip,
            limit: options.limit,
            keys: options.keys.clone(),
        })
    }

    fn statement(&self, what: &str, ordered: bool) -> (String, Vec<Sql>) {
        let mut sql = format!("SELECT {what} FROM {}", self.from);
        let mut parameters = self.plan.parameters.clone();
        let mut word = " WHERE ";
        if !self.plan.condition.is_empty() {
            let _ = write!(sql, "{word}{}", self.plan.condition);
            word = " AND ";
        }
        if !self.plan.rest.is_empty() || self.plan.text.is_some() {
            let _ = write!(sql, "{word}rtest(body)");
        }
        if ordered {
            sql.push_str(&self.order);
            let skip = i64::try_from(self.skip).unwrap_or(i64::MAX);
            if self.limit.is_some() || skip > 0 {
                sql.push_str(" LIMIT ? OFFSET ?");
                parameters.push(Sql::Integer(self.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX))));
                parameters.push(Sql::Integer(skip));
            }
        }
        (sql, parameters)
    }

    /// Takes the test and the sort score of rows out of the plan.
    fn tests(&mut self) -> (Option<RowTest>, Option<RowScore>) {
        let matchers = std::mem::take(&mut self.plan.rest);
        let text = self.plan.text.take().map(Rc::new);
        let near = self.plan.near.take();
        let score = text
            .clone()
            .map(|text| Rc::new(move |row: &Object| Ok(text.1.score_row(row, &text.0).unwrap_or(0.0))) as RowScore);
        let score = near.map_or(score, |(path, point)| {
            Some(Rc::new(move |row: &Object| {
                Ok(match row.get(&path) {
                    Some(Value::GeoPoint(there)) => geo::distance(*there, point),
                    _ => f64::MAX,
                })
            }) as RowScore)
        });
        if matchers.is_empty() && text.is_none() {
            return (None, score);
        }
        let passes = move |row: &Object| {
            for matcher in &matchers {
                if !matcher.matches(row).map_err(|error| StorageError::Refused(error.message.into_owned()))? {
                    return Ok(false);
                }
            }
            Ok(text.as_ref().is_none_or(|text| text.1.score_row(row, &text.0).is_some()))
        };
        (Some(Rc::new(passes)), score)
    }

    /// Runs the query and calls a function with the number and text of each row.
    fn scan(
        mut self,
        db: &Db,
        what: &str,
        ordered: bool,
        mut each: impl FnMut(&rusqlite::Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        let (sql, parameters) = self.statement(what, ordered);
        let (test, score) = self.tests();
        db.search(test, score, |db| {
            let Some(mut statement) = db.prepare(&sql)? else { return Ok(()) };
            let mut rows = statement.query(params_from_iter(parameters)).map_err(translate)?;
            loop {
                match rows.next() {
                    Ok(Some(row)) => {
                        if !each(row)? {
                            return Ok(());
                        }
                    }
                    Ok(None) => return Ok(()),
                    // The class was deleted after the statement was prepared.
                    Err(error) if is_missing_table(&error) => return Ok(()),
                    Err(error) => return Err(translate(error)),
                }
            }
        })
    }

    /// Whether it reads at most one row, by its id.
    #[must_use]
    pub const fn is_by_id(&self) -> bool {
        self.plan.by_id
    }

    /// The rows found.
    ///
    /// # Errors
    /// `TimedOut`; `Refused` if the rows are too large in total.
    pub fn rows(mut self, db: &Db) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        let keys = self.keys.take().map(Keys::new);
        self.bodies(db, keys.as_ref().is_some_and(|keys| keys.score), |body, score| {
            let mut object = match &keys {
                Some(keys) => keys.read(body)?,
                None => codec::read_object(body)?,
            };
            if let Some(score) = score {
                object.insert("score", score);
            }
            objects.push(object);
            Ok(())
        })?;
        Ok(objects)
    }

    /// The rows found as JSON in a shape, whose requested fields must be top-level fields.
    ///
    /// # Errors
    /// As [`Search::rows`].
    pub fn json_rows(mut self, db: &Db, shape: &Shape) -> Result<JsonRows> {
        let mut rows = JsonRows::default();
        let scored = self.keys.take().is_some_and(|keys| keys.iter().any(|key| key == SCORE));
        self.bodies(db, scored, |body, score| {
            rows.write(|text| codec::present(body, score, shape, text).map_err(StorageError::from))
        })?;
        Ok(rows)
    }

    /// Calls a function with the text of each row found, and its text search score if requested.
    fn bodies(self, db: &Db, scored: bool, mut take: impl FnMut(&[u8], Option<f64>) -> Result<()>) -> Result<()> {
        let mut room = db.limits().bytes;
        let scored = scored && self.plan.text.is_some();
        self.scan(db, if scored { "body, rscore(body)" } else { "body" }, true, |row| {
            let body = text(row, 0)?;
            room = room.checked_sub(body.len()).ok_or_else(too_large)?;
            let score = if scored { Some(row.get(1).map_err(translate)?) } else { None };
            take(body, score)?;
            Ok(true)
        })
    }

    /// Numbers and rows found, for writes.
    ///
    /// # Errors
    /// As [`Search::rows`].
    pub fn numbered(self, db: &Db) -> Result<Vec<(i64, Object)>> {
        let mut found = Vec::new();
        let mut room = db.limits().bytes;
        self.scan(db, "n, body", true, |row| {
            let body = text(row, 1)?;
            room = room.checked_sub(body.len()).ok_or_else(too_large)?;
            found.push((row.get(0).map_err(translate)?, codec::read_object(body)?));
            Ok(true)
        })?;
        Ok(found)
    }

    /// Numbers of the rows found.
    ///
    /// # Errors
    /// `TimedOut`.
    pub fn numbers(self, db: &Db) -> Result<Vec<i64>> {
        let mut found = Vec::new();
        self.scan(db, "n", false, |row| {
            found.push(row.get(0).map_err(translate)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// `TimedOut`.
    pub fn count(self, db: &Db) -> Result<u64> {
        let mut count = 0_i64;
        self.scan(db, "count(*)", false, |row| {
            count = row.get(0).map_err(translate)?;
            Ok(true)
        })?;
        Ok(count.unsigned_abs())
    }

    /// The different values of a field over the rows found; of an array its elements.
    ///
    /// # Errors
    /// `TimedOut`; `Refused` when the values are too large together.
    pub fn distinct(self, db: &Db, path: &str) -> Result<Vec<Value>> {
        let path = filter::column(path);
        let segments: Vec<&str> = path.split('.').collect();
        let Some((field, rest)) = segments.split_first() else { return Ok(Vec::new()) };
        let mut seen = std::collections::HashSet::new();
        let mut values = Vec::new();
        let mut room = db.limits().bytes;
        self.scan(db, "body", false, |row| {
            let Some(top) = codec::read_field(text(row, 0)?, field)? else { return Ok(true) };
            let mut offer = |value: &Value| {
                if value.is_null() {
                    return Ok(());
                }
                let key = keys::key(value, false);
                room = room.checked_sub(key.len()).ok_or_else(too_large)?;
                if seen.insert(key) {
                    values.push(value.clone());
                }
                Ok::<_, StorageError>(())
            };
            if rest.is_empty() {
                match &top {
                    Value::Array(list) => list.iter().try_for_each(offer)?,
                    value => offer(value)?,
                }
                return Ok(true);
            }
            for leaf in keys::present(&top, rest) {
                match &leaf {
                    Value::Array(list) => list.iter().try_for_each(&mut offer)?,
                    value => offer(value)?,
                }
            }
            Ok(true)
        })?;
        Ok(values)
    }

    /// How SQLite runs the search, in its own words.
    ///
    /// # Errors
    /// SQLite's.
    pub fn explain(self, db: &Db) -> Result<Json> {
        let (sql, parameters) = self.statement("body", true);
        let mut steps = Vec::new();
        if let Some(mut statement) = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))? {
            let mut rows = statement.query(params_from_iter(parameters)).map_err(translate)?;
            while let Some(row) = rows.next().map_err(translate)? {
                steps.push(Json::String(row.get(3).map_err(translate)?));
            }
        }
        Ok(json!({
            "queryPlanner": {
                "engine": "sqlite",
                "sql": sql,
                "winningPlan": steps,
                "rowsTestedOneByOne": !self.plan.rest.is_empty() || self.plan.text.is_some(),
            },
        }))
    }
}

fn text<'a>(row: &'a rusqlite::Row<'_>, at: usize) -> Result<&'a [u8]> {
    row.get_ref(at).and_then(|value| Ok(value.as_bytes()?)).map_err(translate)
}

fn too_large() -> StorageError {
    StorageError::Refused("the result is too large; ask for fewer objects at a time".to_owned())
}

/// The order of the rows. Rows that are equal in it keep the order in which they were made.
fn order(plan: &Plan, known: ColumnInfo<'_>, sort: &[Sort]) -> String {
    if sort.is_empty() {
        // Without a wish the rows come as they are found: as they were made, or in the order of an index.
        return if plan.near.is_some() { " ORDER BY rscore(body), n".to_owned() } else { String::new() };
    }
    let mut sql = String::from(" ORDER BY ");
    let mut direction = "";
    // As in an object: what is named twice has the first place and the last direction.
    let unique: IndexMap<&str, &Sort> = sort.iter().map(|criterion| (criterion.path.as_str(), criterion)).collect();
    for criterion in unique.into_values() {
        direction = if criterion.descending { " DESC" } else { "" };
        let path = filter::column(&criterion.path);
        let key = match path.as_str() {
            "objectId" => "id".to_owned(),
            "$score" => {
                direction = " DESC";
                "rscore(body)".to_owned()
            }
            path if is_plain(known.schema, path) => {
                // Such an index tells null from missing, which must not matter to the criterion after it.
                let sparse = sort.len() == 1 && known.table.sparse(path, known.folded) == Some(true);
                filter::expression(path, sparse, known.folded)
            }
            path => {
                let flags = i32::from(criterion.descending) | if known.folded { 2 } else { 0 };
                format!("rsort(body,{},{flags})", literal(path))
            }
        };
        let _ = write!(sql, "{key}{direction},");
    }
    let _ = write!(sql, "n{direction}");
    sql
}

/// Whether a field sorts by its index key.
fn is_plain(schema: &ClassSchema, path: &str) -> bool {
    matches!(
        schema.kind(path),
        Some(
            FieldType::String
                | FieldType::Number
                | FieldType::Boolean
                | FieldType::Date
                | FieldType::Pointer(_)
                | FieldType::File
        )
    )
}

/// The fields a caller wants, each looked up once per field of a row however many there are.
struct Keys {
    /// Whether the score of the text search is wanted.
    score: bool,
    whole: Names,
    /// Of these fields only what the branches name.
    parts: HashMap<String, Branch>,
}

/// What is wanted below a name.
#[derive(Default)]
struct Branch {
    whole: bool,
    below: HashMap<String, Branch>,
}

impl Keys {
    const ALWAYS: [&'static str; 5] = ["objectId", "createdAt", "updatedAt", "_rperm", "_wperm"];

    fn new(keys: Vec<String>) -> Self {
        let mut whole = Names::default();
        let mut parts: HashMap<String, Branch> = HashMap::new();
        let score = keys.iter().any(|key| key == SCORE);
        for key in keys {
            let key = filter::column(&key);
            match key.split_once('.') {
                Some((field, rest)) => parts.entry(field.to_owned()).or_default().add(rest),
                None => {
                    whole.insert(key);
                }
            }
        }
        parts.retain(|field, _| !whole.contains(field));
        Self { score, whole, parts }
    }

    fn read(&self, body: &[u8]) -> Result<Object> {
        let mut row = codec::read_fields(body, |key| {
            Self::ALWAYS.contains(&key) || self.whole.contains(key) || self.parts.contains_key(key)
        })?;
        if self.parts.is_empty() {
            return Ok(row);
        }
        row.retain(|field, value| match self.parts.get(field) {
            None => true,
            Some(branch) => {
                branch.prune(value);
                matches!(value, Value::Object(_) | Value::Array(_))
            }
        });
        Ok(row)
    }
}

impl Branch {
    /// Adds a path. What is deeper than any stored object is left out.
    fn add(&mut self, path: &str) {
        let mut branch = self;
        for name in path.split('.').take(FieldPath::MAX_PARTS) {
            branch = branch.below.entry(name.to_owned()).or_default();
        }
        branch.whole = true;
    }

    /// Leaves of an object only what the branch names; of an array's elements likewise, and those without fields go.
    fn prune(&self, value: &mut Value) {
        match value {
            Value::Object(object) => {
                object.retain(|key, value| {
                    let Some(branch) = self.below.get(key) else { return false };
                    if branch.whole {
                        return true;
                    }
                    branch.prune(value);
                    matches!(value, Value::Object(_) | Value::Array(_))
                });
            }
            Value::Array(list) => {
                list.retain(|item| matches!(item, Value::Object(_) | Value::Array(_)));
                for item in list {
                    self.prune(item);
                }
            }
            _ => {}
        }
    }
}

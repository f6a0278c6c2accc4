//! Aggregation: MongoDB's pipelines over the rows of a class, stage by stage in memory.
//!
//! Inside a pipeline rows have the form MongoDB would store them in: `_id`, `_created_at`, pointers as text in `_p_field`.
//! So expressions mean the same on both stores. What a pipeline begins with (`$match`, `$sort`, `$skip`, `$limit`) is left to
//! SQL where it can be.

mod arrays;
mod condition;
mod dates;
mod expression;
mod group;
mod operators;
mod project;
mod rows;
mod texts;
mod translate;

use std::time::Instant;

use serde_json::{Map, Value as Json};

use self::condition::Condition;
use self::translate::Translator;
use super::catalog::Table;
use super::db::Db;
use super::error::translate;
use super::functions::now;
use super::query::Search;
use crate::model::object::Object;
use crate::model::query::options::{FindOptions, Sort};
use crate::model::query::sort::sort_rows;
use crate::model::query::{Filter, Resolved};
use crate::model::schema::ClassSchema;
use crate::model::value::Value;
use crate::storage::{AggregateOptions, Result, StorageError};

/// Maximum nesting of a pipeline.
const MAX_DEPTH: usize = 80;
/// Maximum number of stages.
const MAX_STAGES: usize = 1000;

/// MongoDB's stages that this store does not support.
const FOREIGN: [&str; 30] = [
    "$bucket",
    "$bucketAuto",
    "$changeStream",
    "$collStats",
    "$currentOp",
    "$densify",
    "$documents",
    "$facet",
    "$fill",
    "$geoNear",
    "$graphLookup",
    "$indexStats",
    "$listLocalSessions",
    "$listSessions",
    "$lookup",
    "$merge",
    "$out",
    "$planCacheStats",
    "$redact",
    "$replaceRoot",
    "$replaceWith",
    "$search",
    "$searchMeta",
    "$setWindowFields",
    "$sharedDataDistribution",
    "$sortByCount",
    "$unionWith",
    "$vectorSearch",
    "$listSearchIndexes",
    "$querySettings",
];

fn refused<T>(text: impl Into<String>) -> Result<T> {
    Err(StorageError::Refused(text.into()))
}

/// A stage, parsed.
#[derive(Debug)]
enum Stage {
    Match(Condition),
    Group(group::Group),
    Sort(Vec<Sort>),
    Limit(u64),
    Skip(u64),
    Project(project::Projection),
    Count(String),
    Unwind { field: Vec<String>, index: Option<String>, keep: bool },
    Sample(u64),
}

/// A pipeline, parsed; the thread that runs it needs nothing else.
#[derive(Debug)]
pub struct Pipeline {
    search: Search,
    stages: Vec<Stage>,
    output: rows::Output,
    explain: bool,
}

/// The time and the memory that a pipeline may use.
#[derive(Debug)]
pub struct Budget {
    deadline: Instant,
    bytes: usize,
    steps: u32,
}

impl Budget {
    /// Counts one step of work.
    ///
    /// # Errors
    /// `TimedOut` when the time is over.
    fn step(&mut self) -> Result<()> {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(64) && now() >= self.deadline { Err(StorageError::TimedOut) } else { Ok(()) }
    }

    /// Checks that the documents of a stage together stay within memory.
    fn hold(&self, held: &mut usize, more: usize) -> Result<()> {
        *held = held.saturating_add(more);
        if *held > self.bytes { refused("the pipeline needs more memory than it may") } else { Ok(()) }
    }
}

impl Pipeline {
    /// Prepares a pipeline.
    ///
    /// # Errors
    /// `Refused` with the text for the client when a stage or operator is malformed or not supported.
    pub fn new(schema: &ClassSchema, indexes: &Table, pipeline: Vec<Json>, options: &AggregateOptions) -> Result<Self> {
        if pipeline.len() > MAX_STAGES || !pipeline.iter().all(|stage| is_shallow(stage, MAX_DEPTH)) {
            return refused(format!("Pipelines may have {MAX_STAGES} stages, nested {MAX_DEPTH} deep"));
        }
        let mut translator = Translator::new(schema, options);
        let mut filter: Resolved = Filter::All;
        let mut find = FindOptions::default();
        let mut stages = Vec::new();
        for stage in pipeline {
            let Json::Object(stage) = stage else {
                return refused("Each element of the 'pipeline' array must be an object");
            };
            let mut keys = stage.into_iter();
            let (Some((name, content)), None) = (keys.next(), keys.next()) else {
                return refused("A pipeline stage specification object must contain exactly one field.");
            };
            if stages.is_empty() && lead(&mut translator, &name, &content, &mut filter, &mut find)? {
                continue;
            }
            stages.extend(parse(&mut translator, &name, content)?);
        }
        let search = Search::new(schema, indexes, &filter, &find)?;
        Ok(Self { search, stages, output: translator.into_output(), explain: options.explain.is_some() })
    }

    /// Runs it.
    ///
    /// # Errors
    /// `TimedOut`; `Refused` for values an operator does not take, and when it needs too much memory.
    pub fn run(self, db: &Db) -> Result<Vec<Json>> {
        if self.explain {
            return self.search.explain(db).map(|plan| vec![plan]);
        }
        let limits = db.limits();
        let mut budget = Budget { deadline: now() + limits.time, bytes: limits.bytes, steps: 0 };
        let mut documents: Vec<Object> = self.search.rows(db)?.into_iter().map(rows::to_document).collect();
        for stage in self.stages {
            documents = carry_out(stage, documents, &mut budget, db)?;
        }
        Ok(documents.into_iter().map(|document| self.output.row(document)).collect())
    }
}

/// Moves a stage at the beginning into the SQL query. Returns whether that was possible.
fn lead(
    translator: &mut Translator<'_>,
    name: &str,
    content: &Json,
    filter: &mut Resolved,
    find: &mut FindOptions,
) -> Result<bool> {
    let untouched = find.sort.is_empty() && find.skip == 0 && find.limit.is_none();
    match (name, content) {
        ("$match", Json::Object(query)) if untouched => {
            let Some(more) = condition::filter(translator, query)? else { return Ok(false) };
            *filter = std::mem::replace(filter, Filter::All).and(more);
            Ok(true)
        }
        ("$sort", Json::Object(fields)) if untouched => {
            let criteria = sort(translator, fields)?;
            find.sort = criteria.into_iter().map(|sort| Sort { path: rows::rest_path(&sort.path), ..sort }).collect();
            Ok(true)
        }
        ("$skip", content) if find.skip == 0 && find.limit.is_none() => {
            find.skip = count(name, content, 0)?;
            Ok(true)
        }
        ("$limit", content) => {
            let limit = count(name, content, 1)?;
            find.limit = Some(find.limit.map_or(limit, |known| known.min(limit)));
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn parse(translator: &mut Translator<'_>, name: &str, content: Json) -> Result<Vec<Stage>> {
    Ok(vec![match (name, content) {
        ("$match", Json::Object(query)) => Stage::Match(condition::parse(translator, &query)?),
        ("$match", _) => return refused("the match filter must be an expression in an object"),
        ("$group", Json::Object(spec)) => Stage::Group(group::parse(translator, &spec)?),
        ("$group", _) => return refused("a group's fields must be specified in an object"),
        ("$sort", Json::Object(fields)) => Stage::Sort(sort(translator, &fields)?),
        ("$sort", _) => return refused("the $sort key specification must be an object"),
        ("$limit", content) => Stage::Limit(count(name, &content, 1)?),
        ("$skip", content) => Stage::Skip(count(name, &content, 0)?),
        ("$project", Json::Object(fields)) => {
            let projection = project::project(translator, &fields)?;
            translator.leave_out_fields();
            Stage::Project(projection)
        }
        ("$project", _) => return refused("$project specification must be an object"),
        ("$addFields" | "$set", Json::Object(fields)) => Stage::Project(project::add_fields(translator, &fields)?),
        ("$addFields" | "$set", _) => return refused(format!("{name} specification stage must be an object")),
        ("$unset", content) => Stage::Project(project::unset(translator, &content)?),
        ("$count", Json::String(field))
            if !field.is_empty() && !field.starts_with('$') && !field.contains(['.', '\0']) =>
        {
            translator.leave_rows();
            Stage::Count(field)
        }
        ("$count", _) => return refused("the count field must be a non-empty string"),
        ("$unwind", content) => unwind(translator, &content)?,
        ("$sample", Json::Object(options)) if options.len() == 1 && options.contains_key("size") => {
            Stage::Sample(count("$sample", options.get("size").unwrap_or(&Json::Null), 0)?)
        }
        ("$sample", _) => return refused("$sample stage must specify a size"),
        (name, _) if FOREIGN.contains(&name) => {
            return refused(format!("The pipeline stage {name} is not supported by the embedded database"));
        }
        (name, _) => return refused(format!("Unrecognized pipeline stage name: '{name}'")),
    }])
}

fn sort(translator: &Translator<'_>, fields: &Map<String, Json>) -> Result<Vec<Sort>> {
    if fields.is_empty() {
        return refused("$sort stage must have at least one sort key");
    }
    fields
        .iter()
        .map(|(field, direction)| match direction.as_f64() {
            Some(1.0) => Ok(Sort { path: translator.key(field), descending: false }),
            Some(-1.0) => Ok(Sort { path: translator.key(field), descending: true }),
            _ => refused("$sort key ordering must be 1 (for ascending) or -1 (for descending)"),
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a whole number within the range"
)]
fn count(stage: &str, content: &Json, least: u64) -> Result<u64> {
    match content.as_f64() {
        Some(number) if number.fract() == 0.0 && (0.0..9e15).contains(&number) && number as u64 >= least => {
            Ok(number as u64)
        }
        _ if least > 0 => refused(format!("invalid argument to {stage} stage: the limit must be positive")),
        _ => refused(format!("invalid argument to {stage} stage: Expected a non-negative number")),
    }
}

fn unwind(translator: &Translator<'_>, content: &Json) -> Result<Stage> {
    let (path, index, keep) = match content {
        Json::String(path) => (path.as_str(), None, false),
        Json::Object(options) => {
            let Some(path) = options.get("path").and_then(Json::as_str) else {
                return refused("no path specified to $unwind stage");
            };
            let index = match options.get("includeArrayIndex") {
                None => None,
                Some(Json::String(name)) if !name.is_empty() && !name.starts_with('$') => Some(name.clone()),
                Some(_) => {
                    return refused("expected a non-empty string for the includeArrayIndex option to $unwind stage");
                }
            };
            let keep = match options.get("preserveNullAndEmptyArrays") {
                None => false,
                Some(Json::Bool(keep)) => *keep,
                Some(_) => {
                    return refused("expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage");
                }
            };
            (path, index, keep)
        }
        _ => return refused("expected either a string or an object as specification for $unwind stage"),
    };
    let Some(path) = path.strip_prefix('$') else {
        return refused("path option to $unwind stage should be prefixed with a '$'");
    };
    let path = translator.key(path);
    Ok(Stage::Unwind { field: path.split('.').map(str::to_owned).collect(), index, keep })
}

fn carry_out(stage: Stage, documents: Vec<Object>, budget: &mut Budget, db: &Db) -> Result<Vec<Object>> {
    let mut held = 0;
    match stage {
        Stage::Match(condition) => {
            let mut kept = Vec::new();
            for document in documents {
                budget.step()?;
                if condition.holds(&document)? {
                    kept.push(document);
                }
            }
            Ok(kept)
        }
        Stage::Group(group) => group.run(&documents, budget),
        Stage::Sort(criteria) => {
            let mut documents = documents;
            sort_rows(&mut documents, &criteria);
            Ok(documents)
        }
        Stage::Limit(limit) => Ok(documents.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()),
        Stage::Skip(skip) => Ok(documents.into_iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)).collect()),
        Stage::Project(projection) => {
            let mut projected = Vec::with_capacity(documents.len());
            for document in documents {
                budget.step()?;
                let document = projection.apply(document)?;
                budget.hold(&mut held, document.weight())?;
                projected.push(document);
            }
            Ok(projected)
        }
        // No documents, no count: as MongoDB does it.
        Stage::Count(_) if documents.is_empty() => Ok(Vec::new()),
        #[expect(clippy::cast_precision_loss, reason = "so many documents do not fit into memory")]
        Stage::Count(field) => Ok(vec![std::iter::once((field, Value::Number(documents.len() as f64))).collect()]),
        Stage::Unwind { field, index, keep } => {
            let mut unwound = Vec::new();
            for document in documents {
                for part in unwind_one(document, &field, index.as_deref(), keep) {
                    budget.step()?;
                    let part = part?;
                    budget.hold(&mut held, part.weight())?;
                    unwound.push(part);
                }
            }
            Ok(unwound)
        }
        Stage::Sample(size) => sample(documents, size, db),
    }
}

/// Random documents.
fn sample(mut documents: Vec<Object>, size: u64, db: &Db) -> Result<Vec<Object>> {
    let mut random: i64 = db.connection().query_row("SELECT random()", [], |row| row.get(0)).map_err(translate)?;
    let size = usize::try_from(size).unwrap_or(usize::MAX).min(documents.len());
    for at in 0..size {
        // xorshift is random enough: nothing depends on which documents are chosen.
        random ^= random << 13;
        random ^= (random.cast_unsigned() >> 7).cast_signed();
        random ^= random << 17;
        let left = documents.len() - at;
        documents.swap(at, at + usize::try_from(random.unsigned_abs()).unwrap_or(0) % left);
    }
    documents.truncate(size);
    Ok(documents)
}

/// The documents that one document is unwound into, one at a time, so that memory can be counted.
fn unwind_one<'a>(
    document: Object,
    field: &'a [String],
    index: Option<&'a str>,
    keep: bool,
) -> Box<dyn Iterator<Item = Result<Object>> + 'a> {
    let value = field.split_first().and_then(|(first, rest)| {
        rest.iter().try_fold(document.get(first)?, |value, name| value.as_object()?.get(name)).cloned()
    });
    let number = move |mut document: Object, at: Value| {
        if let Some(index) = index {
            document.insert(index, at);
        }
        document
    };
    match value {
        Some(Value::Array(list)) if !list.is_empty() => {
            Box::new(list.into_iter().enumerate().map(move |(at, item)| {
                let mut part = document.clone();
                project::replace(&mut part, field, Some(item));
                #[expect(clippy::cast_precision_loss, reason = "arrays are much shorter")]
                Ok(number(part, Value::Number(at as f64)))
            }))
        }
        Some(Value::Array(_)) if keep => {
            let mut part = document;
            project::replace(&mut part, field, None);
            Box::new(std::iter::once(Ok(number(part, Value::Null))))
        }
        None | Some(Value::Null) if keep => Box::new(std::iter::once(Ok(number(document, Value::Null)))),
        None | Some(Value::Null | Value::Array(_)) => Box::new(std::iter::empty()),
        Some(_) => Box::new(std::iter::once(Ok(number(document, Value::Null)))),
    }
}

/// Whether JSON is nested no deeper than `depth`.
fn is_shallow(json: &Json, levels: usize) -> bool {
    match json {
        Json::Array(list) => levels > 0 && list.iter().all(|item| is_shallow(item, levels - 1)),
        Json::Object(map) => levels > 0 && map.values().all(|item| is_shallow(item, levels - 1)),
        _ => true,
    }
}

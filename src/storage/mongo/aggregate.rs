//! Aggregation pipelines: MongoDB's language with Parse's field names.
//!
//! As long as the documents of a pipeline are rows, field names are translated to columns everywhere: as keys, and as
//! `$name` in expressions. After a stage that creates other documents (`$group`, `$replaceRoot`, …) names are the
//! caller's, and only `objectId` is translated to `_id`.

use bson::{Bson, Document, RawBson, doc};
use futures_util::TryStreamExt as _;
use mongodb::options::AggregateOptions as DriverOptions;
use serde_json::{Map, Value as Json};

use super::encode::{self, MAX_DEPTH, pointer_text};
use super::find::{hint, millis};
use super::names::{POINTER, column_below, is_default_date};
use super::{MongoStorage, decode, error, plain};
use crate::model::date::Date;
use crate::model::json;
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::value::Value;
use crate::storage::{AggregateOptions, Result, StorageError};

/// Runs a pipeline and returns its rows.
pub(super) async fn aggregate(
    storage: &MongoStorage,
    schema: &ClassSchema,
    pipeline: Vec<Json>,
    options: &AggregateOptions,
) -> Result<Vec<Json>> {
    if pipeline.iter().any(|stage| !is_shallow(stage, MAX_DEPTH)) {
        return Err(StorageError::Refused(format!("Pipelines may be nested {MAX_DEPTH} deep at most")));
    }
    let mut translator = Translator {
        schema,
        names: !options.raw_field_names,
        values: !options.raw_values,
        rows: true,
        whole: true,
        pointer_id: false,
    };
    let stages = translator.pipeline(pipeline)?;
    if let Some(verbosity) = &options.explain {
        return explain(storage, schema, stages, options, verbosity).await;
    }
    let driver = DriverOptions::builder()
        .hint(hint(options.hint.as_ref())?)
        .comment(options.comment.clone().map(Bson::String))
        .selection_criteria(storage.members.selection(options.read_preference)?)
        .max_time(storage.max_time)
        .batch_size(storage.batch_size)
        .build();
    let rows = storage.rows(&schema.name);
    let action = rows.aggregate(stages).with_options(driver);
    storage
        .within(async {
            let mut cursor = action.await.map_err(error::verbatim)?;
            let mut results = Vec::new();
            while let Some(document) = cursor.try_next().await.map_err(error::verbatim)? {
                results.push(result(&translator, document)?);
            }
            Ok(results)
        })
        .await
}

async fn explain(
    storage: &MongoStorage,
    schema: &ClassSchema,
    stages: Vec<Document>,
    options: &AggregateOptions,
    verbosity: &str,
) -> Result<Vec<Json>> {
    let mut command = doc! {
        "aggregate": storage.collection_name(schema.name.as_str()),
        "pipeline": stages,
        "cursor": {},
        "maxTimeMS": millis(storage.max_time),
    };
    if let Some(hint) = &options.hint {
        command.insert("hint", plain::bson(hint)?);
    }
    if let Some(comment) = &options.comment {
        command.insert("comment", comment);
    }
    let mut action = storage.database.run_command(doc! { "explain": command, "verbosity": verbosity });
    if let Some(criteria) = storage.members.selection(options.read_preference)? {
        action = action.selection_criteria(criteria);
    }
    storage
        .within(async { action.await.map_err(error::verbatim) })
        .await
        .map(|plan| vec![plain::json(Bson::Document(plan))])
}

/// Whether JSON is nested no deeper than so.
fn is_shallow(json: &Json, levels: usize) -> bool {
    match json {
        Json::Array(list) => levels > 0 && list.iter().all(|item| is_shallow(item, levels - 1)),
        Json::Object(map) => levels > 0 && map.values().all(|item| is_shallow(item, levels - 1)),
        _ => true,
    }
}

/// Converts a result document to the form that the caller requested.
fn result(translator: &Translator<'_>, mut document: Document) -> Result<Json> {
    let id = translator.names.then(|| document.remove("_id")).flatten();
    let mut row = match (translator.values, translator.names) {
        (false, _) => as_object(plain::extended(Bson::Document(document))),
        (true, false) => plain::map(document),
        (true, true) => decode::row_of(translator.schema, &document)?
            .into_iter()
            .filter(|(field, _)| !field.starts_with('_'))
            .map(|(field, value)| {
                let value = match value {
                    Value::Date(date) if is_default_date(&field) => Json::String(date.to_iso()),
                    value => json::encode(&value),
                };
                (field.into_string(), value)
            })
            .collect(),
    };
    if let Some(id) = id {
        let id = if translator.values {
            let id = RawBson::try_from(id).map_err(|error| StorageError::Other(Box::new(error)))?;
            let id = decode::value(id.as_raw_bson_ref());
            match id {
                Value::String(text) if translator.pointer_id => {
                    Json::String(text.split_once('$').map_or(text.as_str(), |(_, id)| id).to_owned())
                }
                id => json::encode(&id),
            }
        } else {
            plain::extended(id)
        };
        row.insert("objectId".to_owned(), json::null_if_empty(id));
    }
    if translator.rows && translator.whole && translator.names && translator.values {
        row.extend(json::relations(translator.schema));
    }
    Ok(Json::Object(row))
}

fn as_object(json: Json) -> Map<String, Json> {
    if let Json::Object(map) = json { map } else { Map::new() }
}

#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "five independent facts")]
struct Translator<'a> {
    schema: &'a ClassSchema,
    /// Names of fields are translated.
    names: bool,
    /// Values are Parse's; otherwise Extended JSON.
    values: bool,
    /// What passes through is still rows of the class.
    rows: bool,
    /// As far as they are rows, they have all their fields.
    whole: bool,
    /// The ids of the results are stored pointers.
    pointer_id: bool,
}

impl Translator<'_> {
    fn pipeline(&mut self, stages: Vec<Json>) -> Result<Vec<Document>> {
        stages
            .into_iter()
            .map(|stage| match stage {
                Json::Object(stage) => stage
                    .into_iter()
                    .map(|(name, content)| Ok((encode::key(name.clone())?, self.stage(&name, &content)?)))
                    .collect(),
                _ => Err(StorageError::Refused("Each element of the pipeline must be an object".to_owned())),
            })
            .collect()
    }

    fn stage(&mut self, name: &str, content: &Json) -> Result<Bson> {
        match (name, content) {
            ("$match", Json::Object(query)) => self.query(query).map(Bson::Document),
            ("$group", Json::Object(group)) => {
                if let Some(Json::String(path)) = group.get("_id") {
                    let field = path.strip_prefix('$').unwrap_or_default();
                    let field = field.strip_prefix(POINTER).unwrap_or(field);
                    self.pointer_id = self.rows && matches!(self.schema.kind(field), Some(FieldType::Pointer(_)));
                }
                let group = self.expressions(group)?;
                self.rows = false;
                Ok(Bson::Document(group))
            }
            ("$project" | "$addFields" | "$set", Json::Object(fields)) => {
                let mut translated = Document::new();
                for (field, expression) in fields {
                    translated.insert(self.key(field)?, self.expression(expression)?);
                }
                self.whole &= name != "$project";
                Ok(Bson::Document(translated))
            }
            ("$sort", Json::Object(fields)) => {
                let mut translated = Document::new();
                for (field, direction) in fields {
                    translated.insert(self.key(field)?, self.plain(direction)?);
                }
                Ok(Bson::Document(translated))
            }
            ("$unset", Json::String(field)) => Ok(Bson::String(self.key(field)?)),
            ("$unset", Json::Array(fields)) => Ok(Bson::Array(
                fields
                    .iter()
                    .map(|field| match field {
                        Json::String(field) => Ok(Bson::String(self.key(field)?)),
                        other => self.plain(other),
                    })
                    .collect::<Result<_>>()?,
            )),
            ("$facet", Json::Object(facets)) => {
                let mut translated = Document::new();
                for (facet, stages) in facets {
                    let stages = match stages {
                        Json::Array(stages) => {
                            let mut inner = Translator { pointer_id: false, ..*self };
                            Bson::Array(inner.pipeline(stages.clone())?.into_iter().map(Bson::Document).collect())
                        }
                        other => self.plain(other)?,
                    };
                    translated.insert(encode::key(facet.clone())?, stages);
                }
                self.rows = false;
                Ok(Bson::Document(translated))
            }
            ("$geoNear", Json::Object(options)) => {
                let mut translated = Document::new();
                for (option, value) in options {
                    let value = match (option.as_str(), value) {
                        ("query", Json::Object(query)) => Bson::Document(self.query(query)?),
                        ("key", Json::String(field)) => Bson::String(self.key(field)?),
                        ("near", Json::Object(_)) => self.leaf(value, Some(&FieldType::GeoPoint), false)?,
                        _ => self.plain(value)?,
                    };
                    translated.insert(encode::key(option.clone())?, value);
                }
                Ok(Bson::Document(translated))
            }
            ("$lookup" | "$graphLookup", Json::Object(options)) => {
                let mut translated = Document::new();
                for (option, value) in options {
                    let value = match (option.as_str(), value) {
                        ("localField", Json::String(field)) => Bson::String(self.key(field)?),
                        ("let" | "startWith", value) => self.expression(value)?,
                        // The other keys refer to another collection.
                        _ => self.plain(value)?,
                    };
                    translated.insert(encode::key(option.clone())?, value);
                }
                Ok(Bson::Document(translated))
            }
            ("$replaceRoot" | "$replaceWith" | "$sortByCount" | "$bucket" | "$bucketAuto", content) => {
                let content = self.expression(content)?;
                self.rows = false;
                Ok(content)
            }
            ("$count" | "$collStats" | "$indexStats" | "$out" | "$merge" | "$unionWith", content) => {
                if name == "$count" {
                    self.rows = false;
                }
                self.plain(content)
            }
            (_, content) => self.expression(content),
        }
    }

    /// The column of a name that stands as a key.
    fn key(&self, field: &str) -> Result<String> {
        if !self.names {
            return encode::key(field.to_owned());
        }
        encode::key(match field {
            field if self.rows => column_below(self.schema, field).into_owned(),
            "objectId" => "_id".to_owned(),
            field => field.to_owned(),
        })
    }

    fn plain(&self, json: &Json) -> Result<Bson> {
        if self.values { plain::bson(json) } else { extended(json) }
    }

    /// An expression: `$name` in it is a field.
    fn expression(&self, json: &Json) -> Result<Bson> {
        Ok(match json {
            Json::String(text) => Bson::String(self.reference(text)),
            Json::Array(list) => Bson::Array(list.iter().map(|item| self.expression(item)).collect::<Result<_>>()?),
            Json::Object(map) if map.contains_key("$literal") => self.plain(json)?,
            Json::Object(map) => match self.typed(map)? {
                Some(value) => value,
                None => Bson::Document(self.expressions(map)?),
            },
            other => self.plain(other)?,
        })
    }

    /// An object of expressions whose keys stay as they are.
    fn expressions(&self, map: &Map<String, Json>) -> Result<Document> {
        map.iter().map(|(key, value)| Ok((encode::key(key.clone())?, self.expression(value)?))).collect()
    }

    /// `$field.path`, or `$$ROOT.field.path`, in the database's names.
    fn reference(&self, text: &str) -> String {
        if !self.names {
            return text.to_owned();
        }
        for prefix in ["$$ROOT.", "$$CURRENT.", "$"] {
            if let Some(path) = text.strip_prefix(prefix)
                && !path.starts_with('$')
            {
                if self.rows {
                    return format!("{prefix}{}", column_below(self.schema, path));
                }
                return if path == "objectId" { format!("{prefix}_id") } else { text.to_owned() };
            }
        }
        text.to_owned()
    }

    /// The value of a typed object: a date in Parse's form, or Extended JSON.
    fn typed(&self, map: &Map<String, Json>) -> Result<Option<Bson>> {
        if !self.values {
            return if is_extended(map) { extended(&Json::Object(map.clone())).map(Some) } else { Ok(None) };
        }
        let text = |key: &str| map.get(key).and_then(Json::as_str);
        let iso = match (text("__type"), map.len()) {
            (Some("Date"), _) => text("iso"),
            (None, 1) => text("$date"),
            _ => None,
        };
        Ok(iso.and_then(Date::parse).map(date))
    }

    /// The query of a `$match`.
    fn query(&self, query: &Map<String, Json>) -> Result<Document> {
        let mut translated = Document::new();
        for (key, condition) in query {
            let value = match (key.as_str(), condition) {
                ("$and" | "$or" | "$nor", Json::Array(parts)) => Bson::Array(
                    parts
                        .iter()
                        .map(|part| match part {
                            Json::Object(part) => self.query(part).map(Bson::Document),
                            other => self.plain(other),
                        })
                        .collect::<Result<_>>()?,
                ),
                ("$expr", expression) => self.expression(expression)?,
                (operator, condition) if operator.starts_with('$') => self.plain(condition)?,
                (field, condition) => {
                    let name = field.strip_prefix(POINTER).unwrap_or(field);
                    let kind = match field {
                        "_created_at" | "_updated_at" => Some(&FieldType::Date),
                        _ if self.rows => self.schema.kind(name),
                        _ => None,
                    };
                    translated.insert(self.key(field)?, self.condition(condition, kind, field.contains('.'))?);
                    continue;
                }
            };
            translated.insert(encode::key(key.clone())?, value);
        }
        Ok(translated)
    }

    /// What a field must meet: a value, or operators.
    fn condition(&self, condition: &Json, kind: Option<&FieldType>, below: bool) -> Result<Bson> {
        let Json::Object(operators) = condition else { return self.leaf(condition, kind, below) };
        let is_operators = operators.keys().next().is_some_and(|key| key.starts_with('$'));
        if !is_operators || self.typed(operators)?.is_some() {
            return self.leaf(condition, kind, below);
        }
        let mut translated = Document::new();
        for (operator, operand) in operators {
            let value = match (operator.as_str(), operand) {
                ("$in" | "$nin" | "$all", Json::Array(list)) => {
                    Bson::Array(list.iter().map(|item| self.leaf(item, kind, below)).collect::<Result<_>>()?)
                }
                ("$eq" | "$ne" | "$gt" | "$gte" | "$lt" | "$lte", operand) => self.leaf(operand, kind, below)?,
                ("$not" | "$elemMatch", operand) => self.condition(operand, None, true)?,
                (_, operand) => self.plain(operand)?,
            };
            translated.insert(encode::key(operator.clone())?, value);
        }
        Ok(Bson::Document(translated))
    }

    /// A value that a field of this type is compared with.
    fn leaf(&self, value: &Json, kind: Option<&FieldType>, below: bool) -> Result<Bson> {
        if !self.values {
            return extended(value);
        }
        if let Json::Object(map) = value
            && let Some(value) = self.typed(map)?
        {
            return Ok(value);
        }
        match (kind, value) {
            (Some(FieldType::Date), Json::String(text)) => {
                Ok(Date::parse(text).map_or_else(|| Bson::String(text.clone()), date))
            }
            (Some(FieldType::Pointer(class)), Json::String(id)) => {
                let stored = id.strip_prefix(class.as_str()).is_some_and(|rest| rest.starts_with('$'));
                Ok(Bson::String(if stored { id.clone() } else { pointer_text(class.as_str(), id) }))
            }
            (Some(FieldType::Array) | None, value) => plain::bson(value),
            (_, value) if below => plain::bson(value),
            (_, value) => encode::top_level(json::decode_stored(value.clone())),
        }
    }
}

fn date(date: Date) -> Bson {
    Bson::DateTime(bson::DateTime::from_millis(date.millis()))
}

/// Whether an object is a value of Extended JSON.
fn is_extended(map: &Map<String, Json>) -> bool {
    const KEYS: [&str; 13] = [
        "$oid",
        "$date",
        "$numberInt",
        "$numberLong",
        "$numberDouble",
        "$numberDecimal",
        "$binary",
        "$uuid",
        "$timestamp",
        "$regularExpression",
        "$minKey",
        "$maxKey",
        "$symbol",
    ];
    map.len() == 1 && map.keys().all(|key| KEYS.contains(&key.as_str()))
}

/// Extended JSON as BSON.
fn extended(json: &Json) -> Result<Bson> {
    serde_json::from_value(json.clone())
        .map_err(|_| StorageError::Refused("The pipeline is no valid Extended JSON".to_owned()))
}

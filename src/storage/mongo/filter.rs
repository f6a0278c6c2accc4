//! Converts conditions to MongoDB's query language.

use bson::{Bson, Document, Regex as BsonRegex, doc};

use super::encode::{self, MAX_DEPTH, key, nested, nested_list, number, position, top_level};
use super::names::column;
use crate::model::query::filter::{Constraint, Filter, Regex, Resolved};
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::value::Value;
use crate::storage::{Result, StorageError};

/// How conditions that also sort (`$nearSphere`) are converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nearness {
    /// Results are sorted by distance.
    Ordered,
    /// Results are not sorted: aggregations, counts and writes cannot sort by distance.
    Unordered,
}

/// Converts a filter to a query document.
pub(super) fn document(schema: &ClassSchema, filter: &Resolved, nearness: Nearness) -> Result<Document> {
    compile(schema, filter, nearness, 0)
}

/// The field of the `$nearSphere` condition in a filter.
pub(super) fn near_field(filter: &Resolved) -> Option<&str> {
    match filter {
        Filter::Field { path, constraint: Constraint::Near { .. } } => Some(path),
        Filter::And(parts) | Filter::Or(parts) | Filter::Nor(parts) => parts.iter().find_map(near_field),
        Filter::Field { .. } | Filter::All | Filter::Never => None,
        Filter::Unresolved(never) => match *never {},
    }
}

fn compile(schema: &ClassSchema, filter: &Resolved, nearness: Nearness, depth: usize) -> Result<Document> {
    if depth > MAX_DEPTH {
        return Err(StorageError::Refused(format!("Conditions may be nested {MAX_DEPTH} deep at most")));
    }
    let list = |parts: &[Resolved]| -> Result<Vec<Bson>> {
        parts.iter().map(|part| Ok(Bson::Document(compile(schema, part, nearness, depth + 1)?))).collect()
    };
    Ok(match filter {
        Filter::All => Document::new(),
        Filter::Never => never(),
        Filter::And(parts) => {
            let mut all = Document::new();
            let mut rest = Vec::new();
            for part in parts {
                for (key, condition) in compile(schema, part, nearness, depth + 1)? {
                    if key == "$and" {
                        rest.extend(condition.as_array().cloned().unwrap_or_default());
                    } else if all.contains_key(&key) {
                        rest.push(Bson::Document(doc! { key: condition }));
                    } else {
                        all.insert(key, condition);
                    }
                }
            }
            if !rest.is_empty() {
                all.insert("$and", rest);
            }
            all
        }
        Filter::Or(parts) => match parts.as_slice() {
            [] => never(),
            [only] => compile(schema, only, nearness, depth + 1)?,
            parts => doc! { "$or": list(parts)? },
        },
        Filter::Nor(parts) if parts.is_empty() => Document::new(),
        Filter::Nor(parts) => doc! { "$nor": list(parts)? },
        Filter::Field { path, constraint } => field(schema, path, constraint, nearness)?,
        Filter::Unresolved(never) => match *never {},
    })
}

fn never() -> Document {
    doc! { "_id": { "$in": [] } }
}

fn field(schema: &ClassSchema, path: &str, constraint: &Constraint, nearness: Nearness) -> Result<Document> {
    let column = match (constraint.operands(), column(schema, path)) {
        // The schema does not know the field: a pointer can only be in a pointer column.
        (Some(Value::Pointer(_)), name) if schema.kind(path).is_none() && !path.contains('.') && name == path => {
            format!("_p_{path}")
        }
        (_, name) => name.into_owned(),
    };
    let holds_pointers = schema.kind(path).is_some() || path.contains('.') || column.starts_with("_p_");
    let column = key(column)?;
    let values = Values { schema, path, kind: schema.kind(path), holds_pointers };
    let condition = match constraint {
        Constraint::Eq(value) => match values.one(value)? {
            // Objects are compared literally: their keys are not operators.
            value @ (Bson::Document(_) | Bson::Array(_)) => Bson::Document(doc! { "$eq": value }),
            value => value,
        },
        Constraint::Ne(value) => operator("$ne", values.one(value)?),
        // No value is less or greater than null; as a bound of a range it would miss rows that a sparse index does
        // not contain.
        Constraint::Lt(Value::Null) | Constraint::Gt(Value::Null) => return Ok(never()),
        Constraint::Lte(Value::Null) | Constraint::Gte(Value::Null) => Bson::Null,
        Constraint::Lt(value) => operator("$lt", values.one(value)?),
        Constraint::Lte(value) => operator("$lte", values.one(value)?),
        Constraint::Gt(value) => operator("$gt", values.one(value)?),
        Constraint::Gte(value) => operator("$gte", values.one(value)?),
        Constraint::In(list) => operator("$in", values.list(list)?),
        Constraint::NotIn(list) => operator("$nin", values.list(list)?),
        // A value that cannot be stored is in no array.
        Constraint::All(list) if list.iter().any(looks_like_operator) => return Ok(never()),
        Constraint::All(list) => operator("$all", values.list(list)?),
        Constraint::AllRegex(patterns) => {
            let patterns = patterns.iter().map(regex).collect::<Result<Vec<_>>>()?;
            operator("$all", patterns.into_iter().map(Bson::RegularExpression).collect::<Vec<_>>())
        }
        Constraint::ContainedBy(list) => {
            operator("$not", doc! { "$elemMatch": { "$nin": nested_list(storable(list).cloned().collect())? } })
        }
        Constraint::Exists(exists) => operator("$exists", *exists),
        // In this form the server checks the options.
        Constraint::Regex(pattern) => {
            let regex = regex(pattern)?;
            let mut condition = doc! { "$regex": String::from(regex.pattern) };
            if !regex.options.is_empty() {
                condition.insert("$options", String::from(regex.options));
            }
            Bson::Document(condition)
        }
        Constraint::Text(search) => {
            let mut text = doc! { "$search": &search.term };
            if let Some(language) = &search.language {
                text.insert("$language", language);
            }
            text.insert("$caseSensitive", search.case_sensitive);
            text.insert("$diacriticSensitive", search.diacritic_sensitive);
            return Ok(doc! { "$text": text });
        }
        Constraint::Near { point, max_distance } => match (nearness, max_distance) {
            (Nearness::Ordered, None) => operator("$nearSphere", position(*point)),
            (Nearness::Ordered, Some(distance)) => {
                Bson::Document(doc! { "$nearSphere": position(*point), "$maxDistance": *distance })
            }
            (Nearness::Unordered, Some(distance)) => {
                within("$centerSphere", vec![Bson::Array(position(*point)), Bson::Double(*distance)])
            }
            (Nearness::Unordered, None) => operator("$ne", Bson::Null),
        },
        Constraint::WithinBox { bottom_left, upper_right } => {
            within("$box", vec![Bson::Array(position(*bottom_left)), Bson::Array(position(*upper_right))])
        }
        Constraint::WithinPolygon(corners) => {
            within("$polygon", corners.iter().map(|corner| Bson::Array(position(*corner))).collect())
        }
        Constraint::WithinSphere { center, radius } => {
            within("$centerSphere", vec![Bson::Array(position(*center)), number(*radius)])
        }
        Constraint::IntersectsPoint(point) => {
            operator("$geoIntersects", doc! { "$geometry": { "type": "Point", "coordinates": position(*point) } })
        }
    };
    Ok(doc! { column: condition })
}

fn operator(name: &str, operand: impl Into<Bson>) -> Bson {
    let mut document = Document::new();
    document.insert(name, operand);
    Bson::Document(document)
}

fn within(shape: &str, parts: Vec<Bson>) -> Bson {
    operator("$geoWithin", operator(shape, parts))
}

/// MongoDB's patterns are always UTF-8, so `u` has no effect. BSON requires sorted options.
fn regex(regex: &Regex) -> Result<BsonRegex> {
    let mut options: Vec<char> = regex.options.chars().filter(|option| *option != 'u').collect();
    options.sort_unstable();
    options.dedup();
    let options: String = options.into_iter().collect();
    let refused = || StorageError::Refused("Invalid regular expression".to_owned());
    Ok(BsonRegex {
        pattern: regex.pattern.clone().try_into().map_err(|_| refused())?,
        options: options.try_into().map_err(|_| refused())?,
    })
}

impl Constraint {
    /// A value that decides which column is used.
    fn operands(&self) -> Option<&Value> {
        match self {
            Self::Eq(value)
            | Self::Ne(value)
            | Self::Lt(value)
            | Self::Lte(value)
            | Self::Gt(value)
            | Self::Gte(value) => Some(value),
            // In a mixed list the other values decide: pointers are not in their column.
            Self::In(list) | Self::NotIn(list) => list
                .iter()
                .find(|value| !matches!(value, Value::Null | Value::Pointer(_)))
                .or_else(|| list.iter().find(|value| !value.is_null())),
            Self::All(_)
            | Self::AllRegex(_)
            | Self::ContainedBy(_)
            | Self::Exists(_)
            | Self::Regex(_)
            | Self::Text(_)
            | Self::Near { .. }
            | Self::WithinBox { .. }
            | Self::WithinPolygon(_)
            | Self::WithinSphere { .. }
            | Self::IntersectsPoint(_) => None,
        }
    }
}

/// How the values of a condition are encoded: as in columns, or as inside arrays and objects.
struct Values<'a> {
    schema: &'a ClassSchema,
    path: &'a str,
    kind: Option<&'a FieldType>,
    /// Whether the column may contain pointers; that of a field unknown to the schema does not.
    holds_pointers: bool,
}

impl Values<'_> {
    fn one(&self, value: &Value) -> Result<Bson> {
        if self.path == "objectId" {
            encode::id(self.schema, value.clone())
        } else if matches!(self.kind, Some(FieldType::Array)) || self.path.contains('.') {
            nested(value.clone())
        } else {
            top_level(value.clone())
        }
    }

    fn list(&self, values: &[Value]) -> Result<Vec<Bson>> {
        let possible = |value: &&Value| self.holds_pointers || !matches!(value, Value::Pointer(_));
        storable(values).filter(possible).map(|value| self.one(value)).collect()
    }
}

/// Whether a value is an object that begins like an operator. Such objects are never stored, and in lists the database
/// server would treat them as misplaced operators.
fn looks_like_operator(value: &Value) -> bool {
    value.as_object().and_then(|object| object.keys().next()).is_some_and(|key| key.starts_with('$'))
}

/// The values that can occur in a row.
fn storable(values: &[Value]) -> impl Iterator<Item = &Value> {
    values.iter().filter(|value| !looks_like_operator(value))
}

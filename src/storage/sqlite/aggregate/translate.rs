//! Translates names and values of a pipeline from Parse's form to that of the documents.

use serde_json::{Map, Value as Json};

use super::rows::{Output, POINTER, database_path};
use crate::model::date::Date;
use crate::model::json;
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::value::{Pointer, Value};
use crate::storage::AggregateOptions;

/// What names and values mean at the current stage.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "five independent facts")]
pub struct Translator<'a> {
    schema: &'a ClassSchema,
    names: bool,
    values: bool,
    /// The documents are still rows of the class.
    rows: bool,
    /// If they are rows, they have all their fields.
    whole: bool,
    pointer_id: bool,
}

impl<'a> Translator<'a> {
    /// At the beginning of a pipeline.
    #[must_use]
    pub const fn new(schema: &'a ClassSchema, options: &AggregateOptions) -> Self {
        Self {
            schema,
            names: !options.raw_field_names,
            values: !options.raw_values,
            rows: true,
            whole: true,
            pointer_id: false,
        }
    }

    /// From here on rows have only some of their fields.
    pub const fn leave_out_fields(&mut self) {
        self.whole = false;
    }

    /// From here on documents have a shape of their own.
    pub const fn leave_rows(&mut self) {
        self.rows = false;
    }

    /// Remembers what documents are grouped by.
    pub fn group_by(&mut self, id: &Json) {
        if let Json::String(path) = id {
            let field = path.strip_prefix('$').unwrap_or_default();
            let field = field.strip_prefix(POINTER).unwrap_or(field);
            self.pointer_id = self.rows && matches!(self.schema.kind(field), Some(FieldType::Pointer(_)));
        }
        self.rows = false;
    }

    /// How the results are presented to the caller.
    #[must_use]
    pub fn into_output(self) -> Output {
        let whole = self.rows && self.whole && self.names && self.values;
        Output {
            schema: self.schema.clone(),
            names: self.names,
            values: self.values,
            pointer_id: self.pointer_id,
            relations: json::relations(self.schema).filter(|_| whole).collect(),
        }
    }

    /// The database's name of a field.
    #[must_use]
    pub fn key(&self, field: &str) -> String {
        match field {
            field if !self.names => field.to_owned(),
            field if self.rows => database_path(self.schema, field),
            "objectId" => "_id".to_owned(),
            field => field.to_owned(),
        }
    }

    /// The type of a field that is compared with something.
    #[must_use]
    pub fn kind(&self, field: &str) -> Option<FieldType> {
        let name = field.strip_prefix(POINTER).unwrap_or(field);
        match field {
            "_created_at" | "_updated_at" => Some(FieldType::Date),
            _ if self.rows => self.schema.kind(name).cloned(),
            _ => None,
        }
    }

    /// A date, when the object stands for one.
    #[must_use]
    pub fn date(map: &Map<String, Json>) -> Option<Date> {
        let text = |key: &str| map.get(key).and_then(Json::as_str);
        if text("__type") == Some("Date") {
            return text("iso").and_then(Date::parse);
        }
        if map.len() != 1 {
            return None;
        }
        match map.get("$date")? {
            Json::String(iso) => Date::parse(iso),
            Json::Number(millis) => millis.as_i64().map(Date::from_millis),
            Json::Object(long) => long.get("$numberLong")?.as_str()?.parse().ok().map(Date::from_millis),
            _ => None,
        }
    }

    /// A constant.
    #[must_use]
    pub fn constant(json: &Json) -> Value {
        match json {
            Json::Object(map) => match Self::date(map) {
                Some(date) => Value::Date(date),
                None if map.contains_key("__type") => json::decode_stored(json.clone()),
                None => Value::Object(map.iter().map(|(key, value)| (key.clone(), Self::constant(value))).collect()),
            },
            Json::Array(list) => Value::Array(list.iter().map(Self::constant).collect()),
            other => json::decode_stored(other.clone()),
        }
    }

    /// A value that a field of this type is compared with.
    #[must_use]
    pub fn operand(&self, json: &Json, kind: Option<&FieldType>) -> Value {
        match (kind, json) {
            (Some(FieldType::Date), Json::String(text)) if self.values => {
                Date::parse(text).map_or_else(|| Value::String(text.clone()), Value::Date)
            }
            (Some(FieldType::Pointer(class)), Json::String(id)) if self.values => {
                let id = id.strip_prefix(class.as_str()).and_then(|rest| rest.strip_prefix('$')).unwrap_or(id);
                Value::Pointer(Pointer { class: class.clone(), id: id.to_owned() })
            }
            _ => Self::constant(json),
        }
    }
}

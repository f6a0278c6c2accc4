//! What a caller reads of a row: internal columns go, hidden fields go, stored forms become Parse's.

use super::request::ReadRequest;
use crate::domain::context::Context;
use crate::domain::permissions::protected_fields::Hidden;
use crate::domain::schema::Class;
use crate::domain::write::rules::ClassRules;
use crate::model::acl::Acl;
use crate::model::json;
use crate::model::object::Object;
use crate::model::schema::{Field, FieldType};
use crate::model::url_component;
use crate::model::value::Value;

/// Fields that `keys` and `excludeKeys` cannot take away.
const ALWAYS: [&str; 4] = ["objectId", "createdAt", "updatedAt", "ACL"];

/// How rows of one class look to one caller.
pub struct View<'a> {
    cx: &'a Context,
    class: &'a Class,
    hidden: &'a Hidden,
    rules: std::sync::Arc<dyn ClassRules>,
    /// Top level fields wanted; `None`: all.
    keys: Option<Vec<String>>,
    exclude: Vec<String>,
    file_base: String,
}

impl<'a> View<'a> {
    /// The view of a query.
    #[must_use]
    pub fn new(cx: &'a Context, class: &'a Class, hidden: &'a Hidden, request: &ReadRequest) -> Self {
        let roots = |paths: &[String]| {
            paths.iter().map(|path| path.split('.').next().unwrap_or(path).to_owned()).collect::<Vec<_>>()
        };
        let exclude: Vec<String> = request
            .exclude_keys
            .iter()
            .filter(|key| !key.contains('.') && !ALWAYS.contains(&key.as_str()))
            .cloned()
            .collect();
        // To leave out fields is to ask for all others that the class has.
        let all_fields = || class.schema.fields.keys().cloned().collect::<Vec<_>>();
        let asked = request.keys.clone().or_else(|| (!exclude.is_empty()).then(all_fields));
        let keys = asked.as_deref().map(|keys| {
            let mut wanted = roots(keys);
            wanted.extend(request.include.paths.iter().filter_map(|path| path.split('.').next()).map(str::to_owned));
            if request.include.all {
                let followed = |field: &Field| matches!(field.kind, FieldType::Pointer(_) | FieldType::Array);
                wanted.extend(
                    class.schema.fields.iter().filter(|(_, field)| followed(field)).map(|(name, _)| name.clone()),
                );
            }
            wanted.retain(|key| !exclude.contains(key));
            wanted
        });
        let file_base = format!("{}/files/{}/", cx.client.base_url, cx.app.options.keys.app_id);
        Self { cx, class, hidden, rules: cx.app.rules.of(&class.schema.name), keys, exclude, file_base }
    }

    /// The fields the store must read; `None`: all.
    #[must_use]
    pub fn needed_fields(&self) -> Option<Vec<String>> {
        let mut fields = self.keys.clone()?;
        fields.extend(self.hidden.needed_fields().map(str::to_owned));
        fields.extend(self.rules.needed_columns().iter().map(|column| (*column).to_owned()));
        fields.sort();
        fields.dedup();
        Some(fields)
    }

    /// The row as the caller reads it.
    #[must_use]
    pub fn present(&self, mut row: Object) -> Object {
        self.hidden.redact(&mut row);
        self.rules.present(self.cx, &mut row);
        if let Some(acl) = acl_of(&row) {
            row.insert("ACL", acl);
        }
        let maintenance = self.cx.auth.is_maintenance();
        row.retain(|field, value| {
            if field.starts_with('_') {
                return maintenance && !matches!(field, "_rperm" | "_wperm");
            }
            if matches!(value, Value::Null) && matches!(self.class.schema.kind(field), Some(FieldType::Pointer(_))) {
                return false;
            }
            self.wants(field)
        });
        for (field, value) in &mut row {
            match value {
                Value::Date(date) if matches!(field.as_str(), "createdAt" | "updatedAt") || field.starts_with('_') => {
                    *value = Value::String(date.to_iso());
                }
                _ => self.complete_files(value),
            }
        }
        for (name, field) in &self.class.schema.fields {
            // Whatever keys were asked for: relations are no part of the row, they come with the class.
            if let FieldType::Relation(target) = &field.kind
                && !self.hidden.hides(name)
            {
                row.insert(name.clone(), Value::Relation(target.clone()));
            }
        }
        row
    }

    fn wants(&self, field: &str) -> bool {
        ALWAYS.contains(&field)
            || (!self.exclude.iter().any(|excluded| excluded == field)
                && self.keys.as_ref().is_none_or(|keys| keys.iter().any(|key| key == field)))
            || (field == "score" && self.keys.as_ref().is_some_and(|keys| keys.iter().any(|key| key == "$score")))
    }

    /// Files are stored by name; readers get an address as well.
    fn complete_files(&self, value: &mut Value) {
        match value {
            Value::File(file) if file.url.is_none() => {
                file.url = Some(format!("{}{}", self.file_base, url_component::encode(&file.name)));
            }
            Value::Array(list) => list.iter_mut().for_each(|item| self.complete_files(item)),
            Value::Object(object) => object.iter_mut().for_each(|(_, item)| self.complete_files(item)),
            _ => {}
        }
    }
}

/// The ACL of a row as REST JSON; `None` when the row is open to all.
#[must_use]
pub fn acl_of(row: &Object) -> Option<Value> {
    Acl::from_permissions(row.get("_rperm"), row.get("_wperm")).map(|acl| json::decode_stored(acl.to_json()))
}

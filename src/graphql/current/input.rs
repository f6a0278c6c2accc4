//! Converts `fields` of create and update inputs to REST bodies.

use serde_json::{Map, Value as Json, json};

use crate::domain::classes;
use crate::error::{ErrorCode, ParseError, Result};
use crate::graphql::parse::catalog::Class;
use crate::graphql::parse::geo::{point, polygon};
use crate::graphql::parse::run::Run;
use crate::graphql::parse::{ids, uploads};
use crate::http::gate::operations::{Operation, Verb};
use crate::model::names::USER;
use crate::model::schema::FieldType;

/// Converts inputs to bodies, and creates the objects that inputs contain (`createAndLink`, `createAndAdd`).
#[derive(Debug, Clone, Copy)]
pub struct Bodies<'a> {
    /// The request.
    pub run: Run<'a>,
}

impl Bodies<'_> {
    /// The body that creates or updates an object with these fields.
    ///
    /// # Errors
    /// 106 for a pointer or relation without an operation; errors of creating objects.
    pub async fn body(self, class: &Class, fields: Map<String, Json>) -> Result<Map<String, Json>> {
        let mut body = Map::new();
        for (name, value) in fields {
            let value = self.value(class, &name, value).await?;
            body.insert(name, value);
        }
        Ok(body)
    }

    async fn value(self, class: &Class, name: &str, value: Json) -> Result<Json> {
        let kind = class.fields.get(name);
        let target = kind.and_then(FieldType::target).and_then(|target| self.run.catalog.class(target.as_str()));
        Ok(match (kind, target) {
            (Some(FieldType::Relation(_)), Some(target)) => self.relation(target, name, &value).await?,
            _ if value.is_null() => json!({ "__op": "Delete" }),
            (Some(FieldType::Pointer(_)), Some(target)) => self.pointer(target, name, &value).await?,
            (Some(FieldType::GeoPoint), _) => point(&value),
            (Some(FieldType::Polygon), _) => polygon(&value),
            (Some(FieldType::Acl), _) => acl(&value),
            (Some(FieldType::File), _) => self.file(&value).await?,
            _ => value,
        })
    }

    async fn pointer(self, target: &Class, name: &str, value: &Json) -> Result<Json> {
        let both = || {
            let message = format!("You need to provide link OR createLink on the pointer mutation of field {name}");
            ParseError::new(ErrorCode::InvalidPointer, message)
        };
        let given = value.as_object().filter(|given| given.len() == 1).ok_or_else(both)?;
        match (given.get("link").and_then(Json::as_str), given.get("createAndLink").and_then(Json::as_object)) {
            (Some(id), _) => Ok(pointer(target, &ids::local(&target.name, id))),
            (None, Some(fields)) => self.made(target, fields).await,
            (None, None) => Err(both()),
        }
    }

    async fn relation(self, target: &Class, name: &str, value: &Json) -> Result<Json> {
        let none = || {
            let message =
                format!("You need to provide at least one operation on the relation mutation of field {name}");
            ParseError::new(ErrorCode::InvalidPointer, message)
        };
        let given = value.as_object().filter(|given| !given.is_empty()).ok_or_else(none)?;
        let list = |key: &str| given.get(key).and_then(Json::as_array);
        let pointers = |ids: &Vec<Json>| -> Vec<Json> {
            ids.iter().filter_map(Json::as_str).map(|id| pointer(target, &ids::local(&target.name, id))).collect()
        };
        let mut made = Vec::new();
        for fields in list("createAndAdd").map(Vec::as_slice).unwrap_or_default() {
            if let Some(fields) = fields.as_object() {
                made.push(self.made(target, fields).await?);
            }
        }
        let mut operations = Vec::new();
        if list("add").is_some() || !made.is_empty() {
            let mut objects = list("add").map(pointers).unwrap_or_default();
            objects.extend(made);
            operations.push(json!({ "__op": "AddRelation", "objects": objects }));
        }
        if let Some(ids) = list("remove") {
            operations.push(json!({ "__op": "RemoveRelation", "objects": pointers(ids) }));
        }
        Ok(json!({ "__op": "Batch", "ops": operations }))
    }

    async fn file(self, value: &Json) -> Result<Json> {
        if let Some(upload) = value.get("upload").filter(|upload| !upload.is_null()) {
            return uploads::store(self.run, upload).await;
        }
        value
            .get("file")
            .filter(|file| file.get("name").and_then(Json::as_str).is_some_and(|name| !name.is_empty()))
            .cloned()
            .ok_or_else(|| ParseError::new(ErrorCode::FileSaveError, "Invalid file upload."))
    }

    /// Creates an object from these fields and returns a pointer to it. Boxed, because its fields may create more
    /// objects.
    async fn made(self, class: &Class, fields: &Map<String, Json>) -> Result<Json> {
        let operation = Operation::Object(Verb::Create, class.name.clone(), String::new());
        self.run.gate.admit(self.run.cx, &operation).await?;
        let body = Box::pin(self.body(class, fields.clone())).await?;
        let saved = Box::pin(classes::create(self.run.cx, &class.name, body)).await?;
        Ok(pointer(class, saved.body.get_str("objectId").unwrap_or_default()))
    }
}

fn pointer(class: &Class, id: &str) -> Json {
    json!({ "__type": "Pointer", "className": class.name, "objectId": id })
}

fn acl(value: &Json) -> Json {
    let mut acl = Map::new();
    let rights = |rule: &Json| json!({ "read": rule.get("read"), "write": rule.get("write") });
    let list = |key: &str| value.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |rule: &Json, key: &str| rule.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    if let Some(public) = value.get("public").filter(|public| !public.is_null()) {
        acl.insert("*".to_owned(), rights(public));
    }
    for rule in list("users") {
        acl.insert(ids::local(USER, &text(rule, "userId")), rights(rule));
    }
    for rule in list("roles") {
        acl.insert(format!("role:{}", text(rule, "roleName")), rights(rule));
    }
    Json::Object(acl)
}

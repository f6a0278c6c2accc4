//! From objects to the JSON of an answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::error::{FieldError, parse_error};
use super::fetch::Connection;
use super::ids;
use super::plan::{ConnectionField, ConnectionPlan, EdgeField, FieldKind, Leaf, ObjectField, ObjectPlan};
use super::relations::{Relations, included};
use crate::model::json::{encode, number};
use crate::model::names::USER;
use crate::model::object::Object;
use crate::model::schema::FieldType;
use crate::model::value::Value;

/// Writes the value of one field of an operation, and collects its errors.
#[derive(Debug)]
pub struct Renderer<'a> {
    /// Relations read.
    pub relations: &'a Relations,
    /// Where in the answer we are.
    pub path: Vec<Json>,
    /// Errors so far.
    pub errors: Vec<Json>,
    /// Whether sensitive texts are hidden.
    pub sanitize: bool,
}

impl Renderer<'_> {
    /// An object; `None` when a value is missing that the schema promises, which makes the object as a whole missing.
    pub fn object(&mut self, plan: &ObjectPlan, object: &Object) -> Option<Json> {
        let mut out = Map::new();
        for field in &plan.fields {
            self.path.push(Json::from(field.key.as_str()));
            let before = self.errors.len();
            let value = self.field(plan, field, object);
            if value.is_none() && field.required && self.errors.len() == before {
                self.missing(&plan.class.type_name, field);
            }
            self.path.pop();
            match value {
                Some(value) => drop(out.insert(field.key.clone(), value)),
                None if field.required => return None,
                None => drop(out.insert(field.key.clone(), Json::Null)),
            }
        }
        Some(Json::Object(out))
    }

    fn missing(&mut self, type_name: &str, field: &ObjectField) {
        let error = FieldError::Missing(type_name.to_owned(), field.name.clone());
        self.errors.push(error.to_json(field.place, &self.path, self.sanitize));
    }

    fn field(&mut self, plan: &ObjectPlan, field: &ObjectField, object: &Object) -> Option<Json> {
        let value = object.get(&field.name).filter(|value| !value.is_null());
        match &field.kind {
            FieldKind::TypeName => Some(Json::from(plan.class.type_name.as_str())),
            FieldKind::GlobalId => object.get_str("objectId").map(|id| Json::from(ids::global(&plan.class.name, id))),
            FieldKind::Value(FieldType::Acl, leaf @ Leaf::Object(..)) => Some(project(leaf, &acl(value))),
            FieldKind::Value(kind, leaf) => Some(project(leaf, &scalar(kind, value?))),
            FieldKind::Pointer(inner) => match value? {
                Value::Object(target) => self.object(inner, target),
                Value::Pointer(pointer) => {
                    let target = Object::from_iter([("objectId".to_owned(), Value::from(pointer.id.as_str()))]);
                    self.object(inner, &target)
                }
                _ => None,
            },
            FieldKind::Array(array) => {
                let mut list = Vec::new();
                for (index, element) in value?.as_array()?.iter().enumerate() {
                    self.path.push(Json::from(index));
                    list.push(match included(&array.objects, element) {
                        Some((inner, target)) => self.object(inner, target).unwrap_or(Json::Null),
                        None if element.is_null() => Json::Null,
                        None => project(&array.element, &json!({ "value": encode(element) })),
                    });
                    self.path.pop();
                }
                Some(Json::Array(list))
            }
            FieldKind::Relation(connection) => {
                let owner = object.get_str("objectId")?.to_owned();
                // There are none of an object that the caller may not read.
                match self.relations.get(&(connection.slot, owner))? {
                    Ok(rows) => Some(self.connection(connection, rows)),
                    Err(error) => {
                        self.errors.push(parse_error(error, field.place, &self.path, self.sanitize));
                        None
                    }
                }
            }
        }
    }

    /// A connection.
    pub fn connection(&mut self, plan: &ConnectionPlan, connection: &Connection) -> Json {
        let type_name = &plan.class.type_name;
        let mut out = Map::new();
        for (key, field) in &plan.fields {
            self.path.push(Json::from(key.as_str()));
            let value = match field {
                ConnectionField::TypeName => Json::from(plan.class.rows_type.as_str()),
                ConnectionField::Count => json!(connection.count.unwrap_or(0)),
                ConnectionField::PageInfo(leaf) => project(leaf, &page_info(connection)),
                ConnectionField::Results(inner) => {
                    let mut rows = Vec::with_capacity(connection.rows.len());
                    for (index, row) in connection.rows.iter().enumerate() {
                        self.path.push(Json::from(index));
                        rows.push(self.object(inner, row));
                        self.path.pop();
                    }
                    // The list promises every row.
                    rows.into_iter().collect::<Option<Vec<Json>>>().map_or(Json::Null, Json::Array)
                }
                ConnectionField::Edges(fields) => {
                    let mut edges = Vec::with_capacity(connection.rows.len());
                    for (index, row) in connection.rows.iter().enumerate() {
                        self.path.push(Json::from(index));
                        edges.push(self.edge(type_name, fields, connection.skip + index as u64, row));
                        self.path.pop();
                    }
                    Json::Array(edges)
                }
            };
            self.path.pop();
            out.insert(key.clone(), value);
        }
        Json::Object(out)
    }

    fn edge(&mut self, type_name: &str, fields: &[(String, EdgeField)], index: u64, row: &Object) -> Json {
        let mut out = Map::new();
        for (key, field) in fields {
            self.path.push(Json::from(key.as_str()));
            let value = match field {
                EdgeField::TypeName => Json::from(format!("{type_name}Edge")),
                EdgeField::Cursor => Json::from(ids::cursor(index)),
                EdgeField::Node(plan) => self.object(plan, row).unwrap_or(Json::Null),
            };
            self.path.pop();
            out.insert(key.clone(), value);
        }
        Json::Object(out)
    }
}

fn page_info(connection: &Connection) -> Json {
    let (rows, skip, count) = (connection.rows.len() as u64, connection.skip, connection.count.unwrap_or(0));
    json!({
        "hasNextPage": count > skip + rows,
        "hasPreviousPage": count > 0 && skip > 0,
        "startCursor": ids::cursor(skip),
        "endCursor": ids::cursor((skip + rows.max(1)).saturating_sub(1)),
    })
}

/// The selected part of a value that is no object of a class.
#[must_use]
pub fn project(leaf: &Leaf, value: &Json) -> Json {
    match (leaf, value) {
        (Leaf::Scalar, value) => value.clone(),
        (_, Json::Null) => Json::Null,
        (leaf, Json::Array(list)) => list.iter().map(|item| project(leaf, item)).collect(),
        (Leaf::Object(type_name, fields), value) => {
            let field = |(key, name, inner): &(String, String, Leaf)| {
                let value = match name.as_str() {
                    "__typename" => Json::from(type_name.as_str()),
                    name => project(inner, value.get(name).unwrap_or(&Json::Null)),
                };
                (key.clone(), value)
            };
            Json::Object(fields.iter().map(field).collect())
        }
        (Leaf::Abstract(by_type), value) => value
            .get("__typename")
            .and_then(Json::as_str)
            .and_then(|name| by_type.get(name))
            .map_or(Json::Null, |leaf| project(leaf, value)),
    }
}

fn scalar(kind: &FieldType, value: &Value) -> Json {
    match (kind, value) {
        (_, Value::Date(date)) if *kind == FieldType::Date => Json::from(date.to_iso()),
        (_, Value::Bytes(bytes)) if *kind == FieldType::Bytes => Json::from(STANDARD.encode(bytes)),
        (_, Value::File(file)) if *kind == FieldType::File => json!({ "name": file.name, "url": file.url }),
        (_, Value::GeoPoint(point)) if *kind == FieldType::GeoPoint => {
            json!({ "latitude": number(point.latitude), "longitude": number(point.longitude) })
        }
        (_, Value::Polygon(corners)) if *kind == FieldType::Polygon => corners
            .iter()
            .map(|point| json!({ "latitude": number(point.latitude), "longitude": number(point.longitude) }))
            .collect(),
        (_, value) => encode(value),
    }
}

/// An ACL as GraphQL lists it; without one, everybody may do everything.
fn acl(value: Option<&Value>) -> Json {
    let Some(entries) = value.and_then(Value::as_object) else {
        return json!({ "users": null, "roles": null, "public": { "read": true, "write": true } });
    };
    let allows = |rule: &Value, key: &str| {
        rule.as_object().and_then(|rule| rule.get(key)).and_then(Value::as_bool).unwrap_or(false)
    };
    let (mut users, mut roles, mut everybody) = (Vec::new(), Vec::new(), Json::Null);
    for (entity, rule) in entries {
        let (read, write) = (allows(rule, "read"), allows(rule, "write"));
        if entity == crate::model::acl::PUBLIC {
            everybody = json!({ "read": read, "write": write });
        } else if let Some(role) = entity.strip_prefix("role:") {
            roles.push(json!({ "roleName": role, "read": read, "write": write }));
        } else {
            users.push(json!({ "userId": ids::global(USER, entity), "read": read, "write": write }));
        }
    }
    let list = |list: Vec<Json>| if list.is_empty() { Json::Null } else { Json::Array(list) };
    json!({ "users": list(users), "roles": list(roles), "public": everybody })
}

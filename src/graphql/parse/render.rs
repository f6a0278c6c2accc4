//! Writes objects as JSON of the response.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::error::{FieldError, parse_error};
use super::fetch::Connection;
use super::ids;
use super::plan::{ConnectionField, ConnectionPlan, EdgeField, FieldKind, ObjectField, ObjectPlan};
use super::relations::{Relations, included};
use crate::graphql::engine::{Leaf, Step, Text, project};
use crate::model::json::{encode, number};
use crate::model::names::USER;
use crate::model::object::Object;
use crate::model::schema::FieldType;
use crate::model::value::Value;

/// Writes the value of one field of an operation, and collects its errors.
#[derive(Debug)]
pub struct Renderer<'a> {
    /// The relations that have been read.
    pub relations: &'a Relations,
    /// The current path in the response.
    pub path: Vec<Step<'a>>,
    /// The text written so far.
    pub out: Text,
    /// Errors so far.
    pub errors: Vec<Json>,
    /// Whether sensitive error messages are hidden.
    pub sanitize: bool,
}

impl<'a> Renderer<'a> {
    /// Writes an object. Returns false and writes nothing if a non-null field has no value, which makes the object
    /// null.
    pub fn object(&mut self, plan: &'a ObjectPlan, object: &Object) -> bool {
        let start = self.out.end();
        let mut first = self.out.open('{');
        for field in &plan.fields {
            self.path.push(Step::Key(&field.key));
            self.out.key(&mut first, &field.key);
            let before = self.errors.len();
            let written = self.field(plan, field, object);
            if !written && field.required && self.errors.len() == before {
                self.missing(&plan.class.type_name, field);
            }
            self.path.pop();
            if !written && field.required {
                self.out.cut(start);
                return false;
            }
            if !written {
                self.out.null();
            }
        }
        self.out.close('}');
        true
    }

    /// Like [`Renderer::object`], but writes null for a missing object.
    fn nullable_object(&mut self, plan: &'a ObjectPlan, object: &Object) {
        if !self.object(plan, object) {
            self.out.null();
        }
    }

    fn missing(&mut self, type_name: &str, field: &ObjectField) {
        let error = FieldError::Missing(type_name.to_owned(), field.name.clone());
        self.errors.push(error.to_json(field.place, &Step::path(&self.path), self.sanitize));
    }

    /// Writes a field. Returns false and writes nothing if it has no value.
    fn field(&mut self, plan: &'a ObjectPlan, field: &'a ObjectField, object: &Object) -> bool {
        let value = object.get(&field.name).filter(|value| !value.is_null());
        match (&field.kind, value) {
            (FieldKind::TypeName, _) => self.out.value(&plan.class.type_name),
            (FieldKind::GlobalId, _) => {
                let Some(id) = object.get_str("objectId") else { return false };
                self.out.value(&ids::global(&plan.class.name, id));
            }
            (FieldKind::Value(FieldType::Acl, leaf @ Leaf::Object(..)), value) => {
                self.out.value(&project(leaf, &acl(value)));
            }
            (FieldKind::Relation(connection), _) => {
                let Some(owner) = object.get_str("objectId") else { return false };
                // An object that the caller may not read has none.
                match self.relations.get(&(connection.slot, owner.to_owned())) {
                    Some(Ok(rows)) => self.connection(connection, rows),
                    Some(Err(error)) => {
                        self.errors.push(parse_error(error, field.place, &Step::path(&self.path), self.sanitize));
                        return false;
                    }
                    None => return false,
                }
            }
            (FieldKind::Value(kind, leaf), Some(value)) => self.scalar(kind, leaf, value),
            (FieldKind::Pointer(inner), Some(Value::Object(target))) => return self.object(inner, target),
            (FieldKind::Pointer(inner), Some(Value::Pointer(pointer))) => {
                let target = Object::from_iter([("objectId".to_owned(), Value::from(pointer.id.as_str()))]);
                return self.object(inner, &target);
            }
            (FieldKind::Pointer(_), Some(_)) | (_, None) => return false,
            (FieldKind::Array(array), Some(value)) => {
                let Some(elements) = value.as_array() else { return false };
                let mut first = self.out.open('[');
                for (index, element) in elements.iter().enumerate() {
                    self.path.push(Step::Index(index));
                    self.out.next(&mut first);
                    match included(&array.objects, element) {
                        Some((inner, target)) => self.nullable_object(inner, target),
                        None if element.is_null() => self.out.null(),
                        None => self.out.value(&project(&array.element, &json!({ "value": encode(element) }))),
                    }
                    self.path.pop();
                }
                self.out.close(']');
            }
        }
        true
    }

    fn scalar(&mut self, kind: &FieldType, leaf: &Leaf, value: &Value) {
        match (kind, leaf, value) {
            (FieldType::Date, Leaf::Scalar, Value::Date(date)) => self.out.value(date.iso().as_str()),
            (
                FieldType::Bytes | FieldType::File | FieldType::GeoPoint | FieldType::Polygon,
                Leaf::Scalar,
                Value::Bytes(_) | Value::File(_) | Value::GeoPoint(_) | Value::Polygon(_),
            )
            | (_, Leaf::Object(..) | Leaf::Abstract(_), _) => self.out.value(&project(leaf, &scalar(kind, value))),
            (_, Leaf::Scalar, value) => self.out.value(value),
        }
    }

    /// A connection.
    pub fn connection(&mut self, plan: &'a ConnectionPlan, connection: &Connection) {
        let mut first = self.out.open('{');
        for (key, field) in &plan.fields {
            self.path.push(Step::Key(key));
            self.out.key(&mut first, key);
            match field {
                ConnectionField::TypeName => self.out.value(&plan.class.rows_type),
                ConnectionField::Count => self.out.value(&connection.count.unwrap_or(0)),
                ConnectionField::PageInfo(leaf) => self.out.value(&project(leaf, &page_info(connection))),
                ConnectionField::Results(inner) => self.results(inner, connection),
                ConnectionField::Edges(fields) => {
                    let mut first = self.out.open('[');
                    for (index, row) in connection.rows.iter().enumerate() {
                        self.path.push(Step::Index(index));
                        self.out.next(&mut first);
                        self.edge(&plan.class.type_name, fields, connection.skip + index as u64, row);
                        self.path.pop();
                    }
                    self.out.close(']');
                }
            }
            self.path.pop();
        }
        self.out.close('}');
    }

    /// A list of non-null rows; null if one is missing.
    fn results(&mut self, plan: &'a ObjectPlan, connection: &Connection) {
        let (start, mut whole) = (self.out.end(), true);
        let mut first = self.out.open('[');
        for (index, row) in connection.rows.iter().enumerate() {
            self.path.push(Step::Index(index));
            self.out.next(&mut first);
            whole &= self.object(plan, row);
            self.path.pop();
        }
        if whole {
            self.out.close(']');
        } else {
            self.out.cut(start);
            self.out.null();
        }
    }

    fn edge(&mut self, type_name: &str, fields: &'a [(String, EdgeField)], index: u64, row: &Object) {
        let mut first = self.out.open('{');
        for (key, field) in fields {
            self.path.push(Step::Key(key));
            self.out.key(&mut first, key);
            match field {
                EdgeField::TypeName => self.out.value(&format!("{type_name}Edge")),
                EdgeField::Cursor => self.out.value(&ids::cursor(index)),
                EdgeField::Node(plan) => self.nullable_object(plan, row),
            }
            self.path.pop();
        }
        self.out.close('}');
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

/// An ACL in the form of GraphQL. No ACL means that everyone may read and write.
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

//! Schemas of values: the components that all classes share, and the schema of a field in reads, creates and updates.
//!
//! A nullable schema is a separate component, because generators disagree about `nullable` next to a reference.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use crate::model::json as rest;
use crate::model::names::ClassName;
use crate::model::schema::{Field, FieldType};
use crate::model::value::Value;

/// The schema of a date as a string, such as `createdAt`.
#[must_use]
pub fn moment(description: &str) -> Json {
    json!({ "type": "string", "format": "date-time", "description": description })
}

/// The name of the nullable variant of a component.
const OR_NULL: &str = "OrNull";

/// A reference to a component.
#[must_use]
pub fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// All components that [`Forms`] can build; no class may use these names.
pub const SHARED: [&str; 37] = [
    "ParseDate",
    "ParseDateOrNull",
    "ParseBytes",
    "ParseBytesOrNull",
    "ParseFile",
    "ParseFileOrNull",
    "ParseFileInput",
    "ParseFileInputOrNull",
    "ParseGeoPoint",
    "ParseGeoPointOrNull",
    "ParsePolygon",
    "ParsePolygonOrNull",
    "ParseACL",
    "ParsePermissions",
    "ParsePointer",
    "ParseReference",
    "ParseRelation",
    "ParseRelationUpdate",
    "ParseDelete",
    "ParseIncrement",
    "ParseAddToArray",
    "ParseRemoveFromArray",
    "ParseStringUpdate",
    "ParseNumberUpdate",
    "ParseRequiredNumberUpdate",
    "ParseBooleanUpdate",
    "ParseDateUpdate",
    "ParseObjectUpdate",
    "ParseArrayUpdate",
    "ParseRequiredArrayUpdate",
    "ParseFileUpdate",
    "ParseBytesUpdate",
    "ParseGeoPointUpdate",
    "ParsePolygonUpdate",
    "ParseACLUpdate",
    "ParseCreated",
    "ParseUpdated",
];

/// Builds schemas and collects the components that they refer to.
#[derive(Debug, Default)]
pub struct Forms {
    /// Component names of classes, by class.
    pub classes: BTreeMap<ClassName, String>,
    /// Classes whose objects can be included in others.
    pub included: BTreeSet<ClassName>,
    /// The components built so far, by name.
    pub components: BTreeMap<String, Json>,
}

impl Forms {
    /// The schema of a field in responses.
    pub fn read(&mut self, field: &Field) -> Json {
        match &field.kind {
            FieldType::String => json!({ "type": "string", "nullable": true }),
            FieldType::Number => json!({ "type": "number", "format": "double", "nullable": true }),
            FieldType::Boolean => json!({ "type": "boolean", "nullable": true }),
            FieldType::Object => json!({ "type": "object", "additionalProperties": true, "nullable": true }),
            FieldType::Array => json!({ "type": "array", "items": {}, "nullable": true }),
            FieldType::Date => self.or_null("ParseDate"),
            FieldType::Bytes => self.or_null("ParseBytes"),
            FieldType::File => self.or_null("ParseFile"),
            FieldType::GeoPoint => self.or_null("ParseGeoPoint"),
            FieldType::Polygon => self.or_null("ParsePolygon"),
            FieldType::Acl => self.shared("ParseACL"),
            FieldType::Pointer(target) => self.pointed(target),
            FieldType::Relation(target) => self.relation(target),
        }
    }

    /// The schema of a field in a create.
    pub fn create(&mut self, field: &Field) -> Json {
        let nullable = !field.required;
        let mut form = match &field.kind {
            FieldType::String => plain(json!({ "type": "string" }), nullable),
            FieldType::Number => plain(json!({ "type": "number", "format": "double" }), nullable),
            FieldType::Boolean => plain(json!({ "type": "boolean" }), nullable),
            FieldType::Object => plain(json!({ "type": "object", "additionalProperties": true }), nullable),
            FieldType::Array => plain(json!({ "type": "array", "items": {} }), nullable),
            FieldType::Pointer(target) => return self.pointer(target),
            FieldType::Relation(target) => return self.relation_update(target),
            FieldType::Acl => return self.shared("ParseACL"),
            kind => return self.written(kind, nullable),
        };
        if let (Some(default), Some(form)) = (&field.default, form.as_object_mut())
            && simple(default)
        {
            form.insert("default".to_owned(), rest::encode(default));
        }
        form
    }

    /// The schema of a field in an update: a value or an operation.
    pub fn update(&mut self, field: &Field) -> Json {
        let required = field.required;
        let name = match &field.kind {
            FieldType::String => "ParseStringUpdate",
            FieldType::Number if required => "ParseRequiredNumberUpdate",
            FieldType::Number => "ParseNumberUpdate",
            FieldType::Boolean => "ParseBooleanUpdate",
            FieldType::Object => "ParseObjectUpdate",
            FieldType::Array if required => "ParseRequiredArrayUpdate",
            FieldType::Array => "ParseArrayUpdate",
            FieldType::Date => "ParseDateUpdate",
            FieldType::File => "ParseFileUpdate",
            FieldType::Bytes => "ParseBytesUpdate",
            FieldType::GeoPoint => "ParseGeoPointUpdate",
            FieldType::Polygon => "ParsePolygonUpdate",
            FieldType::Acl => "ParseACLUpdate",
            FieldType::Relation(target) => return self.relation_update(target),
            FieldType::Pointer(target) => {
                let pointer = self.pointer(target);
                return if required { pointer } else { json!({ "oneOf": [pointer, self.shared("ParseDelete")] }) };
            }
        };
        // A required field cannot be deleted.
        if required && !matches!(field.kind, FieldType::Number | FieldType::Array) {
            return self.create(&Field { default: None, ..field.clone() });
        }
        self.shared(name)
    }

    /// The schema of a date, bytes, file, point or polygon that a client sends.
    fn written(&mut self, kind: &FieldType, nullable: bool) -> Json {
        let name = match kind {
            FieldType::Date => "ParseDate",
            FieldType::Bytes => "ParseBytes",
            FieldType::File => "ParseFileInput",
            FieldType::GeoPoint => "ParseGeoPoint",
            _ => "ParsePolygon",
        };
        if nullable { self.or_null(name) } else { self.shared(name) }
    }

    fn name_of(&self, class: &ClassName) -> Option<String> {
        self.classes.get(class).cloned()
    }

    /// The schema of a pointer to an object of the class.
    fn pointer(&mut self, class: &ClassName) -> Json {
        let Some(name) = self.name_of(class) else { return self.shared("ParsePointer") };
        let name = format!("{name}Pointer");
        let form = typed(
            &format!("A pointer to an object of {class}."),
            "Pointer",
            &[
                ("className", json!({ "type": "string", "enum": [class.as_str()] })),
                ("objectId", json!({ "type": "string" })),
            ],
            &[],
        );
        self.add(name, form)
    }

    /// The schema of a pointer field in responses: the pointer, or the object if it was included.
    fn pointed(&mut self, class: &ClassName) -> Json {
        let Some(name) = self.name_of(class) else { return self.shared("ParseReference") };
        self.included.insert(class.clone());
        let form = json!({
            "description": format!("A pointer to an object of {class}, or with `include` the object."),
            "oneOf": [self.pointer(class), reference(&format!("{name}Included"))],
        });
        self.add(format!("{name}Reference"), form)
    }

    /// Builds the components of included objects, which contain `className`. The components of the classes must exist
    /// already.
    pub fn finish(&mut self) {
        for class in std::mem::take(&mut self.included) {
            let Some(name) = self.name_of(&class) else { continue };
            let Some(mut form) = self.components.get(&name).cloned() else { continue };
            let mut properties = Map::new();
            properties.insert("__type".to_owned(), json!({ "type": "string", "enum": ["Object"] }));
            properties.insert("className".to_owned(), json!({ "type": "string", "enum": [class.as_str()] }));
            let mut required = vec![json!("__type"), json!("className")];
            if let Some(form) = form.as_object_mut() {
                let take = |form: &mut Map<String, Json>, key: &str| form.get_mut(key).map(Json::take);
                if let Some(Json::Object(own)) = take(form, "properties") {
                    properties.extend(own);
                }
                if let Some(Json::Array(own)) = take(form, "required") {
                    required.extend(own);
                }
                let description = format!("An included object of the class {class}.");
                form.insert("description".to_owned(), description.into());
                form.insert("properties".to_owned(), properties.into());
                form.insert("required".to_owned(), required.into());
            }
            self.components.insert(format!("{name}Included"), form);
        }
    }

    /// The schema of a relation in responses.
    fn relation(&mut self, class: &ClassName) -> Json {
        let Some(name) = self.name_of(class) else { return self.shared("ParseRelation") };
        let form = typed(
            &format!("A relation to objects of {class}. Query them with `$relatedTo`."),
            "Relation",
            &[("className", json!({ "type": "string", "enum": [class.as_str()] }))],
            &[],
        );
        self.add(format!("{name}Relation"), form)
    }

    /// The schema of a change of a relation.
    fn relation_update(&mut self, class: &ClassName) -> Json {
        let Some(name) = self.name_of(class) else { return self.shared("ParseRelationUpdate") };
        let pointer = self.pointer(class);
        self.add(
            format!("{name}RelationUpdate"),
            members(&format!("Adds objects of {class} to a relation, or removes them."), &pointer),
        )
    }

    /// A reference to a shared component.
    pub fn shared(&mut self, name: &str) -> Json {
        if !self.components.contains_key(name) {
            let form = self.make(name);
            self.components.insert(name.to_owned(), form);
        }
        reference(name)
    }

    /// A reference to the nullable variant of a shared component.
    fn or_null(&mut self, name: &str) -> Json {
        let both = format!("{name}{OR_NULL}");
        if !self.components.contains_key(&both) {
            let form = plain(self.make(name), true);
            self.components.insert(both.clone(), form);
        }
        reference(&both)
    }

    fn add(&mut self, name: String, form: Json) -> Json {
        let reference = reference(&name);
        self.components.entry(name).or_insert(form);
        reference
    }

    fn make(&mut self, name: &str) -> Json {
        let text = || json!({ "type": "string" });
        let kind = |kind: FieldType| Field::new(kind);
        match name {
            "ParseDate" => typed("A moment.", "Date", &[("iso", moment("ISO 8601, to the millisecond."))], &[]),
            "ParseBytes" => typed("Bytes.", "Bytes", &[("base64", json!({ "type": "string", "format": "byte" }))], &[]),
            "ParseFile" => typed("A file that was uploaded.", "File", &[("name", text()), ("url", text())], &[]),
            "ParseFileInput" => typed("A file that was uploaded.", "File", &[("name", text())], &[("url", text())]),
            "ParseGeoPoint" => {
                // No bounds: other programs may have stored values outside of them, which are returned unchanged.
                let degrees = |about: &str| json!({ "type": "number", "format": "double", "description": about });
                let (latitude, longitude) = (degrees("From -90 to 90."), degrees("From -180 to 180."));
                let about = "A point on earth, in degrees.";
                typed(about, "GeoPoint", &[("latitude", latitude), ("longitude", longitude)], &[])
            }
            "ParsePolygon" => {
                let pair = json!({ "type": "array", "items": { "type": "number", "format": "double" }, "minItems": 2, "maxItems": 2 });
                let corners = json!({
                    "type": "array", "items": pair, "minItems": 3,
                    "description": "Corners, each as latitude and longitude; the last equals the first.",
                });
                typed("An area on earth.", "Polygon", &[("coordinates", corners)], &[])
            }
            "ParsePermissions" => json!({
                "type": "object",
                "description": "Permissions of a user or role; missing ones are not granted.",
                "properties": { "read": { "type": "boolean" }, "write": { "type": "boolean" } },
            }),
            "ParseACL" => json!({
                "type": "object",
                "description": "Permissions by user id, `role:NAME`, or `*` for everyone.",
                "additionalProperties": self.shared("ParsePermissions"),
            }),
            "ParsePointer" => typed("Names an object.", "Pointer", &[("className", text()), ("objectId", text())], &[]),
            "ParseReference" => json!({
                "type": "object",
                "description": "A pointer to an object, or with `include` the object.",
                "required": ["__type", "className", "objectId"],
                "properties": {
                    "__type": { "type": "string", "enum": ["Pointer", "Object"] }, "className": text(), "objectId": text(),
                },
                "additionalProperties": true,
            }),
            "ParseRelation" => {
                typed("A relation. Ask for its objects with `$relatedTo`.", "Relation", &[("className", text())], &[])
            }
            "ParseRelationUpdate" => {
                let pointer = self.shared("ParsePointer");
                members("Adds objects to a relation, or removes some.", &pointer)
            }
            "ParseDelete" => operation("Takes the value away.", &["Delete"], None),
            "ParseIncrement" => operation(
                "Adds a number to the value.",
                &["Increment"],
                Some(("amount", json!({ "type": "number", "format": "double" }))),
            ),
            "ParseAddToArray" => operation(
                "Adds values to the array: all of them, or with `AddUnique` those that are not in it.",
                &["Add", "AddUnique"],
                Some(("objects", json!({ "type": "array", "items": {} }))),
            ),
            "ParseRemoveFromArray" => operation(
                "Removes values from the array, wherever they are in it.",
                &["Remove"],
                Some(("objects", json!({ "type": "array", "items": {} }))),
            ),
            "ParseStringUpdate" => self.change(&kind(FieldType::String), &["ParseDelete"]),
            "ParseNumberUpdate" => self.change(&kind(FieldType::Number), &["ParseIncrement", "ParseDelete"]),
            "ParseRequiredNumberUpdate" => {
                self.change(&Field { required: true, ..kind(FieldType::Number) }, &["ParseIncrement"])
            }
            "ParseBooleanUpdate" => self.change(&kind(FieldType::Boolean), &["ParseDelete"]),
            "ParseObjectUpdate" => json!({
                "description": "An object, or `{\"__op\": \"Delete\"}`.",
                "type": "object", "additionalProperties": true, "nullable": true,
            }),
            "ParseArrayUpdate" => {
                self.change(&kind(FieldType::Array), &["ParseAddToArray", "ParseRemoveFromArray", "ParseDelete"])
            }
            "ParseRequiredArrayUpdate" => self.change(
                &Field { required: true, ..kind(FieldType::Array) },
                &["ParseAddToArray", "ParseRemoveFromArray"],
            ),
            "ParseDateUpdate" => self.change(&kind(FieldType::Date), &["ParseDelete"]),
            "ParseFileUpdate" => self.change(&kind(FieldType::File), &["ParseDelete"]),
            "ParseBytesUpdate" => self.change(&kind(FieldType::Bytes), &["ParseDelete"]),
            "ParseGeoPointUpdate" => self.change(&kind(FieldType::GeoPoint), &["ParseDelete"]),
            "ParsePolygonUpdate" => self.change(&kind(FieldType::Polygon), &["ParseDelete"]),
            "ParseACLUpdate" => self.change(&kind(FieldType::Acl), &["ParseDelete"]),
            _ => json!({}),
        }
    }

    /// The schema of a value or an operation.
    fn change(&mut self, field: &Field, operations: &[&str]) -> Json {
        let mut forms = vec![self.create(field)];
        forms.extend(operations.iter().map(|name| self.shared(name)));
        json!({ "description": "A value, or an operation on the current value.", "oneOf": forms })
    }
}

/// Whether a default value fits the schema of its field. Others are described in words.
#[must_use]
pub fn simple(default: &Value) -> bool {
    matches!(default, Value::String(_) | Value::Number(_) | Value::Boolean(_))
}

fn plain(mut form: Json, nullable: bool) -> Json {
    if let (true, Some(form)) = (nullable, form.as_object_mut()) {
        form.insert("nullable".to_owned(), true.into());
    }
    form
}

/// The schema of an object with `__type`.
fn typed(description: &str, kind: &str, required: &[(&str, Json)], optional: &[(&str, Json)]) -> Json {
    let mut properties = Map::new();
    properties.insert("__type".to_owned(), json!({ "type": "string", "enum": [kind] }));
    properties.extend(required.iter().chain(optional).map(|(name, form)| ((*name).to_owned(), form.clone())));
    let required: Vec<&str> = std::iter::once("__type").chain(required.iter().map(|(name, _)| *name)).collect();
    json!({ "type": "object", "description": description, "required": required, "properties": properties })
}

/// The schema of an object with `__op`.
fn operation(description: &str, names: &[&str], operand: Option<(&str, Json)>) -> Json {
    let mut properties = Map::new();
    properties.insert("__op".to_owned(), json!({ "type": "string", "enum": names }));
    let mut required = vec!["__op"];
    if let Some((name, form)) = operand {
        required.push(name);
        properties.insert(name.to_owned(), form);
    }
    json!({ "type": "object", "description": description, "required": required, "properties": properties })
}

/// The schema of operations on a relation with such pointers.
fn members(description: &str, pointer: &Json) -> Json {
    let objects = ("objects", json!({ "type": "array", "items": pointer, "minItems": 1 }));
    operation(description, &["AddRelation", "RemoveRelation"], Some(objects))
}

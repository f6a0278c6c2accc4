//! The document of an application: the base document with the classes of the application.
//!
//! Every class gets components for reads, creates and updates, and paths besides `/classes/{className}`. These are
//! copied from the operations of the base document, so that parameters and errors are the same. For classes with routes
//! of their own (users, sessions, roles, installations) the existing operations are extended by the fields.

use serde_json::{Map, Value as Json, json};

use super::fields::{Forms, SHARED, moment, reference, simple};
use super::names::Names;
use crate::domain::schema::system_classes;
use crate::model::json as rest;
use crate::model::names::{self, ClassName};
use crate::model::schema::{ClassSchema, Field};

/// A class with routes of its own, and its operations in the base document.
struct ClassWithRoutes {
    class: &'static str,
    name: &'static str,
    /// Operation and component of its body.
    create: Option<(&'static str, &'static str)>,
    /// Operation that gets one object, if the base document does not use the component of the class already.
    get: Option<&'static str>,
    find: &'static str,
    update: &'static str,
    /// Whether responses always contain id and dates.
    whole: bool,
}

const CLASSES_WITH_ROUTES: [ClassWithRoutes; 4] = [
    ClassWithRoutes {
        class: names::USER,
        name: "User",
        create: Some(("signUp", "SignUp")),
        get: None,
        find: "findUsers",
        update: "updateUser",
        whole: true,
    },
    ClassWithRoutes {
        class: names::SESSION,
        name: "Session",
        create: None,
        get: None,
        find: "findSessions",
        update: "updateSession",
        whole: false,
    },
    ClassWithRoutes {
        class: names::ROLE,
        name: "Role",
        create: Some(("createRole", "RoleCreate")),
        get: Some("getRole"),
        find: "findRoles",
        update: "updateRole",
        whole: true,
    },
    ClassWithRoutes {
        class: names::INSTALLATION,
        name: "Installation",
        create: Some(("createInstallation", "InstallationCreate")),
        get: Some("getInstallation"),
        find: "findInstallations",
        update: "updateInstallation",
        whole: true,
    },
];

/// Adds the classes of an application to the base document, without internal classes and hidden columns.
#[must_use]
pub fn typed(mut document: Json, classes: &[ClassSchema]) -> Json {
    let mut given = Names::of(&document);
    for name in SHARED {
        given.take_component(name);
    }
    let mut forms = Forms::default();
    for own in &CLASSES_WITH_ROUTES {
        given.take(own.name);
        forms.classes.insert(ClassName::unchecked(own.class), own.name.to_owned());
    }
    let classes_of_app = classes_of_app(classes);
    for class in &classes_of_app {
        forms.classes.insert(class.name.clone(), given.give(class.name.as_str()));
    }
    for own in &CLASSES_WITH_ROUTES {
        let name = ClassName::unchecked(own.class);
        let mut schema = classes.iter().find(|class| class.name == name).cloned().unwrap_or(ClassSchema::new(name));
        system_classes::add_default_columns(&mut schema);
        extend_operations(&mut document, &mut forms, own, &schema);
    }
    for class in &classes_of_app {
        let Some(name) = forms.classes.get(&class.name).cloned() else { continue };
        add(&mut document, &mut forms, class, &name);
    }
    forms.finish();
    if let Some(known) = document.pointer_mut("/components/schemas").and_then(Json::as_object_mut) {
        known.extend(std::mem::take(&mut forms.components));
        // Components are looked up by name, wherever they were registered.
        known.sort_keys();
    }
    document
}

/// The classes that get paths: custom classes first, then system classes, each sorted by name.
fn classes_of_app(classes: &[ClassSchema]) -> Vec<&ClassSchema> {
    let mut chosen: Vec<&ClassSchema> = classes
        .iter()
        .filter(|class| {
            let own = !class.name.is_system() && names::is_valid_class_name(class.name.as_str());
            own || class.name == names::PRODUCT
        })
        .collect();
    chosen.sort_by(|left, right| {
        (left.name.is_system(), left.name.as_str()).cmp(&(right.name.is_system(), right.name.as_str()))
    });
    chosen
}

/// The fields that clients see, by name.
fn fields(class: &ClassSchema) -> Vec<(&str, &Field)> {
    let mut fields: Vec<(&str, &Field)> = class
        .fields
        .iter()
        .map(|(name, field)| (name.as_str(), field))
        .filter(|(name, _)| {
            names::is_valid_field_name(name) && !matches!(*name, "objectId" | "createdAt" | "updatedAt" | "ACL")
        })
        .collect();
    fields.sort_by_key(|(name, _)| *name);
    fields
}

/// Adds the components of a class for responses: an object, and the result of a query.
fn readable(forms: &mut Forms, class: &ClassSchema, name: &str, whole: bool) {
    let mut properties = Map::new();
    properties.insert("objectId".to_owned(), json!({ "type": "string", "description": "Id of the object." }));
    properties.insert("createdAt".to_owned(), moment("When it was made, ISO 8601."));
    properties.insert("updatedAt".to_owned(), moment("When it was last changed, ISO 8601."));
    properties.insert("ACL".to_owned(), forms.shared("ParseACL"));
    for (field, kind) in fields(class) {
        if class.name == names::USER && field == "password" {
            continue;
        }
        properties.insert(field.to_owned(), forms.read(kind));
    }
    if class.name == names::USER {
        let token = "Token of a session: after a log in, and for the user who asks for itself.";
        properties.insert("sessionToken".to_owned(), json!({ "type": "string", "description": token }));
    }
    let mut form = json!({
        "type": "object",
        "description": format!("An object of the class {}.", class.name),
        "properties": properties,
    });
    if let (true, Some(form)) = (whole, form.as_object_mut()) {
        form.insert("required".to_owned(), json!(["objectId", "createdAt", "updatedAt"]));
    }
    let list = json!({
        "type": "object",
        "description": format!("Objects of the class {}.", class.name),
        "required": ["results"],
        "properties": {
            "results": { "type": "array", "items": reference(name) },
            "count": {
                "type": "integer", "format": "int64",
                "description": "With `count`: number of matching objects, regardless of `limit` and `skip`.",
            },
        },
    });
    forms.components.insert(name.to_owned(), form);
    forms.components.insert(format!("{name}List"), list);
}

/// Adds the component of a create.
fn creatable(forms: &mut Forms, class: &ClassSchema, name: &str) {
    let always = system_classes::required_columns(&class.name);
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (field, kind) in fields(class) {
        let mut kind = kind.clone();
        kind.required |= always.contains(&field);
        if class.name == names::USER && field == "password" {
            properties.insert(field.to_owned(), json!({ "type": "string", "format": "password" }));
            continue;
        }
        let form = forms.create(&kind);
        properties.insert(field.to_owned(), form);
        if kind.required && kind.default.is_none() {
            required.push(field);
        }
    }
    properties.insert("ACL".to_owned(), forms.shared("ParseACL"));
    if always.contains(&"ACL") {
        required.push("ACL");
    }
    let mut description = format!("A new object of the class {}.", class.name);
    for (field, kind) in fields(class) {
        if let Some(default) = kind.default.as_ref().filter(|default| !simple(default)) {
            description = format!("{description} The default of `{field}` is `{}`.", rest::encode(default));
        }
    }
    let mut form = json!({ "type": "object", "description": description, "properties": properties });
    if let (false, Some(form)) = (required.is_empty(), form.as_object_mut()) {
        form.insert("required".to_owned(), json!(required));
    }
    forms.components.insert(name.to_owned(), form);
}

/// Adds the component of an update.
fn changeable(forms: &mut Forms, class: &ClassSchema, name: &str) {
    let mut properties = Map::new();
    for (field, kind) in fields(class) {
        let form = if class.name == names::USER && field == "password" {
            json!({ "type": "string", "format": "password" })
        } else {
            forms.update(kind)
        };
        properties.insert(field.to_owned(), form);
    }
    properties.insert("ACL".to_owned(), forms.shared("ParseACLUpdate"));
    let form = json!({
        "type": "object",
        "description": format!("Changes to an object of the class {}. Missing fields stay unchanged.", class.name),
        "properties": properties,
    });
    forms.components.insert(name.to_owned(), form);
}

/// Adds the fields of a class with routes of its own to its operations.
fn extend_operations(document: &mut Json, forms: &mut Forms, own: &ClassWithRoutes, class: &ClassSchema) {
    let (name, list, changes) = (own.name, format!("{}List", own.name), format!("{}Update", own.name));
    readable(forms, class, name, own.whole);
    changeable(forms, class, &changes);
    if let Some((operation, body)) = own.create {
        creatable(forms, class, body);
        set_body(operation_of(document, operation), body);
    }
    if let Some(operation) = own.get {
        set_answer(operation_of(document, operation), name);
    }
    set_answer(operation_of(document, own.find), &list);
    keep_form(operation_of(document, own.find));
    set_body(operation_of(document, own.update), &changes);
}

/// Adds the components, paths and tag of a class.
fn add(document: &mut Json, forms: &mut Forms, class: &ClassSchema, name: &str) {
    let (create, update) = (format!("{name}Create"), format!("{name}Update"));
    readable(forms, class, name, true);
    creatable(forms, class, &create);
    changeable(forms, class, &update);
    for (shared, member, about) in
        [("ParseCreated", "createdAt", "made"), ("ParseUpdated", "updatedAt", "last changed")]
    {
        forms.components.entry(shared.to_owned()).or_insert_with(|| saved(member, about));
    }
    let class_name = &class.name;
    let mut one = |template: &str, verb: &str, summary: String, body: Option<&str>, answer: Option<&str>| {
        let mut operation = operation_of(document, template).map(|operation| operation.clone());
        keep_form(operation.as_mut());
        set_body(operation.as_mut(), body.unwrap_or_default());
        set_answer(operation.as_mut(), answer.unwrap_or_default());
        if let Some(operation) = operation.as_mut().and_then(Json::as_object_mut) {
            operation.insert("operationId".to_owned(), format!("{verb}{name}").into());
            operation.insert("summary".to_owned(), summary.into());
            operation.insert("tags".to_owned(), json!([name]));
        }
        operation.unwrap_or_default()
    };
    let list = format!("{name}List");
    let all = json!({
        "post": one("createObject", "create", format!("Create an object of {class_name}."), Some(&create), Some("ParseCreated")),
        "get": one("findObjects", "find", format!("Query objects of {class_name}."), None, Some(&list)),
    });
    let each = json!({
        "get": one("getObject", "get", format!("Get an object of {class_name}."), None, Some(name)),
        "put": one("updateObject", "update", format!("Update an object of {class_name}."), Some(&update), Some("ParseUpdated")),
        "delete": one("deleteObject", "delete", format!("Delete an object of {class_name}."), None, None),
    });
    if let Some(paths) = document.get_mut("paths").and_then(Json::as_object_mut) {
        paths.insert(format!("/classes/{class_name}"), all);
        paths.insert(format!("/classes/{class_name}/{{objectId}}"), each);
    }
    if let Some(tags) = document.get_mut("tags").and_then(Json::as_array_mut) {
        // After the tag of all classes and those of the classes before.
        let next = tags.iter().position(|tag| tag.get("name").and_then(Json::as_str) == Some("Roles"));
        let tag = json!({ "name": name, "description": format!("Objects of the class {class_name}.") });
        tags.insert(next.unwrap_or(tags.len()), tag);
    }
}

/// The component of the response to a create or an update.
fn saved(member: &str, about: &str) -> Json {
    let mut properties = Map::new();
    let mut required = vec![member];
    if member == "createdAt" {
        required.insert(0, "objectId");
        properties.insert("objectId".to_owned(), json!({ "type": "string", "description": "Id of the object." }));
    }
    properties.insert(member.to_owned(), moment(&format!("When it was {about}, ISO 8601.")));
    json!({
        "type": "object",
        "description": "The values that the server set, including defaults and results of operations.",
        "required": required,
        "properties": properties,
        "additionalProperties": true,
    })
}

/// Finds an operation by its id.
fn operation_of<'a>(document: &'a mut Json, id: &str) -> Option<&'a mut Json> {
    let paths = document.get_mut("paths")?.as_object_mut()?;
    paths
        .values_mut()
        .filter_map(Json::as_object_mut)
        .flat_map(Map::values_mut)
        .find(|operation| operation.get("operationId").and_then(Json::as_str) == Some(id))
}

/// Removes parameters that an operation of a class does not need, and those that change the schema of its response:
/// objects of another class, or the plan of the query.
fn keep_form(operation: Option<&mut Json>) {
    let parameters = operation.and_then(|operation| operation.get_mut("parameters")?.as_array_mut());
    if let Some(parameters) = parameters {
        parameters.retain(|parameter| {
            let name = parameter.get("name").and_then(Json::as_str);
            !matches!(name, Some("className" | "redirectClassNameForKey" | "explain"))
        });
    }
}

/// Sets the schema of an operation's request body to a component.
fn set_body(operation: Option<&mut Json>, component: &str) {
    let form = operation.and_then(|operation| operation.pointer_mut("/requestBody/content/application~1json/schema"));
    if let (Some(form), false) = (form, component.is_empty()) {
        *form = reference(component);
    }
}

/// Sets the schema of an operation's success response to a component. If it has several success statuses, the last one
/// is that of objects of classes.
fn set_answer(operation: Option<&mut Json>, component: &str) {
    let Some(answers) = operation.and_then(|operation| operation.get_mut("responses")?.as_object_mut()) else { return };
    if component.is_empty() {
        return;
    }
    let good: Vec<String> = answers.keys().filter(|status| status.starts_with('2')).cloned().collect();
    if let Some((last, others)) = good.split_last() {
        for status in others {
            answers.shift_remove(status);
        }
        if let Some(form) =
            answers.get_mut(last).and_then(|answer| answer.pointer_mut("/content/application~1json/schema"))
        {
            *form = reference(component);
        }
    }
}

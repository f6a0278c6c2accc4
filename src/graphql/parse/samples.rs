//! Classes for tests of schemas, and the comparison of schemas.

use crate::graphql::engine::types::{TypeDef, Types};
use crate::model::names::{ClassName, ROLE, USER};
use crate::model::schema::{ClassSchema, Field, FieldType};

/// A class with the default columns of its name and these fields.
pub fn sample_class(name: &str, fields: &[(&str, FieldType)]) -> ClassSchema {
    let mut schema = ClassSchema::new(ClassName::unchecked(name));
    let relation = |class: &str| FieldType::Relation(ClassName::unchecked(class));
    let system: Vec<(&str, FieldType)> = match name {
        USER => vec![
            ("username", FieldType::String),
            ("password", FieldType::String),
            ("email", FieldType::String),
            ("emailVerified", FieldType::Boolean),
            ("authData", FieldType::Object),
        ],
        ROLE => vec![("name", FieldType::String), ("users", relation(USER)), ("roles", relation(ROLE))],
        _ => Vec::new(),
    };
    for (field, kind) in system.into_iter().chain(fields.iter().cloned()) {
        schema.fields.insert(field.to_owned(), Field::new(kind));
    }
    schema
}

/// A field of every type.
pub fn sample_fields() -> Vec<(&'static str, FieldType)> {
    let user = || ClassName::unchecked(USER);
    vec![
        ("aString", FieldType::String),
        ("aNumber", FieldType::Number),
        ("aBoolean", FieldType::Boolean),
        ("aDate", FieldType::Date),
        ("anObject", FieldType::Object),
        ("anArray", FieldType::Array),
        ("aFile", FieldType::File),
        ("aGeoPoint", FieldType::GeoPoint),
        ("aPolygon", FieldType::Polygon),
        ("someBytes", FieldType::Bytes),
        ("player", FieldType::Pointer(user())),
        ("fans", FieldType::Relation(user())),
    ]
}

/// Users, roles, and a class with a field of every type, and one more that is required.
pub fn sample_classes() -> Vec<ClassSchema> {
    let mut score = sample_class("GameScore", &sample_fields());
    score.fields.insert("required".to_owned(), Field { required: true, ..Field::new(FieldType::String) });
    vec![sample_class(ROLE, &[]), sample_class(USER, &[]), score]
}

/// Where two schemas differ, one line each.
pub fn differences(ours: &Types, theirs: &Types) -> Vec<String> {
    let mut lines = Vec::new();
    for name in ours.keys().filter(|name| !theirs.contains_key(*name)) {
        lines.push(format!("+ {name}"));
    }
    for (name, their) in theirs {
        match ours.get(name) {
            None => lines.push(format!("- {name}")),
            Some(our) if normal(our) != normal(their) => {
                lines.push(format!("{name}: {our:?}\n     instead of {their:?}"));
            }
            Some(_) => {}
        }
    }
    lines
}

fn normal(definition: &TypeDef) -> TypeDef {
    let mut definition = definition.clone();
    match &mut definition {
        TypeDef::Enum(list) | TypeDef::Union(list) => list.sort(),
        TypeDef::Object(object) => object.implements.sort(),
        TypeDef::Scalar | TypeDef::Input(_) | TypeDef::Interface(_) => {}
    }
    definition
}

//! Selections of values that are read completely: scalars, and objects of fixed types.

use std::collections::HashMap;

use serde_json::Value as Json;

/// Selection of a value.
#[derive(Debug)]
pub enum Leaf {
    /// The value as it is.
    Scalar,
    /// Fields of an object of this type: key, name, selection.
    Object(String, Vec<(String, String, Leaf)>),
    /// An object of one of several types, which its `__typename` names.
    Abstract(HashMap<String, Leaf>),
}

impl Leaf {
    /// Whether a field of this name is selected.
    #[must_use]
    pub fn selects(&self, field: &str) -> bool {
        matches!(self, Self::Object(_, fields) if fields.iter().any(|(_, name, _)| name == field))
    }
}

/// The selected part of a value.
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

//! The part of `graphql-config` that affects the schema. It was validated when it was stored.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::custom::CustomSchema;
use crate::domain::features::live_query::Published;
use crate::graphql::engine::types::is_name;

/// Configuration of the classes in the schema.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SchemaConfig {
    enabled: Option<Vec<String>>,
    disabled: Option<Vec<String>>,
    classes: Map<String, Json>,
    /// Names of the cloud functions that are valid GraphQL names, sorted. They come from cloud code, not from the
    /// configuration.
    pub functions: Vec<String>,
    /// What the app adds to the schema. It comes with the options.
    pub custom: Option<Arc<CustomSchema>>,
    /// The classes that can be subscribed to, as the options name them.
    pub published: Option<Arc<Published>>,
}

/// Configuration of a class; by default the schema shows everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClassConfig<'a>(Option<&'a Json>);

/// A field that a class can be sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortField {
    /// The field.
    pub field: String,
    /// Whether ascending order is offered.
    pub ascending: bool,
    /// Whether descending order is offered.
    pub descending: bool,
}

impl SchemaConfig {
    /// Reads the stored configuration.
    #[must_use]
    pub fn read(json: &Json) -> Self {
        let classes = json.get("classConfigs").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut by_name = Map::new();
        for class in classes {
            if let Some(name) = class.get("className").and_then(Json::as_str) {
                by_name.entry(name).or_insert_with(|| class.clone());
            }
        }
        Self {
            enabled: texts(json.get("enabledForClasses")),
            disabled: texts(json.get("disabledForClasses")),
            classes: by_name,
            functions: Vec::new(),
            custom: None,
            published: None,
        }
    }

    /// Adds these cloud functions to the configuration.
    #[must_use]
    pub fn with_functions(self, mut functions: Vec<String>) -> Self {
        functions.retain(|name| is_name(name));
        Self { functions, ..self }
    }

    /// The configuration with what the app adds to the schema.
    #[must_use]
    pub fn with_custom(self, custom: Option<Arc<CustomSchema>>) -> Self {
        Self { custom, ..self }
    }

    /// The configuration with the classes that can be subscribed to.
    #[must_use]
    pub fn with_published(self, published: Option<Arc<Published>>) -> Self {
        Self { published, ..self }
    }

    /// Whether the schema shows the class.
    #[must_use]
    pub fn shows(&self, class: &str) -> bool {
        let listed = |list: &Vec<String>| list.iter().any(|name| name == class);
        self.enabled.as_ref().is_none_or(listed) && !self.disabled.as_ref().is_some_and(listed)
    }

    /// The configuration of a class.
    #[must_use]
    pub fn class(&self, class: &str) -> ClassConfig<'_> {
        ClassConfig(self.classes.get(class))
    }
}

fn texts(json: Option<&Json>) -> Option<Vec<String>> {
    Some(json?.as_array()?.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

impl<'a> ClassConfig<'a> {
    fn at(self, path: &[&str]) -> Option<&'a Json> {
        path.iter().try_fold(self.0?, |json, key| json.get(key)).filter(|json| !json.is_null())
    }

    fn list(self, path: &[&str]) -> Option<Vec<String>> {
        texts(self.at(path))
    }

    /// Whether an operation is enabled: `("query", "get")`, `("mutation", "destroy")`, …
    #[must_use]
    pub fn allows(self, kind: &str, verb: &str) -> bool {
        self.at(&[kind, verb]).and_then(Json::as_bool).unwrap_or(true)
    }

    /// The configured name of an operation: `("query", "getAlias")`, …
    #[must_use]
    pub fn alias(self, kind: &str, key: &str) -> Option<&'a str> {
        self.at(&[kind, key]).and_then(Json::as_str).filter(|alias| is_name(alias))
    }

    /// Whether the class shows all fields in all types.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.at(&["type"]).is_none()
    }

    /// Fields that create inputs have; `None` for all.
    #[must_use]
    pub fn create_fields(self) -> Option<Vec<String>> {
        self.list(&["type", "inputFields", "create"])
    }

    /// Fields that update inputs have; `None` for all.
    #[must_use]
    pub fn update_fields(self) -> Option<Vec<String>> {
        self.list(&["type", "inputFields", "update"])
    }

    /// Fields that objects have; `None` for all.
    #[must_use]
    pub fn output_fields(self) -> Option<Vec<String>> {
        self.list(&["type", "outputFields"])
    }

    /// Fields that can be filtered by; `None` for all.
    #[must_use]
    pub fn where_fields(self) -> Option<Vec<String>> {
        self.list(&["type", "constraintFields"])
    }

    /// Fields that can be sorted by; `None` for all.
    #[must_use]
    pub fn sort_fields(self) -> Option<Vec<SortField>> {
        let list = self.at(&["type", "sortFields"])?.as_array()?;
        let flag = |json: &Json, key: &str| json.get(key).and_then(Json::as_bool).unwrap_or(false);
        let read = |json: &Json| {
            let field = json.get("field")?.as_str()?.to_owned();
            Some(SortField { field, ascending: flag(json, "asc"), descending: flag(json, "desc") })
        };
        Some(list.iter().filter_map(read).collect())
    }
}

//! The classes of a schema with their GraphQL names.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::config::SchemaConfig;
use crate::error::Result;
use crate::graphql::engine::types::is_name;
use crate::model::schema::{ClassSchema, FieldType};

/// A class in the schema.
#[derive(Debug)]
pub struct Class {
    /// Parse's name of the class.
    pub name: String,
    /// Name of its object type.
    pub type_name: String,
    /// Name of the field that holds an object of it in payloads.
    pub singular: String,
    /// All fields, sorted by name.
    pub fields: IndexMap<String, FieldType>,
    /// Name of the type of a list of its objects.
    pub rows_type: String,
    /// Whether inputs may create objects of the class.
    pub creatable: bool,
    /// Whether this is the class of users.
    pub is_user: bool,
}

/// Converts a filter of the dialect to one of REST.
pub type FilterReader = fn(&Catalog, &Class, &Map<String, Json>) -> Result<Map<String, Json>>;

/// The classes in a schema.
#[derive(Debug)]
pub struct Catalog {
    /// Configuration of the classes.
    pub config: SchemaConfig,
    /// Converts filters of the dialect.
    pub read_filter: FilterReader,
    by_name: HashMap<String, Arc<Class>>,
    by_type: HashMap<String, Arc<Class>>,
}

impl AsRef<Self> for Catalog {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Catalog {
    /// A catalog without classes.
    #[must_use]
    pub fn new(config: &SchemaConfig, read_filter: FilterReader) -> Self {
        Self { config: config.clone(), read_filter, by_name: HashMap::new(), by_type: HashMap::new() }
    }

    /// Adds a class.
    pub fn add(&mut self, class: Arc<Class>) {
        self.by_type.insert(class.type_name.clone(), class.clone());
        self.by_name.insert(class.name.clone(), class);
    }

    /// The class with Parse's name.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<&Arc<Class>> {
        self.by_name.get(name)
    }

    /// The class whose objects have this type.
    #[must_use]
    pub fn class_of_type(&self, type_name: &str) -> Option<&Arc<Class>> {
        self.by_type.get(type_name)
    }
}

/// The classes that the configuration shows, in the order in which their names are assigned.
#[must_use]
pub fn shown<'c>(classes: &[&'c ClassSchema], config: &SchemaConfig) -> Vec<&'c ClassSchema> {
    let mut shown: Vec<&ClassSchema> =
        classes.iter().copied().filter(|class| config.shows(class.name.as_str())).collect();
    shown.sort_by_key(|class| (!class.name.is_system(), class.name.as_str()));
    shown
}

/// The fields of a class whose names are valid in GraphQL, sorted.
#[must_use]
pub fn fields_of(schema: &ClassSchema) -> IndexMap<String, FieldType> {
    let mut fields: Vec<(String, FieldType)> = schema
        .fields
        .iter()
        .filter(|(field, _)| is_name(field) && !field.starts_with('_'))
        .map(|(field, definition)| (field.clone(), definition.kind.clone()))
        .collect();
    fields.sort_by(|(left, _), (right, _)| left.cmp(right));
    fields.into_iter().collect()
}

//! What the schema offers: its classes, queries and mutations, under their GraphQL names.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::config::SchemaConfig;
use super::types::Types;
use super::where_input;
use crate::error::Result;
use crate::model::schema::FieldType;

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
    /// Name of the type of its rows, with their number and place.
    pub rows_type: String,
    /// Whether inputs may create objects of the class.
    pub creatable: bool,
    /// Whether this is the class of users.
    pub is_user: bool,
}

/// One field of the query or mutation type.
#[derive(Debug, Clone)]
pub enum Root {
    Node,
    Get(Arc<Class>),
    Find(Arc<Class>),
    Health,
    Viewer,
    Class,
    Classes,
    CloudConfig,
    Create(Arc<Class>),
    Update(Arc<Class>),
    Delete(Arc<Class>),
    CreateFile,
    SignUp,
    LogIn,
    LogInWith,
    LogOut,
    ResetPassword,
    ConfirmResetPassword,
    SendVerificationEmail,
    Challenge,
    CreateClass,
    UpdateClass,
    DeleteClass,
    UpdateCloudConfig,
}

/// Turns a filter of a class, as a dialect writes it, into one of REST.
pub type FilterReader = fn(&Catalog, &Class, &Map<String, Json>) -> Result<Map<String, Json>>;

/// How a dialect's filters become those of REST.
#[derive(Debug, Clone, Copy)]
pub struct Filters(pub FilterReader);

impl Default for Filters {
    fn default() -> Self {
        Self(|catalog, class, filter| where_input::to_rest(catalog, Some(class), filter))
    }
}

/// All that the schema offers.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Every type.
    pub types: Types,
    /// Fields of the query type.
    pub queries: IndexMap<String, Root>,
    /// Fields of the mutation type.
    pub mutations: IndexMap<String, Root>,
    /// How filters are read.
    pub filters: Filters,
    /// Which classes are shown, and how.
    pub config: SchemaConfig,
    pub(crate) by_name: HashMap<String, Arc<Class>>,
    pub(crate) by_type: HashMap<String, Arc<Class>>,
}

impl Catalog {
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

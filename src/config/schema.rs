//! Options of the schema: who may create classes, and classes defined by the configuration.

use serde_json::Value;

use super::code::Callback;
use super::declare::Status::Supported;
use super::declare::{group, options};

options! {
    /// Options of the schema: who may create classes, and classes defined by the configuration.
    pub struct Schema {
        /// Clients may create a class by creating an object of it.
        allow_client_class_creation: bool = false, "allowClientClassCreation", "PARSE_SERVER_ALLOW_CLIENT_CLASS_CREATION", Supported;
        /// Classes that the server creates or changes at start.
        definitions: Option<Definitions> = None, "schema", "PARSE_SERVER_SCHEMA", Supported;
    }
}

impl Definitions {
    /// Whether functions of the app are called before or after.
    #[must_use]
    pub const fn calls_back(&self) -> bool {
        self.before_migration.is_some() || self.after_migration.is_some()
    }
}

group! {
    /// Classes that the server creates or changes at start.
    pub struct Definitions {
        /// {"module": …}: function that is called after the classes are changed.
        after_migration: Option<Callback> = None, "afterMigration", "PARSE_SERVER_SCHEMA_AFTER_MIGRATION", Supported;
        /// {"module": …}: function that is called before the classes are changed.
        before_migration: Option<Callback> = None, "beforeMigration", "PARSE_SERVER_SCHEMA_BEFORE_MIGRATION", Supported;
        /// Definitions of the classes (required).
        definitions: Vec<Value> = Vec::new(), "definitions", "PARSE_SERVER_SCHEMA_DEFINITIONS", Supported;
        /// Delete fields that the definition of their class does not contain, with their data.
        delete_extra_fields: bool = false, "deleteExtraFields", "PARSE_SERVER_SCHEMA_DELETE_EXTRA_FIELDS", Supported;
        /// Keep indexes that the definition of their class does not contain.
        keep_unknown_indexes: bool = false, "keepUnknownIndexes", "PARSE_SERVER_SCHEMA_KEEP_UNKNOWN_INDEXES", Supported;
        /// Refuse changes of the schema through the API.
        lock_schemas: bool = false, "lockSchemas", "PARSE_SERVER_SCHEMA_LOCK_SCHEMAS", Supported;
        /// Delete and recreate fields whose type differs from the definition, with their data.
        recreate_modified_fields: bool = false, "recreateModifiedFields", "PARSE_SERVER_SCHEMA_RECREATE_MODIFIED_FIELDS", Supported;
        /// Delete classes that are not defined, with their objects.
        strict: bool = false, "strict", "PARSE_SERVER_SCHEMA_STRICT", Supported;
    }
}

//! Who may make classes, and classes made by configuration.

use serde_json::Value;

use super::declare::Status::{NotYet, Supported};
use super::declare::{group, options};

options! {
    /// Who may make classes, and classes made by configuration.
    pub struct Schema {
        /// Clients may create classes by writing to them.
        allow_client_class_creation: bool = false, "allowClientClassCreation", "PARSE_SERVER_ALLOW_CLIENT_CLASS_CREATION", Supported;
        /// Classes defined by configuration.
        definitions: Option<Definitions> = None, "schema", "PARSE_SERVER_SCHEMA", Supported;
    }
}

group! {
    /// Classes defined by configuration.
    pub struct Definitions {
        /// Callback.
        after_migration: Option<String> = None, "afterMigration", "PARSE_SERVER_SCHEMA_AFTER_MIGRATION", NotYet;
        /// Callback.
        before_migration: Option<String> = None, "beforeMigration", "PARSE_SERVER_SCHEMA_BEFORE_MIGRATION", NotYet;
        /// The classes (required).
        definitions: Vec<Value> = Vec::new(), "definitions", "PARSE_SERVER_SCHEMA_DEFINITIONS", Supported;
        /// Drop fields not defined.
        delete_extra_fields: bool = false, "deleteExtraFields", "PARSE_SERVER_SCHEMA_DELETE_EXTRA_FIELDS", Supported;
        /// Keep indexes not defined.
        keep_unknown_indexes: bool = false, "keepUnknownIndexes", "PARSE_SERVER_SCHEMA_KEEP_UNKNOWN_INDEXES", Supported;
        /// Refuse schema changes through the API.
        lock_schemas: bool = false, "lockSchemas", "PARSE_SERVER_SCHEMA_LOCK_SCHEMAS", Supported;
        /// Drop and re-make fields whose type changed.
        recreate_modified_fields: bool = false, "recreateModifiedFields", "PARSE_SERVER_SCHEMA_RECREATE_MODIFIED_FIELDS", Supported;
        /// Drop classes not defined.
        strict: bool = false, "strict", "PARSE_SERVER_SCHEMA_STRICT", Supported;
    }
}

//! Changes of classes by the schema API.

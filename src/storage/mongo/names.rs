//! Names of fields in REST terms ⇄ names of columns.

use std::borrow::Cow;

use crate::model::columns;
use crate::model::names::{GLOBAL_CONFIG, GRAPHQL_CONFIG, USER};
use crate::model::schema::{ClassSchema, FieldType};

/// What the column of a pointer field begins with.
pub(super) const POINTER: &str = "_p_";

/// Fields whose column has another name, in every class.
const RENAMED: [(&str, &str); 6] = [
    ("objectId", "_id"),
    ("createdAt", "_created_at"),
    ("updatedAt", "_updated_at"),
    ("sessionToken", "_session_token"),
    ("lastUsed", "_last_used"),
    ("timesUsed", "times_used"),
];

/// Columns of the default fields and permissions, which every read fetches.
pub(super) const ALWAYS_READ: [&str; 5] = ["_id", "_created_at", "_updated_at", "_rperm", "_wperm"];

/// The column of a field, if it has another name than the field whatever its type.
pub(super) fn renamed(field: &str) -> Option<&'static str> {
    RENAMED.iter().find(|(rest, _)| *rest == field).map(|(_, column)| *column)
}

/// The field a renamed column belongs to.
pub(super) fn field_of(column: &str) -> Option<&'static str> {
    match column {
        "_expiresAt" => Some("expiresAt"),
        _ => RENAMED.iter().find(|(_, stored)| *stored == column).map(|(rest, _)| *rest),
    }
}

/// Whether the dates of a field are written as dates even when they come as text.
pub(super) fn is_default_date(field: &str) -> bool {
    matches!(field, "createdAt" | "updatedAt" | "lastUsed")
}

/// The column of a path. Only whole names are translated (what is below a pointer does not exist in the row), and the
/// providers of `authData`, which have columns of their own.
pub(super) fn column<'a>(schema: &ClassSchema, path: &'a str) -> Cow<'a, str> {
    if path.starts_with("authData.") && (schema.name == *USER || schema.kind("authData").is_none()) {
        columns::path(path)
    } else if let Some(column) = renamed(path) {
        Cow::Borrowed(column)
    } else if matches!(schema.kind(path), Some(FieldType::Pointer(_))) {
        Cow::Owned(format!("{POINTER}{path}"))
    } else {
        Cow::Borrowed(path)
    }
}

/// The column of a path whose first name alone is translated: for projections, orders and indexes.
pub(super) fn column_below<'a>(schema: &ClassSchema, path: &'a str) -> Cow<'a, str> {
    if path.starts_with("authData.") {
        return column(schema, path);
    }
    let Some((first, rest)) = path.split_once('.') else { return column(schema, path) };
    match column(schema, first) {
        Cow::Borrowed(same) if same == first => Cow::Borrowed(path),
        column => Cow::Owned(format!("{column}.{rest}")),
    }
}

/// Whether the ids of the class are numbers in the database: its one row has the id 1.
pub(super) fn has_numeric_ids(schema: &ClassSchema) -> bool {
    matches!(schema.name.as_str(), GLOBAL_CONFIG | GRAPHQL_CONFIG)
}

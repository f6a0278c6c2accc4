//! Converts field names in REST terms to column names and back.

use std::borrow::Cow;

use crate::model::columns;
use crate::model::names::{GLOBAL_CONFIG, GRAPHQL_CONFIG, USER};
use crate::model::schema::{ClassSchema, FieldType};

/// Prefix of the column of a pointer field.
pub(super) const POINTER: &str = "_p_";

/// Fields whose column has another name in every class.
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

/// The column of a field, if its name differs from the field's regardless of the type.
pub(super) fn renamed(field: &str) -> Option<&'static str> {
    RENAMED.iter().find(|(rest, _)| *rest == field).map(|(_, column)| *column)
}

/// The field of a renamed column.
pub(super) fn field_of(column: &str) -> Option<&'static str> {
    match column {
        "_expiresAt" => Some("expiresAt"),
        _ => RENAMED.iter().find(|(_, stored)| *stored == column).map(|(rest, _)| *rest),
    }
}

/// Whether strings in a date field are stored as dates.
pub(super) fn is_default_date(field: &str) -> bool {
    matches!(field, "createdAt" | "updatedAt" | "lastUsed")
}

/// The column of a path. Only whole names are translated (a row contains nothing below a pointer), and the providers of
/// `authData`, which have columns of their own.
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

/// The column of a path, with only its first name translated: for projections, sort orders and indexes.
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

/// The path of a column as [`column_below`] names it.
pub(super) fn path_of(schema: &ClassSchema, column: &str) -> String {
    let (first, rest) = column.split_once('.').map_or((column, None), |(first, rest)| (first, Some(rest)));
    let pointer = first.strip_prefix(POINTER).filter(|field| matches!(schema.kind(field), Some(FieldType::Pointer(_))));
    let field = pointer.or_else(|| field_of(first)).unwrap_or(first);
    rest.map_or_else(|| field.to_owned(), |rest| format!("{field}.{rest}"))
}

/// Whether the class has one row whose id is the number 1 in the database.
pub(super) fn has_numeric_ids(schema: &ClassSchema) -> bool {
    matches!(schema.name.as_str(), GLOBAL_CONFIG | GRAPHQL_CONFIG)
}

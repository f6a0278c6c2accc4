//! Writes of rows, on the writer's thread.

use rusqlite::OptionalExtension as _;

use super::catalog::{Catalog, Index, Table};
use super::codec;
use super::error::{is_missing_table, translate};
use super::filter::expression;
use super::history::History;
use super::keys;
use super::names;
use super::query::Search;
use super::session::Session;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::operation::apply::apply;
use crate::model::operation::{Change, Update};
use crate::model::query::Resolved;
use crate::model::query::filter::{Constraint, Filter};
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::shape::NULL_POINTER;
use crate::model::value::Value;
use crate::storage::{Result, StorageError};

/// The id of a row.
fn id(row: &Object) -> Result<&str> {
    match row.get("objectId") {
        Some(Value::String(id)) if !id.contains('\0') => Ok(id),
        _ => Err(StorageError::Refused("objectId must be a text without NUL characters".to_owned())),
    }
}

/// Join classes cannot be written as rows.
fn refuse_pairs(class: &ClassName) -> Result<()> {
    if class.is_join() {
        return Err(StorageError::Refused("relations are changed through the objects that have them".to_owned()));
    }
    Ok(())
}

/// Inserts a row.
///
/// # Errors
/// `Duplicate`; `Refused` if the row has no id or is nested too deep, and for join classes.
pub fn insert(session: &Session, class: &ClassName, row: &Object) -> Result<()> {
    refuse_pairs(class)?;
    let table = session.table(class)?;
    let body = codec::to_text(row)?;
    let indexes = session.catalog()?.table(class);
    if indexes.indexes.values().any(|index| index.expire_after_seconds.is_some()) {
        expire(session, class, &indexes)?;
    }
    session.db.run(&format!("INSERT INTO {table} (id, body) VALUES (?, ?)"), [id(row)?, &body]).map(|_| ())
}

/// An update that distinguishes a pointer that becomes null from one that was created as null; see [`NULL_POINTER`].
#[must_use]
pub fn null_pointers(schema: &ClassSchema, update: &Update) -> Update {
    let mut told = Update(Vec::with_capacity(update.0.len()));
    for (path, change) in &update.0 {
        if !matches!(schema.kind(path), Some(FieldType::Pointer(_))) {
            told.0.push((path.clone(), change.clone()));
            continue;
        }
        let mark = format!("{NULL_POINTER}{path}");
        if matches!(change, Change::Set(Value::Null)) {
            told.0.push((path.clone(), Change::Unset));
            told.0.push((mark, change.clone()));
        } else {
            told.0.push((mark, Change::Unset));
            told.0.push((path.clone(), change.clone()));
        }
    }
    told
}

/// Updates all rows of a query; returns their number, and with `back` the rows after the update.
///
/// # Errors
/// `Duplicate`; `Refused` if a change cannot be applied to a row, and for join classes.
pub fn update(
    session: &Session,
    class: &ClassName,
    search: Search,
    update: &Update,
    back: bool,
) -> Result<(u64, Option<Object>)> {
    refuse_pairs(class)?;
    let sql = format!("UPDATE {} SET id = ?, body = ? WHERE n = ?", names::table(class));
    let mut last = None;
    let mut count = 0;
    for (n, mut row) in search.numbered(&session.db)? {
        apply(update, &mut row).map_err(|error| StorageError::Refused(error.message.into_owned()))?;
        session.db.run(&sql, (id(&row)?, codec::to_text(&row)?, n))?;
        count += 1;
        if back {
            last = Some(row);
        }
    }
    Ok((count, last))
}

/// Updates the first row of a query, or inserts one from the filter's equalities and the update.
///
/// # Errors
/// As [`insert`] and [`update`].
pub fn upsert(session: &Session, class: &ClassName, search: Search, fresh: &Update, changes: &Update) -> Result<()> {
    let (count, _) = update(session, class, search, changes, false)?;
    if count > 0 {
        return Ok(());
    }
    let mut row = Object::new();
    for part in [fresh, changes] {
        apply(part, &mut row).map_err(|error| StorageError::Refused(error.message.into_owned()))?;
    }
    if !row.contains("objectId") {
        let id: String = session
            .db
            .connection()
            .query_row("SELECT lower(hex(randomblob(12)))", [], |row| row.get(0))
            .map_err(translate)?;
        row.insert("objectId", id);
    }
    insert(session, class, &row)
}

/// The fields of a new row from the equalities of a filter.
#[must_use]
pub fn equalities(filter: &Resolved) -> Update {
    let mut fields = Vec::new();
    collect(filter, &mut fields);
    Update::setting(fields)
}

fn collect(filter: &Resolved, fields: &mut Vec<(String, Value)>) {
    match filter {
        Filter::And(parts) => parts.iter().for_each(|part| collect(part, fields)),
        Filter::Field { path, constraint: Constraint::Eq(value) } if !fields.iter().any(|(known, _)| known == path) => {
            fields.push((path.clone(), value.clone()));
        }
        Filter::All | Filter::Never | Filter::Or(_) | Filter::Nor(_) | Filter::Field { .. } | Filter::Unresolved(_) => {
        }
    }
}

/// Deletes the rows of a query, or all rows; returns their number.
///
/// # Errors
/// `TimedOut` if they cannot be found in time.
pub fn delete(session: &Session, class: &ClassName, search: Option<Search>) -> Result<u64> {
    let table = names::table(class);
    let Some(search) = search else {
        return History::silently(session, class, "DELETE", || {
            let Some(mut statement) = session.db.prepare(&format!("DELETE FROM {table}"))? else { return Ok(0) };
            match statement.execute([]) {
                Ok(count) => Ok(count as u64),
                Err(error) if is_missing_table(&error) => Ok(0),
                Err(error) => Err(translate(error)),
            }
        });
    };
    refuse_pairs(class)?;
    let sql = format!("DELETE FROM {table} WHERE n = ?");
    let mut count = 0;
    for n in search.numbers(&session.db)? {
        count += session.db.run(&sql, [n])? as u64;
    }
    Ok(count)
}

/// Deletes the expired rows of a class.
fn expire(session: &Session, class: &ClassName, indexes: &Table) -> Result<()> {
    let table = names::table(class);
    for index in indexes.indexes.values() {
        let Some(condition) = expired(index) else { continue };
        session.db.run(&format!("DELETE FROM {table} WHERE {condition}"), [])?;
    }
    Ok(())
}

/// The SQL condition for expired rows; `None` for an index without expiry.
#[must_use]
pub fn expired(index: &Index) -> Option<String> {
    let (seconds, field) = (index.expire_after_seconds?, index.fields.first()?);
    let key = expression(field, index.sparse && index.fields.len() == 1, index.folded);
    let age = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
    Some(format!(
        "{key} <= rdate(CAST(unixepoch('subsec') * 1000 AS INTEGER) - {age}) AND {key} >= x'{:02x}'",
        keys::DATE
    ))
}

/// Deletes the expired rows of all classes.
///
/// # Errors
/// SQLite's.
pub fn remove_expired(session: &Session, catalog: &Catalog) -> Result<()> {
    let mut classes: Vec<&ClassName> = catalog.expiring().map(|(class, _)| class).collect();
    classes.dedup();
    for class in classes {
        let there: Option<i64> = session
            .db
            .connection()
            .query_row(
                "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
                [names::table(class).trim_matches('"')],
                |row| row.get(0),
            )
            .optional()
            .map_err(translate)?;
        if there.is_some() {
            expire(session, class, &catalog.table(class))?;
        }
    }
    Ok(())
}

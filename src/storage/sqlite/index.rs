//! Indexes: over the keys of fields, see `functions.rs`.

use indexmap::IndexMap;
use rusqlite::OptionalExtension as _;
use serde_json::Value as Json;

use super::catalog::{self, Catalog, Index};
use super::error::translate;
use super::filter::{column, expression};
use super::names::{index as sql_name, quoted};
use super::session::Session;
use crate::model::names::ClassName;
use crate::model::schema::{ClassSchema, FieldType, IndexKeys};
use crate::storage::{IndexSpec, Result, StorageError};

/// A field as MongoDB names it in an index.
fn database_name(schema: &ClassSchema, path: &str) -> String {
    match path {
        "objectId" => "_id".to_owned(),
        "createdAt" => "_created_at".to_owned(),
        "updatedAt" => "_updated_at".to_owned(),
        other => match schema.kind(other) {
            Some(FieldType::Pointer(_)) => format!("_p_{other}"),
            _ => other.to_owned(),
        },
    }
}

/// A field named as MongoDB does, in REST terms.
fn rest_name(path: &str) -> String {
    match path {
        "_id" => "objectId".to_owned(),
        "_created_at" => "createdAt".to_owned(),
        "_updated_at" => "updatedAt".to_owned(),
        other => column(other.strip_prefix("_p_").unwrap_or(other)),
    }
}

/// Makes the indexes that are not there yet.
///
/// # Errors
/// `Duplicate` when rows break a unique one; `Refused` for an index of this name with other keys.
pub fn create(session: &Session, schema: &ClassSchema, specs: &[IndexSpec]) -> Result<()> {
    let table = session.table(&schema.name)?;
    let known = session.catalog()?.table(&schema.name);
    for spec in specs {
        let index = Index {
            keys: spec.keys.iter().map(|(path, kind)| (database_name(schema, path), kind.clone())).collect(),
            fields: spec.keys.keys().map(|path| rest_name(path)).collect(),
            sparse: spec.sparse,
            folded: spec.case_insensitive,
            unique: spec.unique,
            expire_after_seconds: spec.expire_after_seconds,
            real: catalog::is_real(&spec.keys),
        };
        if let Some(there) = known.indexes.get(&spec.name) {
            if there.keys == index.keys {
                continue;
            }
            return Err(StorageError::Refused(format!("An index named {} exists already with other keys", spec.name)));
        }
        if index.real {
            make(session, &table, &schema.name, &spec.name, &index)?;
        }
        let definition = serde_json::to_string(&index).map_err(|error| StorageError::Other(Box::new(error)))?;
        session.db.run(
            "INSERT OR REPLACE INTO _indexes (class, name, definition) VALUES (?, ?, ?)",
            [schema.name.as_str(), &spec.name, &definition],
        )?;
        session.changed();
    }
    Ok(())
}

fn make(session: &Session, table: &str, class: &ClassName, name: &str, index: &Index) -> Result<()> {
    // Of several fields a missing one counts as null, and only rows that lack all of them are left out.
    let alone = index.fields.len() == 1;
    let sparse = |field: &String| expression(field, true, index.folded);
    let parts: Vec<String> = index
        .fields
        .iter()
        .zip(index.keys.values())
        .map(|(field, direction)| {
            let key = match field.as_str() {
                "objectId" => "id".to_owned(),
                _ => expression(field, alone && index.sparse, index.folded),
            };
            format!("{key}{}", if direction.as_f64() < Some(0.0) { " DESC" } else { "" })
        })
        .collect();
    let mut sql = format!(
        "CREATE {}INDEX IF NOT EXISTS {} ON {table} ({})",
        if index.unique { "UNIQUE " } else { "" },
        quoted(&sql_name(class, name)),
        parts.join(", ")
    );
    if index.sparse && !alone {
        let there: Vec<String> = index.fields.iter().map(|field| format!("{} IS NOT NULL", sparse(field))).collect();
        sql.push_str(" WHERE ");
        sql.push_str(&there.join(" OR "));
    }
    session.db.connection().execute_batch(&sql).map_err(|error| match translate(error) {
        StorageError::Duplicate { .. } => StorageError::Duplicate { index: name.to_owned() },
        other => other,
    })
}

/// Drops indexes by name.
///
/// # Errors
/// `Refused` when there is none of that name.
pub fn drop(session: &Session, class: &ClassName, names: &[String]) -> Result<()> {
    for name in names {
        let gone = session.db.run("DELETE FROM _indexes WHERE class = ? AND name = ?", [class.as_str(), name])?;
        if gone == 0 {
            return Err(StorageError::Refused(format!("index not found with name [{name}]")));
        }
        session
            .db
            .connection()
            .execute_batch(&format!("DROP INDEX IF EXISTS {}", quoted(&sql_name(class, name))))
            .map_err(translate)?;
        session.changed();
    }
    Ok(())
}

/// The indexes of a class, as the database's own list would have them.
#[must_use]
pub fn list(catalog: &Catalog, class: &ClassName) -> IndexMap<String, IndexKeys> {
    let mut all = IndexMap::new();
    all.insert("_id_".to_owned(), IndexKeys::from_iter([("_id".to_owned(), Json::from(1))]));
    for (name, index) in &catalog.table(class).indexes {
        all.insert(name.clone(), index.keys.clone());
    }
    all
}

/// The indexes of a class as they would be made again.
#[must_use]
pub fn specs(catalog: &Catalog, class: &ClassName) -> Vec<IndexSpec> {
    let spec = |(name, index): (&String, &Index)| IndexSpec {
        name: name.clone(),
        keys: index.fields.iter().cloned().zip(index.keys.values().cloned()).collect(),
        unique: index.unique,
        sparse: index.sparse,
        case_insensitive: index.folded,
        expire_after_seconds: index.expire_after_seconds,
        embedded_only: false,
    };
    catalog.table(class).indexes.iter().map(spec).collect()
}

/// Whether a hint names an index of the class: by name, or by its keys.
///
/// # Errors
/// `Refused` with MongoDB's words when it does not.
pub fn check_hint(catalog: &Catalog, class: &ClassName, hint: &Json) -> Result<()> {
    let all = list(catalog, class);
    let known = match hint {
        Json::String(name) => all.contains_key(name) || name == "$natural",
        Json::Object(keys) => keys.contains_key("$natural") || all.values().any(|index| index == keys),
        _ => false,
    };
    if known {
        return Ok(());
    }
    Err(StorageError::Refused(
        "error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index".to_owned(),
    ))
}

/// Makes all indexes over the collation anew, because it changed.
///
/// # Errors
/// SQLite's.
pub fn rebuild_folded(connection: &rusqlite::Connection, version: &str) -> rusqlite::Result<()> {
    let known: Option<String> =
        connection.query_row("SELECT value FROM _meta WHERE key = 'collation'", [], |row| row.get(0)).optional()?;
    if known.as_deref() == Some(version) {
        return Ok(());
    }
    let indexes: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND (sql LIKE '%rkc(%' OR sql LIKE '%rkcs(%')")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for index in indexes {
        connection.execute_batch(&format!("REINDEX {}", quoted(&index)))?;
    }
    connection.execute("INSERT OR REPLACE INTO _meta (key, value) VALUES ('collation', ?)", [version])?;
    Ok(())
}

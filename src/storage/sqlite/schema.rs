//! Definitions of classes, and the tables of their rows.

use indexmap::IndexMap;
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::codec;
use super::error::{EmbeddedError, translate};
use super::history::History;
use super::names::{self, literal, quoted, table};
use super::session::Session;
use crate::model::json;
use crate::model::names::ClassName;
use crate::model::schema::{ClassSchema, Field, FieldType, IndexKeys};
use crate::storage::{Result, StorageError};

/// The stored form of a field.
#[derive(Serialize, Deserialize)]
struct StoredField {
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<Json>,
}

/// The stored form of a class.
#[derive(Serialize, Deserialize)]
struct StoredClass {
    fields: IndexMap<String, StoredField>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Map<String, Json>>,
    #[serde(default)]
    indexes: IndexMap<String, IndexKeys>,
}

fn to_stored(schema: &ClassSchema) -> StoredClass {
    let fields = schema
        .fields
        .iter()
        .map(|(name, field)| {
            let stored = StoredField {
                kind: field.kind.name().to_owned(),
                target: field.kind.target().map(ToString::to_string),
                required: field.required,
                default: field.default.as_ref().map(json::encode),
            };
            (name.clone(), stored)
        })
        .collect();
    StoredClass { fields, permissions: schema.permissions.clone(), indexes: schema.indexes.clone() }
}

fn from_stored(name: ClassName, stored: StoredClass) -> ClassSchema {
    let mut schema = ClassSchema::new(name);
    for (name, field) in stored.fields {
        // A type of a later version would be refused with the file as a whole.
        let Some(kind) = FieldType::from_name(&field.kind, field.target.as_deref()) else { continue };
        schema
            .fields
            .insert(name, Field { kind, required: field.required, default: field.default.map(json::decode_stored) });
    }
    schema.permissions = stored.permissions;
    schema.indexes = stored.indexes;
    schema
}

fn parse(name: String, definition: &str) -> Result<ClassSchema> {
    let stored = serde_json::from_str(definition)
        .map_err(|error| EmbeddedError::Damaged(format!("the definition of class {name} cannot be read: {error}")))?;
    Ok(from_stored(ClassName::unchecked(name), stored))
}

/// All classes.
///
/// # Errors
/// A damaged definition; SQLite's.
pub fn all(connection: &Connection) -> Result<Vec<ClassSchema>> {
    let mut statement =
        connection.prepare_cached("SELECT name, definition FROM _classes ORDER BY rowid").map_err(translate)?;
    let rows =
        statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).map_err(translate)?;
    rows.map(|row| row.map_err(translate).and_then(|(name, definition)| parse(name, &definition))).collect()
}

fn load(session: &Session, class: &ClassName) -> Result<Option<ClassSchema>> {
    let definition: Option<String> = session
        .db
        .connection()
        .prepare_cached("SELECT definition FROM _classes WHERE name = ?")
        .and_then(|mut statement| statement.query_row([class.as_str()], |row| row.get(0)).optional())
        .map_err(translate)?;
    definition.map(|definition| parse(class.to_string(), &definition)).transpose()
}

fn save(session: &Session, schema: &ClassSchema) -> Result<()> {
    let definition = serde_json::to_string(&to_stored(schema)).map_err(|error| StorageError::Other(Box::new(error)))?;
    session
        .db
        .run(
            "INSERT INTO _classes (name, definition) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition",
            [schema.name.as_str(), &definition],
        )
        .map(|_| ())
}

/// Creates a class.
///
/// # Errors
/// `Duplicate` if it exists.
pub fn create(session: &Session, schema: &ClassSchema) -> Result<()> {
    if load(session, &schema.name)?.is_some() {
        return Err(StorageError::Duplicate { index: "_id_".to_owned() });
    }
    session.table(&schema.name)?;
    save(session, schema)
}

/// Adds a field; creates the class if it does not exist.
///
/// # Errors
/// `FieldExists` if it exists with another type.
pub fn add_field(session: &Session, class: &ClassName, name: &str, field: &Field) -> Result<()> {
    let mut schema = load(session, class)?.unwrap_or_else(|| ClassSchema::new(class.clone()));
    if let Some(known) = schema.fields.get(name) {
        return if known.kind == field.kind { Ok(()) } else { Err(StorageError::FieldExists(known.kind.to_string())) };
    }
    schema.fields.insert(name.to_owned(), field.clone());
    save(session, &schema)
}

/// Changes the definition of a class. Does nothing if the class does not exist.
///
/// # Errors
/// SQLite's.
pub fn change(session: &Session, class: &ClassName, change: impl FnOnce(&mut ClassSchema)) -> Result<()> {
    let Some(mut schema) = load(session, class)? else { return Ok(()) };
    change(&mut schema);
    save(session, &schema)
}

/// Deletes fields of the class and its rows.
///
/// # Errors
/// SQLite's.
pub fn delete_fields(session: &Session, class: &ClassName, fields: &[String]) -> Result<()> {
    History::silently(session, class, "UPDATE", || remove_fields(session, class, fields))
}

fn remove_fields(session: &Session, class: &ClassName, fields: &[String]) -> Result<()> {
    change(session, class, |schema| {
        for field in fields {
            schema.fields.shift_remove(field);
        }
    })?;
    let table = session.table(class)?;
    let held: Vec<String> = fields.iter().map(|field| format!("rhas(body,{})", literal(field))).collect();
    if held.is_empty() {
        return Ok(());
    }
    let connection = session.db.connection();
    // In batches, to limit memory regardless of the number of rows.
    let mut last = i64::MIN;
    loop {
        let sql = format!("SELECT n, body FROM {table} WHERE n > ? AND ({}) ORDER BY n LIMIT 500", held.join(" OR "));
        let rows: Vec<(i64, String)> = connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.query_map([last], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .map_err(translate)?;
        let Some((end, _)) = rows.last() else { return Ok(()) };
        last = *end;
        for (n, body) in rows {
            let mut row = codec::read_object(body.as_bytes())?;
            row.retain(|field, _| !fields.iter().any(|gone| gone == field));
            session.db.run(&format!("UPDATE {table} SET body = ? WHERE n = ?"), (codec::to_text(&row)?, n))?;
        }
    }
}

/// Deletes a class with its rows and indexes. Does nothing if it does not exist.
///
/// # Errors
/// SQLite's.
pub fn delete(session: &Session, class: &ClassName) -> Result<()> {
    session.db.run("DELETE FROM _classes WHERE name = ?", [class.as_str()])?;
    session.db.run("DELETE FROM _indexes WHERE class = ?", [class.as_str()])?;
    session.db.connection().execute_batch(&format!("DROP TABLE IF EXISTS {}", table(class))).map_err(translate)?;
    session.changed();
    Ok(())
}

/// The statements that create the table of a class.
#[must_use]
pub fn table_statements(class: &ClassName) -> Vec<String> {
    let table = table(class);
    if class.is_join() {
        return vec![
            format!(
                "CREATE TABLE IF NOT EXISTS {table} (owner TEXT NOT NULL, member TEXT NOT NULL, PRIMARY KEY (owner, member)) STRICT, WITHOUT ROWID"
            ),
            format!("CREATE INDEX IF NOT EXISTS {} ON {table} (member, owner)", quoted(&own_index(class, "member"))),
        ];
    }
    let dated = |field: &str| {
        format!(
            "CREATE INDEX IF NOT EXISTS {} ON {table} (rk(body,'{field}'))",
            quoted(&own_index(class, &field.to_lowercase()))
        )
    };
    vec![
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT"
        ),
        dated("createdAt"),
        dated("updatedAt"),
    ]
}

/// Name of an index that the store itself creates.
fn own_index(class: &ClassName, what: &str) -> String {
    names::index(class, what).replacen("i_", "o_", 1)
}

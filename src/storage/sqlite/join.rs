//! Relations: pairs of owner and member.

use rusqlite::types::Value as Sql;

use super::db::Db;
use super::error::{is_missing_table, translate};
use super::names::table;
use super::writer::Session;
use crate::model::names::ClassName;
use crate::storage::Result;

/// Puts members into a relation.
///
/// # Errors
/// SQLite's.
pub fn link(session: &Session, join: &ClassName, owner: &str, members: &[String]) -> Result<()> {
    let table = session.table(join)?;
    for member in members {
        session.db.run(&format!("INSERT OR IGNORE INTO {table} (owner, member) VALUES (?, ?)"), [owner, member])?;
    }
    Ok(())
}

/// Takes members out of a relation.
///
/// # Errors
/// SQLite's.
pub fn unlink(session: &Session, join: &ClassName, owner: &str, members: &[String]) -> Result<()> {
    let table = session.table(join)?;
    for member in members {
        session.db.run(&format!("DELETE FROM {table} WHERE owner = ? AND member = ?"), [owner, member])?;
    }
    Ok(())
}

/// The pairs whose `column` (`owner` or `member`) is one of these.
///
/// # Errors
/// SQLite's; `TimedOut`.
pub fn pairs(db: &Db, join: &ClassName, column: &'static str, ids: &[String]) -> Result<Vec<(String, String)>> {
    let table = table(join);
    let (condition, parameter) = match ids {
        [] => return Ok(Vec::new()),
        [one] => ("= ?".to_owned(), Sql::Text(one.clone())),
        many => (
            "IN (SELECT value FROM json_each(?))".to_owned(),
            Sql::Text(serde_json::to_string(many).unwrap_or_default()),
        ),
    };
    let Some(mut statement) = db.prepare(&format!("SELECT owner, member FROM {table} WHERE {column} {condition}"))?
    else {
        return Ok(Vec::new());
    };
    let rows = statement.query_map([parameter], |row| Ok((row.get(0)?, row.get(1)?))).map_err(translate)?;
    match rows.collect() {
        Ok(pairs) => Ok(pairs),
        // The class went away since the statement was prepared.
        Err(error) if is_missing_table(&error) => Ok(Vec::new()),
        Err(error) => Err(translate(error)),
    }
}

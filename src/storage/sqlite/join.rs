//! Relations: pairs of owner and member.

use rusqlite::types::Value as Sql;
use rusqlite::{Row, Statement};

use super::db::Db;
use super::error::{is_missing_table, translate};
use super::names::table;
use super::session::Session;
use crate::model::names::ClassName;
use crate::storage::{Ancestry, Result};

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

/// The pairs whose `column` (`owner` or `member`) is one of these; `None`: all pairs.
///
/// # Errors
/// SQLite's; `TimedOut`.
pub fn pairs(db: &Db, join: &ClassName, column: &'static str, ids: Option<&[String]>) -> Result<Vec<(String, String)>> {
    let table = table(join);
    let (condition, parameter) = match ids {
        None => ("> ?".to_owned(), Sql::Text(String::new())),
        Some([]) => return Ok(Vec::new()),
        Some([one]) => ("= ?".to_owned(), Sql::Text(one.clone())),
        Some(many) => (
            "IN (SELECT value FROM json_each(?))".to_owned(),
            Sql::Text(serde_json::to_string(many).unwrap_or_default()),
        ),
    };
    let Some(mut statement) = db.prepare(&format!("SELECT owner, member FROM {table} WHERE {column} {condition}"))?
    else {
        return Ok(Vec::new());
    };
    Ok(rows(&mut statement, parameter, |row| Ok((row.get(0)?, row.get(1)?)))?.unwrap_or_default())
}

/// The owners of `direct` that have the member, the owners in `nested` that have one of these, and so on.
///
/// # Errors
/// SQLite's; `TimedOut`.
pub fn ancestors(db: &Db, direct: &ClassName, nested: &ClassName, member: &str) -> Result<Ancestry> {
    let (direct, nested) = (table(direct), table(nested));
    let first = format!("SELECT owner, NULL FROM {direct} WHERE member = ?");
    let closure = format!(
        "WITH RECURSIVE held(id, below) AS ({first} UNION SELECT n.owner, n.member FROM held CROSS JOIN {nested} AS n ON n.member = held.id) SELECT id, below FROM held"
    );
    // One of the tables may not be there: without the second nothing is nested, without the first nothing is held.
    for query in [closure, first] {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        if let Some(mut statement) = db.prepare(&query)?
            && let Some(pairs) = rows(&mut statement, Sql::Text(member.to_owned()), read)?
        {
            let mut found = Ancestry::default();
            for (owner, below) in pairs {
                match below {
                    None => found.direct.push(owner),
                    Some(below) => found.nested.push((owner, below)),
                }
            }
            return Ok(found);
        }
    }
    Ok(Ancestry::default())
}

/// What a statement finds; `None` when a class it reads went away since it was prepared.
fn rows<T>(
    statement: &mut Statement<'_>,
    parameter: Sql,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<Vec<T>>> {
    match statement.query_map([parameter], read).and_then(Iterator::collect) {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if is_missing_table(&error) => Ok(None),
        Err(error) => Err(translate(error)),
    }
}

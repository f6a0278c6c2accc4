//! Reads everything, page by page: each page is one query, so that no reader is kept for long and memory is bounded.

use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};

use super::codec;
use super::db::Db;
use super::error::translate;
use super::names::{class_of, table};
use super::readers::Readers;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::storage::{Result, StorageError};

/// Rows in a page.
const ROWS: usize = 1000;
/// Bytes after which a page ends.
const BYTES: usize = 4 << 20;

/// The classes that have a table.
///
/// # Errors
/// SQLite's.
pub fn classes(db: &Db) -> Result<Vec<ClassName>> {
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut statement =
            db.connection().prepare_cached("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid")?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    Ok(read().map_err(translate)?.iter().filter_map(|table| class_of(table)).collect())
}

/// The rows of a class, in the order in which they were made.
pub fn rows(readers: &Readers, class: ClassName) -> BoxStream<'_, Result<Object>> {
    let next = move |db: &Db, last: Option<i64>| {
        let sql = format!("SELECT n, body FROM {} WHERE n > ? ORDER BY n LIMIT {ROWS}", table(&class));
        let Some(mut statement) = db.prepare(&sql)? else { return Ok((Vec::new(), None)) };
        let mut rows = statement.query([last.unwrap_or(i64::MIN)]).map_err(translate)?;
        let (mut found, mut bytes, mut end) = (Vec::new(), 0, None);
        while let Some(row) = rows.next().map_err(translate)? {
            let body = row.get_ref(1).and_then(|body| body.as_bytes().map_err(Into::into)).map_err(translate)?;
            found.push(codec::read_object(body)?);
            bytes += body.len();
            end = Some(row.get(0).map_err(translate)?);
            if bytes > BYTES {
                break;
            }
        }
        Ok((found, end))
    };
    pages(readers, next)
}

/// The pairs of a relation, by owner.
pub fn pairs(readers: &Readers, join: ClassName) -> BoxStream<'_, Result<(String, String)>> {
    let next = move |db: &Db, last: Option<(String, String)>| {
        let sql = format!(
            "SELECT owner, member FROM {} WHERE (owner, member) > (?, ?) ORDER BY owner, member LIMIT {ROWS}",
            table(&join)
        );
        let Some(mut statement) = db.prepare(&sql)? else { return Ok((Vec::new(), None)) };
        let found = statement
            .query_map(last.unwrap_or_default(), |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
            .map_err(translate)?;
        let end = found.last().cloned();
        Ok((found, end))
    };
    pages(readers, next)
}

/// Items of pages. `next` reads the page behind a place, and says where it ends; `None`: there is no more.
fn pages<T, P>(
    readers: &Readers,
    next: impl Fn(&Db, Option<P>) -> Result<(Vec<T>, Option<P>)> + Clone + Send + 'static,
) -> BoxStream<'_, Result<T>>
where
    T: Send + 'static,
    P: Send + 'static,
{
    let pages = stream::try_unfold(Some(None), move |place| {
        let next = next.clone();
        async move {
            let Some(last) = place else { return Ok::<_, StorageError>(None) };
            let (items, end) = readers.run(move |db| next(db, last)).await?;
            Ok(Some((items, end.map(Some))))
        }
    });
    pages.map_ok(|items| stream::iter(items.into_iter().map(Ok))).try_flatten().boxed()
}

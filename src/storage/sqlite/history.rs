//! The last writes of some classes, kept in the database for whoever follows them, also over the end of the process.
//!
//! Triggers of SQLite note each write in the transaction that makes it, whatever statement that is; what is rolled back was never noted.
//! Who does not want a history has neither the table nor a trigger.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use rusqlite::{Connection, OptionalExtension as _};
use tokio::sync::watch;

use super::codec;
use super::db::Db;
use super::error::translate;
use super::names::{class_of, literal, quoted, table};
use super::readers::Readers;
use super::session::Session;
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::value::Value;
use crate::storage::{After, Change, Follower, Result, RowChange};

/// Its place in `_meta`: a name that no other history has.
const NAME: &str = "history";
/// Writes that may wait to be told besides those that are kept; of more, the first are lost.
const WAITING: u64 = 1 << 16;
/// Writes that are read at once.
const PAGE: usize = 256;
/// The pause after a failure to read.
const PAUSE: Duration = Duration::from_secs(1);

/// Of which classes a history is kept, and how much of it.
#[derive(Clone)]
pub struct HistoryOf {
    /// Whether a class is among them.
    pub covers: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    /// The last so many writes are kept …
    pub writes: usize,
    /// … but none that is older than so many seconds.
    pub seconds: u32,
}

impl fmt::Debug for HistoryOf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HistoryOf").field("writes", &self.writes).finish_non_exhaustive()
    }
}

/// The history of an open database.
#[derive(Debug)]
pub struct History {
    of: HistoryOf,
    /// A name that no other history has.
    pub name: String,
    /// The place of the last write that was committed.
    reached: watch::Sender<u64>,
    /// The place up to which writes were told.
    told: AtomicU64,
}

/// The name of a trigger.
fn trigger(class: &ClassName, event: &str) -> String {
    quoted(&format!("h_{}.{event}", table(class).trim_matches('"')))
}

/// The statements that have the writes of a class noted.
fn triggers(class: &ClassName) -> [String; 3] {
    let (table, name) = (table(class), literal(class.as_str()));
    let note = |event: &str, when: &str, [id, before, after]: [&str; 3]| {
        let trigger = trigger(class, event);
        format!(
            "CREATE TRIGGER IF NOT EXISTS {trigger} AFTER {event} ON {table} {when} BEGIN
             INSERT INTO _changes (at, class, id, before, after)
             VALUES (CAST(unixepoch('subsec') * 1000 AS INTEGER), {name}, {id}, {before}, {after}); END"
        )
    };
    [
        note("INSERT", "", ["NEW.id", "NULL", "NEW.body"]),
        note("UPDATE", "WHEN OLD.body IS NOT NEW.body", ["NEW.id", "OLD.body", "NEW.body"]),
        note("DELETE", "", ["OLD.id", "OLD.body", "NULL"]),
    ]
}

/// Begins the history of a database, or goes on with it; ends it if none is wanted.
///
/// # Errors
/// SQLite's.
pub fn prepare(connection: &Connection, of: Option<&HistoryOf>) -> rusqlite::Result<Option<Arc<History>>> {
    let is_kept = |kind: &str| {
        connection
            .query_row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", [kind], |_| Ok(()))
            .optional()
            .map(|found| found.is_some())
    };
    let Some(of) = of else {
        if is_kept("_changes")? {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            end(connection).and_then(|()| connection.execute_batch("COMMIT")).inspect_err(|_| undo(connection))?;
        }
        return Ok(None);
    };
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let begun = begin(connection, of).inspect_err(|_| undo(connection))?;
    connection.execute_batch("COMMIT").inspect_err(|_| undo(connection))?;
    Ok(Some(Arc::new(begun)))
}

fn undo(connection: &Connection) {
    let _ = connection.execute_batch("ROLLBACK");
}

fn end(connection: &Connection) -> rusqlite::Result<()> {
    remove_triggers(connection, |_| true)?;
    connection.execute_batch("DROP TABLE _changes")?;
    connection.execute("DELETE FROM _meta WHERE key = ?", [NAME]).map(|_| ())
}

fn begin(connection: &Connection, of: &HistoryOf) -> rusqlite::Result<History> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS _changes (n INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
         class TEXT NOT NULL, id TEXT NOT NULL, before TEXT, after TEXT) STRICT",
    )?;
    remove_triggers(connection, |class| !(of.covers)(class.as_str()))?;
    for class in classes(connection)?.iter().filter(|class| !class.is_join() && (of.covers)(class.as_str())) {
        triggers(class).iter().try_for_each(|trigger| connection.execute_batch(trigger))?;
    }
    connection.execute("INSERT OR IGNORE INTO _meta (key, value) VALUES (?, lower(hex(randomblob(8))))", [NAME])?;
    let name = connection.query_row("SELECT value FROM _meta WHERE key = ?", [NAME], |row| row.get(0))?;
    let reached = last(connection)?;
    Ok(History { of: of.clone(), name, reached: watch::Sender::new(reached), told: AtomicU64::new(reached) })
}

fn classes(connection: &Connection) -> rusqlite::Result<Vec<ClassName>> {
    let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let tables = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(tables.iter().filter_map(|table| class_of(table)).collect())
}

/// Removes the triggers of classes.
fn remove_triggers(connection: &Connection, of: impl Fn(&ClassName) -> bool) -> rusqlite::Result<()> {
    let sql = "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'trigger' AND substr(name, 1, 2) = 'h_'";
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for (trigger, table) in found.collect::<rusqlite::Result<Vec<_>>>()? {
        if class_of(&table).is_none_or(|class| of(&class)) {
            connection.execute_batch(&format!("DROP TRIGGER {}", quoted(&trigger)))?;
        }
    }
    Ok(())
}

/// The place of the last write, inside the current transaction.
fn last(connection: &Connection) -> rusqlite::Result<u64> {
    let last = connection
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = '_changes'")?
        .query_row([], |row| row.get::<_, i64>(0))
        .optional()?;
    Ok(last.unwrap_or(0).unsigned_abs())
}

impl History {
    /// Has the writes of a class noted whose table was just made.
    ///
    /// # Errors
    /// SQLite's.
    pub fn follow(&self, connection: &Connection, class: &ClassName) -> Result<()> {
        if class.is_join() || !(self.of.covers)(class.as_str()) {
            return Ok(());
        }
        triggers(class).iter().try_for_each(|trigger| connection.execute_batch(trigger)).map_err(translate)
    }

    /// Changes rows of a class without noting it. `event`: what is done to them, in the words of SQL.
    ///
    /// # Errors
    /// SQLite's, and those of `work`.
    pub fn silently<T>(
        session: &Session,
        class: &ClassName,
        event: &str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let Some(history) = session.history() else { return work() };
        let connection = session.db.connection();
        let drop = format!("DROP TRIGGER IF EXISTS {}", trigger(class, event));
        connection.execute_batch(&drop).map_err(translate)?;
        let done = work()?;
        // Its table may not exist; then it gets the triggers with the table.
        if connection.table_exists(None, table(class).trim_matches('"')).map_err(translate)? {
            history.follow(connection, class)?;
        }
        Ok(done)
    }

    /// Forgets what is too much, before the commit. Returns the place that the commit reaches.
    ///
    /// # Errors
    /// SQLite's.
    pub fn close_commit(&self, db: &Db) -> Result<u64> {
        let last = last(db.connection()).map_err(translate)?;
        if last > *self.reached.borrow() {
            let writes = u64::try_from(self.of.writes).unwrap_or(u64::MAX);
            let told = self.told.load(Ordering::Acquire);
            let forgotten =
                last.saturating_sub(writes).min(told).max(last.saturating_sub(writes.saturating_add(WAITING)));
            db.run("DELETE FROM _changes WHERE n <= ?", [number(forgotten)])?;
        }
        Ok(last)
    }

    /// Tells who follows that a commit reached a place.
    pub fn reach(&self, place: u64) {
        self.reached.send_if_modified(|reached| {
            let further = place > *reached;
            *reached = place.max(*reached);
            further
        });
    }

    /// Forgets what is too old.
    ///
    /// # Errors
    /// SQLite's.
    pub fn sweep(&self, db: &Db) -> Result<()> {
        let told = self.told.load(Ordering::Acquire);
        let old = "at < CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?";
        let kept = i64::from(self.of.seconds) * 1000;
        db.run(&format!("DELETE FROM _changes WHERE {old} AND n <= ?"), [kept, number(told)]).map(|_| ())
    }

    /// The place of the last write that was committed.
    #[must_use]
    pub fn position(&self) -> u64 {
        *self.reached.borrow()
    }

    /// The writes from here on.
    pub fn changes(self: &Arc<Self>, readers: Arc<Readers>, follower: Arc<dyn Follower>) -> BoxStream<'static, Change> {
        let (reached, last) = (self.reached.subscribe(), self.position());
        let telling = Telling {
            history: self.clone(),
            readers,
            follower,
            reached,
            last,
            waiting: VecDeque::new(),
            broken: false,
        };
        stream::unfold(telling, Telling::next).boxed()
    }
}

fn number(place: u64) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}

/// A write as it is noted.
struct Noted {
    place: u64,
    at: Date,
    class: ClassName,
    id: String,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

impl Noted {
    /// The write; `None` if it changed nothing but internal columns.
    fn change(self) -> Option<RowChange> {
        let Self { place, at, class, id, before, after } = self;
        let row = |body: Option<Vec<u8>>| body.map(|body| codec::read_object(&body)).transpose();
        let rows = row(before).and_then(|before| Ok((before, row(after)?)));
        let (before, after) = rows.inspect_err(|error| tracing::warn!(%error, %class, "a row cannot be read")).ok()?;
        if let (Some(before), Some(after)) = (&before, &after)
            && shown(before) == shown(after)
        {
            return None;
        }
        let made = before.is_none();
        Some(RowChange { class, id, made, before, after, position: place, mark: None, written_at: Some(at) })
    }
}

/// The columns of a row that others than the server read.
fn shown(row: &Object) -> HashMap<&str, &Value> {
    let columns = row.iter().map(|(column, value)| (column.as_str(), value));
    columns.filter(|(column, _)| !column.starts_with('_') || matches!(*column, "_rperm" | "_wperm")).collect()
}

/// The first writes after a place.
fn read(db: &Db, after: u64, most: usize) -> Result<Vec<Noted>> {
    let sql = "SELECT n, at, class, id, before, after FROM _changes WHERE n > ? ORDER BY n LIMIT ?";
    let mut statement = db.connection().prepare_cached(sql).map_err(translate)?;
    let bytes = |row: &rusqlite::Row<'_>, at: usize| {
        row.get_ref(at).and_then(|text| Ok(text.as_str_or_null()?.map(|text| text.as_bytes().to_vec())))
    };
    let found = statement
        .query_map((number(after), i64::try_from(most).unwrap_or(i64::MAX)), |row| {
            Ok(Noted {
                place: row.get::<_, i64>(0)?.unsigned_abs(),
                at: Date::from_millis(row.get(1)?),
                class: ClassName::unchecked(row.get::<_, String>(2)?),
                id: row.get(3)?,
                before: bytes(row, 4)?,
                after: bytes(row, 5)?,
            })
        })
        .map_err(translate)?;
    found.collect::<rusqlite::Result<_>>().map_err(translate)
}

/// The writes to a class after some and up to a place; `None`: they are not known any more, or the first is older than `oldest`.
///
/// # Errors
/// SQLite's.
pub fn between(
    db: &Db,
    follower: &dyn Follower,
    after: &After,
    until: u64,
    oldest: Date,
) -> Result<Option<Vec<RowChange>>> {
    if after.position >= until {
        return Ok(Some(Vec::new()));
    }
    let mut changes = Vec::new();
    let mut place = after.position;
    loop {
        let page = read(db, place, PAGE)?;
        if page.first().is_none_or(|first| first.place != place + 1 || (place == after.position && first.at < oldest)) {
            return Ok(None);
        }
        for noted in page {
            if noted.place > until {
                return Ok(Some(changes));
            }
            place = noted.place;
            if follower.follows(noted.class.as_str()) {
                changes.extend(noted.change());
            }
        }
        if place == until {
            return Ok(Some(changes));
        }
    }
}

/// Reads the history as it grows.
struct Telling {
    history: Arc<History>,
    readers: Arc<Readers>,
    follower: Arc<dyn Follower>,
    reached: watch::Receiver<u64>,
    /// The last place that was read.
    last: u64,
    waiting: VecDeque<Change>,
    broken: bool,
}

impl Telling {
    async fn next(mut self) -> Option<(Change, Self)> {
        loop {
            if let Some(change) = self.waiting.pop_front() {
                return Some((change, self));
            }
            self.history.told.store(self.last, Ordering::Release);
            if *self.reached.borrow_and_update() <= self.last && self.reached.changed().await.is_err() {
                return None;
            }
            let (last, follower) = (self.last, self.follower.clone());
            match self.readers.run(move |db| page(db, &*follower, last)).await {
                Ok((last, changes)) => {
                    if std::mem::take(&mut self.broken) {
                        self.waiting.push_back(Change::Resumed);
                    }
                    self.last = last.max(self.last);
                    self.waiting.extend(changes);
                }
                Err(error) => {
                    tracing::warn!(%error, "the history of writes cannot be read");
                    tokio::time::sleep(PAUSE).await;
                    if !std::mem::replace(&mut self.broken, true) {
                        return Some((Change::Broken, self));
                    }
                }
            }
        }
    }
}

/// The next changes, and the place up to which they reach.
fn page(db: &Db, follower: &dyn Follower, mut last: u64) -> Result<(u64, Vec<Change>)> {
    let mut changes = Vec::new();
    for noted in read(db, last, PAGE)? {
        if noted.place != last + 1 {
            changes.push(Change::Lost);
        }
        last = noted.place;
        if follower.follows(noted.class.as_str()) {
            changes.extend(noted.change().map(|row| Change::Row(Box::new(row))));
        }
    }
    Ok((last, changes))
}

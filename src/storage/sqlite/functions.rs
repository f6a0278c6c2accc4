//! SQL functions over the rows' text. Indexes are made of them, so what they give must never change within a format version.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};

use super::codec;
use super::keys::{self, Leaf};
use crate::model::date::Date;
use crate::model::object::Object;
use crate::model::query::compare::stored;
use crate::model::query::path::Path;
use crate::model::value::Value;
use crate::storage::StorageError;

/// The condition of the running statement that SQL cannot express.
pub type RowTest = Rc<dyn Fn(&Object) -> Result<bool, StorageError>>;
/// The number by which the running statement sorts, computed for each row.
pub type RowScore = Rc<dyn Fn(&Object) -> Result<f64, StorageError>>;

thread_local! {
    static TEST: RefCell<Option<RowTest>> = const { RefCell::new(None) };
    static SCORE: RefCell<Option<RowScore>> = const { RefCell::new(None) };
    static ERROR: RefCell<Option<StorageError>> = const { RefCell::new(None) };
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Puts test, score and deadline in place for the statements of this thread until it is dropped.
#[derive(Debug)]
pub struct Running(());

impl Running {
    /// Begins; there is one at a time on each thread.
    #[must_use]
    pub fn begin(test: Option<RowTest>, score: Option<RowScore>, deadline: Option<Instant>) -> Self {
        TEST.set(test);
        SCORE.set(score);
        DEADLINE.set(deadline);
        ERROR.set(None);
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        TEST.set(None);
        SCORE.set(None);
        DEADLINE.set(None);
    }
}

/// The error of one of our functions, of which SQLite reports only the text.
pub fn take_error() -> Option<StorageError> {
    ERROR.take()
}

/// Fails when the running statement has used its time.
///
/// # Errors
/// `TimedOut`.
pub fn check_time() -> Result<(), StorageError> {
    if DEADLINE.get().is_some_and(|deadline| deadline <= now()) { Err(StorageError::TimedOut) } else { Ok(()) }
}

/// The current time, for measuring durations.
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

fn failed(error: StorageError) -> rusqlite::Error {
    let text = error.to_string();
    ERROR.set(Some(error));
    rusqlite::Error::UserFunctionError(text.into())
}

fn damaged(error: codec::CodecError) -> rusqlite::Error {
    failed(error.into())
}

fn body<'a>(context: &'a Context<'_>) -> rusqlite::Result<&'a [u8]> {
    match context.get_raw(0) {
        ValueRef::Text(bytes) => Ok(bytes),
        _ => Err(failed(super::error::EmbeddedError::Damaged("a row has no text".to_owned()).into())),
    }
}

fn text<'a>(context: &'a Context<'_>, at: usize) -> rusqlite::Result<&'a str> {
    Ok(context.get_raw(at).as_str()?)
}

/// The index key of a field. Missing: null's key, or nothing when `sparse`. Of what has an array on its path: the bracket.
fn index_key(context: &Context<'_>, sparse: bool, folded: bool) -> rusqlite::Result<Sql> {
    let body = body(context)?;
    let path = text(context, 1)?;
    let missing = || if sparse { Sql::Null } else { Sql::Blob(vec![keys::NULL]) };
    let (field, rest) = match path.split_once('.') {
        Some((field, rest)) => (field, Some(rest)),
        None => (path, None),
    };
    let Some(value) = codec::read_field(body, field).map_err(damaged)? else { return Ok(missing()) };
    let mut out = Vec::with_capacity(16);
    let Some(rest) = rest else {
        match &*stored(&value) {
            Value::Array(_) => out.push(keys::ARRAY),
            value => keys::push_key(value, folded, &mut out),
        }
        return Ok(Sql::Blob(out));
    };
    let segments: Vec<&str> = rest.split('.').collect();
    match keys::leaf(&value, &segments) {
        Leaf::Missing => return Ok(missing()),
        Leaf::Array => out.push(keys::ARRAY),
        Leaf::Value(value) => keys::push_key(&value, folded, &mut out),
    }
    Ok(Sql::Blob(out))
}

/// The key by which a row sorts.
fn sort_key(context: &Context<'_>) -> rusqlite::Result<Vec<u8>> {
    let flags: i64 = context.get(2)?;
    let path =
        context.get_or_create_aux(1, |value| -> Result<Path, rusqlite::Error> { Ok(Path::new(value.as_str()?)) })?;
    let value = codec::read_field(body(context)?, path.field()).map_err(damaged)?;
    let row: Object = value.into_iter().map(|value| (path.field().to_owned(), value)).collect();
    Ok(keys::sort_key(&row, &path, flags & 1 == 1, flags & 2 == 2))
}

/// Whether a field (not dotted) has one of these values, or is an array with one of them. The set is a list of keys, each
/// after its length in four bytes: in turn the key of the value as a field and as an element.
fn any_of(context: &Context<'_>) -> rusqlite::Result<bool> {
    let folded: i64 = context.get(3)?;
    let set = context
        .get_or_create_aux(2, |value| -> Result<(Keys, Keys), rusqlite::Error> { Ok(unpack(value.as_blob()?)) })?;
    let value = codec::read_field(body(context)?, text(context, 1)?).map_err(damaged)?;
    let mut out = Vec::with_capacity(32);
    let mut among = |value: &Value, set: &Keys| {
        out.clear();
        keys::push_key(value, folded == 1, &mut out);
        set.contains(&out)
    };
    let (fields, elements) = &*set;
    Ok(match &value {
        None => among(&Value::Null, fields),
        Some(value) => match &*stored(value) {
            Value::Array(list) => list.iter().any(|item| among(item, elements)),
            value => among(value, fields),
        },
    })
}

type Keys = HashSet<Vec<u8>>;

/// Values as one blob, for [`any_of`].
#[must_use]
pub fn pack(values: &[Value], folded: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        for key in [keys::top_key(value, folded), keys::key(value, folded)] {
            out.extend_from_slice(&u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(&key);
        }
    }
    out
}

fn unpack(mut bytes: &[u8]) -> (Keys, Keys) {
    let mut sets = (Keys::new(), Keys::new());
    let mut field = true;
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let Some((key, rest)) = rest.split_at_checked(u32::from_be_bytes(*length) as usize) else { break };
        if field { &mut sets.0 } else { &mut sets.1 }.insert(key.to_vec());
        field = !field;
        bytes = rest;
    }
    sets
}

/// Whether the row meets the condition of the running statement.
fn row_test(context: &Context<'_>) -> rusqlite::Result<bool> {
    check_time().map_err(failed)?;
    let Some(test) = TEST.with_borrow(Clone::clone) else { return Ok(true) };
    let object = codec::read_object(body(context)?).map_err(damaged)?;
    test(&object).map_err(failed)
}

/// The number by which the running statement sorts the row.
fn row_score(context: &Context<'_>) -> rusqlite::Result<f64> {
    check_time().map_err(failed)?;
    let Some(score) = SCORE.with_borrow(Clone::clone) else { return Ok(0.0) };
    let object = codec::read_object(body(context)?).map_err(damaged)?;
    score(&object).map_err(failed)
}

/// Registers the functions with a connection.
///
/// # Errors
/// SQLite's.
pub fn register(connection: &Connection) -> rusqlite::Result<()> {
    let fixed = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    for (name, sparse, folded) in
        [("rk", false, false), ("rks", true, false), ("rkc", false, true), ("rkcs", true, true)]
    {
        connection.create_scalar_function(name, 2, fixed, move |context| {
            index_key(context, sparse, folded).map(ToSqlOutput::Owned)
        })?;
    }
    connection.create_scalar_function("rsort", 3, fixed, sort_key)?;
    connection.create_scalar_function("rany", 4, fixed, any_of)?;
    connection.create_scalar_function("rhas", 2, fixed, |context| {
        codec::has_field(body(context)?, text(context, 1)?).map_err(damaged)
    })?;
    connection.create_scalar_function("rdate", 1, fixed, |context| {
        context.get::<i64>(0).map(|millis| keys::key(&Value::Date(Date::from_millis(millis)), false))
    })?;
    let changing = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("rtest", 1, changing, row_test)?;
    connection.create_scalar_function("rscore", 1, changing, row_score)
}

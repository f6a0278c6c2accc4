//! Objects of any class: what both protocols call.

use serde_json::{Map, Value as Json};

use crate::domain::delete;
use crate::domain::kernel::context::Context;
use crate::domain::read::{self, Found, Known, ReadRequest};
use crate::domain::schema::check::known_class;
use crate::domain::write::{self, SaveRequest, Saved};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::rows::JsonRows;

/// Makes an object.
///
/// # Errors
/// As the write pipeline.
pub async fn create(cx: &Context, class: &str, body: Map<String, Json>) -> Result<Saved> {
    write::save(cx, SaveRequest { class: writable(class)?, id: None, body }).await
}

/// Changes an object.
///
/// # Errors
/// As the write pipeline; 101 when there is none that the caller may write.
pub async fn update(cx: &Context, class: &str, id: &str, body: Map<String, Json>) -> Result<Saved> {
    write::save(cx, SaveRequest { class: writable(class)?, id: Some(id.to_owned()), body }).await
}

/// Deletes an object.
///
/// # Errors
/// 101 when there is none that the caller may write.
pub async fn delete(cx: &Context, class: &str, id: &str) -> Result<()> {
    delete::delete(cx, &ClassName::unchecked(class), id).await
}

/// Finds objects. `parameters`: those of the find route (`where`, `order`, `limit`, …).
///
/// # Errors
/// As the read pipeline.
pub async fn find(cx: &Context, class: &str, parameters: Map<String, Json>) -> Result<Found> {
    let class = ClassName::unchecked(class);
    let request = ReadRequest::find(cx, &known_class(cx, &class), parameters)?;
    read::find(cx, &class, request).await
}

/// As [`find`], the objects as JSON.
///
/// # Errors
/// As [`find`].
pub async fn find_json(cx: &Context, class: &str, parameters: Map<String, Json>) -> Result<Found<JsonRows>> {
    let class = ClassName::unchecked(class);
    let request = ReadRequest::find(cx, &known_class(cx, &class), parameters)?;
    read::find_json(cx, &class, request).await
}

/// Reads an object.
///
/// # Errors
/// 101 when there is none that the caller may read.
pub async fn get(cx: &Context, class: &str, id: &str, parameters: Map<String, Json>) -> Result<Object> {
    read::get(cx, &ClassName::unchecked(class), id, ReadRequest::get(&parameters)?).await
}

/// Reads an object that the caller has just saved, as [`get`] does. `written`: the row that the save gave; where it tells all that
/// is asked for, the store is not asked again.
///
/// # Errors
/// As [`get`].
pub async fn get_saved(
    cx: &Context,
    class: &str,
    id: &str,
    parameters: Map<String, Json>,
    written: Option<Object>,
) -> Result<Object> {
    let known = written.map_or(Known::Nothing, Known::Written);
    read::get_known(cx, &ClassName::unchecked(class), id, ReadRequest::get(&parameters)?, known).await
}

/// As [`get`], the object as JSON.
///
/// # Errors
/// As [`get`].
pub async fn get_json(cx: &Context, class: &str, id: &str, parameters: Map<String, Json>) -> Result<Vec<u8>> {
    read::get_json(cx, &ClassName::unchecked(class), id, ReadRequest::get(&parameters)?).await
}

/// A class name that can be written to; the hidden classes keep their name, so that they are refused as such.
fn writable(name: &str) -> Result<ClassName> {
    let class = ClassName::unchecked(name);
    if names::is_valid_class_name(name) || class.is_internal() {
        Ok(class)
    } else {
        Err(ParseError::new(ErrorCode::InvalidJson, "schema class name does not revalidate"))
    }
}

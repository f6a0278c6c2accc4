//! Operations on objects of any class with parameters in REST's form (JSON maps), which are parsed here. Callers with
//! typed commands call the pipelines directly.

use serde_json::{Map, Value as Json};

use crate::domain::delete;
use crate::domain::kernel::commands::{Delete, FindQuery, GetQuery, Save};
use crate::domain::kernel::context::Context;
use crate::domain::permissions::{Operation, admit, scope};
use crate::domain::read::{self, CachedRow, Found};
use crate::domain::write::{self, Saved};
use crate::error::Result;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::query::parameters::QueryParameters;
use crate::model::rows::JsonRows;

/// Creates an object.
///
/// # Errors
/// Those of the write pipeline.
pub async fn create(cx: &Context, class: &str, body: Map<String, Json>) -> Result<Saved> {
    write::save(cx, Save::create(class, body)?).await
}

/// Updates an object.
///
/// # Errors
/// Those of the write pipeline; 101 if no object with this id is writable by the caller.
pub async fn update(cx: &Context, class: &str, id: &str, body: Map<String, Json>) -> Result<Saved> {
    write::save(cx, Save::update(class, id, body)?).await
}

/// Deletes an object.
///
/// # Errors
/// 101 if no object with this id is writable by the caller.
pub async fn delete(cx: &Context, class: &str, id: &str) -> Result<()> {
    delete::delete(cx, Delete::new(class, id)).await
}

/// Finds objects. `parameters` are those of the find route ([`FindQuery::read`]).
///
/// # Errors
/// Those of the read pipeline.
pub async fn find(cx: &Context, class: &str, parameters: Map<String, Json>) -> Result<Found> {
    let query = FindQuery::read(cx, class, parameters);
    read::find(cx, permitted(cx, class, query).await?).await
}

/// A query with a client's condition, in Parse's query language, and typed parameters.
///
/// # Errors
/// As [`FindQuery::new`]; 119 for a caller who may not find in the class.
pub async fn query(
    cx: &Context,
    class: &str,
    condition: Map<String, Json>,
    parameters: QueryParameters,
) -> Result<FindQuery> {
    let query = FindQuery::new(cx, ClassName::unchecked(class), condition, parameters);
    permitted(cx, class, query).await
}

/// A caller who may not find in the class is told so, whatever else is wrong with the query.
async fn permitted(cx: &Context, class: &str, query: Result<FindQuery>) -> Result<FindQuery> {
    match query {
        Ok(query) => Ok(query),
        Err(error) => {
            let class = ClassName::unchecked(class);
            admit::refuse_caller(cx, &class, Operation::Find)?;
            scope::admit(cx, &cx.class(&class), Operation::Find).await?;
            Err(error)
        }
    }
}

/// Like [`find`], with the objects as JSON text.
///
/// # Errors
/// As [`find`].
pub async fn find_json(cx: &Context, class: &str, parameters: Map<String, Json>) -> Result<Found<JsonRows>> {
    let query = FindQuery::read(cx, class, parameters);
    read::find_json(cx, permitted(cx, class, query).await?).await
}

/// Gets an object by its id.
///
/// # Errors
/// 101 if no object with this id is readable by the caller.
pub async fn get(cx: &Context, class: &str, id: &str, parameters: Map<String, Json>) -> Result<Object> {
    read::get(cx, GetQuery::read(cx, class, id, &parameters)?).await
}

/// Gets an object that the caller has just saved, like [`get`]. `written` is the row that the save returned; if it
/// contains all requested fields, the store is not read again.
///
/// # Errors
/// As [`get`].
pub async fn get_saved(
    cx: &Context,
    class: &str,
    id: &str,
    parameters: QueryParameters,
    written: Option<Object>,
) -> Result<Object> {
    let known = written.map_or(CachedRow::None, CachedRow::Written);
    read::get_known(cx, GetQuery::new(class, id, parameters), known).await
}

/// Like [`get`], with the object as JSON text.
///
/// # Errors
/// As [`get`].
pub async fn get_json(cx: &Context, class: &str, id: &str, parameters: Map<String, Json>) -> Result<Vec<u8>> {
    read::get_json(cx, GetQuery::read(cx, class, id, &parameters)?).await
}

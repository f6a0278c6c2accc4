//! Objects of any class, asked for in REST's form: maps of JSON, which are read once, here. Callers that have typed commands call the
//! pipelines themselves.

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

/// Makes an object.
///
/// # Errors
/// As the write pipeline.
pub async fn create(cx: &Context, class: &str, body: Map<String, Json>) -> Result<Saved> {
    write::save(cx, Save::create(class, body)?).await
}

/// Changes an object.
///
/// # Errors
/// As the write pipeline; 101 when there is none that the caller may write.
pub async fn update(cx: &Context, class: &str, id: &str, body: Map<String, Json>) -> Result<Saved> {
    write::save(cx, Save::update(class, id, body)?).await
}

/// Deletes an object.
///
/// # Errors
/// 101 when there is none that the caller may write.
pub async fn delete(cx: &Context, class: &str, id: &str) -> Result<()> {
    delete::delete(cx, Delete::new(class, id)).await
}

/// Finds objects. `parameters`: those of the find route, as [`FindQuery::read`] takes them.
///
/// # Errors
/// As the read pipeline.
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

/// As [`find`], the objects as JSON.
///
/// # Errors
/// As [`find`].
pub async fn find_json(cx: &Context, class: &str, parameters: Map<String, Json>) -> Result<Found<JsonRows>> {
    let query = FindQuery::read(cx, class, parameters);
    read::find_json(cx, permitted(cx, class, query).await?).await
}

/// Reads an object.
///
/// # Errors
/// 101 when there is none that the caller may read.
pub async fn get(cx: &Context, class: &str, id: &str, parameters: Map<String, Json>) -> Result<Object> {
    read::get(cx, GetQuery::read(cx, class, id, &parameters)?).await
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
    parameters: QueryParameters,
    written: Option<Object>,
) -> Result<Object> {
    let known = written.map_or(CachedRow::None, CachedRow::Written);
    read::get_known(cx, GetQuery::new(class, id, parameters), known).await
}

/// As [`get`], the object as JSON.
///
/// # Errors
/// As [`get`].
pub async fn get_json(cx: &Context, class: &str, id: &str, parameters: Map<String, Json>) -> Result<Vec<u8>> {
    read::get_json(cx, GetQuery::read(cx, class, id, &parameters)?).await
}

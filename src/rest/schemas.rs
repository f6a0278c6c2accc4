//! Routes of the schema: classes, their fields, permissions and indexes.

use poem::http::Method;
use serde_json::{Value as Json, json};

use super::call::{Call, JsonMap};
use super::describe::{ClassSchema, ClassSchemas, Nothing};
use super::openapi::Tag;
use super::reply;
use super::route::{Access, Outcome, Route};
use crate::domain::features::schemas;

const ALL: &str = "/schemas";
const ONE: &str = "/schemas/{className}";

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::hidden(Method::GET, ALL, "listSchemas", all)
            .access(Access::Master)
            .documented::<ClassSchemas>(Tag::Schemas, "Get all classes."),
        Route::hidden(Method::GET, ONE, "getSchema", get)
            .access(Access::Master)
            .documented::<ClassSchema>(Tag::Schemas, "Get a class."),
        Route::hidden(Method::POST, ALL, "createSchema", create)
            .access(Access::Master)
            .documented::<ClassSchema>(Tag::Schemas, "Create a class; the body contains its name.")
            .json::<ClassSchema>(),
        Route::hidden(Method::POST, ONE, "createNamedSchema", create_named)
            .access(Access::Master)
            .documented::<ClassSchema>(Tag::Schemas, "Create a class.")
            .json::<ClassSchema>(),
        Route::hidden(Method::PUT, ONE, "updateSchema", update)
            .access(Access::Master)
            .documented::<ClassSchema>(Tag::Schemas, "Add and delete fields and indexes, set permissions.")
            .json::<ClassSchema>(),
        Route::hidden(Method::DELETE, ONE, "deleteSchema", delete)
            .access(Access::Master)
            .documented::<Nothing>(Tag::Schemas, "Delete a class that has no objects."),
    ]
}

/// The body of a class. Empty arrays in it count as empty objects, because PHP sends those.
fn take_schema(call: &mut Call) -> JsonMap {
    let mut body = call.take_body();
    for name in ["fields", "indexes", "classLevelPermissions"] {
        if let Some(value @ Json::Array(_)) = body.get_mut(name)
            && value.as_array().is_some_and(Vec::is_empty)
        {
            *value = Json::Object(JsonMap::new());
        }
    }
    body
}

async fn all(call: Call) -> Outcome {
    reply::json(&json!({ "results": schemas::all(&call.cx).await? }))
}

async fn get(call: Call) -> Outcome {
    reply::json(&schemas::get(&call.cx, call.path("className")?).await?)
}

async fn create(mut call: Call) -> Outcome {
    let body = take_schema(&mut call);
    reply::json(&schemas::create(&call.cx, None, body).await?)
}

async fn create_named(mut call: Call) -> Outcome {
    let body = take_schema(&mut call);
    reply::json(&schemas::create(&call.cx, Some(call.path("className")?), body).await?)
}

async fn update(mut call: Call) -> Outcome {
    let body = take_schema(&mut call);
    reply::json(&schemas::update(&call.cx, call.path("className")?, body).await?)
}

async fn delete(call: Call) -> Outcome {
    schemas::delete(&call.cx, call.path("className")?).await?;
    Ok(reply::empty())
}

//! Routes of objects of any class.

use poem::http::Method;
use serde_json::json;

use super::call::Call;
use super::describe::{Created, Fields, Nothing, ParseObject, Results};
use super::openapi::Tag;
use super::openapi::parameters::AGGREGATE;
use super::reply;
use super::resource::Resource;
use super::route::{Access, Outcome, Route};
use crate::domain::aggregate;
use crate::domain::features::schemas;

const OBJECTS: Resource = Resource {
    class: None,
    all: "/classes/{className}",
    one: "/classes/{className}/{objectId}",
    tag: Tag::Classes,
    access: Access::Application,
    triggers: true,
};

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        OBJECTS.create::<Fields, Created>("createObject", "Create an object.").idempotent(),
        OBJECTS.find("findObjects", "Query objects."),
        OBJECTS.get::<ParseObject>("getObject", "Get an object."),
        OBJECTS.update("updateObject", "Update an object.").idempotent(),
        OBJECTS.delete("deleteObject", "Delete an object."),
        Route::hidden(Method::DELETE, "/purge/{className}", "purgeClass", purge)
            .access(Access::Master)
            .documented::<Nothing>(Tag::Classes, "Delete all objects of a class."),
        Route::hidden(Method::GET, "/aggregate/{className}", "aggregate", run_pipeline)
            .access(Access::Master)
            .documented::<Results>(Tag::Classes, "Run an aggregation pipeline.")
            .query(&[AGGREGATE]),
    ]
}

async fn purge(call: Call) -> Outcome {
    schemas::purge(&call.cx, call.path("className")?).await?;
    Ok(reply::empty())
}

async fn run_pipeline(mut call: Call) -> Outcome {
    let parameters = call.take_parameters();
    let results = aggregate::aggregate(&call.cx, call.path("className")?, parameters).await?;
    reply::json(&json!({ "results": results }))
}

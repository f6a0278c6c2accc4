//! Routes of the application's configuration and of the GraphQL configuration.

use poem::http::Method;

use super::call::Call;
use super::describe::{Config, Fields, Outcome as Result};
use super::openapi::Tag;
use super::reply;
use super::route::{Access, Outcome, Route};
use crate::domain::features::{global_config, graphql_config};

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::hidden(Method::GET, "/config", "getConfig", get)
            .documented::<Config>(Tag::Administration, "Get the parameters that the caller may read."),
        Route::hidden(Method::PUT, "/config", "updateConfig", update)
            .access(Access::Master)
            .documented::<Result>(Tag::Administration, "Set and delete parameters.")
            .json::<Config>(),
        Route::hidden(Method::GET, "/graphql-config", "getGraphQLConfig", get_graphql)
            .access(Access::Master)
            .documented::<Fields>(Tag::Administration, "Get the configuration of classes in the GraphQL API."),
        Route::hidden(Method::PUT, "/graphql-config", "updateGraphQLConfig", update_graphql)
            .access(Access::Master)
            .documented::<Result>(Tag::Administration, "Set the configuration of classes in the GraphQL API.")
            .json::<Config>(),
    ]
}

async fn get(call: Call) -> Outcome {
    reply::json(&global_config::get(&call.cx).await?)
}

async fn update(mut call: Call) -> Outcome {
    let body = call.take_body();
    reply::json(&global_config::update(&call.cx, body).await?)
}

async fn get_graphql(call: Call) -> Outcome {
    reply::json(&graphql_config::get(&call.cx).await?)
}

async fn update_graphql(mut call: Call) -> Outcome {
    let mut body = call.take_body();
    reply::json(&graphql_config::update(&call.cx, body.remove("params")).await?)
}

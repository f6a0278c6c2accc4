//! Push messages and audiences.

use poem::http::{HeaderValue, Method};
use serde_json::json;

use super::call::Call;
use super::describe::{Created, Fields, Nothing, Outcome as Result, ParseObject, Push, Results, Updated};
use super::openapi::Tag;
use super::openapi::parameters::{FIND, GET};
use super::reply;
use super::route::{Access, Outcome, Route};
use crate::domain::features::{audiences, push};
use crate::error::ParseError;

const ALL: &str = "/push_audiences";
const ONE: &str = "/push_audiences/{objectId}";

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::hidden(Method::POST, "/push", "sendPush", send)
            .access(Access::Master)
            .refuses_read_only("read-only masterKey isn't allowed to send push notifications.")
            .documented::<Result>(Tag::Push, "Send a push message.")
            .json::<Push>(),
        Route::hidden(Method::GET, ALL, "findPushAudiences", find)
            .access(Access::Master)
            .documented::<Results>(Tag::Push, "Query audiences.")
            .query(&[FIND]),
        Route::hidden(Method::POST, ALL, "createPushAudience", create)
            .access(Access::Master)
            .documented::<Created>(Tag::Push, "Create an audience.")
            .json::<Fields>()
            .creates(),
        Route::hidden(Method::GET, ONE, "getPushAudience", get)
            .access(Access::Master)
            .documented::<ParseObject>(Tag::Push, "Get an audience.")
            .query(&[GET]),
        Route::hidden(Method::PUT, ONE, "updatePushAudience", update)
            .access(Access::Master)
            .documented::<Updated>(Tag::Push, "Update an audience.")
            .json::<Fields>(),
        Route::hidden(Method::DELETE, ONE, "deletePushAudience", delete)
            .access(Access::Master)
            .documented::<Nothing>(Tag::Push, "Delete an audience."),
    ]
}

async fn send(mut call: Call) -> Outcome {
    let body = call.take_body();
    let id = push::send(&call.cx, body).await?;
    let mut response = reply::json(&json!({ "result": true }))?;
    let id = HeaderValue::from_str(&id).map_err(ParseError::internal)?;
    response.headers_mut().insert("X-Parse-Push-Status-Id", id);
    Ok(response)
}

async fn find(mut call: Call) -> Outcome {
    let parameters = call.take_parameters();
    reply::found(&audiences::find(&call.cx, parameters).await?.into_json()?)
}

async fn create(mut call: Call) -> Outcome {
    let body = call.take_body();
    reply::saved(&call.cx, &audiences::create(&call.cx, body).await?)
}

async fn get(mut call: Call) -> Outcome {
    let parameters = call.take_parameters();
    reply::json(&audiences::get(&call.cx, call.path("objectId")?, parameters).await?)
}

async fn update(mut call: Call) -> Outcome {
    let body = call.take_body();
    reply::saved(&call.cx, &audiences::update(&call.cx, call.path("objectId")?, body).await?)
}

async fn delete(call: Call) -> Outcome {
    audiences::delete(&call.cx, call.path("objectId")?).await?;
    Ok(reply::empty())
}

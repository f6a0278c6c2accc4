//! Health, server information, security check, log.

use poem::Response;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem_openapi::registry::{MetaMediaType, MetaResponse, Registry};
use poem_openapi::types::Type as _;

use super::call::Call;
use super::describe::{self, Fields, Outcome as Result, ServerInfo};
use super::openapi::Tag;
use super::openapi::parameters::LOGS;
use super::reply;
use super::route::{Access, Outcome, Route};
use crate::domain::features::live_query::LiveQueries;
use crate::domain::features::{health, logs, security, server_info};
use crate::error::{ErrorCode, ParseError};
use crate::http::answer;

/// An unhealthy response: `status` is for probes that were written for parse-server, `error` is the usual form of
/// errors.
const UNHEALTHY: &[u8] = br#"{"status":"error","error":"The database does not answer."}"#;
/// The reason is in the log: it may hold the app's code.
const NO_CLOUD_CODE: &[u8] = br#"{"status":"error","error":"Cloud code does not run."}"#;

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::hidden(Method::GET, "/health", "getHealth", check_health)
            .any_method()
            .access(Access::Public)
            .stream()
            .documented::<describe::Health>(
                Tag::Health,
                "Check whether the server and its database are available. Needs no application id and accepts any method.",
            )
            .responses(register_health, health_responses),
        Route::hidden(Method::GET, "/serverInfo", "getServerInfo", get_server_info)
            .access(Access::Master)
            .documented::<ServerInfo>(Tag::Administration, "Get the features of the server."),
        Route::hidden(Method::GET, "/security", "getSecurityReport", security_report)
            .access(Access::Master)
            .documented::<Result>(Tag::Administration, "Run the security check and get its report."),
        Route::hidden(Method::GET, "/scriptlog", "getLogs", read_logs)
            .access(Access::Master)
            .documented::<Vec<Fields>>(Tag::Administration, "Get the latest lines of the log.")
            .query(&[LOGS]),
        Route::hidden(Method::POST, "/validate_purchase", "validatePurchase", validate_purchase)
            .documented::<Result>(Tag::Administration, "Validate the receipt of a purchase.")
            .json::<Fields>(),
    ]
}

fn register_health(registry: &mut Registry) {
    describe::Health::register(registry);
    describe::Error::register(registry);
}

fn health_responses() -> Vec<MetaResponse> {
    let response = |status, description, schema| MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType { content_type: "application/json", schema }],
        headers: Vec::new(),
    };
    vec![
        response(200, "The server is healthy.", describe::Health::schema_ref()),
        response(400, "The route is not on the list of allowed routes.", describe::Error::schema_ref()),
        response(429, "Too many requests. Retry after the time given in `Retry-After`.", describe::Error::schema_ref()),
        response(503, "The database does not answer, or cloud code does not run.", describe::Error::schema_ref()),
    ]
}

async fn check_health(call: Call) -> Outcome {
    let app = &call.cx.app;
    let body = if let Err(error) = health::check(app).await {
        tracing::warn!(%error, "the database is not responding");
        UNHEALTHY
    } else if let Some(reason) = app.triggers.failure() {
        tracing::warn!(reason, "cloud code does not run");
        NO_CLOUD_CODE
    } else {
        return Ok(reply::bytes(match LiveQueries::of(app)?.flow() {
            Ok(()) => b"{\"status\":\"ok\"}".to_vec(),
            // Requests are answered all the same.
            Err(reason) => format!("{{\"status\":\"ok\",\"liveQueries\":\"{reason}\"}}").into_bytes(),
        }));
    };
    let mut response: Response = answer::json(StatusCode::SERVICE_UNAVAILABLE, body.to_vec());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    Ok(response)
}

async fn get_server_info(call: Call) -> Outcome {
    reply::json(&server_info::get(&call.cx)?)
}

async fn security_report(call: Call) -> Outcome {
    reply::json(&security::report(&call.cx)?)
}

async fn read_logs(mut call: Call) -> Outcome {
    let parameters = call.take_parameters();
    reply::json(&logs::read(&call.cx, &parameters)?)
}

async fn validate_purchase(mut call: Call) -> Outcome {
    if !call.cx.app.options.server.enable_product_purchase_legacy_api {
        return Err(ParseError::unknown_route());
    }
    let body = call.take_body();
    let given = |key: &str| body.get(key).is_some_and(|value| !value.is_null());
    if given("receipt") && given("productIdentifier") {
        return Err(reply::unavailable("Validation of purchases"));
    }
    Err(ParseError::new(ErrorCode::InvalidJson, "missing receipt or productIdentifier"))
}

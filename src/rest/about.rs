//! Server information, security check, log.

use poem::http::Method;

use super::call::Call;
use super::describe::{Fields, Outcome as Result, ServerInfo};
use super::openapi::Tag;
use super::openapi::parameters::LOGS;
use super::reply;
use super::route::{Access, Outcome, Route};
use crate::domain::features::{logs, security, server_info};
use crate::error::{ErrorCode, ParseError};

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
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

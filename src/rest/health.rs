//! Whether the server is well, and what it can do.

use std::sync::Arc;

use poem::http::{HeaderValue, StatusCode, header};
use poem::{FromRequest, IntoResponse, Request, RequestBody, Response};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type as _;
use poem_openapi::{ApiResponse, OpenApi};

use super::describe;
use super::error::Refusal;
use super::openapi::Tag;
use super::payload::{Answer, MasterCaller, Parameters, Reply};
use crate::domain::features::health;
use crate::domain::features::logs;
use crate::domain::features::security;
use crate::domain::features::server_info;
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::unauthorized;
use crate::error::{ErrorCode, ParseError};
use crate::http::answer;

/// Whether the server is well, and what it can do.
pub struct HealthApi;

/// The app, for the one route that has no context.
pub struct Server(Arc<App>);

impl<'a> FromRequest<'a> for Server {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let app = request.data::<Arc<App>>().ok_or_else(|| Refusal(unauthorized()))?;
        Ok(Self(app.clone()))
    }
}

/// The answer of `/health`.
pub struct Condition {
    well: bool,
}

/// `status` is what parse-server's probes read; `error` makes it an error like every other.
const UNWELL: &[u8] = br#"{"status":"error","error":"The database does not answer."}"#;

impl IntoResponse for Condition {
    fn into_response(self) -> Response {
        if self.well {
            return answer::json(StatusCode::OK, b"{\"status\":\"ok\"}".to_vec());
        }
        let mut response = answer::json(StatusCode::SERVICE_UNAVAILABLE, UNWELL.to_vec());
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        response
    }
}

impl ApiResponse for Condition {
    fn meta() -> MetaResponses {
        let response = |status, description, schema| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema }],
            headers: Vec::new(),
        };
        MetaResponses {
            responses: vec![
                response(200, "The server is well.", describe::Health::schema_ref()),
                response(400, "The route is not on the list of allowed routes.", describe::Error::schema_ref()),
                response(503, "The database does not answer.", describe::Error::schema_ref()),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        describe::Health::register(registry);
        describe::Error::register(registry);
    }
}

#[OpenApi]
impl HealthApi {
    /// Whether the server answers and reaches its database. Needs no application id; any method will do.
    #[oai(path = "/health", method = "get", operation_id = "getHealth", tag = "Tag::Health")]
    async fn health(&self, server: Server) -> Condition {
        let answer = health::check(&server.0).await;
        if let Err(error) = &answer {
            tracing::warn!(%error, "the database does not answer");
        }
        Condition { well: answer.is_ok() }
    }

    /// What the server can do.
    #[oai(path = "/serverInfo", method = "get", operation_id = "getServerInfo", tag = "Tag::Administration")]
    async fn server_info(&self, caller: MasterCaller) -> Answer<describe::ServerInfo> {
        Reply::new(&server_info::get(&caller.0)?)
    }

    /// The report of the security check.
    #[oai(path = "/security", method = "get", operation_id = "getSecurityReport", tag = "Tag::Administration")]
    async fn security(&self, caller: MasterCaller) -> Answer<describe::Outcome> {
        Reply::new(&security::report(&caller.0)?)
    }

    /// The last lines of the log.
    #[oai(path = "/scriptlog", method = "get", operation_id = "getLogs", tag = "Tag::Administration")]
    async fn logs(&self, caller: MasterCaller, parameters: Parameters) -> Answer<Vec<describe::Fields>> {
        Reply::new(&logs::read(&caller.0, &parameters.0)?)
    }

    /// Check a receipt of a purchase.
    #[oai(path = "/validate_purchase", method = "post", operation_id = "validatePurchase", tag = "Tag::Administration")]
    async fn validate_purchase(
        &self,
        caller: super::payload::Caller,
        body: super::payload::Body<describe::Fields>,
    ) -> Answer<describe::Outcome> {
        if !caller.0.app.options.server.enable_product_purchase_legacy_api {
            return Err(ParseError::unknown_route().into());
        }
        let given = |key: &str| body.0.get(key).is_some_and(|value| !value.is_null());
        if given("receipt") && given("productIdentifier") {
            return Err(super::payload::unavailable("Validation of purchases"));
        }
        Err(ParseError::new(ErrorCode::InvalidJson, "missing receipt or productIdentifier").into())
    }
}

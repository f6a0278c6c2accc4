//! Whether the server is well, and what it can do.

use std::sync::Arc;

use poem_openapi::OpenApi;
use serde_json::json;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, MasterCaller, Reply};
use crate::domain::app::App;
use crate::domain::security;
use crate::error::{ErrorCode, ParseError};

/// The version of parse-server whose behaviour this server has; SDKs and dashboards go by it.
pub const PARSE_SERVER_VERSION: &str = "9.10.0";

/// Whether the server is well, and what it can do.
pub struct HealthApi {
    /// The server.
    pub app: Arc<App>,
}

#[OpenApi]
impl HealthApi {
    /// Whether the server answers and reaches its database. Needs no application id; any method will do.
    #[oai(path = "/health", method = "get", operation_id = "getHealth", tag = "Tag::Health")]
    async fn health(&self) -> Answer<describe::Health> {
        match self.app.storage.ping().await {
            Ok(()) => Ok(Reply::of_bytes(b"{\"status\":\"ok\"}".to_vec())),
            Err(error) => Err(ParseError::unavailable("error", 1).with_source(error).into()),
        }
    }

    /// What the server can do.
    #[oai(path = "/serverInfo", method = "get", operation_id = "getServerInfo", tag = "Tag::Administration")]
    async fn server_info(&self, caller: MasterCaller) -> Answer<describe::ServerInfo> {
        caller.0.require_master()?;
        let options = &self.app.options;
        let all = json!({ "create": true, "read": true, "update": true, "delete": true });
        Reply::new(&json!({
            "features": {
                "globalConfig": all,
                "hooks": all,
                "cloudCode": { "jobs": true },
                "logs": { "level": true, "size": true, "order": true, "until": true, "from": true },
                "push": {
                    "immediatePush": false,
                    "scheduledPush": options.push.scheduled_push,
                    "storedPushData": false,
                    "pushAudiences": true,
                    "localization": true,
                },
                "schemas": {
                    "addField": true,
                    "removeField": true,
                    "addClass": true,
                    "removeClass": true,
                    "clearAllDataFromClass": true,
                    "exportClass": false,
                    "editClassLevelPermissions": true,
                    "editPointerPermissions": true,
                },
                "settings": { "securityCheck": options.security.check.enable_check },
            },
            "parseServerVersion": PARSE_SERVER_VERSION,
        }))
    }

    /// The report of the security check.
    #[oai(path = "/security", method = "get", operation_id = "getSecurityReport", tag = "Tag::Administration")]
    async fn security(&self, caller: MasterCaller) -> Answer<describe::Outcome> {
        Reply::new(&security::report(&caller.0)?)
    }

    /// Rows of the log.
    #[oai(path = "/scriptlog", method = "get", operation_id = "getLogs", tag = "Tag::Administration")]
    async fn logs(&self, caller: MasterCaller) -> Answer<Vec<describe::Fields>> {
        caller.0.require_master()?;
        Err(super::payload::unavailable("The log"))
    }

    /// Check a receipt of a purchase.
    #[oai(path = "/validate_purchase", method = "post", operation_id = "validatePurchase", tag = "Tag::Administration")]
    async fn validate_purchase(
        &self,
        _caller: super::payload::Caller,
        body: super::payload::Body<describe::Fields>,
    ) -> Answer<describe::Outcome> {
        let given = |key: &str| body.0.get(key).is_some_and(|value| !value.is_null());
        if given("receipt") && given("productIdentifier") {
            return Err(super::payload::unavailable("Validation of purchases"));
        }
        Err(ParseError::new(ErrorCode::InvalidJson, "missing receipt or productIdentifier").into())
    }
}

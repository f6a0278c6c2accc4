//! Addresses, urls and limits of the HTTP server.

use super::declare::Status::{Harmless, NotYet, Supported};
use super::declare::{group, options};
use super::free::Free;
use super::network::TrustProxy;
use super::values::{ByteSize, TextList};

options! {
    /// Addresses, urls, limits of the HTTP server.
    pub struct Server {
        /// Listening address.
        host: String = "0.0.0.0".to_owned(), "host", "PARSE_SERVER_HOST", Supported;
        /// Listening port.
        port: u16 = 1337, "port", "PORT", Supported;
        /// Path of the REST API.
        mount_path: String = "/parse".to_owned(), "mountPath", "PARSE_SERVER_MOUNT_PATH", Supported;
        /// Url of the REST API for the server itself (none given: from port and mountPath).
        server_url: Option<String> = None, "serverURL", "PARSE_SERVER_URL", Supported;
        /// Url of the REST API as seen from outside; base of links and Location.
        public_server_url: Option<String> = None, "publicServerURL", "PARSE_PUBLIC_SERVER_URL", Supported;
        /// Application name, used in mails.
        app_name: Option<String> = None, "appName", "PARSE_SERVER_APP_NAME", Supported;
        /// Largest request body.
        max_upload_size: ByteSize = ByteSize::parse("20mb").unwrap_or_else(ByteSize::zero), "maxUploadSize", "PARSE_SERVER_MAX_UPLOAD_SIZE", Supported;
        /// Whose `X-Forwarded-For` is believed: true (everybody), a number of proxies, or a list of their addresses.
        trust_proxy: TrustProxy = TrustProxy::Nobody, "trustProxy", "PARSE_SERVER_TRUST_PROXY", Supported;
        /// Additional names for Access-Control-Allow-Headers.
        allow_headers: Vec<String> = Vec::new(), "allowHeaders", "PARSE_SERVER_ALLOW_HEADERS", Supported;
        /// Allowed origin(s) for cross-origin requests.
        allow_origin: Option<TextList> = None, "allowOrigin", "PARSE_SERVER_ALLOW_ORIGIN", Supported;
        /// Entries of the in-memory cache.
        cache_max_size: u64 = 10_000, "cacheMaxSize", "PARSE_SERVER_CACHE_MAX_SIZE", Supported;
        /// Lifetime (ms) of cached sessions and roles.
        cache_ttl: u64 = 5000, "cacheTTL", "PARSE_SERVER_CACHE_TTL", Supported;
        /// Request de-duplication.
        idempotency: Idempotency = Idempotency::default(), "idempotencyOptions", "PARSE_SERVER_EXPERIMENTAL_IDEMPOTENCY_OPTIONS", Supported;
        /// Check serverURL at start.
        verify_server_url: bool = true, "verifyServerUrl", "PARSE_SERVER_VERIFY_SERVER_URL", Harmless("the server never calls itself by its url");
        /// SDK calls of cloud code reach the API directly, not by HTTP.
        direct_access: bool = true, "directAccess", "PARSE_SERVER_DIRECT_ACCESS", Supported;
        /// Number of worker processes.
        cluster: Option<Free> = None, "cluster", "PARSE_SERVER_CLUSTER", NotYet;
        /// Cloud code: the path of its main file.
        cloud: Option<String> = None, "cloud", "PARSE_SERVER_CLOUD", Supported;
        /// Receiver of `/events` calls.
        analytics_adapter: Option<Free> = None, "analyticsAdapter", "PARSE_SERVER_ANALYTICS_ADAPTER", NotYet;
        /// Cache implementation.
        cache_adapter: Option<Free> = None, "cacheAdapter", "PARSE_SERVER_CACHE_ADAPTER", NotYet;
        /// Offer `/validate_purchase`.
        enable_product_purchase_legacy_api: bool = true, "enableProductPurchaseLegacyApi", "PARSE_SERVER_ENABLE_PRODUCT_PURCHASE_LEGACY_API", Supported;
        /// Hand errors to the framework's handler.
        enable_express_error_handler: bool = false, "enableExpressErrorHandler", "PARSE_SERVER_ENABLE_EXPRESS_ERROR_HANDLER", Harmless("there is no Express here");
        /// Own middleware.
        middleware: Option<String> = None, "middleware", "PARSE_SERVER_MIDDLEWARE", NotYet;
        /// Own middleware before routing.
        request_context_middleware: Option<String> = None, "requestContextMiddleware", "PARSE_SERVER_REQUEST_CONTEXT_MIDDLEWARE", NotYet;
        /// Callback after shutdown.
        server_close_complete: Option<String> = None, "serverCloseComplete", "PARSE_SERVER_SERVER_CLOSE_COMPLETE", NotYet;
    }
}

group! {
    /// Requests that are recognised when they come twice.
    pub struct Idempotency {
        /// Patterns of paths (anchored at the start) to de-duplicate.
        paths: Vec<String> = Vec::new(), "paths", "PARSE_SERVER_EXPERIMENTAL_IDEMPOTENCY_PATHS", Supported;
        /// Seconds a request id is remembered.
        ttl: f64 = 300.0, "ttl", "PARSE_SERVER_EXPERIMENTAL_IDEMPOTENCY_TTL", Supported;
    }
}

//! Options of the HTTP server: addresses, URLs, limits.

use super::declare::Status::{Harmless, NotYet, Supported};
use super::declare::{group, options};
use super::free::{Free, Module};
use super::network::TrustProxy;
use super::values::{ByteSize, TextList};

options! {
    /// Options of the HTTP server: addresses, URLs, limits.
    pub struct Server {
        /// Address that the server listens on.
        host: String = "0.0.0.0".to_owned(), "host", "PARSE_SERVER_HOST", Supported;
        /// Port that the server listens on.
        port: u16 = 1337, "port", "PORT", Supported;
        /// Path of the REST API.
        mount_path: String = "/parse".to_owned(), "mountPath", "PARSE_SERVER_MOUNT_PATH", Supported;
        /// URL of the REST API from the server's own machine (default: made from port and mountPath).
        server_url: Option<String> = None, "serverURL", "PARSE_SERVER_URL", Supported;
        /// URL of the REST API as clients see it. Links in mails and `Location` headers begin with it.
        public_server_url: Option<String> = None, "publicServerURL", "PARSE_PUBLIC_SERVER_URL", Supported;
        /// Name of the application, shown in mails.
        app_name: Option<String> = None, "appName", "PARSE_SERVER_APP_NAME", Supported;
        /// Maximum size of a request body.
        max_upload_size: ByteSize = ByteSize::parse("20mb").unwrap_or_else(ByteSize::zero), "maxUploadSize", "PARSE_SERVER_MAX_UPLOAD_SIZE", Supported;
        /// Proxies whose `X-Forwarded-For` is trusted: `true` (all), a number of proxies, or a list of their addresses.
        trust_proxy: TrustProxy = TrustProxy::Nobody, "trustProxy", "PARSE_SERVER_TRUST_PROXY", Supported;
        /// Additional header names for `Access-Control-Allow-Headers`.
        allow_headers: Vec<String> = Vec::new(), "allowHeaders", "PARSE_SERVER_ALLOW_HEADERS", Supported;
        /// Origins that may send cross-origin requests (default: all).
        allow_origin: Option<TextList> = None, "allowOrigin", "PARSE_SERVER_ALLOW_ORIGIN", Supported;
        /// Maximum number of entries in each in-memory cache.
        cache_max_size: u64 = 10_000, "cacheMaxSize", "PARSE_SERVER_CACHE_MAX_SIZE", Supported;
        /// Milliseconds for which sessions and roles are cached.
        cache_ttl: u64 = 5000, "cacheTTL", "PARSE_SERVER_CACHE_TTL", Supported;
        /// Deduplication of repeated requests by their `X-Parse-Request-Id`.
        idempotency: Idempotency = Idempotency::default(), "idempotencyOptions", "PARSE_SERVER_EXPERIMENTAL_IDEMPOTENCY_OPTIONS", Supported;
        /// Check at start that serverURL can be reached.
        verify_server_url: bool = true, "verifyServerUrl", "PARSE_SERVER_VERIFY_SERVER_URL", Harmless("the server never calls itself over HTTP");
        /// SDK calls of cloud code reach the API directly, not by HTTP.
        direct_access: bool = true, "directAccess", "PARSE_SERVER_DIRECT_ACCESS", Supported;
        /// Number of worker processes.
        cluster: Option<Free> = None, "cluster", "PARSE_SERVER_CLUSTER", Harmless("one process uses all cores");
        /// Path of the main file of cloud code.
        cloud: Option<String> = None, "cloud", "PARSE_SERVER_CLOUD", Supported;
        /// Adapter of the app that receives events (`/events`): a module that exports it.
        analytics_adapter: Option<Module> = None, "analyticsAdapter", "PARSE_SERVER_ANALYTICS_ADAPTER", Supported;
        /// Adapter that replaces the in-memory cache.
        cache_adapter: Option<Free> = None, "cacheAdapter", "PARSE_SERVER_CACHE_ADAPTER", NotYet;
        /// Serve `/validate_purchase`.
        enable_product_purchase_legacy_api: bool = true, "enableProductPurchaseLegacyApi", "PARSE_SERVER_ENABLE_PRODUCT_PURCHASE_LEGACY_API", Supported;
        /// Pass errors to Express's error handler.
        enable_express_error_handler: bool = false, "enableExpressErrorHandler", "PARSE_SERVER_ENABLE_EXPRESS_ERROR_HANDLER", Harmless("this server does not use Express");
        /// Custom Express middleware.
        middleware: Option<String> = None, "middleware", "PARSE_SERVER_MIDDLEWARE", NotYet;
        /// Middleware of Express that adds to the options that cloud code sees, for one request; in Node programs.
        request_context_middleware: Option<String> = None, "requestContextMiddleware", "PARSE_SERVER_REQUEST_CONTEXT_MIDDLEWARE", NotYet;
        /// Function that is called after shutdown.
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

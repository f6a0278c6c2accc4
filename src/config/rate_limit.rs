//! Rate limits.

use super::declare::Status::{NotYet, Supported};
use super::declare::group;
use super::values::{RateLimitZone, Secret, TextList};

group! {
    /// One rate limit.
    pub struct RateLimit {
        /// Text of the refusal.
        error_response_message: String = "Too many requests.".to_owned(), "errorResponseMessage", "PARSE_SERVER_RATE_LIMIT_ERROR_RESPONSE_MESSAGE", Supported;
        /// Also count requests from 127.0.0.1.
        include_internal_requests: bool = false, "includeInternalRequests", "PARSE_SERVER_RATE_LIMIT_INCLUDE_INTERNAL_REQUESTS", Supported;
        /// Also count master requests.
        include_master_key: bool = false, "includeMasterKey", "PARSE_SERVER_RATE_LIMIT_INCLUDE_MASTER_KEY", Supported;
        /// Share the counters through Redis.
        redis_url: Option<Secret> = None, "redisUrl", "PARSE_SERVER_RATE_LIMIT_REDIS_URL", NotYet;
        /// Requests per window.
        request_count: Option<u64> = None, "requestCount", "PARSE_SERVER_RATE_LIMIT_REQUEST_COUNT", Supported;
        /// Methods concerned: a list, or one pattern.
        request_methods: Option<TextList> = None, "requestMethods", "PARSE_SERVER_RATE_LIMIT_REQUEST_METHODS", Supported;
        /// Path pattern (required).
        request_path: String = String::new(), "requestPath", "PARSE_SERVER_RATE_LIMIT_REQUEST_PATH", Supported;
        /// Window in ms.
        request_time_window: Option<f64> = None, "requestTimeWindow", "PARSE_SERVER_RATE_LIMIT_REQUEST_TIME_WINDOW", Supported;
        /// Counted per ip, global, user or session.
        zone: RateLimitZone = RateLimitZone::Ip, "zone", "PARSE_SERVER_RATE_LIMIT_ZONE", Supported;
    }
}

//! Options of rate limits.

use super::declare::Status::Supported;
use super::declare::group;
use super::values::{RateLimitZone, Secret, TextList};

group! {
    /// One rate limit.
    pub struct RateLimit {
        /// Error message for requests above the limit.
        error_response_message: String = "Too many requests.".to_owned(), "errorResponseMessage", "PARSE_SERVER_RATE_LIMIT_ERROR_RESPONSE_MESSAGE", Supported;
        /// Count requests from 127.0.0.1 too.
        include_internal_requests: bool = false, "includeInternalRequests", "PARSE_SERVER_RATE_LIMIT_INCLUDE_INTERNAL_REQUESTS", Supported;
        /// Count requests with the master key too.
        include_master_key: bool = false, "includeMasterKey", "PARSE_SERVER_RATE_LIMIT_INCLUDE_MASTER_KEY", Supported;
        /// Redis server that holds the counters, so that servers count together (docs/scaling.md).
        redis_url: Option<Secret> = None, "redisUrl", "PARSE_SERVER_RATE_LIMIT_REDIS_URL", Supported;
        /// Maximum number of requests in a window (required).
        request_count: Option<u64> = None, "requestCount", "PARSE_SERVER_RATE_LIMIT_REQUEST_COUNT", Supported;
        /// HTTP methods that are counted: a list, or one pattern (default: all).
        request_methods: Option<TextList> = None, "requestMethods", "PARSE_SERVER_RATE_LIMIT_REQUEST_METHODS", Supported;
        /// Pattern of the paths that are counted (required).
        request_path: String = String::new(), "requestPath", "PARSE_SERVER_RATE_LIMIT_REQUEST_PATH", Supported;
        /// Length of a window in milliseconds (required).
        request_time_window: Option<f64> = None, "requestTimeWindow", "PARSE_SERVER_RATE_LIMIT_REQUEST_TIME_WINDOW", Supported;
        /// What has a counter of its own: each `ip`, `user` or `session`, or `global` for one counter.
        zone: RateLimitZone = RateLimitZone::Ip, "zone", "PARSE_SERVER_RATE_LIMIT_ZONE", Supported;
    }
}

//! Security options: what callers may read, request and send.

use super::declare::Status::{NotYet, Supported};
use super::declare::{group, options};
use super::free::Free;
use super::rate_limit::RateLimit;
use super::rules::{DeniedKeyword, Limit, ProtectedFields};

options! {
    /// Security options: what callers may read, request and send.
    pub struct Security {
        /// Replace the details of permission errors with a general message.
        enable_sanitized_error_response: bool = true, "enableSanitizedErrorResponse", "PARSE_SERVER_ENABLE_SANITIZED_ERROR_RESPONSE", Supported;
        /// Fields that are hidden, by class and by user, role or `*`.
        protected_fields: ProtectedFields = ProtectedFields::default(), "protectedFields", "PARSE_SERVER_PROTECTED_FIELDS", Supported;
        /// Show users the protected fields of their own `_User` object.
        protected_fields_owner_exempt: bool = true, "protectedFieldsOwnerExempt", "PARSE_SERVER_PROTECTED_FIELDS_OWNER_EXEMPT", Supported;
        /// Show protected fields in the responses of create and update.
        protected_fields_save_response_exempt: bool = true, "protectedFieldsSaveResponseExempt", "PARSE_SERVER_PROTECTED_FIELDS_SAVE_RESPONSE_EXEMPT", Supported;
        /// Pass protected fields to triggers.
        protected_fields_trigger_exempt: bool = false, "protectedFieldsTriggerExempt", "PARSE_SERVER_PROTECTED_FIELDS_TRIGGER_EXEMPT", Supported;
        /// Fields of `_User` that are hidden (older form of protectedFields).
        user_sensitive_fields: Option<Vec<String>> = None, "userSensitiveFields", "PARSE_SERVER_USER_SENSITIVE_FIELDS", Supported;
        /// Keys and values that requests must not contain.
        request_keyword_denylist: Vec<DeniedKeyword> = DeniedKeyword::defaults(), "requestKeywordDenylist", "PARSE_SERVER_REQUEST_KEYWORD_DENYLIST", Supported;
        /// Limits for queries and batches of clients.
        request_complexity: RequestComplexity = RequestComplexity::default(), "requestComplexity", "PARSE_SERVER_REQUEST_COMPLEXITY", Supported;
        /// Patterns of the routes that clients without the master key may call (default: all).
        route_allow_list: Option<Vec<String>> = None, "routeAllowList", "PARSE_SERVER_ROUTE_ALLOW_LIST", Supported;
        /// Limits for the number of requests.
        rate_limit: Vec<RateLimit> = Vec::new(), "rateLimit", "PARSE_SERVER_RATE_LIMIT", Supported;
        /// Requests with the read-only master key may run aggregations.
        allow_aggregation_for_read_only_master_key: bool = true, "allowAggregationForReadOnlyMasterKey", "PARSE_SERVER_ALLOW_AGGREGATION_FOR_READ_ONLY_MASTER_KEY", Supported;
        /// Security check of the configuration and the database.
        check: SecurityCheck = SecurityCheck::default(), "security", "PARSE_SERVER_SECURITY", Supported;
    }
}

group! {
    /// Limits for queries and batches of clients; -1 means no limit.
    pub struct RequestComplexity {
        /// Clients may use `$regex`.
        allow_regex: bool = true, "allowRegex", "PARSE_SERVER_REQUEST_COMPLEXITY_ALLOW_REGEX", Supported;
        /// Maximum number of requests in a batch.
        batch_request_limit: Limit = Limit::NONE, "batchRequestLimit", "PARSE_SERVER_REQUEST_COMPLEXITY_BATCH_REQUEST_LIMIT", Supported;
        /// Maximum depth of a GraphQL document.
        graphql_depth: Limit = Limit::NONE, "graphQLDepth", "PARSE_SERVER_REQUEST_COMPLEXITY_GRAPHQL_DEPTH", Supported;
        /// Maximum number of fields in a GraphQL document.
        graphql_fields: Limit = Limit::NONE, "graphQLFields", "PARSE_SERVER_REQUEST_COMPLEXITY_GRAPHQL_FIELDS", Supported;
        /// Maximum number of paths in `include`.
        include_count: Limit = Limit::NONE, "includeCount", "PARSE_SERVER_REQUEST_COMPLEXITY_INCLUDE_COUNT", Supported;
        /// Maximum depth of a path in `include`.
        include_depth: Limit = Limit::NONE, "includeDepth", "PARSE_SERVER_REQUEST_COMPLEXITY_INCLUDE_DEPTH", Supported;
        /// Maximum nesting of `$or`, `$and` and `$nor`.
        query_depth: Limit = Limit::NONE, "queryDepth", "PARSE_SERVER_REQUEST_COMPLEXITY_QUERY_DEPTH", Supported;
        /// Maximum nesting of subqueries.
        subquery_depth: Limit = Limit::NONE, "subqueryDepth", "PARSE_SERVER_REQUEST_COMPLEXITY_SUBQUERY_DEPTH", Supported;
        /// Maximum number of objects that a subquery finds.
        subquery_limit: Limit = Limit::NONE, "subqueryLimit", "PARSE_SERVER_REQUEST_COMPLEXITY_SUBQUERY_LIMIT", Supported;
    }
}

group! {
    /// Security check of the configuration and the database.
    pub struct SecurityCheck {
        /// Custom checks.
        check_groups: Option<Vec<Free>> = None, "checkGroups", "PARSE_SERVER_SECURITY_CHECK_GROUPS", NotYet;
        /// Serve `/security`, which runs the check.
        enable_check: bool = false, "enableCheck", "PARSE_SERVER_SECURITY_ENABLE_CHECK", Supported;
        /// Run the check at start and log the result.
        enable_check_log: bool = false, "enableCheckLog", "PARSE_SERVER_SECURITY_ENABLE_CHECK_LOG", Supported;
    }
}

//! What callers may see, ask and send.

use super::declare::Status::{NotYet, Supported};
use super::declare::{group, options};
use super::free::Free;
use super::rate_limit::RateLimit;
use super::rules::{DeniedKeyword, Limit, ProtectedFields};

options! {
    /// What callers may see, ask and send.
    pub struct Security {
        /// Replace details of refusals by a general text.
        enable_sanitized_error_response: bool = true, "enableSanitizedErrorResponse", "PARSE_SERVER_ENABLE_SANITIZED_ERROR_RESPONSE", Supported;
        /// Fields hidden per class and entity.
        protected_fields: ProtectedFields = ProtectedFields::default(), "protectedFields", "PARSE_SERVER_PROTECTED_FIELDS", Supported;
        /// Owner of a _User row sees protected fields.
        protected_fields_owner_exempt: bool = true, "protectedFieldsOwnerExempt", "PARSE_SERVER_PROTECTED_FIELDS_OWNER_EXEMPT", Supported;
        /// Write answers may contain protected fields.
        protected_fields_save_response_exempt: bool = true, "protectedFieldsSaveResponseExempt", "PARSE_SERVER_PROTECTED_FIELDS_SAVE_RESPONSE_EXEMPT", Supported;
        /// Triggers see protected fields.
        protected_fields_trigger_exempt: bool = false, "protectedFieldsTriggerExempt", "PARSE_SERVER_PROTECTED_FIELDS_TRIGGER_EXEMPT", Supported;
        /// Old form of protectedFields for _User.
        user_sensitive_fields: Option<Vec<String>> = None, "userSensitiveFields", "PARSE_SERVER_USER_SENSITIVE_FIELDS", Supported;
        /// Words refused in data.
        request_keyword_denylist: Vec<DeniedKeyword> = DeniedKeyword::defaults(), "requestKeywordDenylist", "PARSE_SERVER_REQUEST_KEYWORD_DENYLIST", Supported;
        /// Limits on queries.
        request_complexity: RequestComplexity = RequestComplexity::default(), "requestComplexity", "PARSE_SERVER_REQUEST_COMPLEXITY", Supported;
        /// Only these routes for clients.
        route_allow_list: Option<Vec<String>> = None, "routeAllowList", "PARSE_SERVER_ROUTE_ALLOW_LIST", Supported;
        /// Rate limits.
        rate_limit: Vec<RateLimit> = Vec::new(), "rateLimit", "PARSE_SERVER_RATE_LIMIT", Supported;
        /// Read-only master key may run aggregations.
        allow_aggregation_for_read_only_master_key: bool = true, "allowAggregationForReadOnlyMasterKey", "PARSE_SERVER_ALLOW_AGGREGATION_FOR_READ_ONLY_MASTER_KEY", Supported;
        /// Self check.
        check: SecurityCheck = SecurityCheck::default(), "security", "PARSE_SERVER_SECURITY", Supported;
    }
}

group! {
    /// Limits on what clients may ask for at once; -1 is no limit.
    pub struct RequestComplexity {
        /// Clients may use $regex.
        allow_regex: bool = true, "allowRegex", "PARSE_SERVER_REQUEST_COMPLEXITY_ALLOW_REGEX", Supported;
        /// Parts of a batch.
        batch_request_limit: Limit = Limit::NONE, "batchRequestLimit", "PARSE_SERVER_REQUEST_COMPLEXITY_BATCH_REQUEST_LIMIT", Supported;
        /// Depth of a GraphQL query.
        graphql_depth: Limit = Limit::NONE, "graphQLDepth", "PARSE_SERVER_REQUEST_COMPLEXITY_GRAPHQL_DEPTH", Supported;
        /// Fields of a GraphQL query.
        graphql_fields: Limit = Limit::NONE, "graphQLFields", "PARSE_SERVER_REQUEST_COMPLEXITY_GRAPHQL_FIELDS", Supported;
        /// Include paths.
        include_count: Limit = Limit::NONE, "includeCount", "PARSE_SERVER_REQUEST_COMPLEXITY_INCLUDE_COUNT", Supported;
        /// Depth of an include path.
        include_depth: Limit = Limit::NONE, "includeDepth", "PARSE_SERVER_REQUEST_COMPLEXITY_INCLUDE_DEPTH", Supported;
        /// Nesting of $or/$and/$nor.
        query_depth: Limit = Limit::NONE, "queryDepth", "PARSE_SERVER_REQUEST_COMPLEXITY_QUERY_DEPTH", Supported;
        /// Nesting of subqueries.
        subquery_depth: Limit = Limit::NONE, "subqueryDepth", "PARSE_SERVER_REQUEST_COMPLEXITY_SUBQUERY_DEPTH", Supported;
        /// Rows of a subquery.
        subquery_limit: Limit = Limit::NONE, "subqueryLimit", "PARSE_SERVER_REQUEST_COMPLEXITY_SUBQUERY_LIMIT", Supported;
    }
}

group! {
    /// The self check.
    pub struct SecurityCheck {
        /// Own checks.
        check_groups: Option<Vec<Free>> = None, "checkGroups", "PARSE_SERVER_SECURITY_CHECK_GROUPS", NotYet;
        /// Offer /security.
        enable_check: bool = false, "enableCheck", "PARSE_SERVER_SECURITY_ENABLE_CHECK", Supported;
        /// Run and log at start.
        enable_check_log: bool = false, "enableCheckLog", "PARSE_SERVER_SECURITY_ENABLE_CHECK_LOG", Supported;
    }
}

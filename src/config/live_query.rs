//! Live queries.

use super::declare::Status::{NotYet, Supported};
use super::declare::{group, options};
use super::free::Free;
use super::values::Secret;

options! {
    /// Live queries.
    pub struct LiveQuery {
        /// Live query publishing.
        classes: Option<LiveQueryClasses> = None, "liveQuery", "PARSE_SERVER_LIVE_QUERY", NotYet;
        /// Also start live query.
        start_server: Option<bool> = None, "startLiveQueryServer", "PARSE_SERVER_START_LIVE_QUERY_SERVER", NotYet;
        /// Live query server.
        server: Option<LiveQueryServer> = None, "liveQueryServerOptions", "PARSE_SERVER_LIVE_QUERY_SERVER_OPTIONS", NotYet;
    }
}

group! {
    /// What is published.
    pub struct LiveQueryClasses {
        /// Classes that are published.
        class_names: Option<Vec<String>> = None, "classNames", "PARSE_SERVER_LIVEQUERY_CLASSNAMES", Supported;
        /// Own transport.
        pub_sub_adapter: Option<Free> = None, "pubSubAdapter", "PARSE_SERVER_LIVEQUERY_PUB_SUB_ADAPTER", Supported;
        /// Redis options.
        redis_options: Option<Free> = None, "redisOptions", "PARSE_SERVER_LIVEQUERY_REDIS_OPTIONS", Supported;
        /// Redis url.
        redis_url: Option<Secret> = None, "redisURL", "PARSE_SERVER_LIVEQUERY_REDIS_URL", Supported;
        /// Ms for regular expressions in subscriptions.
        regex_timeout: f64 = 100.0, "regexTimeout", "PARSE_SERVER_LIVEQUERY_REGEX_TIMEOUT", Supported;
        /// Own WebSocket server.
        wss_adapter: Option<Free> = None, "wssAdapter", "PARSE_SERVER_LIVEQUERY_WSS_ADAPTER", Supported;
    }
}

group! {
    /// The live query server.
    pub struct LiveQueryServer {
        /// Option of that name of the live query server.
        app_id: Option<String> = None, "appId", "PARSE_LIVE_QUERY_SERVER_APP_ID", Supported;
        /// Option of that name of the live query server.
        cache_timeout: Option<f64> = None, "cacheTimeout", "PARSE_LIVE_QUERY_SERVER_CACHE_TIMEOUT", Supported;
        /// Option of that name of the live query server.
        key_pairs: Option<Free> = None, "keyPairs", "PARSE_LIVE_QUERY_SERVER_KEY_PAIRS", Supported;
        /// Option of that name of the live query server.
        log_level: Option<String> = None, "logLevel", "PARSE_LIVE_QUERY_SERVER_LOG_LEVEL", Supported;
        /// Option of that name of the live query server.
        master_key: Option<Secret> = None, "masterKey", "PARSE_LIVE_QUERY_SERVER_MASTER_KEY", Supported;
        /// Option of that name of the live query server.
        port: u16 = 1337, "port", "PARSE_LIVE_QUERY_SERVER_PORT", Supported;
        /// Option of that name of the live query server.
        pub_sub_adapter: Option<Free> = None, "pubSubAdapter", "PARSE_LIVE_QUERY_SERVER_PUB_SUB_ADAPTER", Supported;
        /// Option of that name of the live query server.
        redis_options: Option<Free> = None, "redisOptions", "PARSE_LIVE_QUERY_SERVER_REDIS_OPTIONS", Supported;
        /// Option of that name of the live query server.
        redis_url: Option<Secret> = None, "redisURL", "PARSE_LIVE_QUERY_SERVER_REDIS_URL", Supported;
        /// Option of that name of the live query server.
        server_url: Option<String> = None, "serverURL", "PARSE_LIVE_QUERY_SERVER_SERVER_URL", Supported;
        /// Option of that name of the live query server.
        websocket_timeout: Option<f64> = None, "websocketTimeout", "PARSE_LIVE_QUERY_SERVER_WEBSOCKET_TIMEOUT", Supported;
        /// Option of that name of the live query server.
        wss_adapter: Option<Free> = None, "wssAdapter", "PARSE_LIVE_QUERY_SERVER_WSS_ADAPTER", Supported;
    }
}

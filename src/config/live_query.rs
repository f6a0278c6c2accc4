//! Live queries.

use super::declare::Status::{Harmless, NotYet, Supported};
use super::declare::{group, options};
use super::free::Free;
use super::values::Secret;

options! {
    /// Live queries.
    pub struct LiveQuery {
        /// Live query publishing.
        classes: Option<LiveQueryClasses> = None, "liveQuery", "PARSE_SERVER_LIVE_QUERY", Supported;
        /// Also start live query.
        start_server: Option<bool> = None, "startLiveQueryServer", "PARSE_SERVER_START_LIVE_QUERY_SERVER", Supported;
        /// Live query server.
        server: Option<LiveQueryServer> = None, "liveQueryServerOptions", "PARSE_SERVER_LIVE_QUERY_SERVER_OPTIONS", Supported;
    }
}

group! {
    /// What is published.
    pub struct LiveQueryClasses {
        /// Classes that are published.
        class_names: Option<Vec<String>> = None, "classNames", "PARSE_SERVER_LIVEQUERY_CLASSNAMES", Supported;
        /// Own transport.
        pub_sub_adapter: Option<Free> = None, "pubSubAdapter", "PARSE_SERVER_LIVEQUERY_PUB_SUB_ADAPTER", NotYet;
        /// Redis options.
        redis_options: Option<Free> = None, "redisOptions", "PARSE_SERVER_LIVEQUERY_REDIS_OPTIONS", NotYet;
        /// Redis url.
        redis_url: Option<Secret> = None, "redisURL", "PARSE_SERVER_LIVEQUERY_REDIS_URL", NotYet;
        /// Ms for regular expressions in subscriptions.
        regex_timeout: f64 = 100.0, "regexTimeout", "PARSE_SERVER_LIVEQUERY_REGEX_TIMEOUT", Harmless("the work of a search is bounded by steps, on any machine the same");
        /// Own WebSocket server.
        wss_adapter: Option<Free> = None, "wssAdapter", "PARSE_SERVER_LIVEQUERY_WSS_ADAPTER", NotYet;
    }
}

group! {
    /// The live query server.
    pub struct LiveQueryServer {
        /// Application id, when it runs alone.
        app_id: Option<String> = None, "appId", "PARSE_LIVE_QUERY_SERVER_APP_ID", Supported;
        /// Milliseconds a resolved session is remembered.
        cache_timeout: Option<f64> = None, "cacheTimeout", "PARSE_LIVE_QUERY_SERVER_CACHE_TIMEOUT", Harmless("sessions and roles are known by the caches of REST, which forget what changes");
        /// Keys of which a client must give one; with masterKey it is master.
        key_pairs: Option<Free> = None, "keyPairs", "PARSE_LIVE_QUERY_SERVER_KEY_PAIRS", Supported;
        /// Level of the log.
        log_level: Option<String> = None, "logLevel", "PARSE_LIVE_QUERY_SERVER_LOG_LEVEL", Harmless("used by nothing in parse-server either; logLevel is for the whole server");
        /// Master key, when it runs alone.
        master_key: Option<Secret> = None, "masterKey", "PARSE_LIVE_QUERY_SERVER_MASTER_KEY", Supported;
        /// A port of its own; then the main port has no web sockets.
        port: Option<u16> = None, "port", "PARSE_LIVE_QUERY_SERVER_PORT", Supported;
        /// Own transport.
        pub_sub_adapter: Option<Free> = None, "pubSubAdapter", "PARSE_LIVE_QUERY_SERVER_PUB_SUB_ADAPTER", NotYet;
        /// Options of the Redis client.
        redis_options: Option<Free> = None, "redisOptions", "PARSE_LIVE_QUERY_SERVER_REDIS_OPTIONS", NotYet;
        /// Redis over which writes of other servers are heard.
        redis_url: Option<Secret> = None, "redisURL", "PARSE_LIVE_QUERY_SERVER_REDIS_URL", NotYet;
        /// Address of the server, when it runs alone.
        server_url: Option<String> = None, "serverURL", "PARSE_LIVE_QUERY_SERVER_SERVER_URL", Supported;
        /// Milliseconds between pings (10,000); who does not answer one until the next is dropped.
        websocket_timeout: Option<u64> = None, "websocketTimeout", "PARSE_LIVE_QUERY_SERVER_WEBSOCKET_TIMEOUT", Supported;
        /// Own web socket server.
        wss_adapter: Option<Free> = None, "wssAdapter", "PARSE_LIVE_QUERY_SERVER_WSS_ADAPTER", NotYet;
    }
}

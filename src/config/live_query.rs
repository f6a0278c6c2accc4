//! Live queries.

use super::declare::Status::{Harmless, NotYet, Supported};
use super::declare::{group, options};
use super::free::Free;
use super::values::Secret;

options! {
    /// Options of live queries.
    pub struct LiveQuery {
        /// Classes whose changes are published to live queries, and options of the publisher.
        classes: Option<LiveQueryClasses> = None, "liveQuery", "PARSE_SERVER_LIVE_QUERY", Supported;
        /// Start the live query server in this process.
        start_server: Option<bool> = None, "startLiveQueryServer", "PARSE_SERVER_START_LIVE_QUERY_SERVER", Supported;
        /// Options of the live query server.
        server: Option<LiveQueryServer> = None, "liveQueryServerOptions", "PARSE_SERVER_LIVE_QUERY_SERVER_OPTIONS", Supported;
    }
}

group! {
    /// Options of the publisher.
    pub struct LiveQueryClasses {
        /// Classes whose changes are published.
        class_names: Option<Vec<String>> = None, "classNames", "PARSE_SERVER_LIVEQUERY_CLASSNAMES", Supported;
        /// Custom publish and subscribe adapter.
        pub_sub_adapter: Option<Free> = None, "pubSubAdapter", "PARSE_SERVER_LIVEQUERY_PUB_SUB_ADAPTER", NotYet;
        /// Options of the Redis client.
        redis_options: Option<Free> = None, "redisOptions", "PARSE_SERVER_LIVEQUERY_REDIS_OPTIONS", NotYet;
        /// Redis on whose channels the writes of this server are published.
        redis_url: Option<Secret> = None, "redisURL", "PARSE_SERVER_LIVEQUERY_REDIS_URL", Supported;
        /// Maximum milliseconds for evaluating a regular expression of a subscription.
        regex_timeout: f64 = 100.0, "regexTimeout", "PARSE_SERVER_LIVEQUERY_REGEX_TIMEOUT", Harmless("the work of a search is bounded by steps, on any machine the same");
        /// Custom WebSocket server adapter.
        wss_adapter: Option<Free> = None, "wssAdapter", "PARSE_SERVER_LIVEQUERY_WSS_ADAPTER", NotYet;
    }
}

group! {
    /// Options of the live query server.
    pub struct LiveQueryServer {
        /// Application id, if it runs in a separate process.
        app_id: Option<String> = None, "appId", "PARSE_LIVE_QUERY_SERVER_APP_ID", Harmless("the live query server has those of the whole configuration");
        /// Milliseconds for which a session is cached.
        cache_timeout: Option<f64> = None, "cacheTimeout", "PARSE_LIVE_QUERY_SERVER_CACHE_TIMEOUT", Harmless("sessions and roles are known by the caches of REST, which forget what changes");
        /// Keys of which a client must send one; `masterKey` among them gives the permissions of the master key.
        key_pairs: Option<Free> = None, "keyPairs", "PARSE_LIVE_QUERY_SERVER_KEY_PAIRS", Supported;
        /// Log level.
        log_level: Option<String> = None, "logLevel", "PARSE_LIVE_QUERY_SERVER_LOG_LEVEL", Harmless("used by nothing in parse-server either; logLevel is for the whole server");
        /// Master key, if it runs in a separate process.
        master_key: Option<Secret> = None, "masterKey", "PARSE_LIVE_QUERY_SERVER_MASTER_KEY", Harmless("the live query server has those of the whole configuration");
        /// Separate port; then the main port serves no web sockets.
        port: Option<u16> = None, "port", "PARSE_LIVE_QUERY_SERVER_PORT", Supported;
        /// Custom publish and subscribe adapter.
        pub_sub_adapter: Option<Free> = None, "pubSubAdapter", "PARSE_LIVE_QUERY_SERVER_PUB_SUB_ADAPTER", NotYet;
        /// Options of the Redis client.
        redis_options: Option<Free> = None, "redisOptions", "PARSE_LIVE_QUERY_SERVER_REDIS_OPTIONS", NotYet;
        /// URL of the Redis server that passes on writes of other servers.
        redis_url: Option<Secret> = None, "redisURL", "PARSE_LIVE_QUERY_SERVER_REDIS_URL", Supported;
        /// URL of the Parse server, if it runs in a separate process.
        server_url: Option<String> = None, "serverURL", "PARSE_LIVE_QUERY_SERVER_SERVER_URL", Harmless("the live query server has those of the whole configuration");
        /// Milliseconds between pings (10,000). A client that does not answer a ping before the next one is disconnected.
        websocket_timeout: Option<u64> = None, "websocketTimeout", "PARSE_LIVE_QUERY_SERVER_WEBSOCKET_TIMEOUT", Supported;
        /// Custom WebSocket server adapter.
        wss_adapter: Option<Free> = None, "wssAdapter", "PARSE_LIVE_QUERY_SERVER_WSS_ADAPTER", NotYet;
    }
}

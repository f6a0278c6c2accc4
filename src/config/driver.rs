//! `databaseOptions`: options of the MongoDB driver and of the indexes created at start.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::declare::Status::{Harmless, NotYet, Supported};
use super::declare::{OptionValue, group};
use super::free::Free;
use super::values::{LogLevel, Secret};

group! {
    /// Options of the MongoDB driver and of the indexes created at start.
    pub struct DatabaseOptions {
        /// Clients without the master key may use `explain`.
        allow_public_explain: bool = false, "allowPublicExplain", "PARSE_SERVER_DATABASE_ALLOW_PUBLIC_EXPLAIN", Supported;
        /// Passed to the MongoDB driver.
        app_name: Option<String> = None, "appName", "PARSE_SERVER_DATABASE_APP_NAME", Supported;
        /// Passed to the MongoDB driver.
        auth_mechanism: Option<String> = None, "authMechanism", "PARSE_SERVER_DATABASE_AUTH_MECHANISM", Supported;
        /// Passed to the MongoDB driver.
        auth_mechanism_properties: Option<Free> = None, "authMechanismProperties", "PARSE_SERVER_DATABASE_AUTH_MECHANISM_PROPERTIES", Supported;
        /// Passed to the MongoDB driver.
        auth_source: Option<String> = None, "authSource", "PARSE_SERVER_DATABASE_AUTH_SOURCE", Supported;
        /// Passed to the MongoDB driver.
        auto_select_family: Option<bool> = None, "autoSelectFamily", "PARSE_SERVER_DATABASE_AUTO_SELECT_FAMILY", Harmless("specific to Node.js");
        /// Passed to the MongoDB driver.
        auto_select_family_attempt_timeout: Option<u64> = None, "autoSelectFamilyAttemptTimeout", "PARSE_SERVER_DATABASE_AUTO_SELECT_FAMILY_ATTEMPT_TIMEOUT", Harmless("specific to Node.js");
        /// Number of documents in one batch of a cursor.
        batch_size: u64 = 1000, "batchSize", "PARSE_SERVER_DATABASE_BATCH_SIZE", Supported;
        /// Name and version of the client, shown in the logs of the database.
        client_metadata: Option<ClientMetadata> = None, "clientMetadata", "PARSE_SERVER_DATABASE_CLIENT_METADATA", Harmless("the database logs show the name of this server");
        /// Passed to the MongoDB driver.
        compressors: Option<String> = None, "compressors", "PARSE_SERVER_DATABASE_COMPRESSORS", Harmless("nothing is compressed between this server and the database");
        /// Passed to the MongoDB driver.
        connect_timeout_ms: Option<u64> = None, "connectTimeoutMS", "PARSE_SERVER_DATABASE_CONNECT_TIMEOUT_MS", Supported;
        /// Create the indexes `_auth_data_PROVIDER_id` at start.
        create_index_auth_data_uniqueness: bool = true, "createIndexAuthDataUniqueness", "PARSE_SERVER_DATABASE_CREATE_INDEX_AUTH_DATA_UNIQUENESS", Supported;
        /// Create the index `name_1` of `_Role` at start.
        create_index_role_name: bool = true, "createIndexRoleName", "PARSE_SERVER_DATABASE_CREATE_INDEX_ROLE_NAME", Supported;
        /// Create the index `email_1` at start.
        create_index_user_email: bool = true, "createIndexUserEmail", "PARSE_SERVER_DATABASE_CREATE_INDEX_USER_EMAIL", Supported;
        /// Create the index `case_insensitive_email` at start.
        create_index_user_email_case_insensitive: bool = true, "createIndexUserEmailCaseInsensitive", "PARSE_SERVER_DATABASE_CREATE_INDEX_USER_EMAIL_CASE_INSENSITIVE", Supported;
        /// Create the index `_email_verify_token` at start.
        create_index_user_email_verify_token: bool = true, "createIndexUserEmailVerifyToken", "PARSE_SERVER_DATABASE_CREATE_INDEX_USER_EMAIL_VERIFY_TOKEN", Supported;
        /// Create the index `_perishable_token` at start.
        create_index_user_password_reset_token: bool = true, "createIndexUserPasswordResetToken", "PARSE_SERVER_DATABASE_CREATE_INDEX_USER_PASSWORD_RESET_TOKEN", Supported;
        /// Create the index `username_1` at start.
        create_index_user_username: bool = true, "createIndexUserUsername", "PARSE_SERVER_DATABASE_CREATE_INDEX_USER_USERNAME", Supported;
        /// Create the index `case_insensitive_username` at start.
        create_index_user_username_case_insensitive: bool = true, "createIndexUserUsernameCaseInsensitive", "PARSE_SERVER_DATABASE_CREATE_INDEX_USER_USERNAME_CASE_INSENSITIVE", Supported;
        /// Passed to the MongoDB driver.
        direct_connection: Option<bool> = None, "directConnection", "PARSE_SERVER_DATABASE_DIRECT_CONNECTION", Supported;
        /// Allow indexes on fields that the class does not have.
        disable_index_field_validation: Option<bool> = None, "disableIndexFieldValidation", "PARSE_SERVER_DATABASE_DISABLE_INDEX_FIELD_VALIDATION", Supported;
        /// Watch the schema for changes by other processes.
        enable_schema_hooks: bool = false, "enableSchemaHooks", "PARSE_SERVER_DATABASE_ENABLE_SCHEMA_HOOKS", Harmless("this server always watches the schema");
        /// Passed to the MongoDB driver.
        force_server_object_id: Option<bool> = None, "forceServerObjectId", "PARSE_SERVER_DATABASE_FORCE_SERVER_OBJECT_ID", Harmless("this server always generates the ids");
        /// Passed to the MongoDB driver.
        heartbeat_frequency_ms: Option<u64> = None, "heartbeatFrequencyMS", "PARSE_SERVER_DATABASE_HEARTBEAT_FREQUENCY_MS", Supported;
        /// Passed to the MongoDB driver.
        load_balanced: Option<bool> = None, "loadBalanced", "PARSE_SERVER_DATABASE_LOAD_BALANCED", Supported;
        /// Passed to the MongoDB driver.
        local_threshold_ms: Option<u64> = None, "localThresholdMS", "PARSE_SERVER_DATABASE_LOCAL_THRESHOLD_MS", Supported;
        /// Events of the driver that are logged.
        log_client_events: Option<Vec<LogClientEvent>> = None, "logClientEvents", "PARSE_SERVER_DATABASE_LOG_CLIENT_EVENTS", NotYet;
        /// Passed to the MongoDB driver.
        max_connecting: Option<u64> = None, "maxConnecting", "PARSE_SERVER_DATABASE_MAX_CONNECTING", Supported;
        /// Passed to the MongoDB driver.
        max_idle_time_ms: Option<u64> = None, "maxIdleTimeMS", "PARSE_SERVER_DATABASE_MAX_IDLE_TIME_MS", Supported;
        /// Passed to the MongoDB driver.
        max_pool_size: Option<u64> = None, "maxPoolSize", "PARSE_SERVER_DATABASE_MAX_POOL_SIZE", Supported;
        /// Passed to the MongoDB driver.
        max_staleness_seconds: Option<u64> = None, "maxStalenessSeconds", "PARSE_SERVER_DATABASE_MAX_STALENESS_SECONDS", Supported;
        /// Maximum time of a database operation in milliseconds.
        max_time_ms: Option<u64> = None, "maxTimeMS", "PARSE_SERVER_DATABASE_MAX_TIME_MS", Supported;
        /// Passed to the MongoDB driver.
        min_pool_size: Option<u64> = None, "minPoolSize", "PARSE_SERVER_DATABASE_MIN_POOL_SIZE", Supported;
        /// Passed to the MongoDB driver.
        proxy_host: Option<String> = None, "proxyHost", "PARSE_SERVER_DATABASE_PROXY_HOST", NotYet;
        /// Passed to the MongoDB driver.
        proxy_password: Option<Secret> = None, "proxyPassword", "PARSE_SERVER_DATABASE_PROXY_PASSWORD", NotYet;
        /// Passed to the MongoDB driver.
        proxy_port: Option<u16> = None, "proxyPort", "PARSE_SERVER_DATABASE_PROXY_PORT", NotYet;
        /// Passed to the MongoDB driver.
        proxy_username: Option<String> = None, "proxyUsername", "PARSE_SERVER_DATABASE_PROXY_USERNAME", NotYet;
        /// Passed to the MongoDB driver.
        read_concern_level: Option<String> = None, "readConcernLevel", "PARSE_SERVER_DATABASE_READ_CONCERN_LEVEL", Supported;
        /// Passed to the MongoDB driver.
        read_preference: Option<String> = None, "readPreference", "PARSE_SERVER_DATABASE_READ_PREFERENCE", Supported;
        /// Passed to the MongoDB driver.
        read_preference_tags: Option<Vec<Free>> = None, "readPreferenceTags", "PARSE_SERVER_DATABASE_READ_PREFERENCE_TAGS", Supported;
        /// Passed to the MongoDB driver.
        replica_set: Option<String> = None, "replicaSet", "PARSE_SERVER_DATABASE_REPLICA_SET", Supported;
        /// Passed to the MongoDB driver.
        retry_reads: Option<bool> = None, "retryReads", "PARSE_SERVER_DATABASE_RETRY_READS", Supported;
        /// Passed to the MongoDB driver.
        retry_writes: Option<bool> = None, "retryWrites", "PARSE_SERVER_DATABASE_RETRY_WRITES", Supported;
        /// Milliseconds for which the schema is cached.
        schema_cache_ttl: Option<f64> = None, "schemaCacheTtl", "PARSE_SERVER_DATABASE_SCHEMA_CACHE_TTL", Supported;
        /// Passed to the MongoDB driver.
        server_monitoring_mode: Option<String> = None, "serverMonitoringMode", "PARSE_SERVER_DATABASE_SERVER_MONITORING_MODE", Supported;
        /// Passed to the MongoDB driver.
        server_selection_timeout_ms: Option<u64> = None, "serverSelectionTimeoutMS", "PARSE_SERVER_DATABASE_SERVER_SELECTION_TIMEOUT_MS", Supported;
        /// Passed to the MongoDB driver.
        socket_timeout_ms: Option<u64> = None, "socketTimeoutMS", "PARSE_SERVER_DATABASE_SOCKET_TIMEOUT_MS", Harmless("databaseTimeoutMs limits every operation");
        /// Passed to the MongoDB driver.
        srv_max_hosts: Option<u64> = None, "srvMaxHosts", "PARSE_SERVER_DATABASE_SRV_MAX_HOSTS", Supported;
        /// Passed to the MongoDB driver.
        srv_service_name: Option<String> = None, "srvServiceName", "PARSE_SERVER_DATABASE_SRV_SERVICE_NAME", Supported;
        /// Passed to the MongoDB driver.
        ssl: Option<bool> = None, "ssl", "PARSE_SERVER_DATABASE_SSL", Supported;
        /// Passed to the MongoDB driver.
        tls: Option<bool> = None, "tls", "PARSE_SERVER_DATABASE_TLS", Supported;
        /// Passed to the MongoDB driver.
        tls_allow_invalid_certificates: Option<bool> = None, "tlsAllowInvalidCertificates", "PARSE_SERVER_DATABASE_TLS_ALLOW_INVALID_CERTIFICATES", Supported;
        /// Passed to the MongoDB driver.
        tls_allow_invalid_hostnames: Option<bool> = None, "tlsAllowInvalidHostnames", "PARSE_SERVER_DATABASE_TLS_ALLOW_INVALID_HOSTNAMES", NotYet;
        /// Passed to the MongoDB driver.
        tls_ca_file: Option<String> = None, "tlsCAFile", "PARSE_SERVER_DATABASE_TLS_CAFILE", Supported;
        /// Passed to the MongoDB driver.
        tls_certificate_key_file: Option<String> = None, "tlsCertificateKeyFile", "PARSE_SERVER_DATABASE_TLS_CERTIFICATE_KEY_FILE", Supported;
        /// Passed to the MongoDB driver.
        tls_certificate_key_file_password: Option<Secret> = None, "tlsCertificateKeyFilePassword", "PARSE_SERVER_DATABASE_TLS_CERTIFICATE_KEY_FILE_PASSWORD", NotYet;
        /// Passed to the MongoDB driver.
        tls_insecure: Option<bool> = None, "tlsInsecure", "PARSE_SERVER_DATABASE_TLS_INSECURE", Supported;
        /// Passed to the MongoDB driver.
        wait_queue_timeout_ms: Option<u64> = None, "waitQueueTimeoutMS", "PARSE_SERVER_DATABASE_WAIT_QUEUE_TIMEOUT_MS", Harmless("the wait for a connection counts as part of the operation, which databaseTimeoutMs limits");
        /// Passed to the MongoDB driver.
        zlib_compression_level: Option<u64> = None, "zlibCompressionLevel", "PARSE_SERVER_DATABASE_ZLIB_COMPRESSION_LEVEL", Harmless("nothing is compressed between this server and the database");
    }
}

group! {
    /// Name and version of the client, shown in the logs of the database.
    pub struct ClientMetadata {
        /// Name of the application.
        name: String = String::new(), "name", "PARSE_SERVER_DATABASE_CLIENT_METADATA_NAME", Supported;
        /// Version of the application.
        version: String = String::new(), "version", "PARSE_SERVER_DATABASE_CLIENT_METADATA_VERSION", Supported;
    }
}

group! {
    /// A driver event that is logged.
    pub struct LogClientEvent {
        /// Name of the event.
        name: String = String::new(), "name", "PARSE_SERVER_DATABASE_LOG_CLIENT_EVENTS_NAME", Supported;
        /// Paths of the properties that are logged.
        keys: Option<Vec<String>> = None, "keys", "PARSE_SERVER_DATABASE_LOG_CLIENT_EVENTS_KEYS", Supported;
        /// Log level of the event.
        log_level: LogLevel = LogLevel::Info, "logLevel", "PARSE_SERVER_DATABASE_LOG_CLIENT_EVENTS_LOG_LEVEL", Supported;
    }
}

/// Options that are added to the connection string, spelled as the driver expects.
const IN_CONNECTION_STRING: &[&str] = &[
    "appName",
    "authMechanism",
    "authMechanismProperties",
    "authSource",
    "connectTimeoutMS",
    "directConnection",
    "heartbeatFrequencyMS",
    "loadBalanced",
    "localThresholdMS",
    "maxConnecting",
    "maxIdleTimeMS",
    "maxPoolSize",
    "minPoolSize",
    "readConcernLevel",
    "readPreference",
    "maxStalenessSeconds",
    "readPreferenceTags",
    "replicaSet",
    "retryReads",
    "retryWrites",
    "serverMonitoringMode",
    "serverSelectionTimeoutMS",
    "srvMaxHosts",
    "srvServiceName",
    "ssl",
    "tls",
    "tlsInsecure",
    "tlsAllowInvalidCertificates",
    "tlsCAFile",
    "tlsCertificateKeyFile",
];

impl DatabaseOptions {
    /// Adds these options to `uri`, where they override the same options.
    #[must_use]
    pub fn applied_to(&self, uri: &str) -> String {
        let own = self.parameters();
        let (base, query) = uri.split_once('?').unwrap_or((uri, ""));
        let ours = |key: &str| own.iter().any(|(name, _)| name.eq_ignore_ascii_case(key));
        let mut pairs: Vec<String> = query
            .split('&')
            .filter(|pair| !pair.is_empty() && !ours(pair.split('=').next().unwrap_or_default()))
            .map(str::to_owned)
            .collect();
        pairs
            .extend(own.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))));
        if pairs.is_empty() {
            return base.to_owned();
        }
        let hosts = base.split_once("://").map_or(base, |(_, hosts)| hosts);
        let slash = if hosts.contains('/') { "" } else { "/" };
        format!("{base}{slash}?{}", pairs.join("&"))
    }

    /// Name and value of each option that is set; one pair for each set of tags.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let written = self.to_json();
        let mut parameters = Vec::new();
        for name in IN_CONNECTION_STRING {
            match written.get(name) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => parameters.push((*name, text.clone())),
                Some(properties @ Value::Object(_)) => parameters.push((*name, tags(properties))),
                Some(Value::Array(sets)) => parameters.extend(sets.iter().map(|set| (*name, tags(set)))),
                Some(value) => parameters.push((*name, value.to_string())),
            }
        }
        parameters
    }
}

/// `{"dc": "ny", "rack": "1"}` as `dc:ny,rack:1`.
fn tags(set: &Value) -> String {
    let pairs = set.as_object().into_iter().flatten();
    let pairs: Vec<String> = pairs
        .map(|(key, value)| value.as_str().map_or_else(|| format!("{key}:{value}"), |text| format!("{key}:{text}")))
        .collect();
    pairs.join(",")
}

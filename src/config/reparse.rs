//! Options that parse-server does not have. Their environment variables start with `REPARSE_`.

use super::audit::AuditLog;
use super::backup::Backup;
use super::dashboard::Dashboard;
use super::declare::Status::Supported;
use super::declare::{group, options};
use super::files::FileOptions;
use super::limits::Limits;
use super::metrics::Metrics;
use super::tls::Tls;
use super::traces::Traces;
use super::values::{Accepts, Synchronous};

options! {
    /// Options that parse-server does not have.
    pub struct ReparseOptions {
        /// Directory of the embedded store and the generated keys if the server starts without a configuration.
        data_dir: String = "./data".to_owned(), "dataDir", "REPARSE_DATA_DIR", Supported;
        /// Log a warning for each unknown or unsupported option instead of refusing to start.
        ignore_unsupported: bool = false, "ignoreUnsupported", "REPARSE_IGNORE_UNSUPPORTED", Supported;
        /// Cost of bcrypt hashes (4 to 31); each step doubles the time of a log in.
        bcrypt_cost: u32 = 10, "bcryptCost", "REPARSE_BCRYPT_COST", Supported;
        /// Number of threads that hash passwords (default: one less than the number of cores, and one with idle priority).
        hash_threads: Option<u16> = None, "hashThreads", "REPARSE_HASH_THREADS", Supported;
        /// Maximum number of log ins and sign ups that wait for a hash thread; further ones fail with 503, those of the busiest address first.
        hash_queue: u32 = 256, "hashQueue", "REPARSE_HASH_QUEUE", Supported;
        /// Create indexes that parse-server does not create: session tokens, users of sessions, relations.
        create_indexes: bool = true, "createIndexes", "REPARSE_CREATE_INDEXES", Supported;
        /// Maximum milliseconds for which an operation waits for MongoDB once a server is chosen; `serverSelectionTimeoutMS` limits that.
        database_timeout_ms: u64 = 10_000, "databaseTimeoutMs", "REPARSE_DATABASE_TIMEOUT_MS", Supported;
        /// When the embedded store flushes to disk: `full` (at every write) or `normal` (at checkpoints).
        synchronous: Synchronous = Synchronous::Full, "synchronous", "REPARSE_SYNCHRONOUS", Supported;
        /// Maximum milliseconds for which a client may send a request.
        request_timeout_ms: u64 = 60_000, "requestTimeoutMs", "REPARSE_REQUEST_TIMEOUT_MS", Supported;
        /// Which requests are accepted: `all`; `reads`: what would write is refused with 503; `nothing`: all are refused with 503, except health checks and metrics. A running server takes another value on SIGHUP (docs/operations.md#read-only-and-closed).
        accepts: Accepts = Accepts::All, "accepts", "REPARSE_ACCEPTS", Supported;
        /// Milliseconds at shutdown between the first 503 of `/health/ready` and the closing of the port: the time that load balancers need to notice.
        shutdown_delay_ms: u64 = 0, "shutdownDelayMs", "REPARSE_SHUTDOWN_DELAY_MS", Supported;
        /// Maximum milliseconds for which shutdown waits for requests in flight.
        shutdown_timeout_ms: u64 = 30_000, "shutdownTimeoutMs", "REPARSE_SHUTDOWN_TIMEOUT_MS", Supported;
        /// Maximum milliseconds for which the server waits for the response of a web hook.
        hook_timeout_ms: u64 = 60_000, "hookTimeoutMs", "REPARSE_HOOK_TIMEOUT_MS", Supported;
        /// Maximum bytes of a web hook's response.
        hook_answer_bytes: u32 = 20_971_520, "hookAnswerBytes", "REPARSE_HOOK_ANSWER_BYTES", Supported;
        /// The program Node.js, version 18 or later, that runs cloud code (none given: `node` in PATH).
        node: Option<String> = None, "node", "REPARSE_NODE", Supported;
        /// Number of Node processes that run cloud code; each has its own global state.
        cloud_workers: u16 = 1, "cloudWorkers", "REPARSE_CLOUD_WORKERS", Supported;
        /// How much Node gives way to other programs that want the same core, from 0 (not at all) to 19 (as `nice` has it).
        cloud_nice: u8 = 5, "cloudNice", "REPARSE_CLOUD_NICE", Supported;
        /// Maximum milliseconds for which the server waits for a function or trigger in JavaScript.
        cloud_timeout_ms: u64 = 60_000, "cloudTimeoutMs", "REPARSE_CLOUD_TIMEOUT", Supported;
        /// Reload cloud code when one of its files changes, for development.
        cloud_reload: bool = false, "cloudReload", "REPARSE_CLOUD_RELOAD", Supported;
        /// Maximum depth of nested calls of cloud code (triggers and functions).
        cloud_depth: u32 = 500, "cloudDepth", "REPARSE_CLOUD_DEPTH", Supported;
        /// Maximum number of calls of cloud code in flight; further ones fail with 503.
        cloud_calls: u32 = 4096, "cloudCalls", "REPARSE_CLOUD_CALLS", Supported;
        /// Run jobs by the schedules that Parse Dashboard writes (class `_JobSchedule`). Turn it off where another program does.
        job_schedules: bool = true, "jobSchedules", "REPARSE_JOB_SCHEDULES", Supported;
        /// Send pushes whose time has come (with scheduledPush); off: another program does.
        send_scheduled_pushes: bool = true, "sendScheduledPushes", "REPARSE_SEND_SCHEDULED_PUSHES", Supported;
        /// Remove device tokens that a push service calls dead from their installations.
        cleanup_invalid_installations: bool = false, "cleanupInvalidInstallations", "REPARSE_CLEANUP_INVALID_INSTALLATIONS", Supported;
        /// Path of the legacy GraphQL API, which is served if mountGraphQL is on.
        graphql_legacy_path: String = "/graphql/legacy".to_owned(), "graphQLLegacyPath", "REPARSE_GRAPHQL_LEGACY_PATH", Supported;
        /// Offer subscriptions in GraphQL: one for each class that liveQuery publishes (docs/live-queries.md#graphql-subscriptions).
        graphql_subscriptions: bool = false, "graphQLSubscriptions", "REPARSE_GRAPHQL_SUBSCRIPTIONS", Supported;
        /// Keep the last writes of published classes in the embedded store, so that clients of live queries get what they missed also after the end of the server (docs/live-queries.md#going-on-where-one-was).
        live_query_history: bool = false, "liveQueryHistory", "REPARSE_LIVE_QUERY_HISTORY", Supported;
        /// Limits on the cost of a request.
        limits: Limits = Limits::default(), "limits", "REPARSE_LIMITS", Supported;
        /// What is done with files beyond parse-server.
        files: FileOptions = FileOptions::default(), "files", "REPARSE_FILES", Supported;
        /// Maximum number of documents that each GraphQL API keeps for automatic persisted queries; 0 turns them off.
        graphql_persisted_queries: u32 = 1_000, "graphQLPersistedQueries", "REPARSE_GRAPHQL_PERSISTED_QUERIES", Supported;
        /// Maximum bytes of these documents together.
        graphql_persisted_query_bytes: u64 = 4 << 20, "graphQLPersistedQueryBytes", "REPARSE_GRAPHQL_PERSISTED_QUERY_BYTES", Supported;
        /// Parse Dashboard, served from the folder where it is installed.
        dashboard: Dashboard = Dashboard::default(), "dashboard", "REPARSE_DASHBOARD", Supported;
        /// Metrics for Prometheus.
        metrics: Metrics = Metrics::default(), "metrics", "REPARSE_METRICS", Supported;
        /// Traces for OpenTelemetry.
        traces: Traces = Traces::default(), "traces", "REPARSE_TRACES", Supported;
        /// Log a line for each request.
        access_log: bool = true, "accessLog", "REPARSE_ACCESS_LOG", Supported;
        /// Compress JSON answers of 1 KiB and more with gzip for clients that take it (docs/operations.md#compression).
        compression: bool = false, "compression", "REPARSE_COMPRESSION", Supported;
        /// The audit log: who changed what that matters for security.
        audit_log: AuditLog = AuditLog::default(), "auditLog", "REPARSE_AUDIT_LOG", Supported;
        /// TLS: the server answers HTTPS, and nothing else, on its ports.
        tls: Tls = Tls::default(), "tls", "REPARSE_TLS", Supported;
        /// Backups of the embedded store that the server makes by itself.
        backup: Backup = Backup::default(), "backup", "REPARSE_BACKUP", Supported;
        /// The OpenAPI document and its page.
        openapi: OpenApi = OpenApi::default(), "openapi", "REPARSE_OPENAPI", Supported;
    }
}

group! {
    /// The OpenAPI document and its page.
    pub struct OpenApi {
        /// Serve the OpenAPI document.
        enabled: bool = true, "enabled", "REPARSE_OPENAPI_ENABLED", Supported;
        /// Serve a page that shows the document and can send requests.
        docs: bool = true, "docs", "REPARSE_OPENAPI_DOCS", Supported;
        /// Include the classes of the application for every caller; otherwise only for the master key.
        public_schema: bool = false, "publicSchema", "REPARSE_OPENAPI_PUBLIC_SCHEMA", Supported;
    }
}

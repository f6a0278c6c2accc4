//! What parse-server does not have. Variables start with `REPARSE_`.

use super::declare::Status::Supported;
use super::declare::{group, options};
use super::files::FileOptions;
use super::limits::Limits;
use super::values::Synchronous;

options! {
    /// Options of this server alone.
    pub struct ReparseOptions {
        /// Folder of the generated keys and of the store when no configuration is given.
        data_dir: String = "./data".to_owned(), "dataDir", "REPARSE_DATA_DIR", Supported;
        /// Warn of unknown and unsupported options instead of refusing to start.
        ignore_unsupported: bool = false, "ignoreUnsupported", "REPARSE_IGNORE_UNSUPPORTED", Supported;
        /// Work factor of password hashes (4 to 31); each step doubles the time of a log in.
        bcrypt_cost: u32 = 10, "bcryptCost", "REPARSE_BCRYPT_COST", Supported;
        /// Threads that hash passwords (none given: one for each core but one, and one in idle time).
        hash_threads: Option<u16> = None, "hashThreads", "REPARSE_HASH_THREADS", Supported;
        /// Log ins and sign ups that may wait for a hash thread; the next one is answered with 503.
        hash_queue: u32 = 256, "hashQueue", "REPARSE_HASH_QUEUE", Supported;
        /// Make the indexes parse-server lacks: session tokens, users of sessions, relations.
        create_indexes: bool = true, "createIndexes", "REPARSE_CREATE_INDEXES", Supported;
        /// Milliseconds MongoDB may take until a start or a request gives up.
        database_timeout_ms: u64 = 10_000, "databaseTimeoutMs", "REPARSE_DATABASE_TIMEOUT_MS", Supported;
        /// When the embedded store waits for the disk: full (always) or normal (at checkpoints).
        synchronous: Synchronous = Synchronous::Full, "synchronous", "REPARSE_SYNCHRONOUS", Supported;
        /// Milliseconds a client may take to send a request.
        request_timeout_ms: u64 = 60_000, "requestTimeoutMs", "REPARSE_REQUEST_TIMEOUT_MS", Supported;
        /// Milliseconds a stopping server waits for requests in flight.
        shutdown_timeout_ms: u64 = 30_000, "shutdownTimeoutMs", "REPARSE_SHUTDOWN_TIMEOUT_MS", Supported;
        /// Milliseconds a web hook may take to answer.
        hook_timeout_ms: u64 = 60_000, "hookTimeoutMs", "REPARSE_HOOK_TIMEOUT_MS", Supported;
        /// Most bytes of a web hook's answer.
        hook_answer_bytes: u32 = 20_971_520, "hookAnswerBytes", "REPARSE_HOOK_ANSWER_BYTES", Supported;
        /// The program Node.js, version 18 or later, that runs cloud code (none given: `node` in PATH).
        node: Option<String> = None, "node", "REPARSE_NODE", Supported;
        /// Node processes that run cloud code, each with a global state of its own.
        cloud_workers: u16 = 1, "cloudWorkers", "REPARSE_CLOUD_WORKERS", Supported;
        /// Milliseconds a function or trigger in JavaScript may take to answer.
        cloud_timeout_ms: u64 = 60_000, "cloudTimeoutMs", "REPARSE_CLOUD_TIMEOUT", Supported;
        /// Load cloud code again when one of its files changes, for development.
        cloud_reload: bool = false, "cloudReload", "REPARSE_CLOUD_RELOAD", Supported;
        /// Calls of cloud code (triggers, functions) inside of one another, at most.
        cloud_depth: u32 = 500, "cloudDepth", "REPARSE_CLOUD_DEPTH", Supported;
        /// Calls of cloud code in flight at the same time, at most; the next one is answered with 503.
        cloud_calls: u32 = 4096, "cloudCalls", "REPARSE_CLOUD_CALLS", Supported;
        /// Run jobs by the schedules that Parse Dashboard writes (class `_JobSchedule`). Turn it off where another program does.
        job_schedules: bool = true, "jobSchedules", "REPARSE_JOB_SCHEDULES", Supported;
        /// Send pushes whose time has come (with scheduledPush); off: another program does.
        send_scheduled_pushes: bool = true, "sendScheduledPushes", "REPARSE_SEND_SCHEDULED_PUSHES", Supported;
        /// Remove device tokens that a push service calls dead from their installations.
        cleanup_invalid_installations: bool = false, "cleanupInvalidInstallations", "REPARSE_CLEANUP_INVALID_INSTALLATIONS", Supported;
        /// Path of the early GraphQL dialect, served when GraphQL is.
        graphql_legacy_path: String = "/graphql/legacy".to_owned(), "graphQLLegacyPath", "REPARSE_GRAPHQL_LEGACY_PATH", Supported;
        /// What a request may cost.
        limits: Limits = Limits::default(), "limits", "REPARSE_LIMITS", Supported;
        /// What is done with files beyond parse-server.
        files: FileOptions = FileOptions::default(), "files", "REPARSE_FILES", Supported;
        /// Documents that each GraphQL dialect keeps for automatic persisted queries (0: none).
        graphql_persisted_queries: u32 = 1_000, "graphQLPersistedQueries", "REPARSE_GRAPHQL_PERSISTED_QUERIES", Supported;
        /// Bytes of these documents together.
        graphql_persisted_query_bytes: u64 = 4 << 20, "graphQLPersistedQueryBytes", "REPARSE_GRAPHQL_PERSISTED_QUERY_BYTES", Supported;
        /// The OpenAPI document and its page.
        openapi: OpenApi = OpenApi::default(), "openapi", "REPARSE_OPENAPI", Supported;
    }
}

group! {
    /// The OpenAPI document and its page.
    pub struct OpenApi {
        /// Serve the document.
        enabled: bool = true, "enabled", "REPARSE_OPENAPI_ENABLED", Supported;
        /// Serve the page to read and try it.
        docs: bool = true, "docs", "REPARSE_OPENAPI_DOCS", Supported;
        /// Show the classes of the application to everybody, not to the master key alone.
        public_schema: bool = false, "publicSchema", "REPARSE_OPENAPI_PUBLIC_SCHEMA", Supported;
    }
}

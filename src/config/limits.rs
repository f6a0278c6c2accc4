//! Limits on the cost of a request. They also apply to requests with the master key, because they protect the server, not the data.

use super::declare::Status::Supported;
use super::declare::group;

group! {
    /// Limits on the cost of a request.
    pub struct Limits {
        /// Maximum bytes of a JSON body (for uploads of files: maxUploadSize).
        json_bytes: usize = 20 * 1024 * 1024, "jsonBytes", "REPARSE_LIMITS_JSON_BYTES", Supported;
        /// Maximum number of values in a JSON body: strings, numbers, arrays and objects together.
        values: usize = 1_000_000, "values", "REPARSE_LIMITS_VALUES", Supported;
        /// Maximum bytes of JSON bodies that are parsed at the same time; further requests wait.
        parsing_bytes: usize = 64 * 1024 * 1024, "parsingBytes", "REPARSE_LIMITS_PARSING_BYTES", Supported;
        /// Maximum number of names in `keys`, `excludeKeys`, `include` and `order` together.
        names: usize = 1000, "names", "REPARSE_LIMITS_NAMES", Supported;
        /// Maximum number of objects that `include` adds to the results of a request; an object added twice counts twice.
        included_objects: usize = 100_000, "includedObjects", "REPARSE_LIMITS_INCLUDED_OBJECTS", Supported;
        /// Maximum bytes of the objects that a request reads for its response.
        answer_bytes: usize = 64 * 1024 * 1024, "answerBytes", "REPARSE_LIMITS_ANSWER_BYTES", Supported;
        /// Maximum number of objects that a request reads; all parts of a batch count together.
        rows: usize = 1_000_000, "rows", "REPARSE_LIMITS_ROWS", Supported;
        /// Maximum number of requests in a batch without the master key; requestComplexity.batchRequestLimit overrides it.
        batch_parts: usize = 100, "batchParts", "REPARSE_LIMITS_BATCH_PARTS", Supported;
        /// Maximum number of requests in a batch with `transaction`.
        transaction_parts: usize = 500, "transactionParts", "REPARSE_LIMITS_TRANSACTION_PARTS", Supported;
        /// Maximum milliseconds of a transaction on the embedded store, where other writes wait for it.
        transaction_ms: u64 = 2000, "transactionMs", "REPARSE_LIMITS_TRANSACTION_MS", Supported;
        /// Maximum milliseconds for which a transaction on the embedded store may be idle.
        transaction_idle_ms: u64 = 250, "transactionIdleMs", "REPARSE_LIMITS_TRANSACTION_IDLE_MS", Supported;
        /// Maximum milliseconds for which a query waits for a free reader of the embedded store; then it fails with 503.
        reader_wait_ms: u64 = 5000, "readerWaitMs", "REPARSE_LIMITS_READER_WAIT_MS", Supported;
        /// Maximum milliseconds that a query takes on the embedded store.
        search_ms: u64 = 1000, "searchMs", "REPARSE_LIMITS_SEARCH_MS", Supported;
        /// Number of threads that read the embedded store; without a number: one per core, 2 to 8.
        readers: Option<usize> = None, "readers", "REPARSE_LIMITS_READERS", Supported;
        /// Maximum number of queries, and of writes, that wait for the embedded store; further ones fail with 503.
        store_queue: usize = 4096, "storeQueue", "REPARSE_LIMITS_STORE_QUEUE", Supported;
        /// Maximum bytes of a GraphQL document.
        graphql_bytes: usize = 256 << 10, "graphQLBytes", "REPARSE_LIMITS_GRAPHQL_BYTES", Supported;
        /// Maximum number of tokens of a GraphQL document: names, numbers, strings and punctuators.
        graphql_tokens: usize = 20_000, "graphQLTokens", "REPARSE_LIMITS_GRAPHQL_TOKENS", Supported;
        /// Maximum number of aliases in a GraphQL document.
        graphql_aliases: usize = 1000, "graphQLAliases", "REPARSE_LIMITS_GRAPHQL_ALIASES", Supported;
        /// Maximum number of fragments that a GraphQL document defines.
        graphql_fragments: usize = 500, "graphQLFragments", "REPARSE_LIMITS_GRAPHQL_FRAGMENTS", Supported;
        /// Maximum number of variables of a GraphQL operation.
        graphql_variables: usize = 500, "graphQLVariables", "REPARSE_LIMITS_GRAPHQL_VARIABLES", Supported;
        /// Maximum number of selections of a GraphQL operation after its fragments are expanded.
        graphql_selections: u64 = 20_000, "graphQLSelections", "REPARSE_LIMITS_GRAPHQL_SELECTIONS", Supported;
        /// Maximum number of parts of a form with files that a function receives.
        form_parts: usize = 1000, "formParts", "REPARSE_LIMITS_FORM_PARTS", Supported;
        /// Maximum bytes of a push as JSON; at most 6291456, because a row of a database has room for no more.
        push_bytes: usize = 6 << 20, "pushBytes", "REPARSE_LIMITS_PUSH_BYTES", Supported;
        /// Number of lines of the log that are kept in memory for `/scriptlog`.
        log_lines: usize = 1000, "logLines", "REPARSE_LIMITS_LOG_LINES", Supported;
        /// Maximum number of lines of the log that wait for a slow reader of the output; further ones are dropped and counted.
        log_queue: usize = 16_384, "logQueue", "REPARSE_LIMITS_LOG_QUEUE", Supported;
        /// Maximum number of open connections.
        connections: usize = 10_000, "connections", "REPARSE_LIMITS_CONNECTIONS", Supported;
        /// Maximum number of open connections from one address.
        connections_per_address: usize = 1000, "connectionsPerAddress", "REPARSE_LIMITS_CONNECTIONS_PER_ADDRESS", Supported;
        /// Web sockets of live queries that are open at the same time.
        live_sockets: usize = 20_000, "liveSockets", "REPARSE_LIMITS_LIVE_SOCKETS", Supported;
        /// Web sockets of live queries that one address may have open.
        live_sockets_per_address: usize = 1000, "liveSocketsPerAddress", "REPARSE_LIMITS_LIVE_SOCKETS_PER_ADDRESS", Supported;
        /// Live queries that one web socket may follow.
        live_subscriptions: usize = 1000, "liveSubscriptions", "REPARSE_LIMITS_LIVE_SUBSCRIPTIONS", Supported;
        /// Bytes of a message to live queries; the conditions of one web socket together may have four times as many.
        live_message_bytes: usize = 1 << 20, "liveMessageBytes", "REPARSE_LIMITS_LIVE_MESSAGE_BYTES", Supported;
        /// Events that may wait for one web socket; a client that reads more slowly is disconnected with code 1013.
        live_queue: usize = 1000, "liveQueue", "REPARSE_LIMITS_LIVE_QUEUE", Supported;
        /// Seconds for which a client of live queries that was away can get what it missed.
        live_resume_seconds: u32 = 300, "liveResumeSeconds", "REPARSE_LIMITS_LIVE_RESUME_SECONDS", Supported;
        /// Writes that a client of live queries can have missed; after more it is told that it cannot resume.
        live_resume_events: usize = 1000, "liveResumeEvents", "REPARSE_LIMITS_LIVE_RESUME_EVENTS", Supported;
        /// Maximum bytes of the headers of a request, at least 8192; the address counts too.
        header_bytes: usize = 64 << 10, "headerBytes", "REPARSE_LIMITS_HEADER_BYTES", Supported;
        /// Maximum number of headers of a request.
        headers: usize = 100, "headers", "REPARSE_LIMITS_HEADERS", Supported;
        /// Maximum number of connections that wait to be accepted.
        backlog: u32 = 1024, "backlog", "REPARSE_LIMITS_BACKLOG", Supported;
        /// Maximum milliseconds from accepting a connection to the first byte of its first request.
        header_timeout_ms: u64 = 10_000, "headerTimeoutMs", "REPARSE_LIMITS_HEADER_TIMEOUT_MS", Supported;
        /// Maximum milliseconds for which a client may stop reading its response.
        write_timeout_ms: u64 = 60_000, "writeTimeoutMs", "REPARSE_LIMITS_WRITE_TIMEOUT_MS", Supported;
    }
}

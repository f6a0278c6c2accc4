//! What a request may cost. Every bound holds for master keys too: they protect the server, not the data.

use super::declare::Status::Supported;
use super::declare::group;

group! {
    /// What a request may cost.
    pub struct Limits {
        /// Bytes of a JSON body; files have maxUploadSize.
        json_bytes: usize = 20 * 1024 * 1024, "jsonBytes", "REPARSE_LIMITS_JSON_BYTES", Supported;
        /// Values in a JSON body: texts, numbers, lists and objects together.
        values: usize = 1_000_000, "values", "REPARSE_LIMITS_VALUES", Supported;
        /// Bytes of JSON bodies that are parsed at the same time; the next request waits.
        parsing_bytes: usize = 64 * 1024 * 1024, "parsingBytes", "REPARSE_LIMITS_PARSING_BYTES", Supported;
        /// Names in keys, excludeKeys, include and order together.
        names: usize = 1000, "names", "REPARSE_LIMITS_NAMES", Supported;
        /// Objects that includes put into the rows of a request, each place counted.
        included_objects: usize = 100_000, "includedObjects", "REPARSE_LIMITS_INCLUDED_OBJECTS", Supported;
        /// Bytes of the objects that a request reads for its answer.
        answer_bytes: usize = 64 * 1024 * 1024, "answerBytes", "REPARSE_LIMITS_ANSWER_BYTES", Supported;
        /// Objects that a request reads, those of its batch parts together.
        rows: usize = 1_000_000, "rows", "REPARSE_LIMITS_ROWS", Supported;
        /// Parts of a batch from a caller without the master key, unless requestComplexity.batchRequestLimit is given.
        batch_parts: usize = 100, "batchParts", "REPARSE_LIMITS_BATCH_PARTS", Supported;
        /// Parts of a batch that is a transaction.
        transaction_parts: usize = 500, "transactionParts", "REPARSE_LIMITS_TRANSACTION_PARTS", Supported;
        /// Milliseconds a transaction may take on the embedded store, where it holds the only writer.
        transaction_ms: u64 = 2000, "transactionMs", "REPARSE_LIMITS_TRANSACTION_MS", Supported;
        /// Milliseconds a transaction on the embedded store may do nothing.
        transaction_idle_ms: u64 = 250, "transactionIdleMs", "REPARSE_LIMITS_TRANSACTION_IDLE_MS", Supported;
        /// Milliseconds a search may wait for a reader of the embedded store; then it is answered with 503.
        reader_wait_ms: u64 = 5000, "readerWaitMs", "REPARSE_LIMITS_READER_WAIT_MS", Supported;
        /// Milliseconds a search of the embedded store may take.
        search_ms: u64 = 1000, "searchMs", "REPARSE_LIMITS_SEARCH_MS", Supported;
        /// Connections that are open at the same time.
        connections: usize = 10_000, "connections", "REPARSE_LIMITS_CONNECTIONS", Supported;
        /// Connections that one address may have open.
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
        /// Milliseconds until the first byte of a request must have come, on a new connection.
        header_timeout_ms: u64 = 10_000, "headerTimeoutMs", "REPARSE_LIMITS_HEADER_TIMEOUT_MS", Supported;
        /// Milliseconds a client may leave a part of its answer unread.
        write_timeout_ms: u64 = 60_000, "writeTimeoutMs", "REPARSE_LIMITS_WRITE_TIMEOUT_MS", Supported;
    }
}

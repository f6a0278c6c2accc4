//! Names of metrics. Their labels are words of this server, of Parse or of the store, never of a client.

pub mod samples;

/// Requests that were answered: `method`, `route`, `status`, `protocol`.
pub const REQUESTS: &str = "reparse_requests_total";
/// Times of requests, in seconds: `method`, `route`.
pub const REQUEST_SECONDS: &str = "reparse_request_duration_seconds";
/// Operations of the store: `operation`, `outcome`.
pub const STORE_OPERATIONS: &str = "reparse_store_operations_total";
/// Times of operations of the store, in seconds: `operation`.
pub const STORE_SECONDS: &str = "reparse_store_operation_duration_seconds";
/// Connections to MongoDB.
pub const POOL_CONNECTIONS: &str = "reparse_pool_connections";
/// Connections to MongoDB that are in use.
pub const POOL_IN_USE: &str = "reparse_pool_connections_in_use";
/// Commands that got no connection in time.
pub const POOL_FAILURES: &str = "reparse_pool_checkout_failures_total";
/// Passwords that wait to be hashed.
pub const HASHES_WAITING: &str = "reparse_hash_queue";
/// Log ins and sign ups that were refused because too many waited.
pub const HASHES_REFUSED: &str = "reparse_hash_refused_total";
/// Times of password hashes on their threads, in seconds.
pub const HASH_SECONDS: &str = "reparse_hash_duration_seconds";
/// Entries of caches: `cache`.
pub const CACHE_ENTRIES: &str = "reparse_cache_entries";
/// Questions to caches: `cache`, `outcome`.
pub const CACHE_LOOKUPS: &str = "reparse_cache_lookups_total";
/// Clients of live queries.
pub const LIVE_CLIENTS: &str = "reparse_live_clients";
/// Live queries that are followed.
pub const LIVE_SUBSCRIPTIONS: &str = "reparse_live_subscriptions";
/// Events that subscriptions were told.
pub const LIVE_EVENTS: &str = "reparse_live_events_total";
/// Seconds between the last write that MongoDB told of and its telling.
pub const LIVE_LAG: &str = "reparse_live_lag_seconds";
/// Calls of the app's code: `kind`, `outcome`.
pub const CLOUD_CALLS: &str = "reparse_cloud_calls_total";
/// Times of calls of the app's code, in seconds: `kind`.
pub const CLOUD_SECONDS: &str = "reparse_cloud_call_duration_seconds";
/// Calls of the app's code in flight.
pub const CLOUD_IN_FLIGHT: &str = "reparse_cloud_calls_in_flight";
/// Devices that a push was for: `outcome`.
pub const PUSHED: &str = "reparse_push_devices_total";

/// Spans of traces by what became of them: `outcome` is `sent`, `dropped` (the queue was full) or `failed` (the receiver did not take
/// them).
pub const SPANS: &str = "reparse_trace_spans_total";

/// Sets a gauge without labels.
pub fn set(name: &'static str, value: usize) {
    metrics::gauge!(name).set(number(value as u64));
}

/// A number as metrics have it; exact up to 2^53.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a gauge is a floating point number")]
pub const fn number(value: u64) -> f64 {
    value as f64
}

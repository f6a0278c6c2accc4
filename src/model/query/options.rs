//! Options of a query besides its condition.

use serde_json::Value as Json;

/// A criterion of the sort order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// Field in REST terms; may be dotted. `$score` is the score of a text search.
    pub path: String,
    /// Whether the order is descending.
    pub descending: bool,
}

/// Read preference: the members of a replica set to read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadPreference {
    /// The primary.
    Primary,
    /// The primary if there is one.
    PrimaryPreferred,
    /// A secondary.
    Secondary,
    /// A secondary if there is one.
    SecondaryPreferred,
    /// The member with the lowest latency.
    Nearest,
}

/// Options of a find for a store.
#[derive(Debug, Clone, Default)]
pub struct FindOptions {
    /// Sort order; empty means the store's natural order.
    pub sort: Vec<Sort>,
    /// Number of rows to skip.
    pub skip: u64,
    /// Maximum number of rows; `None` means all.
    pub limit: Option<u64>,
    /// Requested fields (top-level or dotted); `None` means all. `objectId`, dates and permissions are always included.
    pub keys: Option<Vec<String>>,
    /// Whether strings are compared ignoring case: collation `en_US`, strength 2. For look-ups of names.
    pub case_insensitive: bool,
    /// Index to use: a name, or its keys.
    pub hint: Option<Json>,
    /// Comment for the database's log.
    pub comment: Option<String>,
    /// Read preference.
    pub read_preference: Option<ReadPreference>,
}

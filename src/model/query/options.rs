//! What a query asks for besides its condition.

use serde_json::Value as Json;

/// One criterion of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// Field in REST terms; may be dotted. `$score` is the score of a text search.
    pub path: String,
    /// Whether large values come first.
    pub descending: bool,
}

/// From which members of a replica set to read.
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
    /// Whichever answers fastest.
    Nearest,
}

/// How a store is to run a find.
#[derive(Debug, Clone, Default)]
pub struct FindOptions {
    /// Order; empty: the store's own.
    pub sort: Vec<Sort>,
    /// Matches to leave out first.
    pub skip: u64,
    /// Most rows; `None`: all of them.
    pub limit: Option<u64>,
    /// Fields wanted (top level names, or dotted); `None`: all. `objectId`, dates and permissions always come.
    pub keys: Option<Vec<String>>,
    /// Compare text without case and, of accents, only base letters: collation `en_US`, strength 2. For look-ups of names.
    pub case_insensitive: bool,
    /// Index to use: a name, or its keys.
    pub hint: Option<Json>,
    /// Remark for the database's log.
    pub comment: Option<String>,
    /// Which member to ask.
    pub read_preference: Option<ReadPreference>,
}

//! Options of the database and of queries.

use super::database_uri::DatabaseUri;
use super::declare::Status::{NotYet, Supported};
use super::declare::{group, options};
use super::driver::DatabaseOptions;
use super::free::Free;

options! {
    /// Options of the database and of queries.
    pub struct Database {
        /// Database (required): `mongodb://…` for MongoDB, `file:DIRECTORY` for the embedded store.
        uri: DatabaseUri = DatabaseUri::default(), "databaseURI", "PARSE_SERVER_DATABASE_URI", Supported;
        /// Prefix of every collection name.
        collection_prefix: String = String::new(), "collectionPrefix", "PARSE_SERVER_COLLECTION_PREFIX", Supported;
        /// Options of the MongoDB driver and of the indexes created at start.
        driver: DatabaseOptions = DatabaseOptions::default(), "databaseOptions", "PARSE_SERVER_DATABASE_OPTIONS", Supported;
        /// Custom storage adapter.
        database_adapter: Option<Free> = None, "databaseAdapter", "PARSE_SERVER_DATABASE_ADAPTER", NotYet;
        /// Number of characters in a generated objectId.
        object_id_size: u16 = 10, "objectIdSize", "PARSE_SERVER_OBJECT_ID_SIZE", Supported;
        /// Clients may set the objectId of an object they create.
        allow_custom_object_id: bool = false, "allowCustomObjectId", "PARSE_SERVER_ALLOW_CUSTOM_OBJECT_ID", Supported;
        /// Maximum number of objects that a query without `limit` returns.
        default_limit: i64 = 100, "defaultLimit", "PARSE_SERVER_DEFAULT_LIMIT", Supported;
        /// Maximum `limit` of a query; larger values are lowered to it.
        max_limit: Option<i64> = None, "maxLimit", "PARSE_SERVER_MAX_LIMIT", Supported;
        /// Use the collation of the collection instead of setting one in each case-insensitive query.
        enable_collation_case_comparison: bool = false, "enableCollationCaseComparison", "PARSE_SERVER_ENABLE_COLLATION_CASE_COMPARISON", Supported;
        /// Defaults for aggregations.
        query: Query = Query::default(), "query", "PARSE_SERVER_QUERY", Supported;
    }
}

group! {
    /// Defaults for aggregations (`query`).
    pub struct Query {
        /// Do not translate field names in aggregations.
        aggregation_raw_field_names: bool = false, "aggregationRawFieldNames", "PARSE_SERVER_QUERY_AGGREGATION_RAW_FIELD_NAMES", Supported;
        /// Return values of aggregations as MongoDB Extended JSON.
        aggregation_raw_values: bool = false, "aggregationRawValues", "PARSE_SERVER_QUERY_AGGREGATION_RAW_VALUES", Supported;
    }
}

//! Where objects are stored, and how queries are answered.

use super::database_uri::DatabaseUri;
use super::declare::Status::{NotYet, Supported};
use super::declare::{group, options};
use super::driver::DatabaseOptions;
use super::free::Free;

options! {
    /// Where objects are stored, and how queries are answered.
    pub struct Database {
        /// Where the data is (required): `file:FOLDER` for the embedded store, `mongodb://…` for MongoDB.
        uri: DatabaseUri = DatabaseUri::default(), "databaseURI", "PARSE_SERVER_DATABASE_URI", Supported;
        /// Text in front of every collection name.
        collection_prefix: String = String::new(), "collectionPrefix", "PARSE_SERVER_COLLECTION_PREFIX", Supported;
        /// Driver and index options.
        driver: DatabaseOptions = DatabaseOptions::default(), "databaseOptions", "PARSE_SERVER_DATABASE_OPTIONS", Supported;
        /// Own storage implementation.
        database_adapter: Option<Free> = None, "databaseAdapter", "PARSE_SERVER_DATABASE_ADAPTER", NotYet;
        /// Length of generated objectIds.
        object_id_size: u16 = 10, "objectIdSize", "PARSE_SERVER_OBJECT_ID_SIZE", Supported;
        /// Clients may choose objectIds on create.
        allow_custom_object_id: bool = false, "allowCustomObjectId", "PARSE_SERVER_ALLOW_CUSTOM_OBJECT_ID", Supported;
        /// Rows of a find without limit.
        default_limit: i64 = 100, "defaultLimit", "PARSE_SERVER_DEFAULT_LIMIT", Supported;
        /// Largest limit of a find.
        max_limit: Option<i64> = None, "maxLimit", "PARSE_SERVER_MAX_LIMIT", Supported;
        /// Rely on collations of the collections instead of per-query collation.
        enable_collation_case_comparison: bool = false, "enableCollationCaseComparison", "PARSE_SERVER_ENABLE_COLLATION_CASE_COMPARISON", Supported;
        /// Aggregation output options.
        query: Query = Query::default(), "query", "PARSE_SERVER_QUERY", Supported;
    }
}

group! {
    /// How aggregations answer.
    pub struct Query {
        /// No field name translation in aggregations.
        aggregation_raw_field_names: bool = false, "aggregationRawFieldNames", "PARSE_SERVER_QUERY_AGGREGATION_RAW_FIELD_NAMES", Supported;
        /// Extended JSON values in aggregations.
        aggregation_raw_values: bool = false, "aggregationRawValues", "PARSE_SERVER_QUERY_AGGREGATION_RAW_VALUES", Supported;
    }
}

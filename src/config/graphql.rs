//! GraphQL.

use super::declare::Status::{NotYet, Supported};
use super::declare::options;

options! {
    /// GraphQL.
    pub struct GraphQl {
        /// Serve GraphQL.
        mount: bool = false, "mountGraphQL", "PARSE_SERVER_MOUNT_GRAPHQL", Supported;
        /// Path of GraphQL.
        path: String = "/graphql".to_owned(), "graphQLPath", "PARSE_SERVER_GRAPHQL_PATH", Supported;
        /// Clients may introspect.
        public_introspection: bool = false, "graphQLPublicIntrospection", "PARSE_SERVER_GRAPHQL_PUBLIC_INTROSPECTION", Supported;
        /// File or object with additional GraphQL schema.
        schema: Option<String> = None, "graphQLSchema", "PARSE_SERVER_GRAPH_QLSCHEMA", NotYet;
        /// Serve the (deprecated) playground.
        mount_playground: bool = false, "mountPlayground", "PARSE_SERVER_MOUNT_PLAYGROUND", Supported;
        /// Path of the playground.
        playground_path: String = "/playground".to_owned(), "playgroundPath", "PARSE_SERVER_PLAYGROUND_PATH", Supported;
    }
}

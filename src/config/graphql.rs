//! Options of GraphQL.

use super::declare::Status::Supported;
use super::declare::options;

options! {
    /// Options of GraphQL.
    pub struct GraphQl {
        /// Serve the GraphQL API.
        mount: bool = false, "mountGraphQL", "PARSE_SERVER_MOUNT_GRAPHQL", Supported;
        /// Path of the GraphQL API.
        path: String = "/graphql".to_owned(), "graphQLPath", "PARSE_SERVER_GRAPHQL_PATH", Supported;
        /// Clients without the master key may use introspection.
        public_introspection: bool = false, "graphQLPublicIntrospection", "PARSE_SERVER_GRAPHQL_PUBLIC_INTROSPECTION", Supported;
        /// Additions to the schema: a file in the schema language, or its text (docs/graphql.md).
        schema: Option<String> = None, "graphQLSchema", "PARSE_SERVER_GRAPH_QLSCHEMA", Supported;
        /// Serve the GraphQL playground.
        mount_playground: bool = false, "mountPlayground", "PARSE_SERVER_MOUNT_PLAYGROUND", Supported;
        /// Path of the playground.
        playground_path: String = "/playground".to_owned(), "playgroundPath", "PARSE_SERVER_PLAYGROUND_PATH", Supported;
    }
}

//! The application's configuration.

use poem_openapi::OpenApi;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, Caller, MasterCaller, Reply};
use crate::domain::features::global_config;
use crate::domain::features::graphql_config;

/// The application's configuration.
pub struct ConfigApi;

#[OpenApi(tag = "Tag::Administration")]
impl ConfigApi {
    /// The parameters the caller may read.
    #[oai(path = "/config", method = "get", operation_id = "getConfig")]
    async fn get(&self, caller: Caller) -> Answer<describe::Config> {
        Reply::new(&global_config::get(&caller.0).await?)
    }

    /// Set and remove parameters.
    #[oai(path = "/config", method = "put", operation_id = "updateConfig")]
    async fn update(&self, caller: MasterCaller, body: Body<describe::Config>) -> Answer<describe::Outcome> {
        Reply::new(&global_config::update(&caller.0, body.0).await?)
    }

    /// How classes appear in the GraphQL API.
    #[oai(path = "/graphql-config", method = "get", operation_id = "getGraphQLConfig")]
    async fn get_graphql(&self, caller: MasterCaller) -> Answer<describe::Fields> {
        Reply::new(&graphql_config::get(&caller.0).await?)
    }

    /// Set how classes appear in the GraphQL API.
    #[oai(path = "/graphql-config", method = "put", operation_id = "updateGraphQLConfig")]
    async fn update_graphql(
        &self,
        caller: MasterCaller,
        mut body: Body<describe::Config>,
    ) -> Answer<describe::Outcome> {
        Reply::new(&graphql_config::update(&caller.0, body.0.remove("params")).await?)
    }
}

//! The application's configuration.

use poem_openapi::OpenApi;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, Caller, MasterCaller, unavailable};

/// The application's configuration.
pub struct ConfigApi;

#[OpenApi(tag = "Tag::Administration")]
impl ConfigApi {
    /// The parameters the caller may read.
    #[oai(path = "/config", method = "get", operation_id = "getConfig")]
    async fn get(&self, _caller: Caller) -> Answer<describe::Config> {
        Err(unavailable("The configuration"))
    }

    /// Set and remove parameters.
    #[oai(path = "/config", method = "put", operation_id = "updateConfig")]
    async fn update(&self, caller: MasterCaller, _body: Body<describe::Config>) -> Answer<describe::Outcome> {
        caller.0.require_master()?;
        Err(unavailable("The configuration"))
    }

    /// How classes appear in the GraphQL API.
    #[oai(path = "/graphql-config", method = "get", operation_id = "getGraphQLConfig")]
    async fn get_graphql(&self, caller: MasterCaller) -> Answer<describe::Fields> {
        caller.0.require_master()?;
        Err(unavailable("The GraphQL configuration"))
    }

    /// Set how classes appear in the GraphQL API.
    #[oai(path = "/graphql-config", method = "put", operation_id = "updateGraphQLConfig")]
    async fn update_graphql(&self, caller: MasterCaller, _body: Body<describe::Config>) -> Answer<describe::Outcome> {
        caller.0.require_master()?;
        Err(unavailable("The GraphQL configuration"))
    }
}

//! Users: sign up, log in, log out, and the routes of single users.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, Caller, LoginParameters, MasterCaller, Parameters, Reply, SessionCaller};
use crate::domain::classes;
use crate::domain::features::sessions;
use crate::domain::features::users;
use crate::model::names::USER;

/// Users.
pub struct UsersApi;

#[OpenApi(tag = "Tag::Users")]
impl UsersApi {
    /// Sign up.
    #[oai(path = "/users", method = "post", operation_id = "signUp")]
    async fn sign_up(&self, caller: Caller, body: Body<describe::SignUp>) -> Answer<describe::SignedUp, 201> {
        let saved = classes::create(&caller.0, USER, body.0).await?;
        Reply::saved(&caller.0, &saved)
    }

    /// Query users.
    #[oai(path = "/users", method = "get", operation_id = "findUsers")]
    async fn find(&self, caller: Caller, parameters: Parameters) -> Answer<describe::Results> {
        super::classes::found(classes::find_json(&caller.0, USER, parameters.0).await?)
    }

    /// The user of the session.
    #[oai(path = "/users/me", method = "get", operation_id = "getCurrentUser")]
    async fn me(&self, caller: SessionCaller) -> Answer<describe::User> {
        Reply::new(&users::me(&caller.0).await?)
    }

    /// Get a user.
    #[oai(path = "/users/:objectId", method = "get", operation_id = "getUser")]
    async fn get(
        &self,
        caller: Caller,
        #[oai(name = "objectId")] id: Path<String>,
        parameters: Parameters,
    ) -> Answer<describe::User> {
        Ok(Reply::of_bytes(classes::get_json(&caller.0, USER, &id, parameters.0).await?))
    }

    /// Change a user.
    #[oai(path = "/users/:objectId", method = "put", operation_id = "updateUser")]
    async fn update(
        &self,
        caller: SessionCaller,
        #[oai(name = "objectId")] id: Path<String>,
        body: Body<describe::Fields>,
    ) -> Answer<describe::Updated> {
        let saved = classes::update(&caller.0, USER, &id, body.0).await?;
        Reply::saved(&caller.0, &saved)
    }

    /// Delete a user.
    #[oai(path = "/users/:objectId", method = "delete", operation_id = "deleteUser")]
    async fn delete(
        &self,
        caller: SessionCaller,
        #[oai(name = "objectId")] id: Path<String>,
    ) -> Answer<describe::Nothing> {
        classes::delete(&caller.0, USER, &id).await?;
        Ok(Reply::empty())
    }

    /// Log in.
    #[oai(path = "/login", method = "post", operation_id = "logIn")]
    async fn log_in(
        &self,
        caller: Caller,
        parameters: LoginParameters,
        _body: Body<describe::LogIn>,
    ) -> Answer<describe::User> {
        Reply::new(&users::log_in(&caller.0, parameters.0).await?)
    }

    /// Log in with the name and password in the query. Prefer POST: addresses end up in logs.
    #[oai(path = "/login", method = "get", operation_id = "logInByQuery")]
    async fn log_in_by_query(&self, caller: Caller, parameters: LoginParameters) -> Answer<describe::User> {
        Reply::new(&users::log_in(&caller.0, parameters.0).await?)
    }

    /// Check a password without making a session.
    #[oai(path = "/verifyPassword", method = "post", operation_id = "verifyPassword")]
    async fn verify_password(
        &self,
        caller: Caller,
        parameters: LoginParameters,
        _body: Body<describe::LogIn>,
    ) -> Answer<describe::User> {
        Reply::new(&users::verify_password(&caller.0, parameters.0).await?)
    }

    /// Check a password in the query. Prefer POST: addresses end up in logs.
    #[oai(path = "/verifyPassword", method = "get", operation_id = "verifyPasswordByQuery")]
    async fn verify_password_by_query(&self, caller: Caller, parameters: LoginParameters) -> Answer<describe::User> {
        Reply::new(&users::verify_password(&caller.0, parameters.0).await?)
    }

    /// Make a session for any user.
    #[oai(path = "/loginAs", method = "post", operation_id = "logInAs")]
    async fn log_in_as(
        &self,
        caller: MasterCaller,
        parameters: Parameters,
        _body: Body<describe::LogInAs>,
    ) -> Answer<describe::User> {
        Reply::new(&users::log_in_as(&caller.0, parameters.0.get("userId")).await?)
    }

    /// End the session.
    #[oai(path = "/logout", method = "post", operation_id = "logOut")]
    async fn log_out(&self, caller: SessionCaller) -> Answer<describe::Nothing> {
        users::log_out(&caller.0).await?;
        Ok(Reply::empty())
    }

    /// Have a mail sent with a link to set a new password.
    #[oai(path = "/requestPasswordReset", method = "post", operation_id = "requestPasswordReset")]
    async fn request_password_reset(&self, caller: Caller, body: Body<describe::Mail>) -> Answer<describe::Nothing> {
        users::request_password_reset(&caller.0, body.0).await?;
        Ok(Reply::empty())
    }

    /// Have the mail sent again that verifies an address.
    #[oai(path = "/verificationEmailRequest", method = "post", operation_id = "requestVerificationEmail")]
    async fn request_verification_email(
        &self,
        caller: Caller,
        body: Body<describe::Mail>,
    ) -> Answer<describe::Nothing> {
        users::request_verification_email(&caller.0, body.0).await?;
        Ok(Reply::empty())
    }

    /// Ask authentication providers for a challenge.
    #[oai(path = "/challenge", method = "post", operation_id = "challenge")]
    async fn challenge(&self, caller: Caller, body: Body<describe::ChallengeRequest>) -> Answer<describe::Challenge> {
        Reply::new(&users::challenge(&caller.0, body.0).await?)
    }

    /// Trade a session token of the old kind for a session.
    #[oai(path = "/upgradeToRevocableSession", method = "post", operation_id = "upgradeToRevocableSession")]
    async fn upgrade_session(&self, caller: SessionCaller) -> Answer<describe::Session> {
        Reply::new(&sessions::upgrade(&caller.0).await?)
    }
}

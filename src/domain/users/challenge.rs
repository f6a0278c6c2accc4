//! `/challenge`: what a provider wants to be answered before a log in.

use serde_json::{Map, Value as Json, json};

use super::auth_data::AuthData;
use super::log_in;
use crate::domain::context::Context;
use crate::error::{ErrorCode, ParseError, Result};

/// Answers the challenges asked for. No provider of this server has one yet, so each is left out, as unknown ones are.
///
/// # Errors
/// -1 for what does not go together, 101 for credentials nobody has.
pub async fn challenge(cx: &Context, body: Map<String, Json>) -> Result<Json> {
    let refuse = |text: &'static str| Err(ParseError::new(ErrorCode::OtherCause, text));
    let given = |name: &str| {
        body.get(name).filter(|value| !matches!(value, Json::Null | Json::Bool(false)) && value.as_str() != Some(""))
    };
    let Some(challenge) = given("challengeData") else {
        return refuse("Nothing to challenge.");
    };
    if !challenge.is_object() {
        return refuse("challengeData should be an object.");
    }
    let by_name = given("username").is_some() || given("email").is_some();
    let (password, auth_data) = (given("password"), given("authData"));
    if by_name && password.is_none() {
        return refuse("You provided username or email, you need to also provide password.");
    }
    if by_name && auth_data.is_some() {
        return refuse("You cannot provide username/email and authData, only use one identification method.");
    }
    if by_name {
        let mut parameters = body.clone();
        parameters.retain(|name, _| matches!(name.as_str(), "username" | "email" | "password"));
        log_in::verify_password(cx, parameters).await?;
    }
    if let Some(auth_data) = auth_data {
        let Some(providers) = auth_data.as_object() else {
            return refuse("authData should be an object.");
        };
        for (provider, data) in providers {
            if !data.is_object() {
                return Err(ParseError::new(
                    ErrorCode::OtherCause,
                    format!("authData.{provider} should be an object."),
                ));
            }
        }
        if providers.values().filter(|data| data.get("id").is_some()).count() > 1 {
            return refuse("You cannot provide more than one authData provider with an id.");
        }
        if AuthData::read(cx, auth_data)?.owners(cx).await?.len() != 1 {
            return Err(ParseError::new(ErrorCode::ObjectNotFound, "User not found."));
        }
    }
    Ok(json!({"challengeData": {}}))
}

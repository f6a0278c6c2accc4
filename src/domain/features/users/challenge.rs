//! `/challenge`: challenges of identity providers before a log in.

use serde_json::{Map, Value as Json, json};

use super::auth_data::{self, AuthData, Who};
use super::log_in;
use super::state::Users;
use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json::is_truthy;
use crate::model::object::Object;

/// Gets the requested challenges; unknown providers and those without challenges are left out.
///
/// # Errors
/// -1 for invalid combinations of parameters, 101 for wrong credentials.
pub async fn challenge(cx: &Context, body: Map<String, Json>) -> Result<Json> {
    cx.admit_write()?;
    let refuse = |text: &'static str| Err(ParseError::new(ErrorCode::OtherCause, text));
    let given = |name: &str| body.get(name).filter(|value| is_truthy(value));
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
    let mut user = None;
    if by_name {
        let mut parameters = body.clone();
        parameters.retain(|name, _| matches!(name.as_str(), "username" | "email" | "password"));
        user = Some(log_in::verified_user(cx, &parameters).await?);
    }
    let mut sent = AuthData::default();
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
        sent = AuthData::read(cx, auth_data)?;
        user = Some(identified(cx, &mut sent).await?);
    }
    let who = Who { user: user.as_ref(), challenge: true, ..Who::default() };
    let request = auth_data::request(cx, who, &Map::new(), &sent);
    let providers = &cx.app.feature::<Users>()?.providers;
    let mut answers = Map::new();
    let mut wishes: Vec<(&String, &Json)> = challenge.as_object().into_iter().flatten().collect();
    wishes.sort_by_key(|(provider, _)| *provider);
    for (provider, wish) in wishes {
        let shown = auth_data.and_then(|data| data.get(provider)).and_then(Json::as_object);
        if let Some(adapter) = providers.get(provider)
            && let Some(answer) = adapter.challenge(wish, shown, &request).await?
        {
            answers.insert(provider.clone(), answer);
        }
    }
    Ok(json!({"challengeData": answers}))
}

/// The user of the identities, if they are valid. A caller who guesses an id learns nothing.
async fn identified(cx: &Context, sent: &mut AuthData) -> Result<Object> {
    let unknown = || ParseError::new(ErrorCode::ObjectNotFound, "User not found.");
    sent.identify(cx, None).await.map_err(|error| unknown().with_source(error))?;
    let owners = sent.owners(cx).await?;
    let [owner] = owners.as_slice() else { return Err(unknown()) };
    let who = Who { user: Some(owner), challenge: true, ..Who::default() };
    match sent.validate(cx, who, false, &Map::new()).await {
        Ok(_) => Ok(owner.clone()),
        Err(error) => Err(unknown().with_source(error)),
    }
}

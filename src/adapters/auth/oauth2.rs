//! `OAuth2`: the provider verifies an access token by token introspection (RFC 7662).

use futures_util::future::BoxFuture;
use reqwest::Url;
use serde_json::{Map, Value as Json};

use super::{Attempt, AuthAdapter, Outcome, endpoint, invalid, text, texts};
use crate::adapters::http::Caller;
use crate::error::Result;

/// A provider.
#[derive(Debug)]
pub struct OAuth2 {
    caller: Caller,
    url: Url,
    user_field: String,
    app_field: Option<String>,
    app_ids: Vec<String>,
    authorization: Option<String>,
}

impl OAuth2 {
    /// Settings: `tokenIntrospectionEndpointUrl`, `useridField` (`sub`), `appidField`, `appIds`, `authorizationHeader`.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(settings: &Map<String, Json>) -> Result<Self, String> {
        text(settings, "tokenIntrospectionEndpointUrl")?;
        let optional = |key: &str| match settings.get(key) {
            None | Some(Json::Null) => Ok(None),
            Some(_) => text(settings, key).map(Some),
        };
        let app_field = optional("appidField")?;
        let app_ids = match (&app_field, settings.get("appIds")) {
            (None, None | Some(Json::Null)) => Vec::new(),
            // Without both, tokens of any app would be accepted.
            (None, Some(_)) => return Err("appIds needs appidField".to_owned()),
            (Some(_), _) => texts(settings, "appIds")?,
        };
        Ok(Self {
            caller: Caller::new()?,
            url: endpoint(settings, "tokenIntrospectionEndpointUrl", "")?,
            user_field: optional("useridField")?.unwrap_or_else(|| "sub".to_owned()),
            app_field,
            app_ids,
            authorization: optional("authorizationHeader")?,
        })
    }
}

/// A string or number of a response as a string.
pub(super) fn scalar(value: Option<&Json>) -> Option<String> {
    match value? {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl AuthAdapter for OAuth2 {
    fn validate<'a>(&'a self, attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            let wrong = || invalid("OAuth2 access token is invalid for this user.");
            let token = attempt.data.get("access_token").and_then(Json::as_str).filter(|token| !token.is_empty());
            let id = attempt.data.get("id").and_then(Json::as_str).filter(|id| !id.is_empty());
            let (Some(token), Some(id)) = (token, id) else { return Err(wrong()) };
            let mut request = self.caller.post(&self.url).form(&[("token", token)]);
            if let Some(header) = &self.authorization {
                request = request.header("authorization", header);
            }
            let answer = self
                .caller
                .good_json(request)
                .await
                .map_err(|error| invalid("OAuth2 token introspection request failed.").with_source(error))?;
            if let Some(field) = &self.app_field {
                let apps = match answer.get(field) {
                    Some(Json::Array(list)) => list.iter().filter_map(|app| scalar(Some(app))).collect(),
                    one => scalar(one).into_iter().collect::<Vec<_>>(),
                };
                if !apps.iter().any(|app| self.app_ids.contains(app)) {
                    return Err(invalid("OAuth2: Invalid app ID."));
                }
            }
            let active = answer.get("active") == Some(&Json::Bool(true));
            if active && scalar(answer.get(&self.user_field)).as_deref() == Some(id) {
                Ok(Outcome::default())
            } else {
                Err(wrong())
            }
        })
    }
}

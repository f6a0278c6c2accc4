//! Keycloak: an access token of a realm for the configured client.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};

use super::jwt::{self, Expected, KeySource, Verifier};
use super::{Attempt, AuthAdapter, Outcome, invalid, text};
use crate::adapters::http;
use crate::error::Result;

/// A realm.
#[derive(Debug)]
pub struct Keycloak {
    verifier: Verifier,
    issuer: Vec<String>,
    client_id: String,
}

impl Keycloak {
    /// Settings: `config`, with `auth-server-url`, `realm` and `client-id`.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(settings: &Map<String, Json>) -> Result<Self, String> {
        let config = settings.get("config").and_then(Json::as_object).ok_or("config must be an object")?;
        let server = text(config, "auth-server-url")?;
        let issuer = format!("{}/realms/{}", server.trim_end_matches('/'), text(config, "realm")?);
        let keys = http::address(&format!("{issuer}/protocol/openid-connect/certs"))?;
        Ok(Self {
            verifier: Verifier::new(KeySource::Keys(keys), jwt::PUBLIC_KEY_ALGORITHMS)?,
            issuer: vec![issuer],
            client_id: text(config, "client-id")?,
        })
    }
}

impl AuthAdapter for Keycloak {
    fn validate<'a>(&'a self, attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            let id = attempt.data.get("id").and_then(Json::as_str).filter(|id| !id.is_empty());
            let token = attempt.data.get("access_token").filter(|token| !token.is_null());
            let (Some(_), Some(token)) = (id, token) else {
                return Err(invalid("Missing access token and/or User id"));
            };
            // The audience of Keycloak's access tokens is the service that receives them; the client that they were
            // issued to is `azp`.
            let claims = self.verifier.verify(token, &Expected { audiences: &[], now: attempt.now }).await?;
            jwt::check_issuer(&claims, &self.issuer, "access token not issued by correct provider")?;
            let client = claims.get("azp").and_then(Json::as_str).unwrap_or_default();
            if client != self.client_id {
                let client: String = client.chars().filter(|letter| !letter.is_control()).take(200).collect();
                return Err(invalid(format!(
                    "access token is not authorized for this client - expected: {} | from: {client}",
                    self.client_id
                )));
            }
            jwt::check_subject(&claims, attempt.data)?;
            // Roles and groups that the client sends must equal those in the token.
            for field in ["roles", "groups"] {
                if let Some(claimed) = attempt.data.get(field)
                    && claims.get(field) != Some(claimed)
                {
                    return Err(invalid("Invalid authentication"));
                }
            }
            Ok(Outcome::default())
        })
    }
}

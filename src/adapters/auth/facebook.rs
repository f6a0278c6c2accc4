//! Facebook: an access token, for which Facebook confirms app and user, or a signed token of its limited log in.

use futures_util::future::BoxFuture;
use jsonwebtoken::Algorithm;
use reqwest::Url;
use ring::hmac;
use serde_json::{Map, Value as Json};

use super::jwt::{self, Expected, KeySource, Verifier};
use super::oauth2::scalar;
use super::{Attempt, AuthAdapter, Outcome, endpoint, invalid, text, texts};
use crate::adapters::http::Caller;
use crate::error::{ParseError, Result};
use crate::random::hex;

/// Facebook.
#[derive(Debug)]
pub struct Facebook {
    caller: Caller,
    graph: Url,
    app_ids: Vec<String>,
    app_secret: Option<hmac::Key>,
    verifier: Verifier,
    issuers: Vec<String>,
}

impl Facebook {
    /// Settings: `appIds`, `appSecret`.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(settings: &Map<String, Json>) -> Result<Self, String> {
        let keys = endpoint(settings, "jwksUrl", "https://www.facebook.com/.well-known/oauth/openid/jwks/")?;
        let issuers = match settings.get("issuer") {
            None | Some(Json::Null) => vec!["https://www.facebook.com".to_owned()],
            Some(_) => texts(settings, "issuer")?,
        };
        let app_secret = match settings.get("appSecret") {
            None | Some(Json::Null) => None,
            Some(_) => Some(hmac::Key::new(hmac::HMAC_SHA256, text(settings, "appSecret")?.as_bytes())),
        };
        Ok(Self {
            caller: Caller::new()?,
            graph: endpoint(settings, "graphUrl", "https://graph.facebook.com")?,
            app_ids: texts(settings, "appIds")?,
            app_secret,
            verifier: Verifier::new(KeySource::Keys(keys), &[Algorithm::RS256])?,
            issuers,
        })
    }

    async fn ask(&self, path: &str, fields: &[(&str, &str)], token: &str) -> Result<Json> {
        let mut url = self.graph.clone();
        url.set_path(&format!("{}/{path}", self.graph.path().trim_end_matches('/')));
        url.query_pairs_mut().extend_pairs(fields).append_pair("access_token", token);
        if let Some(secret) = &self.app_secret {
            let proof = hmac::sign(secret, token.as_bytes());
            let proof: String = hex(proof.as_ref());
            url.query_pairs_mut().append_pair("appsecret_proof", &proof);
        }
        self.caller.good_json(self.caller.get(&url)).await.map_err(|error| wrong().with_source(error))
    }
}

fn wrong() -> ParseError {
    invalid("Facebook auth is invalid for this user.")
}

impl AuthAdapter for Facebook {
    fn validate<'a>(&'a self, attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            let id = attempt.data.get("id").and_then(Json::as_str).filter(|id| !id.is_empty());
            if let Some(token) = attempt.data.get("token").filter(|token| !token.is_null()) {
                let expected = Expected { audiences: &self.app_ids, now: attempt.now };
                let claims = self.verifier.verify(token, &expected).await?;
                jwt::check_issuer(&claims, &self.issuers, "id token not issued by correct OpenID provider")?;
                jwt::check_subject(&claims, attempt.data)?;
                return Ok(Outcome::default());
            }
            let token = attempt.data.get("access_token").and_then(Json::as_str).filter(|token| !token.is_empty());
            let (Some(token), Some(id)) = (token, id) else { return Err(wrong()) };
            let app = self.ask("app", &[], token).await?;
            if !scalar(app.get("id")).is_some_and(|app| self.app_ids.contains(&app)) {
                return Err(wrong());
            }
            let user = self.ask("me", &[("fields", "id")], token).await?;
            if scalar(user.get("id")).as_deref() == Some(id) { Ok(Outcome::default()) } else { Err(wrong()) }
        })
    }
}

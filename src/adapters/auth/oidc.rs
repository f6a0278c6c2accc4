//! `OpenID` Connect: an id token of the provider identifies the user.

use futures_util::future::BoxFuture;
use jsonwebtoken::Algorithm;
use ring::digest;
use serde_json::{Map, Value as Json};

use super::jwt::{self, Expected, KeySource, Verifier};
use super::{Attempt, AuthAdapter, Outcome, endpoint, invalid, text, texts};
use crate::adapters::http;
use crate::error::Result;
use crate::random::hex;

/// A provider.
#[derive(Debug)]
pub struct Oidc {
    verifier: Verifier,
    issuers: Vec<String>,
    audiences: Vec<String>,
    /// Field of `authData` with the token.
    field: &'static str,
    /// First words of the error for a token of another issuer.
    wrong_issuer: &'static str,
    require_nonce: bool,
}

impl Oidc {
    /// Any issuer. Options: `issuer`, `clientId` (one or several), `jwksUrl` (none: by discovery), `requireNonce`.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(options: &Map<String, Json>) -> Result<Self, String> {
        let issuer = text(options, "issuer")?;
        let source = match options.get("jwksUrl") {
            None | Some(Json::Null) => {
                let document = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
                KeySource::Discovery { document: http::address(&document)?, issuer: issuer.clone() }
            }
            Some(_) => KeySource::Keys(endpoint(options, "jwksUrl", "")?),
        };
        Ok(Self {
            verifier: Verifier::new(source, jwt::PUBLIC_KEY_ALGORITHMS)?,
            issuers: vec![issuer],
            audiences: texts(options, "clientId")?,
            field: "id_token",
            wrong_issuer: "id token not issued by correct OpenID provider",
            require_nonce: options.get("requireNonce") == Some(&Json::Bool(true)),
        })
    }

    /// Google. Settings: `clientId`.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn google(settings: &Map<String, Json>) -> Result<Self, String> {
        let keys = endpoint(settings, "jwksUrl", "https://www.googleapis.com/oauth2/v3/certs")?;
        let issuers = match settings.get("issuer") {
            None | Some(Json::Null) => vec!["accounts.google.com".to_owned(), "https://accounts.google.com".to_owned()],
            Some(_) => texts(settings, "issuer")?,
        };
        Ok(Self {
            verifier: Verifier::new(KeySource::Keys(keys), &[Algorithm::RS256])?,
            issuers,
            audiences: texts(settings, "clientId")?,
            field: "id_token",
            wrong_issuer: "id token not issued by correct provider",
            require_nonce: false,
        })
    }

    /// Apple. Settings: `clientId`, one or several.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn apple(settings: &Map<String, Json>) -> Result<Self, String> {
        let keys = endpoint(settings, "jwksUrl", "https://appleid.apple.com/auth/keys")?;
        let issuers = match settings.get("issuer") {
            None | Some(Json::Null) => vec!["https://appleid.apple.com".to_owned()],
            Some(_) => texts(settings, "issuer")?,
        };
        Ok(Self {
            verifier: Verifier::new(KeySource::Keys(keys), &[Algorithm::RS256])?,
            issuers,
            audiences: texts(settings, "clientId")?,
            field: "token",
            wrong_issuer: "id token not issued by correct OpenID provider",
            require_nonce: false,
        })
    }
}

impl AuthAdapter for Oidc {
    fn validate<'a>(&'a self, attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            let token = match attempt.data.get(self.field) {
                None | Some(Json::Null) => return Err(invalid("id token is invalid for this user.")),
                Some(token) => token,
            };
            let expected = Expected { audiences: &self.audiences, now: attempt.now };
            let claims = self.verifier.verify(token, &expected).await?;
            jwt::check_issuer(&claims, &self.issuers, self.wrong_issuer)?;
            jwt::check_subject(&claims, attempt.data)?;
            check_nonce(&claims, attempt.data, self.require_nonce)?;
            Ok(Outcome::default())
        })
    }
}

/// Checks the nonce: it must equal the one in the token, or the token must contain its hash.
fn check_nonce(claims: &Map<String, Json>, data: &Map<String, Json>, required: bool) -> Result<()> {
    let refused = || Err(invalid("id token nonce is invalid for this user."));
    match (data.get("nonce"), claims.get("nonce").and_then(Json::as_str)) {
        (None | Some(Json::Null), _) if !required => Ok(()),
        (Some(Json::String(given)), Some(claimed)) => {
            let hash = digest::digest(&digest::SHA256, given.as_bytes());
            if given == claimed || hex(hash.as_ref()) == claimed { Ok(()) } else { refused() }
        }
        _ => refused(),
    }
}

//! Providers with authorisation codes: the server exchanges the code for an access token and asks the provider for the
//! user's id, which never comes from the client.

use async_trait::async_trait;
use reqwest::Url;
use serde_json::{Map, Value as Json, json};

use super::oauth2::scalar;
use super::{Attempt, AuthAdapter, Given, Outcome, endpoint, invalid, text};
use crate::adapters::http::Caller;
use crate::error::{ErrorCode, ParseError, Result};

/// The variant of the protocol that a provider uses.
#[derive(Debug)]
struct Dialect {
    name: &'static str,
    title: &'static str,
    token_url: &'static str,
    user_url: &'static str,
    id: &'static str,
    needs_secret: bool,
    style: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// A form with the redirect URL that the client used.
    Form,
    /// JSON without a redirect URL.
    Json,
    /// A form with the redirect URL of the settings, and the token in the query.
    Instagram,
    /// A form with a code verifier instead of the secret.
    Spotify,
    /// A form, and a header on the second call.
    LinkedIn,
}

const DIALECTS: [Dialect; 6] = [
    Dialect {
        name: "github",
        title: "GitHub",
        token_url: "https://github.com/login/oauth/access_token",
        user_url: "https://api.github.com/user",
        id: "id",
        needs_secret: true,
        style: Style::Json,
    },
    Dialect {
        name: "instagram",
        title: "Instagram",
        token_url: "https://api.instagram.com/oauth/access_token",
        user_url: "https://graph.instagram.com/me",
        id: "id",
        needs_secret: true,
        style: Style::Instagram,
    },
    Dialect {
        name: "line",
        title: "Line",
        token_url: "https://api.line.me/oauth2/v2.1/token",
        user_url: "https://api.line.me/v2/profile",
        id: "userId",
        needs_secret: true,
        style: Style::Form,
    },
    Dialect {
        name: "linkedin",
        title: "LinkedIn",
        token_url: "https://www.linkedin.com/oauth/v2/accessToken",
        user_url: "https://api.linkedin.com/v2/me",
        id: "id",
        needs_secret: true,
        style: Style::LinkedIn,
    },
    Dialect {
        name: "microsoft",
        title: "Microsoft",
        token_url: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        user_url: "https://graph.microsoft.com/v1.0/me",
        id: "id",
        needs_secret: true,
        style: Style::Form,
    },
    Dialect {
        name: "spotify",
        title: "spotify",
        token_url: "https://accounts.spotify.com/api/token",
        user_url: "https://api.spotify.com/v1/me",
        id: "id",
        needs_secret: false,
        style: Style::Spotify,
    },
];

/// A provider.
#[derive(Debug)]
pub struct CodeExchange {
    dialect: &'static Dialect,
    caller: Caller,
    token_url: Url,
    user_url: Url,
    client_id: String,
    client_secret: Secret,
    redirect_uri: Option<String>,
}

/// A secret that is never logged.
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl CodeExchange {
    /// Settings: `clientId`, `clientSecret`, for Instagram `redirectUri`. `None` if the name is not one of these
    /// providers.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(name: &str, settings: &Map<String, Json>) -> Result<Self, String> {
        let dialect = DIALECTS.iter().find(|dialect| dialect.name == name).ok_or("there is no such provider")?;
        let optional = |key: &str| settings.get(key).and_then(Json::as_str).map(str::to_owned);
        let client_secret = if dialect.needs_secret {
            text(settings, "clientSecret")?
        } else {
            optional("clientSecret").unwrap_or_default()
        };
        Ok(Self {
            dialect,
            caller: Caller::new()?,
            token_url: endpoint(settings, "tokenUrl", dialect.token_url)?,
            user_url: endpoint(settings, "userUrl", dialect.user_url)?,
            client_id: text(settings, "clientId")?,
            client_secret: Secret(client_secret),
            redirect_uri: optional("redirectUri"),
        })
    }

    fn mismatch(&self) -> ParseError {
        invalid(format!("{} auth is invalid for this user.", self.dialect.title))
    }

    async fn access_token(&self, code: &str, data: &Map<String, Json>) -> Result<String> {
        let given = |key: &str| data.get(key).and_then(Json::as_str).map(str::to_owned);
        let secret = self.client_secret.0.as_str();
        let request = self.caller.post(&self.token_url);
        let mut form = vec![("grant_type", "authorization_code".to_owned()), ("code", code.to_owned())];
        form.push(("client_id", self.client_id.clone()));
        let request = match self.dialect.style {
            Style::Json => request.json(&json!({"client_id": self.client_id, "client_secret": secret, "code": code})),
            Style::Spotify => {
                let (Some(redirect), Some(verifier)) = (given("redirect_uri"), given("code_verifier")) else {
                    return Err(invalid(
                        "Spotify auth configuration authData.code and/or authData.redirect_uri and/or authData.code_verifier.",
                    ));
                };
                form.extend([("redirect_uri", redirect), ("code_verifier", verifier)]);
                request.form(&form)
            }
            Style::Form | Style::LinkedIn | Style::Instagram => {
                let own = self.redirect_uri.clone();
                let redirect = if self.dialect.style == Style::Instagram { own } else { given("redirect_uri").or(own) };
                form.extend(redirect.map(|redirect| ("redirect_uri", redirect)));
                form.push(("client_secret", secret.to_owned()));
                request.form(&form)
            }
        };
        let failed = || invalid(format!("{} API request failed.", self.dialect.title));
        let (status, answer) = self.caller.json(request).await.map_err(|error| failed().with_source(error))?;
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            let told = scalar(answer.get("error_description")).or_else(|| scalar(Some(error)));
            tracing::info!(provider = self.dialect.name, ?told, "a code was refused");
            return Err(told.map_or_else(failed, invalid));
        }
        scalar(answer.get("access_token")).filter(|_| status < 300).ok_or_else(failed)
    }

    async fn user_id(&self, token: &str) -> Result<String> {
        let mut url = self.user_url.clone();
        let request = match self.dialect.style {
            Style::Instagram => {
                url.query_pairs_mut().append_pair("fields", "id").append_pair("access_token", token);
                self.caller.get(&url)
            }
            Style::LinkedIn => self.caller.get(&url).bearer_auth(token).header("x-li-format", "json"),
            Style::Form | Style::Json | Style::Spotify => self.caller.get(&url).bearer_auth(token),
        };
        let title = self.dialect.title;
        let user = self
            .caller
            .good_json(request)
            .await
            .map_err(|error| invalid(format!("Failed to fetch {title} user.")).with_source(error))?;
        scalar(user.get(self.dialect.id))
            .ok_or_else(|| ParseError::new(ErrorCode::ValidationError, format!("Invalid {title} user data received.")))
    }
}

#[async_trait]
impl AuthAdapter for CodeExchange {
    async fn identify(&self, given: &Given<'_>) -> Result<Option<Map<String, Json>>> {
        let Some(code) = given.text("code") else {
            return Err(ParseError::new(
                ErrorCode::ValidationError,
                format!("{} code is required.", self.dialect.title),
            ));
        };
        let token = self.access_token(code, given.data).await?;
        let id = self.user_id(&token).await?;
        if given.names_another(&id) {
            return Err(self.mismatch());
        }
        Ok(Some(Map::from_iter([("access_token".to_owned(), token.into()), ("id".to_owned(), id.into())])))
    }

    async fn validate(&self, _attempt: &Attempt<'_>) -> Result<Outcome> {
        // The user's id was checked when the code was exchanged.
        Ok(Outcome::default())
    }
    fn present(&self, stored: &Map<String, Json>, _master: bool) -> Option<Map<String, Json>> {
        Some(stored.iter().filter(|(field, _)| *field == "id").map(|(field, id)| (field.clone(), id.clone())).collect())
    }
}

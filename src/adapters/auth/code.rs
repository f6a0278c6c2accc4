//! Providers with authorisation codes: the server exchanges the code for an access token and asks the provider for the
//! user's id, which never comes from the client.

use futures_util::future::BoxFuture;
use reqwest::{RequestBuilder, Url};
use serde_json::{Map, Value as Json, json};

use super::oauth2::scalar;
use super::{Attempt, AuthAdapter, Given, Outcome, endpoint, invalid, text};
use crate::adapters::http::{CallError, Caller};
use crate::error::{ErrorCode, ParseError, Result};

/// The variant of the protocol that a provider uses.
#[derive(Debug)]
struct Dialect {
    name: &'static str,
    title: &'static str,
    token_url: &'static str,
    /// `None`: the answer with the token contains the user's id.
    user_url: Option<&'static str>,
    /// The field with the user's id.
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
    /// Both calls are queries; an answer may be wrapped in a function call.
    Qq,
    /// A query with names of its own.
    WeChat,
    /// A form whose redirect URL is required, and a form with the token.
    Weibo,
}

impl Style {
    /// Whether clients get the provider's own words when it refuses a code.
    fn tells_why(self) -> bool {
        !matches!(self, Self::Qq | Self::WeChat | Self::Weibo)
    }
}

const DIALECTS: [Dialect; 10] = [
    Dialect {
        name: "github",
        title: "GitHub",
        token_url: "https://github.com/login/oauth/access_token",
        user_url: Some("https://api.github.com/user"),
        id: "id",
        needs_secret: true,
        style: Style::Json,
    },
    Dialect {
        name: "gpgames",
        title: "gpgames",
        token_url: "https://oauth2.googleapis.com/token",
        // Whose token it is. Under any other id Google shows the public profile of whoever has that id.
        user_url: Some("https://games.googleapis.com/games/v1/players/me"),
        id: "playerId",
        needs_secret: true,
        style: Style::Form,
    },
    Dialect {
        name: "instagram",
        title: "Instagram",
        token_url: "https://api.instagram.com/oauth/access_token",
        user_url: Some("https://graph.instagram.com/me"),
        id: "id",
        needs_secret: true,
        style: Style::Instagram,
    },
    Dialect {
        name: "line",
        title: "Line",
        token_url: "https://api.line.me/oauth2/v2.1/token",
        user_url: Some("https://api.line.me/v2/profile"),
        id: "userId",
        needs_secret: true,
        style: Style::Form,
    },
    Dialect {
        name: "linkedin",
        title: "LinkedIn",
        token_url: "https://www.linkedin.com/oauth/v2/accessToken",
        user_url: Some("https://api.linkedin.com/v2/me"),
        id: "id",
        needs_secret: true,
        style: Style::LinkedIn,
    },
    Dialect {
        name: "microsoft",
        title: "Microsoft",
        token_url: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        user_url: Some("https://graph.microsoft.com/v1.0/me"),
        id: "id",
        needs_secret: true,
        style: Style::Form,
    },
    Dialect {
        name: "qq",
        title: "qq",
        token_url: "https://graph.qq.com/oauth2.0/token",
        user_url: Some("https://graph.qq.com/oauth2.0/me"),
        id: "openid",
        needs_secret: true,
        style: Style::Qq,
    },
    Dialect {
        name: "spotify",
        title: "spotify",
        token_url: "https://accounts.spotify.com/api/token",
        user_url: Some("https://api.spotify.com/v1/me"),
        id: "id",
        needs_secret: false,
        style: Style::Spotify,
    },
    Dialect {
        name: "wechat",
        title: "WeChat",
        token_url: "https://api.weixin.qq.com/sns/oauth2/access_token",
        user_url: None,
        id: "openid",
        needs_secret: true,
        style: Style::WeChat,
    },
    Dialect {
        name: "weibo",
        title: "Weibo",
        token_url: "https://api.weibo.com/oauth2/access_token",
        // The `uid` beside the token is, by Weibo's documentation, not to be used as an identity.
        user_url: Some("https://api.weibo.com/oauth2/get_token_info"),
        id: "uid",
        needs_secret: true,
        style: Style::Weibo,
    },
];

/// A provider.
#[derive(Debug)]
pub struct CodeExchange {
    dialect: &'static Dialect,
    caller: Caller,
    token_url: Url,
    user_url: Option<Url>,
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
            user_url: dialect.user_url.map(|real| endpoint(settings, "userUrl", real)).transpose()?,
            client_id: text(settings, "clientId")?,
            client_secret: Secret(client_secret),
            redirect_uri: optional("redirectUri"),
        })
    }

    fn mismatch(&self) -> ParseError {
        invalid(format!("{} auth is invalid for this user.", self.dialect.title))
    }

    /// The error for a call that failed, or an answer that is none.
    fn failed(&self) -> ParseError {
        match self.dialect.style {
            Style::WeChat | Style::Weibo => self.mismatch(),
            _ => invalid(format!("{} API request failed.", self.dialect.title)),
        }
    }

    /// The first call, which exchanges the code.
    fn exchange(&self, code: &str, given: &Given<'_>) -> Result<RequestBuilder> {
        let sent = |key: &str| given.data.get(key).and_then(Json::as_str).map(str::to_owned);
        let id = self.client_id.as_str();
        let secret = self.client_secret.0.as_str();
        let mut url = self.token_url.clone();
        let mut form = vec![("grant_type", "authorization_code".to_owned()), ("code", code.to_owned())];
        match self.dialect.style {
            Style::Json => {
                let body = json!({"client_id": id, "client_secret": secret, "code": code});
                return Ok(self.caller.post(&url).json(&body));
            }
            Style::WeChat => {
                form.extend([("appid", id.to_owned()), ("secret", secret.to_owned())]);
                url.query_pairs_mut().extend_pairs(&form);
                return Ok(self.caller.get(&url));
            }
            Style::Spotify => {
                let (Some(redirect), Some(verifier)) = (sent("redirect_uri"), sent("code_verifier")) else {
                    return Err(invalid(
                        "Spotify auth configuration authData.code and/or authData.redirect_uri and/or authData.code_verifier.",
                    ));
                };
                form.extend([("redirect_uri", redirect), ("code_verifier", verifier)]);
            }
            Style::Form | Style::Instagram | Style::LinkedIn | Style::Qq | Style::Weibo => {
                let own = self.redirect_uri.clone();
                let redirect = match self.dialect.style {
                    Style::Instagram => own,
                    // Play Games' clients write it in this way.
                    _ => sent("redirect_uri").or_else(|| sent("redirectUri")).or(own),
                };
                if redirect.is_none() && self.dialect.style == Style::Weibo {
                    return Err(invalid("Weibo auth requires code and redirect_uri to be sent."));
                }
                form.extend(redirect.map(|redirect| ("redirect_uri", redirect)));
                form.push(("client_secret", secret.to_owned()));
            }
        }
        form.push(("client_id", id.to_owned()));
        if self.dialect.style == Style::Qq {
            url.query_pairs_mut().extend_pairs(&form).append_pair("fmt", "json");
            return Ok(self.caller.get(&url));
        }
        Ok(self.caller.post(&url).form(&form))
    }

    /// Exchanges the code: the access token, and the whole answer.
    async fn access_token(&self, code: &str, given: &Given<'_>) -> Result<(String, Json)> {
        let request = self.exchange(code, given)?;
        let (status, answer) = self.ask(request).await.map_err(|error| self.failed().with_source(error))?;
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            let told = scalar(answer.get("error_description")).or_else(|| scalar(Some(error)));
            tracing::info!(provider = self.dialect.name, ?told, "a code was refused");
            let told = told.filter(|_| self.dialect.style.tells_why());
            return Err(told.map_or_else(|| self.failed(), invalid));
        }
        let token = scalar(answer.get("access_token")).filter(|_| status < 300).ok_or_else(|| self.failed())?;
        Ok((token, answer))
    }

    /// Asks the provider whose token it is.
    async fn user(&self, mut url: Url, token: &str) -> Result<Json> {
        let request = match self.dialect.style {
            Style::Instagram => {
                url.query_pairs_mut().append_pair("fields", "id").append_pair("access_token", token);
                self.caller.get(&url)
            }
            Style::Qq => {
                url.query_pairs_mut().append_pair("access_token", token).append_pair("fmt", "json");
                self.caller.get(&url)
            }
            Style::Weibo => self.caller.post(&url).form(&[("access_token", token)]),
            Style::LinkedIn => self.caller.get(&url).bearer_auth(token).header("x-li-format", "json"),
            Style::Form | Style::Json | Style::Spotify | Style::WeChat => self.caller.get(&url).bearer_auth(token),
        };
        let failed = || {
            if self.dialect.style.tells_why() {
                invalid(format!("Failed to fetch {} user.", self.dialect.title))
            } else {
                self.failed()
            }
        };
        match self.ask(request).await {
            Ok((200..300, user)) if !user.is_null() => Ok(user),
            Ok(_) => Err(failed()),
            Err(error) => Err(failed().with_source(error)),
        }
    }

    /// Status and body of an answer; null if it is not JSON.
    async fn ask(&self, request: RequestBuilder) -> Result<(u16, Json), CallError> {
        let (status, body) = self.caller.answer(request).await?;
        let body = if self.dialect.style == Style::Qq { unwrapped(&body) } else { &body };
        Ok((status, serde_json::from_slice(body).unwrap_or(Json::Null)))
    }
}

/// What is inside `callback( … );`, as QQ wraps what it says.
fn unwrapped(body: &[u8]) -> &[u8] {
    let start = body.strip_prefix(b"callback(");
    let end = start.and_then(|rest| Some((rest, rest.iter().rposition(|byte| *byte == b')')?)));
    end.and_then(|(rest, end)| rest.get(..end)).unwrap_or(body)
}

impl AuthAdapter for CodeExchange {
    fn identify<'a>(&'a self, given: &'a Given<'a>) -> BoxFuture<'a, Result<Option<Map<String, Json>>>> {
        Box::pin(async move {
            let Some(code) = given.text("code") else {
                return Err(ParseError::new(
                    ErrorCode::ValidationError,
                    format!("{} code is required.", self.dialect.title),
                ));
            };
            let (token, answer) = self.access_token(code, given).await?;
            let user = match &self.user_url {
                None => answer,
                Some(url) => self.user(url.clone(), &token).await?,
            };
            let id = scalar(user.get(self.dialect.id)).ok_or_else(|| {
                let message = format!("Invalid {} user data received.", self.dialect.title);
                ParseError::new(ErrorCode::ValidationError, message)
            })?;
            if given.names_another(&id) {
                return Err(self.mismatch());
            }
            Ok(Some(Map::from_iter([("access_token".to_owned(), token.into()), ("id".to_owned(), id.into())])))
        })
    }

    fn validate<'a>(&'a self, _attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            // The user's id was checked when the code was exchanged.
            Ok(Outcome::default())
        })
    }

    fn present(&self, stored: &Map<String, Json>, _master: bool) -> Option<Map<String, Json>> {
        Some(stored.iter().filter(|(field, _)| *field == "id").map(|(field, id)| (field.clone(), id.clone())).collect())
    }
}

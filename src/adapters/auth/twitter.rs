//! Twitter (X): OAuth 1.0a.
//!
//! The client brings a request token that the user has confirmed. The server exchanges it for an access token and asks whose it
//! is, in a request that it signs as the app: an access token of another app does not fit the app's signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use ring::hmac;
use serde_json::{Map, Value as Json};

use super::oauth2::scalar;
use super::{Attempt, AuthAdapter, Given, Outcome, endpoint, invalid, text};
use crate::adapters::http::{CallError, Caller};
use crate::error::{ErrorCode, ParseError, Result};

/// What RFC 5849 escapes: all but letters, digits and these.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Twitter.
#[derive(Debug)]
pub struct Twitter {
    caller: Caller,
    token_url: Url,
    user_url: Url,
    app: App,
}

/// The app's key and secret.
struct App {
    key: String,
    secret: String,
}

impl std::fmt::Debug for App {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("App").field("key", &self.key).finish_non_exhaustive()
    }
}

/// An access token and its secret.
struct Token {
    value: String,
    secret: String,
    /// Whose it is.
    user: String,
}

impl Twitter {
    /// Settings: `consumer_key`, `consumer_secret`.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(settings: &Map<String, Json>) -> Result<Self, String> {
        Ok(Self {
            caller: Caller::new()?,
            token_url: endpoint(settings, "tokenUrl", "https://api.twitter.com/oauth/access_token")?,
            user_url: endpoint(settings, "userUrl", "https://api.twitter.com/2/users/me")?,
            app: App { key: text(settings, "consumer_key")?, secret: text(settings, "consumer_secret")? },
        })
    }

    /// Exchanges a confirmed request token.
    async fn exchange(&self, token: &str, verifier: &str) -> Result<Token> {
        let form =
            [("oauth_consumer_key", self.app.key.as_str()), ("oauth_token", token), ("oauth_verifier", verifier)];
        let failed = || invalid("Failed to exchange access token.");
        let answer = self.caller.good(self.caller.post(&self.token_url).form(&form)).await;
        let answer = answer.map_err(|error| failed().with_source(error))?;
        // Twitter answers with a form.
        let fields: Json = serde_json::from_slice(&answer).unwrap_or_else(|_| {
            url::form_urlencoded::parse(&answer).map(|(name, value)| (name.into_owned(), Json::from(value))).collect()
        });
        let field = |name: &str| scalar(fields.get(name));
        match (field("oauth_token"), field("oauth_token_secret"), field("user_id")) {
            (Some(token), Some(secret), Some(user)) => Ok(Token { value: token, secret, user }),
            _ => Err(wrong()),
        }
    }

    /// Asks whose an access token of this app is.
    async fn owner(&self, token: &Token, given: &Given<'_>) -> Result<Option<String>, CallError> {
        let header = authorization(&self.app, token, &self.user_url, &(given.random)(32), given.now / 1000);
        let request = self.caller.get(&self.user_url).header("authorization", header);
        let answer = self.caller.good_json(request).await?;
        Ok(scalar(answer.pointer("/data/id")))
    }
}

fn wrong() -> ParseError {
    invalid("Twitter auth is invalid for this user.")
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// The header of a GET that is signed with HMAC-SHA1 (RFC 5849). `time`: seconds since 1970.
fn authorization(app: &App, token: &Token, url: &Url, nonce: &str, time: i64) -> String {
    let time = time.to_string();
    let own = [
        ("oauth_consumer_key", app.key.as_str()),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", &time),
        ("oauth_token", &token.value),
        ("oauth_version", "1.0"),
    ];
    let mut all: Vec<(String, String)> = own.iter().map(|(name, value)| (escaped(name), escaped(value))).collect();
    all.extend(url.query_pairs().map(|(name, value)| (escaped(&name), escaped(&value))));
    all.sort();
    let all: Vec<String> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut base = url.clone();
    base.set_query(None);
    let signed = format!("GET&{}&{}", escaped(base.as_str()), escaped(&all.join("&")));
    let key = format!("{}&{}", escaped(&app.secret), escaped(&token.secret));
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
    let proof = [("oauth_signature", signature.as_str())];
    let fields = own.iter().chain(&proof).map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
    format!("OAuth {}", fields.collect::<Vec<_>>().join(", "))
}

impl AuthAdapter for Twitter {
    fn identify<'a>(&'a self, given: &'a Given<'a>) -> BoxFuture<'a, Result<Option<Map<String, Json>>>> {
        Box::pin(async move {
            let (Some(token), Some(verifier)) = (given.text("oauth_token"), given.text("oauth_verifier")) else {
                return Err(ParseError::new(
                    ErrorCode::ValidationError,
                    "Twitter auth requires oauth_token and oauth_verifier to be sent.",
                ));
            };
            let token = self.exchange(token, verifier).await?;
            let owner = self.owner(&token, given).await.map_err(|error| wrong().with_source(error))?;
            if owner.as_deref() != Some(token.user.as_str()) || given.names_another(&token.user) {
                return Err(wrong());
            }
            Ok(Some(Map::from_iter([("id".to_owned(), token.user.into())])))
        })
    }

    fn validate<'a>(&'a self, _attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            // The user's id was checked when the token was exchanged.
            Ok(Outcome::default())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard() {
        // OAuth Core 1.0, appendix A.5.
        let app = App { key: "dpf43f3p2l4k3l03".to_owned(), secret: "kd94hf93k423kf44".to_owned() };
        let token =
            Token { value: "nnch734d00sl2jdk".to_owned(), secret: "pfkkdhi9sl3r4s00".to_owned(), user: String::new() };
        let url = Url::parse("http://photos.example.net/photos?file=vacation.jpg&size=original").unwrap();
        let header = authorization(&app, &token, &url, "kllo9940pd9333jh", 1_191_242_096);
        assert!(header.contains("oauth_signature=\"tR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM%3D\""), "{header}");
    }
}

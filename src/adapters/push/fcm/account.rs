//! The service account of a Firebase project, and the access tokens it gets from Google.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, Url};
use serde_json::{Value as Json, json};
use tokio::sync::Mutex;

use crate::adapters::push::requests::{Connections, Limits, Requests, Sources};
use crate::adapters::push::settings::Settings;
use crate::adapters::push::signed_token::SigningKey;

/// What an access token must be good for, as `firebase-admin` asks for it.
const SCOPES: &str = "https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/firebase.database \
                      https://www.googleapis.com/auth/firebase.messaging https://www.googleapis.com/auth/identitytoolkit \
                      https://www.googleapis.com/auth/userinfo.email";
/// Where Google gives out access tokens.
pub const TOKEN_ENDPOINT: &str = "https://oauth2.googleapis.com/token";
/// Seconds that a signed request for an access token is good for.
const REQUEST_LASTS: i64 = 3600;
/// Milliseconds before its end at which an access token is renewed.
const EARLY: i64 = 60_000;

/// A service account.
pub struct Account {
    project: String,
    email: String,
    key: SigningKey,
    endpoint: Url,
    requests: Requests,
    sources: Sources,
    /// The current access token. Whoever renews it holds the lock; the others wait for what comes of it.
    access: Mutex<Option<Access>>,
}

/// An access token.
#[derive(Clone)]
struct Access {
    header: HeaderValue,
    /// Milliseconds since 1970 at which it ends.
    until: i64,
}

impl Account {
    /// The account that `firebaseServiceAccount` describes, or whose key file it names.
    pub fn open(
        settings: &mut Settings,
        endpoint: Url,
        connections: &Connections,
        sources: &Sources,
    ) -> Result<Self, String> {
        const KEY: &str = "firebaseServiceAccount";
        let account = match settings.value(KEY) {
            Some(Json::String(path)) => {
                let text = std::fs::read_to_string(&path)
                    .map_err(|error| settings.wrong(KEY, &format!("names a file that cannot be read: {error}")))?;
                serde_json::from_str(&text).map_err(|_| settings.wrong(KEY, "names a file that is no JSON"))?
            }
            Some(account @ Json::Object(_)) => account,
            _ => return Err(settings.wrong(KEY, "must be the path of a key file, or its content")),
        };
        let text = |names: [&str; 2]| {
            let text = names.iter().find_map(|name| account.get(*name)?.as_str()).filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or_else(|| settings.wrong(KEY, &format!("has no {}", names[0])))
        };
        let project = text(["project_id", "projectId"])?;
        let email = text(["client_email", "clientEmail"])?;
        let key = SigningKey::rs256_from_pem(&text(["private_key", "privateKey"])?)
            .map_err(|error| settings.wrong(KEY, &format!("has a private_key that {error}")))?;
        let limits = Limits { in_flight: 1, repeats: 2, timeout: Duration::from_secs(10), answer_bytes: 64 << 10 };
        let requests = Requests::new(connections.client(), limits, sources.clone())
            .map_err(|error| settings.wrong_as_a_whole(&error))?;
        Ok(Self { project, email, key, endpoint, requests, sources: sources.clone(), access: Mutex::default() })
    }

    /// The id of the project.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The header that proves who sends. `refused`: the one that Google does not take any more.
    pub async fn proof(&self, refused: Option<&HeaderValue>) -> Result<HeaderValue, String> {
        let mut access = self.access.lock().await;
        let now = self.sources.clock.now().millis();
        match &*access {
            Some(known) if known.until > now && refused != Some(&known.header) => Ok(known.header.clone()),
            _ => {
                let fresh = self.ask(now).await?;
                *access = Some(fresh.clone());
                Ok(fresh.header)
            }
        }
    }

    async fn ask(&self, now: i64) -> Result<Access, String> {
        let seconds = now / 1000;
        let claims = json!({
            "iss": self.email, "scope": SCOPES, "aud": TOKEN_ENDPOINT, "iat": seconds, "exp": seconds + REQUEST_LASTS,
        });
        let assertion = self.key.token(None, &claims)?;
        let mut request = Request::new(Method::POST, self.endpoint.clone());
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form);
        let body = format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
        *request.body_mut() = Some(body.into());
        let answer = self.requests.send(request).await.map_err(|silence| silence.to_string())?;
        let json = answer.json();
        let token = json.get("access_token").and_then(Json::as_str);
        let Some(token) = token.filter(|_| answer.status == 200) else {
            let reason = json.get("error_description").or_else(|| json.get("error")).and_then(Json::as_str);
            return Err(format!("Google answered {}: {}", answer.status, reason.unwrap_or("no access token")));
        };
        let mut header = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|error| error.to_string())?;
        header.set_sensitive(true);
        let lasts = json.get("expires_in").and_then(Json::as_i64).unwrap_or(REQUEST_LASTS).clamp(0, REQUEST_LASTS);
        Ok(Access { header, until: now + (lasts * 1000 - EARLY).max(1000) })
    }
}

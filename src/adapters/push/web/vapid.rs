//! Who the server is for push services: VAPID, RFC 8292.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use serde_json::json;

use super::subscription::decode;
use crate::adapters::push::settings::Settings;
use crate::adapters::push::signed_token::SigningKey;
use crate::bounded_cache::BoundedCache;

/// Seconds that a token is good for.
const TOKEN_LASTS: i64 = 12 * 3600;
/// How long a token is used. Push services refuse those that end too soon.
const TOKEN_USED: Duration = Duration::from_hours(6);
/// Most push services whose tokens are kept.
const MOST_SERVICES: u64 = 1000;

/// The server's key pair, and the tokens made with it: one for each push service.
pub struct Vapid {
    key: SigningKey,
    public: String,
    subject: String,
    tokens: BoundedCache<HeaderValue>,
}

impl Vapid {
    /// Reads `vapidDetails`.
    pub fn open(settings: &mut Settings) -> Result<Self, String> {
        let Some(mut details) = settings.inner("vapidDetails")? else {
            return Err(settings.wrong("vapidDetails", "is missing"));
        };
        let subject = details.required("subject")?;
        if !Url::parse(&subject).is_ok_and(|url| matches!(url.scheme(), "https" | "mailto")) {
            return Err(details.wrong("subject", "must be an address of https or mailto"));
        }
        let public = details.required("publicKey")?;
        let private = details.required("privateKey")?;
        let bytes = |key: &str, text: &str| decode(text).ok_or_else(|| details.wrong(key, "must be base64"));
        let (public_bytes, private_bytes) = (bytes("publicKey", &public)?, bytes("privateKey", &private)?);
        let key = SigningKey::es256_from_bytes(&private_bytes, &public_bytes)
            .map_err(|_| details.wrong("privateKey", "and publicKey are no pair of P-256 keys"))?;
        details.finish()?;
        let tokens = BoundedCache::living(MOST_SERVICES, TOKEN_USED);
        Ok(Self { key, public: public.trim_end_matches('=').to_owned(), subject, tokens })
    }

    /// The header for the push service at an address.
    pub fn header(&self, endpoint: &Url, now: i64) -> Result<HeaderValue, String> {
        let service = endpoint.origin().ascii_serialization();
        if let Some(known) = self.tokens.get(&service) {
            return Ok(known);
        }
        let claims = json!({"aud": service, "exp": now / 1000 + TOKEN_LASTS, "sub": self.subject});
        let token = self.key.token(None, &claims)?;
        let header = format!("vapid t={token}, k={}", self.public);
        let mut header = HeaderValue::from_str(&header).map_err(|error| error.to_string())?;
        header.set_sensitive(true);
        self.tokens.insert(service, header.clone());
        Ok(header)
    }
}

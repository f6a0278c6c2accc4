//! Verifies signed tokens: pinned algorithms, key by its id, claims. `jsonwebtoken` parses tokens and verifies
//! signatures; this module chooses the key and decides when keys are fetched again.

mod signatures;

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::Url;
use serde_json::{Map, Value as Json};

use super::invalid;
use crate::adapters::http::{self, Caller};
use crate::error::{ParseError, Result};

/// Maximum bytes of a token.
const MAX_TOKEN: usize = 64 << 10;
/// Milliseconds for which keys are cached.
const KEYS_LAST: i64 = 3_600_000;
/// Maximum number of fetches because of unknown key ids, in this many milliseconds. An issuer can rotate its keys at
/// any time, and anyone can invent key ids.
const EARLY_REQUESTS: u32 = 5;
const EARLY_WINDOW: i64 = 60_000;
/// Milliseconds after a failed fetch during which keys are not fetched again, so that a server that does not respond
/// delays only one request.
const FAILURE_LASTS: i64 = 5000;
/// Tolerated clock skew in milliseconds.
const SKEW: i64 = 30_000;

/// The supported algorithms. None uses a shared secret, with which anyone who can verify a token could also create one.
pub const PUBLIC_KEY_ALGORITHMS: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::ES256, Algorithm::ES384];

/// A key of a provider.
#[derive(Debug, Clone)]
struct Key {
    id: String,
    /// Its algorithm, if it is specified.
    algorithm: Option<String>,
    decoding: DecodingKey,
}

/// Where to fetch the keys.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// From this URL.
    Keys(Url),
    /// From the URL in the issuer's discovery document.
    Discovery {
        /// URL of the document.
        document: Url,
        /// The issuer that it must contain.
        issuer: String,
    },
}

#[derive(Debug, Default)]
struct Cache {
    keys: Vec<Key>,
    asked_at: Option<i64>,
    /// Time of the last attempt to fetch the keys, if it failed.
    failed_at: Option<i64>,
    /// Start of the current period, and the number of fetches in it because of unknown key ids.
    early: (i64, u32),
}

impl Cache {
    /// Whether the keys may be fetched before they expire.
    fn may_ask_early(&mut self, now: i64) -> bool {
        if now.saturating_sub(self.early.0) >= EARLY_WINDOW {
            self.early = (now, 0);
        }
        self.early.1 = self.early.1.saturating_add(1);
        self.early.1 <= EARLY_REQUESTS
    }
}

/// Verifies tokens of a provider.
#[derive(Debug)]
pub struct Verifier {
    caller: Caller,
    source: KeySource,
    algorithms: &'static [Algorithm],
    cache: Mutex<Cache>,
    /// Held while keys are fetched; other requests wait for the result.
    asking: tokio::sync::Mutex<()>,
}

/// The required claims of a token.
#[derive(Debug)]
pub struct Expected<'a> {
    /// One of these must be its audience; empty if the caller checks it.
    pub audiences: &'a [String],
    /// Current time in milliseconds since 1970.
    pub now: i64,
}

impl Verifier {
    /// A verifier for these keys and algorithms (RS256, RS384, RS512, ES256 or ES384).
    ///
    /// # Errors
    /// If the HTTP client cannot be created.
    pub fn new(source: KeySource, algorithms: &'static [Algorithm]) -> Result<Self, String> {
        signatures::install();
        Ok(Self {
            caller: Caller::new()?,
            source,
            algorithms,
            cache: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        })
    }

    /// Verifies signature, time and audience of a token and returns its claims.
    ///
    /// # Errors
    /// 101 with the reason.
    pub async fn verify(&self, token: &Json, expected: &Expected<'_>) -> Result<Map<String, Json>> {
        let undecodable = || invalid("provided token does not decode as JWT");
        let token = token.as_str().filter(|token| token.len() <= MAX_TOKEN).ok_or_else(undecodable)?;
        let header = jsonwebtoken::decode_header(token).map_err(|_| undecodable())?;
        let key = self.key(header.kid.as_deref().unwrap_or_default(), expected.now).await?;
        let name = format!("{:?}", header.alg);
        let fits = self.algorithms.contains(&header.alg)
            && key.algorithm.as_deref().is_none_or(|of_key| of_key == name)
            && header.crit.is_none();
        if !fits {
            return Err(invalid("invalid algorithm"));
        }
        // Times and audience are checked below, with the injected clock and Parse's messages.
        let mut validation = Validation::new(header.alg);
        validation.required_spec_claims = HashSet::new();
        (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
        let token = jsonwebtoken::decode::<Map<String, Json>>(token, &key.decoding, &validation)
            .map_err(|error| invalid("invalid signature").with_source(error))?;
        check(&token.claims, expected)?;
        Ok(token.claims)
    }

    async fn key(&self, id: &str, now: i64) -> Result<Key> {
        let unknown = || invalid(format!("Unable to find matching key for Key ID: {}", printable(id)));
        if id.is_empty() {
            return Err(unknown());
        }
        let asked_before = self.asked_at();
        if let Some(key) = self.known(id, now) {
            return Ok(key);
        }
        let _asking = self.asking.lock().await;
        // Another request may have fetched them meanwhile, or failed to.
        if let Some(key) = self.known(id, now) {
            return Ok(key);
        }
        if self.lock().failed_at.is_some_and(|at| now.saturating_sub(at) < FAILURE_LASTS) {
            return Err(unknown());
        }
        let fresh = self.asked_at().is_some_and(|at| now.saturating_sub(at) < KEYS_LAST);
        if fresh && (self.asked_at() != asked_before || !self.lock().may_ask_early(now)) {
            return Err(unknown());
        }
        let started = tokio::time::Instant::now();
        match self.fetch().await {
            Ok(keys) => {
                let mut cache = self.lock();
                cache.keys = keys;
                cache.asked_at = Some(now);
                cache.failed_at = None;
            }
            Err(error) => {
                // Counted from the end of the attempt, so that waiting requests use its result.
                let took = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
                self.lock().failed_at = Some(now.saturating_add(took));
                tracing::warn!(error, "failed to fetch the keys of an identity provider");
                return Err(unknown());
            }
        }
        self.known(id, now).ok_or_else(unknown)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked_at(&self) -> Option<i64> {
        self.lock().asked_at
    }

    /// A key that has not expired in the cache.
    fn known(&self, id: &str, now: i64) -> Option<Key> {
        let cache = self.lock();
        let fresh = cache.asked_at.is_some_and(|at| now.saturating_sub(at) < KEYS_LAST);
        cache.keys.iter().find(|key| key.id == id).filter(|_| fresh).cloned()
    }

    async fn fetch(&self) -> Result<Vec<Key>, String> {
        let url = match &self.source {
            KeySource::Keys(url) => url.clone(),
            KeySource::Discovery { document, issuer } => {
                let found =
                    self.caller.good_json(self.caller.get(document)).await.map_err(|error| error.to_string())?;
                if found.get("issuer").and_then(Json::as_str) != Some(issuer) {
                    return Err("the discovery document names another issuer".to_owned());
                }
                let keys =
                    found.get("jwks_uri").and_then(Json::as_str).ok_or("the discovery document names no keys")?;
                http::address(keys)?
            }
        };
        let found = self.caller.good_json(self.caller.get(&url)).await.map_err(|error| error.to_string())?;
        let list = found.get("keys").and_then(Json::as_array).ok_or("there is no list of keys")?;
        Ok(list.iter().filter_map(Key::read).collect())
    }
}

/// Text of a token, shortened for an error message.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

fn check(claims: &Map<String, Json>, expected: &Expected<'_>) -> Result<()> {
    let time = |name: &str| claims.get(name).map(|value| value.as_f64().map(|seconds| seconds * 1000.0));
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of our times fit")]
    let (now, skew) = (expected.now as f64, SKEW as f64);
    match time("nbf") {
        None => {}
        Some(Some(start)) if start <= now + skew => {}
        Some(_) => return Err(invalid("jwt not active")),
    }
    match time("exp") {
        Some(Some(end)) if end > now => {}
        _ => return Err(invalid("jwt expired")),
    }
    let audience = match claims.get("aud") {
        Some(Json::String(audience)) => vec![audience.as_str()],
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    };
    let wanted = expected.audiences;
    if !wanted.is_empty() && !wanted.iter().any(|wanted| audience.contains(&wanted.as_str())) {
        return Err(invalid(format!("jwt audience invalid. expected: {}", wanted.join(" or "))));
    }
    Ok(())
}

/// Checks that a token was issued by one of these.
///
/// # Errors
/// 101.
pub fn check_issuer(claims: &Map<String, Json>, issuers: &[String], what: &str) -> Result<()> {
    let issuer = claims.get("iss").and_then(Json::as_str).unwrap_or_default();
    if issuers.iter().any(|known| known == issuer) {
        return Ok(());
    }
    Err(invalid(format!("{what} - expected: {} | from: {}", issuers.join(" or "), printable(issuer))))
}

/// Checks that the id from the client is the subject of the token.
///
/// # Errors
/// 101.
pub fn check_subject(claims: &Map<String, Json>, data: &Map<String, Json>) -> Result<()> {
    let subject = claims.get("sub").and_then(Json::as_str).filter(|subject| !subject.is_empty());
    if subject.is_some() && subject == data.get("id").and_then(Json::as_str) { Ok(()) } else { Err(mismatch()) }
}

fn mismatch() -> ParseError {
    invalid("auth data is invalid for this user.")
}

impl Key {
    /// Parses a key of a key set, if it is for a supported algorithm.
    fn read(json: &Json) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(json.clone()).ok()?;
        if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
            return None;
        }
        if !matches!(json.get("kty").and_then(Json::as_str), Some("RSA" | "EC")) {
            return None;
        }
        let algorithm = json.get("alg").and_then(Json::as_str).map(str::to_owned);
        Some(Self { id: jwk.common.key_id.clone()?, algorithm, decoding: DecodingKey::from_jwk(&jwk).ok()? })
    }
}

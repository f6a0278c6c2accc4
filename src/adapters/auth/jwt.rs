//! Signed tokens: algorithms pinned, key by its id, then the claims. `jsonwebtoken` reads tokens and checks signatures; what is
//! left here is which key it takes, and when keys are read again.

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

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 64 << 10;
/// Milliseconds that keys are used without asking for them again.
const KEYS_LAST: i64 = 3_600_000;
/// Requests for keys because of unknown key ids: so many at most in so many milliseconds. An issuer may change its keys at any
/// moment, and anybody can invent key ids.
const EARLY_REQUESTS: u32 = 5;
const EARLY_WINDOW: i64 = 60_000;
/// Milliseconds after keys could not be read during which nobody asks for them again: a server that never answers holds up one
/// request, not one after the other.
const FAILURE_LASTS: i64 = 5000;
/// Milliseconds a token may seem to come from the future.
const SKEW: i64 = 30_000;

/// Every kind of signature that is checked; never one with a shared secret, which whoever checks a token could make.
pub const PUBLIC_KEY_ALGORITHMS: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::ES256, Algorithm::ES384];

/// A key of a provider.
#[derive(Debug, Clone)]
struct Key {
    id: String,
    /// The one algorithm it is for, if it says so.
    algorithm: Option<String>,
    decoding: DecodingKey,
}

/// Where the keys are.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// At this address.
    Keys(Url),
    /// Where the issuer's discovery document says.
    Discovery {
        /// The document.
        document: Url,
        /// The issuer it must name.
        issuer: String,
    },
}

#[derive(Debug, Default)]
struct Cache {
    keys: Vec<Key>,
    asked_at: Option<i64>,
    /// When the last attempt to read the keys failed, if it did.
    failed_at: Option<i64>,
    /// Since when early requests are counted, and how many there were.
    early: (i64, u32),
}

impl Cache {
    /// Whether the keys may be read again before their time.
    fn may_ask_early(&mut self, now: i64) -> bool {
        if now.saturating_sub(self.early.0) >= EARLY_WINDOW {
            self.early = (now, 0);
        }
        self.early.1 = self.early.1.saturating_add(1);
        self.early.1 <= EARLY_REQUESTS
    }
}

/// Checks tokens of one provider.
#[derive(Debug)]
pub struct Verifier {
    caller: Caller,
    source: KeySource,
    algorithms: &'static [Algorithm],
    cache: Mutex<Cache>,
    /// Whoever reads the keys; the others wait for what comes of it.
    asking: tokio::sync::Mutex<()>,
}

/// What a token must say.
#[derive(Debug)]
pub struct Expected<'a> {
    /// One of these must be its audience; empty: the caller looks by itself.
    pub audiences: &'a [String],
    /// The present moment, in milliseconds since 1970.
    pub now: i64,
}

impl Verifier {
    /// A verifier for keys at this place and signatures of these kinds (RS256, RS384, RS512, ES256 or ES384).
    ///
    /// # Errors
    /// When no calls can be made.
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

    /// The claims of a token whose signature, time and audience are right.
    ///
    /// # Errors
    /// 101 with what is wrong.
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
        // Times and audience are checked below, by the server's own clock and with Parse's words.
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
        // While we waited somebody else may have read them, or failed to.
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
                // Counted from the end of the attempt, so that whoever waited for it takes its outcome.
                let took = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
                self.lock().failed_at = Some(now.saturating_add(took));
                tracing::warn!(error, "the keys of an identity provider cannot be read");
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

    /// A key that was read not too long ago.
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

/// A text of a token as it may stand in an answer.
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

/// Demands that a token was issued by one of these.
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

/// Demands that the id sent is the token's subject.
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
    /// A key of a key set, if it is one for signatures that have no shared secret.
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

//! A second factor: one-time codes of an app (RFC 6238), and recovery codes that are good once.
//!
//! Stored as parse-server does: `{"secret": BASE32, "recovery": [CODE, CODE]}`. With `hashRecoveryCodes` new recovery codes
//! are stored as `sha256:HEX`; parse-server does not know these.

use async_trait::async_trait;
use ring::{digest, hmac};
use serde_json::{Map, Value as Json, json};
use subtle::ConstantTimeEq as _;

use super::{Attempt, AuthAdapter, Outcome, Policy, Step, refused};
use crate::error::{ParseError, Result};

/// Characters of a secret at least.
const MIN_SECRET: usize = 20;
/// Characters of a secret at most.
const MAX_SECRET: usize = 256;
/// Characters of a recovery code.
const RECOVERY_LENGTH: usize = 30;
/// Mark of a recovery code that is stored as its hash.
const HASHED: &str = "sha256:";

/// One-time codes.
#[derive(Debug)]
pub struct Mfa {
    digits: u32,
    period: i64,
    algorithm: hmac::Algorithm,
    hash_recovery_codes: bool,
}

impl Mfa {
    /// Settings: `options` (`["TOTP"]`), `digits` (6), `period` (30 seconds), `algorithm` (`SHA1`), `hashRecoveryCodes`.
    ///
    /// # Errors
    /// A text for the person who configured it.
    pub fn open(settings: &Map<String, Json>) -> Result<Self, String> {
        let ways: Vec<&str> = match settings.get("options") {
            Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).collect(),
            _ => return Err("options must be a list: [\"TOTP\"]".to_owned()),
        };
        if let Some(way) = ways.iter().find(|way| **way != "TOTP") {
            return Err(format!("{way} is not supported; there is TOTP"));
        }
        if ways.is_empty() {
            return Err("options must be a list: [\"TOTP\"]".to_owned());
        }
        let number = |key: &str, default: i64| match settings.get(key) {
            None | Some(Json::Null) => Ok(default),
            Some(value) => value.as_i64().ok_or_else(|| format!("{key} must be a whole number")),
        };
        let digits = number("digits", 6)?;
        if !(4..=10).contains(&digits) {
            return Err("mfa.digits must be between 4 and 10".to_owned());
        }
        let period = number("period", 30)?;
        if period < 10 {
            return Err("mfa.period must be 10 or more".to_owned());
        }
        let algorithm = match settings.get("algorithm").map(|name| name.as_str().unwrap_or_default()) {
            None | Some("SHA1" | "SHA-1") => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Some("SHA256" | "SHA-256") => hmac::HMAC_SHA256,
            Some("SHA512" | "SHA-512") => hmac::HMAC_SHA512,
            Some(_) => return Err("algorithm must be SHA1, SHA256 or SHA512".to_owned()),
        };
        Ok(Self {
            digits: u32::try_from(digits).unwrap_or(6),
            period,
            algorithm,
            hash_recovery_codes: settings.get("hashRecoveryCodes") == Some(&Json::Bool(true)),
        })
    }

    /// Whether the code is that of this period, or of the one before or after.
    fn is_right(&self, secret: &str, token: &str, now: i64) -> bool {
        let Some(secret) = base32(secret) else { return false };
        let key = hmac::Key::new(self.algorithm, &secret);
        let period = now.div_euclid(1000).div_euclid(self.period);
        // All three are computed, so that the time tells nothing.
        [-1, 0, 1].into_iter().fold(false, |right, offset| {
            let counter = u64::try_from(period + offset).unwrap_or_default();
            let code = one_time_code(&key, counter, self.digits);
            right | bool::from(code.as_bytes().ct_eq(token.as_bytes()))
        })
    }

    fn set_up(&self, attempt: &Attempt<'_>) -> Result<Outcome> {
        let given = |name: &str| attempt.data.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        let (secret, token) = match (given("secret"), given("token")) {
            (Some(secret), Some(token)) if (MIN_SECRET..=MAX_SECRET).contains(&secret.len()) => (secret, token),
            _ => return Err(refused("Invalid MFA data")),
        };
        if !self.is_right(secret, token, attempt.now) {
            return Err(invalid_token());
        }
        let codes = [(attempt.random)(RECOVERY_LENGTH), (attempt.random)(RECOVERY_LENGTH)];
        let stored: Vec<String> =
            codes.iter().map(|code| if self.hash_recovery_codes { hashed(code) } else { code.clone() }).collect();
        let save = Map::from_iter([("secret".to_owned(), secret.into()), ("recovery".to_owned(), json!(stored))]);
        Ok(Outcome {
            response: Some(json!({"recovery": codes.join(", ")})),
            save: Some(save),
            exclusive: true,
            ..Outcome::default()
        })
    }

    /// Checks a code of the app, or uses a recovery code up.
    fn log_in(&self, token: Option<&Json>, stored: Option<&Map<String, Json>>, now: i64) -> Result<Outcome> {
        let token = token.and_then(Json::as_str).filter(|token| !token.is_empty()).ok_or_else(invalid_token)?;
        let stored = stored.ok_or_else(invalid_token)?;
        let secret = stored.get("secret").and_then(Json::as_str).ok_or_else(invalid_token)?;
        let recovery = stored.get("recovery").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let hash = hashed(token);
        let is_token = |code: &Json| {
            code.as_str().is_some_and(|code| {
                let given = if code.starts_with(HASHED) { &hash } else { token };
                bool::from(code.as_bytes().ct_eq(given.as_bytes()))
            })
        };
        if recovery.iter().any(is_token) && !token.starts_with(HASHED) {
            let left: Vec<Json> = recovery.iter().filter(|code| !is_token(code)).cloned().collect();
            let mut save = stored.clone();
            save.insert("recovery".to_owned(), Json::Array(left));
            return Ok(Outcome { save: Some(save), exclusive: true, ..Outcome::default() });
        }
        if self.is_right(secret, token, now) {
            Ok(Outcome { do_not_save: true, ..Outcome::default() })
        } else {
            Err(invalid_token())
        }
    }
}

fn invalid_token() -> ParseError {
    refused("Invalid MFA token")
}

fn hashed(code: &str) -> String {
    let hash = digest::digest(&digest::SHA256, code.as_bytes());
    hash.as_ref().iter().fold(HASHED.to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// RFC 4226.
fn one_time_code(key: &hmac::Key, counter: u64, digits: u32) -> String {
    let tag = hmac::sign(key, &counter.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = bytes.last().map_or(0, |byte| usize::from(byte & 15));
    let number = bytes
        .get(offset..offset + 4)
        .and_then(|four| four.try_into().ok())
        .map_or(0, |four| u64::from(u32::from_be_bytes(four) & 0x7fff_ffff));
    let width = usize::try_from(digits).unwrap_or(6);
    format!("{:0width$}", number % 10_u64.pow(digits))
}

/// RFC 4648, in any case, with or without padding.
fn base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            letter @ b'2'..=b'7' => letter - b'2' + 26,
            b' ' | b'-' => continue,
            _ => return None,
        };
        buffer = (buffer << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xff).unwrap_or_default());
            buffer &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[async_trait]
impl AuthAdapter for Mfa {
    fn policy(&self, _stored: Option<&Map<String, Json>>) -> Result<Policy> {
        Ok(Policy::Additional)
    }

    fn used_up(&self) -> ParseError {
        invalid_token()
    }

    async fn validate(&self, attempt: &Attempt<'_>) -> Result<Outcome> {
        match attempt.step {
            Step::SetUp => self.set_up(attempt),
            Step::Login => self.log_in(attempt.data.get("token"), attempt.stored, attempt.now),
            Step::Update if attempt.master => Ok(Outcome::default()),
            Step::Update => {
                self.log_in(attempt.data.get("old"), attempt.stored, attempt.now)?;
                self.set_up(attempt)
            }
        }
    }

    fn present(&self, stored: &Map<String, Json>, master: bool) -> Option<Map<String, Json>> {
        if master {
            return None;
        }
        let enabled = stored.get("secret").is_some_and(|secret| !secret.is_null());
        Some(Map::from_iter([("status".to_owned(), if enabled { "enabled" } else { "disabled" }.into())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_rfc() {
        let secret = base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        assert_eq!(secret, b"12345678901234567890");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
        for (seconds, code) in [(59, "94287082"), (1_111_111_109, "07081804"), (20_000_000_000_u64, "65353130")] {
            assert_eq!(one_time_code(&key, seconds / 30, 8), code);
        }
        assert_eq!(base32("not base32!"), None);
        assert_eq!(base32("mzxw6==="), Some(b"foo".to_vec()));
    }

    #[test]
    fn recovery_codes_go() {
        let settings = json!({"options": ["TOTP"]});
        let mfa = Mfa::open(settings.as_object().unwrap()).unwrap();
        let stored = json!({"secret": "GEZDGNBVGY3TQOJQ", "recovery": ["aaa", hashed("bbb")]});
        let stored = stored.as_object().unwrap();
        let log_in = |token: Json| mfa.log_in(Some(&token), Some(stored), 59_000);
        assert_eq!(log_in("aaa".into()).unwrap().save.unwrap()["recovery"], json!([hashed("bbb")]));
        assert_eq!(log_in("bbb".into()).unwrap().save.unwrap()["recovery"], json!(["aaa"]));
        for bad in [json!("ccc"), json!(hashed("bbb")), json!({"$ne": null}), json!(["aaa"]), json!(""), Json::Null] {
            assert!(log_in(bad.clone()).is_err(), "{bad}");
        }
    }
}

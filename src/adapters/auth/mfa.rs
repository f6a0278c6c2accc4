//! Second factor: one-time codes of an authenticator app (RFC 6238) with single-use recovery codes, or codes by text
//! message.
//!
//! Stored as parse-server does: `{"secret": BASE32, "recovery": [CODE, CODE]}`. With `hashRecoveryCodes` new recovery codes
//! are stored as `sha256:HEX`; parse-server does not know these. A log in with a code of the app adds `lastPeriod`, the period that the
//! code belongs to: a code is good for one log in (RFC 6238, 5.2). parse-server leaves that number alone.

use futures_util::future::BoxFuture;
use ring::{digest, hmac};
use serde_json::{Map, Value as Json, json};
use subtle::ConstantTimeEq as _;

use super::mfa_sms::Sms;
use super::one_time::{self, base32};
use super::{Attempt, AuthAdapter, Outcome, Policy, Step, refused};
use crate::error::{ParseError, Result};

/// Minimum number of characters of a secret.
const MIN_SECRET: usize = 20;
/// Maximum number of characters of a secret.
const MAX_SECRET: usize = 256;
/// Number of characters of a recovery code.
const RECOVERY_LENGTH: usize = 30;
/// Prefix of a hashed recovery code.
const HASHED: &str = "sha256:";
/// Key of the period of the code that was used last.
const LAST_PERIOD: &str = "lastPeriod";

/// One-time codes.
#[derive(Debug)]
pub struct Mfa {
    digits: u32,
    period: i64,
    algorithm: hmac::Algorithm,
    hash_recovery_codes: bool,
    /// A code of an app is good for one log in.
    single_use: bool,
    /// Codes of an app are on offer.
    app: bool,
    /// Whether codes by text message are enabled.
    sms: Option<Sms>,
}

impl Mfa {
    /// Settings: `options` (of `"TOTP"` and `"SMS"`), `digits` (6), `period` (30 seconds), `algorithm` (`SHA1`),
    /// `hashRecoveryCodes`, `singleUse` (true); `sms`, the code that sends messages.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(settings: &Map<String, Json>) -> Result<Self, String> {
        let ways: Vec<&str> = match settings.get("options") {
            Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        };
        if ways.is_empty() {
            return Err("options must be a list: of \"TOTP\" and \"SMS\"".to_owned());
        }
        if let Some(way) = ways.iter().find(|way| !matches!(**way, "TOTP" | "SMS")) {
            return Err(format!("{way} is not supported; use TOTP or SMS"));
        }
        let number = |key: &str, default: i64| match settings.get(key) {
            None | Some(Json::Null) => Ok(default),
            Some(value) => value.as_i64().ok_or_else(|| format!("{key} must be an integer")),
        };
        let digits = number("digits", 6)?;
        if !(4..=10).contains(&digits) {
            return Err("mfa.digits must be between 4 and 10".to_owned());
        }
        let period = number("period", 30)?;
        if period < 10 {
            return Err("mfa.period must be 10 or more".to_owned());
        }
        let algorithm = one_time::algorithm(settings.get("algorithm").map(|name| name.as_str().unwrap_or_default()))?;
        let sms = if ways.contains(&"SMS") {
            Some(Sms::open(settings, usize::try_from(digits).unwrap_or(6), period)?)
        } else {
            None
        };
        Ok(Self {
            digits: u32::try_from(digits).unwrap_or(6),
            period,
            algorithm,
            hash_recovery_codes: settings.get("hashRecoveryCodes") == Some(&Json::Bool(true)),
            single_use: settings.get("singleUse") != Some(&Json::Bool(false)),
            app: ways.contains(&"TOTP"),
            sms,
        })
    }

    /// The period that a code belongs to: this one, or the one before or after. `None`: the code is wrong.
    fn period_of(&self, secret: &str, token: &str, now: i64) -> Option<i64> {
        let key = hmac::Key::new(self.algorithm, &base32(secret)?);
        one_time::period_of(&key, self.digits, self.period, token, now)
    }

    async fn set_up(&self, attempt: &Attempt<'_>) -> Result<Outcome> {
        match &self.sms {
            Some(sms) if attempt.data.get("mobile").is_some_and(|number| !number.is_null()) => {
                sms.set_up(attempt).await
            }
            _ if self.app => self.set_up_app(attempt),
            _ => Err(refused("Invalid MFA data")),
        }
    }

    fn set_up_app(&self, attempt: &Attempt<'_>) -> Result<Outcome> {
        let given = |name: &str| attempt.data.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        let (secret, token) = match (given("secret"), given("token")) {
            (Some(secret), Some(token)) if (MIN_SECRET..=MAX_SECRET).contains(&secret.len()) => (secret, token),
            _ => return Err(refused("Invalid MFA data")),
        };
        if self.period_of(secret, token, attempt.now).is_none() {
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

    /// Sends a code, or accepts the one that was sent; without a phone number like [`Mfa::log_in_app`]. A user with an
    /// unconfirmed number needs no code.
    async fn log_in(&self, token: Option<&Json>, attempt: &Attempt<'_>) -> Result<Outcome> {
        let Some(stored) = attempt.stored.filter(|stored| is_enabled(stored)) else {
            return match attempt.stored {
                Some(stored) if stored.contains_key("pending") => {
                    Ok(Outcome { do_not_save: true, ..Outcome::default() })
                }
                _ => Err(invalid_token()),
            };
        };
        match (&self.sms, stored.get("mobile").and_then(Json::as_str)) {
            (Some(sms), Some(number)) if Sms::is_request(token) && !attempt.challenge => {
                sms.request(number, attempt).await
            }
            (Some(_), Some(_)) if !has_app(stored) => Sms::log_in(token, stored, attempt.now),
            (Some(_), Some(_)) => {
                Sms::log_in(token, stored, attempt.now).or_else(|_| self.log_in_app(token, Some(stored), attempt.now))
            }
            _ => self.log_in_app(token, Some(stored), attempt.now),
        }
    }

    /// Checks a code of the app, or consumes a recovery code.
    fn log_in_app(&self, token: Option<&Json>, stored: Option<&Map<String, Json>>, now: i64) -> Result<Outcome> {
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
        let period = self.period_of(secret, token, now).ok_or_else(invalid_token)?;
        if !self.single_use {
            return Ok(Outcome { do_not_save: true, ..Outcome::default() });
        }
        if stored.get(LAST_PERIOD).and_then(Json::as_i64).is_some_and(|last| last >= period) {
            return Err(invalid_token());
        }
        let mut save = stored.clone();
        save.insert(LAST_PERIOD.to_owned(), period.into());
        Ok(Outcome { save: Some(save), exclusive: true, ..Outcome::default() })
    }
}

fn has_app(stored: &Map<String, Json>) -> bool {
    stored.get("secret").is_some_and(|secret| !secret.is_null())
}

/// Whether the second factor is active; it is not while the phone number is unconfirmed.
fn is_enabled(stored: &Map<String, Json>) -> bool {
    has_app(stored) || stored.get("mobile").is_some_and(|number| !number.is_null())
}

fn invalid_token() -> ParseError {
    refused("Invalid MFA token")
}

fn hashed(code: &str) -> String {
    let hash = digest::digest(&digest::SHA256, code.as_bytes());
    hash.as_ref().iter().fold(HASHED.to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

impl AuthAdapter for Mfa {
    fn policy(&self, stored: Option<&Map<String, Json>>) -> Result<Policy> {
        Ok(if stored.is_none_or(is_enabled) { Policy::Additional } else { Policy::Default })
    }

    fn used_up(&self) -> ParseError {
        invalid_token()
    }

    fn validate<'a>(&'a self, attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            let enabled = attempt.stored.is_some_and(is_enabled);
            let old = attempt.data.get("old").filter(|old| !old.is_null());
            match attempt.step {
                Step::Login => self.log_in(attempt.data.get("token"), attempt).await,
                Step::Update if attempt.master => Ok(Outcome::default()),
                Step::Update if enabled && old.is_none() && attempt.data.contains_key("mobile") => {
                    Err(refused("MFA is already set up on this account"))
                }
                Step::Update if enabled => {
                    if Sms::is_request(old) {
                        return Err(invalid_token());
                    }
                    self.log_in(old, attempt).await?;
                    self.set_up(attempt).await
                }
                Step::SetUp | Step::Update => self.set_up(attempt).await,
            }
        })
    }

    fn present(&self, stored: &Map<String, Json>, master: bool) -> Option<Map<String, Json>> {
        if master {
            let mut shown = stored.clone();
            return shown.shift_remove(LAST_PERIOD).map(|_| shown);
        }
        Some(Map::from_iter([("status".to_owned(), if is_enabled(stored) { "enabled" } else { "disabled" }.into())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_the_app_is_good_for_one_log_in() {
        let settings = |more: Json| {
            let mut settings = json!({"options": ["TOTP"], "digits": 8});
            settings.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            Mfa::open(settings.as_object().unwrap()).unwrap()
        };
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let stored = json!({"secret": secret, "recovery": []});
        let mfa = settings(json!({}));
        let log_in = |mfa: &Mfa, stored: &Map<String, Json>, code: &str, now| {
            mfa.log_in_app(Some(&code.into()), Some(stored), now).map(|outcome| outcome.save)
        };
        let used = log_in(&mfa, stored.as_object().unwrap(), "94287082", 59_000).unwrap().unwrap();
        assert_eq!(used[LAST_PERIOD], 1);
        assert_eq!(mfa.present(&used, true), stored.as_object().cloned());
        assert!(log_in(&mfa, &used, "94287082", 59_000).is_err());
        assert!(log_in(&mfa, &used, "07081804", 1_111_111_109_000).is_ok());
        // The code of the period before the last one is refused too, although it was not used itself.
        let mut later = used;
        later.insert(LAST_PERIOD.to_owned(), 2.into());
        assert!(log_in(&mfa, &later, "94287082", 59_000).is_err());
        let many = settings(json!({"singleUse": false}));
        assert_eq!(log_in(&many, &later, "94287082", 59_000).unwrap(), None);
    }

    #[test]
    fn recovery_codes_go() {
        let settings = json!({"options": ["TOTP"]});
        let mfa = Mfa::open(settings.as_object().unwrap()).unwrap();
        let stored = json!({"secret": "GEZDGNBVGY3TQOJQ", "recovery": ["aaa", hashed("bbb")]});
        let stored = stored.as_object().unwrap();
        let log_in = |token: Json| mfa.log_in_app(Some(&token), Some(stored), 59_000);
        assert_eq!(log_in("aaa".into()).unwrap().save.unwrap()["recovery"], json!([hashed("bbb")]));
        assert_eq!(log_in("bbb".into()).unwrap().save.unwrap()["recovery"], json!(["aaa"]));
        for bad in [json!("ccc"), json!(hashed("bbb")), json!({"$ne": null}), json!(["aaa"]), json!(""), Json::Null] {
            assert!(log_in(bad.clone()).is_err(), "{bad}");
        }
    }
}

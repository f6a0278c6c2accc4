//! Second factor by text message: the user receives a code, which is valid once and for one period.
//!
//! Stored as in parse-server: `{"pending": {NUMBER: {"token", "expiry"}}}` until the number is confirmed, then
//! `{"mobile": NUMBER}`, with `token` and `expiry` while a code is valid. A web hook sends the message.

use serde_json::{Map, Value as Json, json};
use subtle::ConstantTimeEq as _;

use super::own_code::OwnCode;
use super::{Attempt, Outcome, refused};
use crate::error::Result;
use crate::model::Date;

/// The value that a client sends instead of a code to request one.
const REQUEST: &str = "request";

/// Sends codes.
#[derive(Debug)]
pub(super) struct Sms {
    code: OwnCode,
    digits: usize,
    /// Milliseconds for which a code is valid.
    period: i64,
}

impl Sms {
    /// Settings: `sms: {"module": "webhook", "options": {"url": …}}`. `period` in seconds.
    ///
    /// # Errors
    /// A message for the administrator.
    pub(super) fn open(settings: &Map<String, Json>, digits: usize, period: i64) -> Result<Self, String> {
        let sms = settings.get("sms").and_then(Json::as_object);
        let sms = sms.filter(|sms| sms.get("module").and_then(Json::as_str) == Some("webhook")).ok_or(
            "SMS needs own code that sends messages: sms: {\"module\": \"webhook\", \"options\": {\"url\": …}}",
        )?;
        let code = OwnCode::open(sms).map_err(|error| format!("sms: {error}"))?;
        Ok(Self { code, digits, period: period.saturating_mul(1000) })
    }

    /// Whether the client requests a code.
    pub(super) fn is_request(token: Option<&Json>) -> bool {
        token.and_then(Json::as_str) == Some(REQUEST)
    }

    /// Registers a number, or confirms it with the code that was sent to it.
    pub(super) async fn set_up(&self, attempt: &Attempt<'_>) -> Result<Outcome> {
        let number = attempt
            .data
            .get("mobile")
            .and_then(Json::as_str)
            .filter(|number| is_number(number))
            .ok_or_else(|| refused("Invalid mobile number."))?;
        let Some(token) = attempt.data.get("token").filter(|token| !token.is_null()) else {
            let sent = self.send(number, attempt).await?;
            return Ok(keep(object([("pending", json!({number: sent}))])));
        };
        let pending = attempt.stored.and_then(|stored| stored.get("pending")?.get(number));
        let Some(pending) = pending.and_then(Json::as_object) else {
            return Err(refused("This number is not pending"));
        };
        if !is_right(Some(token), pending, attempt.now) {
            return Err(refused("Invalid MFA token"));
        }
        Ok(keep(object([("mobile", number.into()), ("pending", json!({}))])))
    }

    /// Sends a code to the user's number. The code is stored although the log in is refused.
    pub(super) async fn request(&self, number: &str, attempt: &Attempt<'_>) -> Result<Outcome> {
        let mut stored = attempt.stored.cloned().unwrap_or_default();
        stored.extend(self.send(number, attempt).await?);
        Ok(Outcome { refusal: Some(refused("Please enter the token")), ..keep(stored) })
    }

    /// Consumes the code that was sent.
    pub(super) fn log_in(token: Option<&Json>, stored: &Map<String, Json>, now: i64) -> Result<Outcome> {
        if !is_right(token, stored, now) {
            return Err(refused("Invalid MFA token 1"));
        }
        let mut left = stored.clone();
        left.remove("token");
        left.remove("expiry");
        Ok(keep(left))
    }

    /// Sends a new code; returns it with its expiry.
    async fn send(&self, number: &str, attempt: &Attempt<'_>) -> Result<Map<String, Json>> {
        let mut token = String::with_capacity(self.digits);
        while token.len() < self.digits {
            token.extend((attempt.random)(64).chars().filter(char::is_ascii_digit).take(self.digits - token.len()));
        }
        self.code.call("sendSMS", json!([token, number])).await?;
        let expiry = Date::from_millis(attempt.now.saturating_add(self.period)).to_iso();
        Ok(object([("token", token.into()), ("expiry", expiry.into())]))
    }
}

fn object<const N: usize>(fields: [(&str, Json); N]) -> Map<String, Json> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn keep(save: Map<String, Json>) -> Outcome {
    Outcome { save: Some(save), exclusive: true, ..Outcome::default() }
}

/// Whether the text is a phone number: digits with a plus sign and separators.
fn is_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let rest = text.strip_prefix('+').unwrap_or(text);
    (3..=20).contains(&digits)
        && text.len() <= 32
        && rest.bytes().all(|byte| byte.is_ascii_digit() || b" ()-/".contains(&byte))
}

fn is_right(token: Option<&Json>, stored: &Map<String, Json>, now: i64) -> bool {
    let (Some(given), Some(wanted)) =
        (token.and_then(Json::as_str), stored.get("token").and_then(Json::as_str).filter(|token| !token.is_empty()))
    else {
        return false;
    };
    let expiry = stored.get("expiry").and_then(|expiry| expiry.as_str().or_else(|| expiry.get("iso")?.as_str()));
    let in_time = expiry.and_then(Date::parse).is_some_and(|end| end.millis() > now);
    in_time & bool::from(wanted.as_bytes().ct_eq(given.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for good in ["+15555555555", "5555", "+44 20 7946-0958", "(030) 123/456"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "+", "1", "fail", "+1.555", "$12345", "1+2345", "+1555\n666", "123456789012345678901"] {
            assert!(!is_number(bad), "{bad}");
        }
    }

    #[test]
    fn codes_are_good_once_and_in_time() {
        let stored = json!({"mobile": "5555", "token": "123456", "expiry": "1970-01-01T00:01:00.000Z"});
        let stored = stored.as_object().unwrap();
        let left = Sms::log_in(Some(&json!("123456")), stored, 59_999).unwrap().save.unwrap();
        assert_eq!(Json::Object(left), json!({"mobile": "5555"}));
        for (token, now) in [("123456", 60_000), ("123457", 0), ("", 0)] {
            assert!(Sms::log_in(Some(&json!(token)), stored, now).is_err(), "{token}");
        }
        let none = json!({"mobile": "5555"});
        for token in [json!(""), json!("undefined"), json!({"$ne": null}), Json::Null] {
            assert!(Sms::log_in(Some(&token), none.as_object().unwrap(), 0).is_err(), "{token}");
        }
    }
}

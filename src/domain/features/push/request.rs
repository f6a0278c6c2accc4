//! What a request for a push must be. Everything that is wrong with one is found here, before anything is written.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::badge::Badge;
use super::refusal::misconfigured;
use super::state::Pushes;
use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::date::Date;
use crate::model::query::javascript_text;

/// When a push is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum When {
    /// At once.
    Now,
    /// At a moment, in milliseconds since 1970.
    At(i64),
    /// When the clocks of each device show what they show in UTC at this moment.
    LocalTime(i64),
}

/// A push that is in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Request {
    /// The request, times in the form in which senders get them.
    pub body: Map<String, Json>,
    /// The condition that devices meet, in Parse's query language.
    pub condition: Map<String, Json>,
    /// When it is sent.
    pub when: When,
    /// Base of the addresses of files.
    pub base_url: String,
}

impl Request {
    /// The payload.
    pub fn data(&self) -> Option<&Map<String, Json>> {
        self.body.get("data").and_then(Json::as_object)
    }

    /// What becomes of badges.
    pub fn badge(&self) -> Badge {
        self.data().and_then(|data| Badge::read(data).ok()).unwrap_or(Badge::Unchanged)
    }

    /// Sets the moment from which on it is not sent any more, where that is some time after it is due.
    pub fn expire_after(&mut self, due: Date) {
        if let Some(interval) = self.body.get("expiration_interval").and_then(Json::as_f64) {
            self.body.insert("expiration_time".to_owned(), due.plus_seconds(interval).millis().into());
        }
    }

    /// The moment from which on it is not sent any more.
    pub fn expires_at(&self) -> Option<Date> {
        self.body.get("expiration_time").and_then(millis)
    }
}

/// Milliseconds in a body, as [`read`] wrote them.
fn millis(value: &Json) -> Option<Date> {
    value.as_i64().map(Date::from_millis)
}

/// The condition of a request: `where`, or that of its channels.
///
/// # Errors
/// 115 when a request has both or neither; for a `where` that is no object.
pub(super) fn condition(body: &Map<String, Json>) -> Result<Map<String, Json>> {
    match (body.get("channels"), body.get("where")) {
        (Some(_), Some(_)) => Err(misconfigured("Channels and query can not be set at the same time.")),
        (None | Some(Json::Null), None) | (None, Some(Json::Null)) => {
            Err(misconfigured("Sending a push requires either \"channels\" or a \"where\" query."))
        }
        (Some(channels), None) => Ok(Map::from_iter([("channels".to_owned(), json!({ "$in": channels }))])),
        (None, Some(Json::Object(condition))) => Ok(condition.clone()),
        // The PHP SDK sends the text `{}` for a query without conditions, and `[]` for an empty object.
        (None, Some(Json::String(text))) if text == "{}" => Ok(Map::new()),
        (None, Some(Json::Array(list))) if list.is_empty() => Ok(Map::new()),
        (None, Some(_)) => Err(misconfigured("where must be an object.")),
    }
}

/// Reads a request.
///
/// # Errors
/// 115 for times, badges and payloads that are none, and for devices that nothing can reach; 116 for one that is too large.
pub(super) fn read(
    cx: &Context,
    pushes: &Pushes,
    mut body: Map<String, Json>,
    condition: Map<String, Json>,
) -> Result<Request> {
    if let Some(expiration) = body.get("expiration_time").map(read_time).transpose()? {
        body.insert("expiration_time".to_owned(), expiration.millis().into());
    }
    let interval = body.get("expiration_interval").map(read_interval).transpose()?;
    if interval.is_some() && body.contains_key("expiration_time") {
        return Err(misconfigured("Both expiration_time and expiration_interval cannot be set"));
    }
    let push_time =
        body.get("push_time").map(|time| Ok::<_, ParseError>((read_time(time)?, is_local(time)))).transpose()?;
    if let (Some(interval), None) = (interval, push_time) {
        body.insert("expiration_time".to_owned(), cx.now().plus_seconds(interval).millis().into());
    }
    if let Some((time, local)) = push_time {
        let text = time.iso();
        let text = if local { text.trim_end_matches('Z') } else { &text };
        body.insert("push_time".to_owned(), text.into());
    }
    match body.get("data") {
        None | Some(Json::Null) => {}
        Some(Json::Object(data)) => {
            Badge::read(data)?;
        }
        Some(_) => return Err(misconfigured("data must be an object.")),
    }
    refuse_unreachable(pushes, &condition)?;
    let size = serde_json::to_vec(&body).map_err(ParseError::internal)?.len();
    let most = cx.app.options.own.limits.push_bytes;
    if size > most {
        return Err(ParseError::new(ErrorCode::ObjectTooLarge, format!("A push may have {most} bytes.")));
    }
    let when = match push_time.filter(|_| pushes.schedules) {
        None => When::Now,
        Some((time, false)) => When::At(time.millis()),
        Some((time, true)) => When::LocalTime(time.millis()),
    };
    Ok(Request { body, condition, when, base_url: cx.client.base_url.clone() })
}

/// A text that JavaScript reads as a date, or seconds since 1970.
fn read_time(time: &Json) -> Result<Date> {
    let read = match time {
        Json::String(text) => Date::read(text),
        Json::Number(seconds) => seconds
            .as_f64()
            .filter(|seconds| seconds.abs() <= 8.64e12)
            .map(|seconds| Date::from_millis(0).plus_seconds(seconds)),
        _ => None,
    };
    read.ok_or_else(|| misconfigured(format!("{} is not valid time.", javascript_text(time))))
}

/// Whether a time is that of each device's own clock: a text without a zone.
fn is_local(time: &Json) -> bool {
    let Some(text) = time.as_str() else { return false };
    let zone = |text: &str| {
        let mut bytes = text.bytes();
        bytes.next_back().is_some_and(|digit| digit.is_ascii_digit())
            && bytes.next_back().is_some_and(|digit| digit.is_ascii_digit())
            && bytes.next_back() == Some(b':')
            && bytes.next_back().is_some_and(|digit| digit.is_ascii_digit())
            && bytes.next_back().is_some_and(|digit| digit.is_ascii_digit())
            && matches!(bytes.next_back(), Some(b'+' | b'-'))
            && bytes.len() > 0
    };
    !text.ends_with('Z') && !zone(text)
}

fn read_interval(interval: &Json) -> Result<f64> {
    interval
        .as_f64()
        .filter(|seconds| *seconds > 0.0)
        .ok_or_else(|| misconfigured("expiration_interval must be a number greater than 0"))
}

/// Refuses a condition on a type of device that no sender has.
fn refuse_unreachable(pushes: &Pushes, condition: &Map<String, Json>) -> Result<()> {
    let Some(known) = pushes.sender.push_types() else { return Ok(()) };
    let asked = match condition.get("deviceType") {
        Some(Json::Object(inner)) => inner.get("$in").or_else(|| inner.get("$eq")),
        other => other,
    };
    let asked = match asked {
        Some(Json::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let unknown = asked.iter().filter_map(Json::as_str).find(|kind| !known.iter().any(|known| known == kind));
    match unknown {
        Some(kind) => Err(misconfigured(format!("{kind} is not supported push type."))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_and_without_a_zone() {
        for (time, local) in [
            (json!("2030-01-01T00:00:00.000Z"), false),
            (json!("2030-01-01T00:00:00.000+02:00"), false),
            (json!("2030-01-01T00:00:00-11:30"), false),
            (json!("2030-01-01T00:00:00.000"), true),
            (json!("2030-01-01"), true),
            (json!(1_900_000_000), false),
        ] {
            assert_eq!(is_local(&time), local, "{time}");
            assert!(read_time(&time).is_ok(), "{time}");
        }
        for (bad, shown) in [
            (json!("soon"), "soon"),
            (json!({ "a": 1 }), "[object Object]"),
            (json!([1, "x"]), "1,x"),
            (json!(null), "null"),
            (json!(true), "true"),
        ] {
            assert_eq!(read_time(&bad).unwrap_err().message, format!("{shown} is not valid time."));
        }
    }

    #[test]
    fn devices_are_named_in_one_way() {
        let read = |body: Json| condition(body.as_object().unwrap());
        assert_eq!(Json::Object(read(json!({ "channels": ["a"] })).unwrap()), json!({ "channels": { "$in": ["a"] } }));
        assert_eq!(Json::Object(read(json!({ "where": {} })).unwrap()), json!({}));
        for bad in [
            json!({}),
            json!({ "where": {}, "channels": [] }),
            json!({ "where": null }),
            json!({ "where": "x" }),
            json!({ "channels": null }),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}

//! The request that APNs gets for a push: headers and body.

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value as Json, json};

use crate::adapters::push::Push;
use crate::model::json::is_truthy;

/// Whose way of writing a payload: the push adapter of Parse has two senders for APNs that differ in details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The one with a library, used unless `useNativeAPNs` is true.
    Library,
    /// The one with `useNativeAPNs`.
    Native,
}

/// A request without its address and the proof of who sends it.
#[derive(Debug)]
pub struct Notification {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Notification {
    /// The notification of a push for the devices with this `appIdentifier`.
    ///
    /// # Errors
    /// A text for the developer: the push asks for a header that cannot be sent.
    pub fn new(push: &Push, app: Option<&str>, dialect: Dialect) -> Result<Self, String> {
        let data = push.data().ok_or("The push has no data.")?;
        let body = serde_json::to_vec(&payload(data, dialect)).map_err(|error| error.to_string())?;
        Ok(Self { headers: headers(push, data, app, dialect)?, body: body.into() })
    }
}

/// Keys of `data` that become headers.
const OF_HEADERS: [&str; 8] = ["id", "collapseId", "channelId", "requestId", "pushType", "topic", "expiry", "priority"];
/// Keys of `data` that become headers and, in [`Dialect::Library`], stay in the payload as well.
const OF_BOTH: [&str; 3] = ["expiration_time", "collapse_id", "push_type"];

/// The JSON body: `aps`, and beside it what the app gave its own meaning.
fn payload(data: &Map<String, Json>, dialect: Dialect) -> Map<String, Json> {
    let native = dialect == Dialect::Native;
    let (mut aps, mut own) = (Map::new(), Map::new());
    for (key, value) in data {
        let text = value.is_string() || native;
        match key.as_str() {
            "aps" => match value.as_object() {
                Some(given) if native => aps.extend(given.clone()),
                Some(given) => aps.clone_from(given),
                None => {}
            },
            "alert" if native && is_plain(value) => alert_of(&mut aps, "body", value),
            "alert" => set(&mut aps, "alert", value),
            "title" => alert_of(&mut aps, "title", value),
            "badge" if value.is_number() || native => set(&mut aps, "badge", value),
            "sound" if text || is_critical_sound(value) => set(&mut aps, "sound", value),
            "content-available" | "mutable-content" => {
                if value.as_f64() == Some(1.0) {
                    set(&mut aps, key, &json!(1));
                } else {
                    aps.shift_remove(key);
                }
            }
            "targetContentIdentifier" if text => set(&mut aps, "target-content-id", value),
            "interruptionLevel" if text => set(&mut aps, "interruption-level", value),
            "category" if text => set(&mut aps, "category", value),
            "threadId" if text => set(&mut aps, "thread-id", value),
            "badge" | "sound" | "targetContentIdentifier" | "interruptionLevel" | "category" | "threadId" => {}
            key if OF_HEADERS.contains(&key) || native && OF_BOTH.contains(&key) => {}
            _ => set(&mut own, key, value),
        }
    }
    if native || !aps.is_empty() {
        own.insert("aps".to_owned(), Json::Object(aps));
    }
    own
}

fn set(map: &mut Map<String, Json>, key: &str, value: &Json) {
    map.insert(key.to_owned(), value.clone());
}

/// Sets a part of the alert, which may have been a text until now.
fn alert_of(aps: &mut Map<String, Json>, key: &str, value: &Json) {
    let mut alert = match aps.shift_remove("alert") {
        Some(Json::Object(alert)) => alert,
        Some(text @ Json::String(_)) => Map::from_iter([("body".to_owned(), text)]),
        _ => Map::new(),
    };
    set(&mut alert, key, value);
    aps.insert("alert".to_owned(), Json::Object(alert));
}

fn is_critical_sound(sound: &Json) -> bool {
    let number = |key: &str| sound.get(key).is_some_and(Json::is_number);
    sound.get("name").is_some_and(Json::is_string) && number("critical") && number("volume")
}

/// Neither null nor a list nor an object.
pub fn is_plain(value: &Json) -> bool {
    matches!(value, Json::String(_) | Json::Number(_) | Json::Bool(_))
}

/// The value of the request or, without one, of its `data`.
pub fn either<'a>(push: &'a Push, data: &'a Map<String, Json>, key: &str) -> Option<&'a Json> {
    given(&push.body, key).or_else(|| given(data, key))
}

/// A value that is truthy in JavaScript.
pub fn given<'a>(map: &'a Map<String, Json>, key: &str) -> Option<&'a Json> {
    map.get(key).filter(|value| is_truthy(value))
}

fn headers(push: &Push, data: &Map<String, Json>, app: Option<&str>, dialect: Dialect) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let own = |key: &str| data.get(key).filter(|value| !value.is_null());
    let mut add = |name: &'static str, value: Option<String>| -> Result<(), String> {
        let Some(value) = value else { return Ok(()) };
        let value = HeaderValue::from_str(&value).map_err(|_| format!("{name} cannot be sent: {value:?}"))?;
        headers.insert(HeaderName::from_static(name), value);
        Ok(())
    };
    let kind = own("pushType").or_else(|| either(push, data, "push_type")).and_then(header_text);
    let kind = kind.unwrap_or_else(|| "alert".to_owned());
    let topic = own("topic").and_then(header_text).or_else(|| app.map(|app| format!("{app}{}", suffix(&kind))));
    let priority = own("priority").or_else(|| either(push, data, "priority"));
    let expiry = match own("expiry") {
        Some(expiry) => header_text(expiry).filter(|text| text.parse().is_ok_and(|seconds: f64| seconds >= 0.0)),
        None => either(push, data, "expiration_time").and_then(Json::as_f64).and_then(seconds),
    };
    add("apns-topic", topic)?;
    add("apns-push-type", Some(kind))?;
    add("apns-priority", priority.map_or_else(|| Some("10".to_owned()), header_text))?;
    add("apns-expiration", expiry)?;
    add("apns-collapse-id", own("collapseId").or_else(|| either(push, data, "collapse_id")).and_then(header_text))?;
    add("apns-id", given(data, "id").and_then(header_text))?;
    if dialect == Dialect::Library {
        add("apns-request-id", given(data, "requestId").and_then(header_text))?;
        add("apns-channel-id", given(data, "channelId").and_then(header_text))?;
    }
    Ok(headers)
}

/// Texts and numbers can be sent in a header.
pub fn header_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Milliseconds since 1970 as seconds.
pub fn seconds(millis: f64) -> Option<String> {
    (millis >= 0.0).then(|| format!("{:.0}", (millis / 1000.0 + 0.5).floor()))
}

/// What is added to the app's identifier to make the topic of a push of this kind.
fn suffix(kind: &str) -> &'static str {
    match kind {
        "location" => ".location-query",
        "voip" => ".voip",
        "complication" => ".complication",
        "fileprovider" => ".pushkit.fileprovider",
        "liveactivity" => ".push-type.liveactivity",
        "pushtotalk" => ".voip-ptt",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{Dialect, Notification, payload};
    use crate::adapters::push::Push;

    fn push(body: &Json) -> Push {
        Push { body: body.as_object().unwrap().clone(), status_id: "s".to_owned() }
    }

    #[test]
    fn payloads() {
        let cases = [
            (json!({"alert": "Hi"}), json!({"aps": {"alert": "Hi"}}), json!({"aps": {"alert": {"body": "Hi"}}})),
            (json!({"x": 1}), json!({"x": 1}), json!({"x": 1, "aps": {}})),
            (
                json!({"title": "T", "alert": "Hi"}),
                json!({"aps": {"alert": "Hi"}}),
                json!({"aps": {"alert": {"title": "T", "body": "Hi"}}}),
            ),
            (
                json!({"sound": {"name": "a", "critical": 1, "volume": 0.5}, "badge": "x"}),
                json!({"aps": {"sound": {"name": "a", "critical": 1, "volume": 0.5}}}),
                json!({"aps": {"sound": {"name": "a", "critical": 1, "volume": 0.5}, "badge": "x"}}),
            ),
            (
                json!({"content-available": 0, "mutable-content": true, "category": 3, "push_type": "voip"}),
                json!({"push_type": "voip"}),
                json!({"aps": {"category": 3}}),
            ),
            (
                json!({"aps": {"alert": "old", "badge": 1}, "title": "T", "id": "no", "n": null}),
                json!({"aps": {"alert": {"body": "old", "title": "T"}, "badge": 1}, "n": null}),
                json!({"aps": {"alert": {"body": "old", "title": "T"}, "badge": 1}, "n": null}),
            ),
        ];
        for (data, library, native) in cases {
            let data = data.as_object().unwrap();
            assert_eq!(Json::Object(payload(data, Dialect::Library)), library, "{data:?}");
            assert_eq!(Json::Object(payload(data, Dialect::Native)), native, "{data:?}");
        }
    }

    #[test]
    fn headers() {
        let all = json!({
            "expiration_time": 1_700_000_000_499_u64, "collapse_id": "c", "push_type": "voip", "priority": 5,
            "data": {"alert": "Hi", "id": "uuid"},
        });
        let sent = Notification::new(&push(&all), Some("com.app"), Dialect::Library).unwrap();
        let shown = |name: &str| sent.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(shown("apns-topic").unwrap(), "com.app.voip");
        assert_eq!(shown("apns-push-type").unwrap(), "voip");
        assert_eq!(shown("apns-priority").unwrap(), "5");
        assert_eq!(shown("apns-expiration").unwrap(), "1700000000");
        assert_eq!(shown("apns-collapse-id").unwrap(), "c");
        assert_eq!(shown("apns-id").unwrap(), "uuid");

        let plain = Notification::new(&push(&json!({"data": {}})), None, Dialect::Native).unwrap();
        assert_eq!(plain.headers.len(), 2, "{:?}", plain.headers);
        assert_eq!(plain.body, "{\"aps\":{}}");

        let smuggled = json!({"collapse_id": "a\r\nb: c", "data": {}});
        assert!(Notification::new(&push(&smuggled), None, Dialect::Native).is_err());
    }
}

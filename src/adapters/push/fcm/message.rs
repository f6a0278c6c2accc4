//! The message that FCM gets for a push, without the token of the device.

use serde_json::{Map, Value as Json, json};

use super::names;
use crate::adapters::push::Push;
use crate::adapters::push::apns::{either, given, header_text, is_plain, seconds};
use crate::model::date::Date;

/// Longest time that FCM keeps a message: four weeks, in seconds.
const LONGEST: f64 = 28.0 * 24.0 * 3600.0;
/// Keys of `data` that Android devices do not get: FCM takes no numbers there.
const NOT_FOR_ANDROID: [&str; 5] = ["badge", "content-available", "mutable-content", "priority", "expiration_time"];
/// Keys of `data` that become headers of APNs.
const OF_HEADERS: [&str; 4] = ["expiration_time", "collapse_id", "push_type", "priority"];
/// Parts of a message that `rawPayload` may give. The device is none of them.
const PARTS: [&str; 6] = ["android", "apns", "data", "notification", "webpush", "fcmOptions"];

/// What kind of devices a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    Android,
    /// Apple's devices, which Firebase reaches through APNs.
    Apple,
}

/// The message of a push: its `rawPayload`, or what is made of its `data`.
///
/// # Errors
/// A text for the developer.
pub fn message(push: &Push, platform: Platform, push_id: &str, now: Date) -> Result<Map<String, Json>, String> {
    let mut message = match (push.body.get("rawPayload"), platform) {
        (Some(Json::Object(raw)), _) => {
            let parts = PARTS.iter().filter_map(|part| Some(((*part).to_owned(), raw.get(*part)?.clone())));
            parts.collect()
        }
        (Some(_), _) => return Err("rawPayload must be an object".to_owned()),
        (None, Platform::Android) => Map::from_iter([("android".to_owned(), android(push, push_id, now))]),
        (None, Platform::Apple) => Map::from_iter([("apns".to_owned(), apns(push)?)]),
    };
    names::as_on_the_wire(&mut message);
    Ok(message)
}

fn android(push: &Push, push_id: &str, now: Date) -> Json {
    let mut android = Map::from_iter([("priority".to_owned(), json!("high"))]);
    if let Some(notification) = push.body.get("notification") {
        android.insert("notification".to_owned(), notification.clone());
    }
    if let Some(data) = push.data() {
        let kept: Map<String, Json> = data
            .iter()
            .filter(|(key, _)| !NOT_FOR_ANDROID.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let data = json!({"push_id": push_id, "time": now.to_iso(), "data": Json::Object(kept).to_string()});
        android.insert("data".to_owned(), data);
    }
    if let Some(until) = given(&push.body, "expiration_time").and_then(Json::as_f64) {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of our times fit")]
        let left = ((until - now.millis() as f64) / 1000.0).floor().clamp(0.0, LONGEST);
        // Seconds: `@parse/push-adapter` hands them to a library that takes milliseconds, so its messages end too early.
        android.insert("ttl".to_owned(), json!(format!("{left:.0}s")));
    }
    Json::Object(android)
}

fn apns(push: &Push) -> Result<Json, String> {
    let data = push.data().ok_or("The push has no data.")?;
    let text = |key: &str| either(push, data, key).and_then(header_text);
    let mut headers = Map::new();
    headers.insert("apns-push-type".to_owned(), json!(text("push_type").unwrap_or_else(|| "alert".to_owned())));
    if let Some(until) = either(push, data, "expiration_time").and_then(Json::as_f64).and_then(seconds) {
        headers.insert("apns-expiration".to_owned(), json!(until));
    }
    if let Some(id) = text("collapse_id") {
        headers.insert("apns-collapse-id".to_owned(), json!(id));
    }
    if let Some(priority) = text("priority") {
        headers.insert("apns-priority".to_owned(), json!(priority));
    }
    Ok(json!({"payload": apns_payload(data), "headers": headers}))
}

fn apns_payload(data: &Map<String, Json>) -> Map<String, Json> {
    let (mut aps, mut own) = (Map::new(), Map::new());
    for (key, value) in data {
        let name = match key.as_str() {
            "aps" => {
                aps = value.as_object().cloned().unwrap_or_default();
                continue;
            }
            "alert" if is_plain(value) => {
                aps.insert(key.clone(), json!({"body": value}));
                continue;
            }
            "title" => {
                match aps.entry("alert").or_insert_with(|| json!({})) {
                    Json::Object(alert) => alert.insert(key.clone(), value.clone()),
                    other => Some(std::mem::replace(other, json!({"body": other.clone(), "title": value}))),
                };
                continue;
            }
            "targetContentIdentifier" => "target-content-id",
            "interruptionLevel" => "interruption-level",
            "threadId" => "thread-id",
            "alert" | "badge" | "sound" | "content-available" | "mutable-content" | "category" => key,
            key if OF_HEADERS.contains(&key) => continue,
            _ => {
                own.insert(key.clone(), value.clone());
                continue;
            }
        };
        aps.insert(name.to_owned(), value.clone());
    }
    own.insert("aps".to_owned(), Json::Object(aps));
    own
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{Platform, message};
    use crate::adapters::push::Push;
    use crate::model::date::Date;

    fn made(body: &Json, platform: Platform) -> Result<Json, String> {
        let push = Push { body: body.as_object().unwrap().clone(), status_id: "s".to_owned() };
        message(&push, platform, "0123456789", Date::from_millis(1_000_000)).map(Json::Object)
    }

    #[test]
    fn android() {
        let body = json!({
            "data": {"alert": "Hi", "badge": 3, "priority": 5, "n": 1},
            "notification": {"title": "T", "imageUrl": "https://x/y", "priority": "high"},
            "expiration_time": 1_000_000 + 3_600_500,
        });
        let expected = json!({"android": {
            "priority": "high",
            "notification": {"title": "T", "image": "https://x/y", "notification_priority": "PRIORITY_HIGH"},
            "data": {"push_id": "0123456789", "time": "1970-01-01T00:16:40.000Z", "data": "{\"alert\":\"Hi\",\"n\":1}"},
            "ttl": "3600s",
        }});
        assert_eq!(made(&body, Platform::Android).unwrap(), expected);
        let past = made(&json!({"data": {}, "expiration_time": 5}), Platform::Android).unwrap();
        assert_eq!(past["android"]["ttl"], "0s");
        let far = made(&json!({"data": {}, "expiration_time": 1e16}), Platform::Android).unwrap();
        assert_eq!(far["android"]["ttl"], "2419200s");
    }

    #[test]
    fn apple() {
        let body = json!({
            "data": {"alert": "Hi", "title": "T", "badge": 4, "content-available": true, "threadId": "t", "x": [1]},
            "priority": 5, "expiration_time": 2000, "collapse_id": "c",
        });
        let expected = json!({"apns": {
            "payload": {
                "aps": {"alert": {"body": "Hi", "title": "T"}, "badge": 4, "content-available": 1, "thread-id": "t"},
                "x": [1],
            },
            "headers": {
                "apns-push-type": "alert", "apns-priority": "5", "apns-expiration": "2", "apns-collapse-id": "c",
            },
        }});
        assert_eq!(made(&body, Platform::Apple).unwrap(), expected);
    }

    #[test]
    fn raw_payloads_do_not_choose_the_device() {
        let body = json!({"rawPayload": {"topic": "all", "token": "x", "notification": {"imageUrl": "i"}}});
        assert_eq!(made(&body, Platform::Apple).unwrap(), json!({"notification": {"image": "i"}}));
        assert!(made(&json!({"rawPayload": "x"}), Platform::Android).is_err());
    }
}

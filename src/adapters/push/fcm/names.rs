//! Names and values of `firebase-admin`'s messages, which apps write in `rawPayload` and `notification`, as they stand on the wire.

use serde_json::{Map, Value as Json, json};

/// Names of an Android message.
const ANDROID: &[(&str, &str)] = &[
    ("collapseKey", "collapse_key"),
    ("restrictedPackageName", "restricted_package_name"),
    ("directBootOk", "direct_boot_ok"),
];
/// Names of an Android notification.
const NOTIFICATION: &[(&str, &str)] = &[
    ("clickAction", "click_action"),
    ("bodyLocKey", "body_loc_key"),
    ("bodyLocArgs", "body_loc_args"),
    ("titleLocKey", "title_loc_key"),
    ("titleLocArgs", "title_loc_args"),
    ("channelId", "channel_id"),
    ("imageUrl", "image"),
    ("eventTimestamp", "event_time"),
    ("localOnly", "local_only"),
    ("priority", "notification_priority"),
    ("vibrateTimingsMillis", "vibrate_timings"),
    ("defaultVibrateTimings", "default_vibrate_timings"),
    ("defaultSound", "default_sound"),
    ("lightSettings", "light_settings"),
    ("defaultLightSettings", "default_light_settings"),
    ("notificationCount", "notification_count"),
];
/// Names of the light of an Android notification.
const LIGHT: &[(&str, &str)] =
    &[("lightOnDurationMillis", "light_on_duration"), ("lightOffDurationMillis", "light_off_duration")];
/// Names of Apple's `aps`.
const APS: &[(&str, &str)] =
    &[("contentAvailable", "content-available"), ("mutableContent", "mutable-content"), ("threadId", "thread-id")];
/// Names of Apple's alerts.
const ALERT: &[(&str, &str)] = &[
    ("locKey", "loc-key"),
    ("locArgs", "loc-args"),
    ("titleLocKey", "title-loc-key"),
    ("titleLocArgs", "title-loc-args"),
    ("subtitleLocKey", "subtitle-loc-key"),
    ("subtitleLocArgs", "subtitle-loc-args"),
    ("actionLocKey", "action-loc-key"),
    ("launchImage", "launch-image"),
];
/// Names of a picture.
const IMAGE: &[(&str, &str)] = &[("imageUrl", "image")];

/// Rewrites a message. What is not understood stays as it is: Google refuses it with a reason.
pub fn as_on_the_wire(message: &mut Map<String, Json>) {
    if let Some(notification) = object(message, "notification") {
        rename(notification, IMAGE);
    }
    if let Some(android) = object(message, "android") {
        change(android, "ttl", |ttl| ttl.as_f64().map(duration));
        if let Some(notification) = object(android, "notification") {
            android_notification(notification);
        }
        rename(android, ANDROID);
    }
    if let Some(apns) = object(message, "apns") {
        if let Some(aps) = object(apns, "payload").and_then(|payload| object(payload, "aps")) {
            apple_aps(aps);
        }
        if let Some(options) = object(apns, "fcmOptions") {
            rename(options, IMAGE);
        }
        rename(apns, &[("liveActivityToken", "live_activity_token")]);
    }
}

fn android_notification(notification: &mut Map<String, Json>) {
    let upper = |value: &Json, prefix: &str| Some(json!(format!("{prefix}{}", value.as_str()?.to_uppercase())));
    change(notification, "priority", |value| upper(value, "PRIORITY_"));
    change(notification, "proxy", |value| upper(value, ""));
    change(notification, "visibility", |value| upper(value, ""));
    change(notification, "vibrateTimingsMillis", |timings| {
        let timings: Option<Vec<Json>> = timings.as_array()?.iter().map(|it| it.as_f64().map(duration)).collect();
        timings.map(Json::Array)
    });
    if let Some(light) = object(notification, "lightSettings") {
        change(light, "lightOnDurationMillis", |millis| millis.as_f64().map(duration));
        change(light, "lightOffDurationMillis", |millis| millis.as_f64().map(duration));
        change(light, "color", |text| text.as_str().and_then(color));
        rename(light, LIGHT);
    }
    rename(notification, NOTIFICATION);
}

fn apple_aps(aps: &mut Map<String, Json>) {
    rename(aps, APS);
    for key in ["content-available", "mutable-content"] {
        flag(aps, key);
    }
    if let Some(alert) = object(aps, "alert") {
        rename(alert, ALERT);
    }
    if let Some(sound) = object(aps, "sound") {
        flag(sound, "critical");
    }
}

/// Apple's flags are 1 or missing.
fn flag(map: &mut Map<String, Json>, key: &str) {
    match map.get_mut(key) {
        Some(value) if value.as_f64() == Some(1.0) || *value == Json::Bool(true) => *value = json!(1),
        _ => drop(map.shift_remove(key)),
    }
}

fn object<'a>(map: &'a mut Map<String, Json>, key: &str) -> Option<&'a mut Map<String, Json>> {
    map.get_mut(key).and_then(Json::as_object_mut)
}

fn change(map: &mut Map<String, Json>, key: &str, to: impl Fn(&Json) -> Option<Json>) {
    if let Some(value) = map.get_mut(key)
        && let Some(new) = to(value)
    {
        *value = new;
    }
}

fn rename(map: &mut Map<String, Json>, names: &[(&str, &str)]) {
    for (name, on_the_wire) in names {
        if let Some(value) = map.shift_remove(*name) {
            map.insert((*on_the_wire).to_owned(), value);
        }
    }
}

/// Milliseconds as Google writes durations: `1.500000000s`, or `2s` without a fraction.
fn duration(millis: f64) -> Json {
    let seconds = (millis / 1000.0).floor();
    let nanos = ((millis - seconds * 1000.0) * 1_000_000.0).floor();
    if nanos > 0.0 { json!(format!("{seconds:.0}.{nanos:09.0}s")) } else { json!(format!("{seconds:.0}s")) }
}

/// `#RRGGBB` or `#RRGGBBAA` as parts between 0 and 1.
fn color(text: &str) -> Option<Json> {
    let digits = text.strip_prefix('#').filter(|digits| matches!(digits.len(), 6 | 8))?;
    let part = |at: usize| digits.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let share = |at: usize| part(at).map(|part| f64::from(part) / 255.0);
    let alpha = if digits.len() == 8 { share(6)? } else { 1.0 };
    Some(json!({"red": share(0)?, "green": share(2)?, "blue": share(4)?, "alpha": alpha}))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{as_on_the_wire, color, duration};

    #[test]
    fn messages() {
        let mut message = json!({
            "notification": {"imageUrl": "i"},
            "android": {"ttl": 3_600_500, "collapseKey": "c", "notification": {
                "visibility": "secret", "vibrateTimingsMillis": [100, 2000],
                "lightSettings": {"color": "#ff0000", "lightOnDurationMillis": 5, "lightOffDurationMillis": 1000},
            }},
            "apns": {"fcmOptions": {"imageUrl": "i"}, "payload": {"aps": {
                "contentAvailable": true, "mutableContent": false, "alert": {"locKey": "k"},
                "sound": {"name": "s", "critical": true, "volume": 1},
            }}},
        });
        as_on_the_wire(message.as_object_mut().unwrap());
        let expected = json!({
            "notification": {"image": "i"},
            "android": {"ttl": "3600.500000000s", "collapse_key": "c", "notification": {
                "visibility": "SECRET", "vibrate_timings": ["0.100000000s", "2s"],
                "light_settings": {
                    "color": {"red": 1.0, "green": 0.0, "blue": 0.0, "alpha": 1.0},
                    "light_on_duration": "0.005000000s", "light_off_duration": "1s",
                },
            }},
            "apns": {"fcmOptions": {"image": "i"}, "payload": {"aps": {
                "content-available": 1, "alert": {"loc-key": "k"}, "sound": {"name": "s", "critical": 1, "volume": 1},
            }}},
        });
        assert_eq!(message, expected);
    }

    #[test]
    fn what_is_not_understood_stays() {
        let odd = json!({"android": {"ttl": "5s", "notification": {"priority": 3, "lightSettings": "x"}}, "apns": 1});
        let mut message = odd.clone();
        as_on_the_wire(message.as_object_mut().unwrap());
        assert_eq!(message["android"]["ttl"], "5s");
        assert_eq!(message["android"]["notification"]["light_settings"], "x");
        assert_eq!(message["apns"], 1);
        assert_eq!(color("#äöü"), None);
        assert_eq!(color("#12345"), None);
        assert_eq!(duration(0.0), Json::from("0s"));
    }
}

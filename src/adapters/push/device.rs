//! A device that gets a push, and what became of it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

/// A device: its row of `_Installation`.
#[derive(Debug, Clone)]
pub struct Device {
    row: Box<RawValue>,
    read: Read,
}

/// What senders that are built in read of a row, and what decides which payload it gets.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Read {
    object_id: Text,
    device_type: Text,
    device_token: Text,
    push_type: Text,
    app_identifier: Text,
    locale_identifier: Text,
    badge: Json,
}

impl Device {
    /// The fields of a row that the methods of a device read.
    pub const FIELDS: [&str; 7] =
        ["objectId", "deviceType", "deviceToken", "pushType", "appIdentifier", "localeIdentifier", "badge"];

    /// The device with this row in REST form, an object with at least [`Device::FIELDS`] as far as the device has them.
    ///
    /// # Errors
    /// When it is no object.
    pub fn new(row: Box<RawValue>) -> serde_json::Result<Self> {
        let read = serde_json::from_str(row.get())?;
        Ok(Self { row, read })
    }

    /// All that was read of the row, as JSON.
    #[must_use]
    pub fn row(&self) -> &RawValue {
        &self.row
    }

    /// The id of the row.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.read.object_id.0.as_deref()
    }

    /// `ios`, `android`, …
    #[must_use]
    pub fn device_type(&self) -> Option<&str> {
        self.read.device_type.0.as_deref()
    }

    /// The service that reaches the device: its `pushType`, else its `deviceType`.
    #[must_use]
    pub fn push_type(&self) -> Option<&str> {
        self.read.push_type.0.as_deref().filter(|kind| !kind.is_empty()).or_else(|| self.device_type())
    }

    /// What the service knows the device by.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.read.device_token.0.as_deref()
    }

    /// The application on the device.
    #[must_use]
    pub fn app_identifier(&self) -> Option<&str> {
        self.read.app_identifier.0.as_deref()
    }

    /// Language and region of its user: `de-AT`.
    #[must_use]
    pub fn locale(&self) -> Option<&str> {
        self.read.locale_identifier.0.as_deref()
    }

    /// The number on the icon of the application; null if there is none.
    #[must_use]
    pub const fn badge(&self) -> &Json {
        &self.read.badge
    }

    /// The service took the message; `response` is what it answered, or null.
    #[must_use]
    pub fn transmitted(&self, response: Json) -> Outcome {
        self.outcome(true, response)
    }

    /// The service did not take the message. `error` is a text, or `{"code", "message"}`.
    #[must_use]
    pub fn failed(&self, error: impl Into<Json>) -> Outcome {
        self.outcome(false, json!({"error": error.into()}))
    }

    fn outcome(&self, transmitted: bool, response: Json) -> Outcome {
        Outcome {
            device_type: self.device_type().map(str::to_owned),
            device_token: self.token().map(str::to_owned),
            transmitted,
            response,
        }
    }
}

/// A text; none where something else stands.
#[derive(Debug, Clone, Default)]
struct Text(Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Some(text.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}

/// What became of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its `deviceType`. Without it the outcome is not counted.
    pub device_type: Option<String>,
    /// Its `deviceToken`. Without it the token is not removed, whatever the service says of it.
    pub device_token: Option<String>,
    /// Whether the service took the message.
    pub transmitted: bool,
    /// What the service answered; after a failure `{"error": …}`, where the error is a text or `{"code", "message"}`. What stands there
    /// decides whether the token is dead.
    pub response: Json,
}

/// Names under which services say that a token is dead.
const DEAD: &[&str] = &[
    "NotRegistered",
    "InvalidRegistration",
    "Unregistered",
    "BadDeviceToken",
    "DeviceNotRegistered",
    "messaging/registration-token-not-registered",
    "messaging/invalid-registration-token",
];

impl Outcome {
    /// Whether the service says that the token is none, or that its device is gone.
    #[must_use]
    pub fn token_is_dead(&self) -> bool {
        let Some(error) = self.response.get("error").filter(|_| !self.transmitted) else { return false };
        let text = |at: &str| error.pointer(at).and_then(Json::as_str);
        let name = error.as_str().or_else(|| text("/code")).or_else(|| text("/details/error"));
        name.is_some_and(|name| DEAD.contains(&name))
            || (text("/code") == Some("messaging/invalid-argument")
                && text("/message") == Some("The registration token is not a valid FCM registration token"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;

    use super::*;

    fn device(row: &Json) -> serde_json::Result<Device> {
        Device::new(to_raw_value(row).unwrap())
    }

    #[test]
    fn what_is_read_of_a_row() {
        let row = json!({ "deviceType": "ios", "deviceToken": "a\"b", "pushType": "", "badge": 2, "own": [1] });
        let ios = device(&row).unwrap();
        assert_eq!((ios.push_type(), ios.token(), ios.badge()), (Some("ios"), Some("a\"b"), &json!(2)));
        assert_eq!(serde_json::from_str::<Json>(ios.row().get()).unwrap(), row);
        let web = device(&json!({ "pushType": "web" })).unwrap();
        assert_eq!((web.push_type(), web.device_type(), web.badge()), (Some("web"), None, &Json::Null));
    }

    #[test]
    fn what_is_no_text_is_none() {
        for other in [json!(1), json!(-1), json!(1.5), json!(true), json!(null), json!(["a"]), json!({ "a": "b" })] {
            let odd = device(&json!({ "deviceToken": other, "deviceType": "ios" })).unwrap();
            assert_eq!((odd.token(), odd.device_type()), (None, Some("ios")), "{other}");
        }
        assert!(device(&json!(1)).is_err());
    }
}

//! What the app's own code answers to a batch of a push, by web hook or in JavaScript.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use super::providers::fail_all;
use super::{Device, Outcome, Push};

/// The outcomes of a batch. What fails as a whole fails for each device, and is logged.
pub fn settled(push: &Push, devices: &[Device], results: Result<Vec<Outcome>, String>) -> Vec<Outcome> {
    results.unwrap_or_else(|error| {
        tracing::warn!(push = push.status_id, %error, "the push adapter did not send a batch of a push");
        fail_all(devices, &error)
    })
}

/// The outcomes that an answer tells: a list of results, or an object with such a list as `result`. Lists inside of a list are flattened;
/// what is no result is left out.
#[derive(Debug, PartialEq)]
pub struct Results(pub Vec<Outcome>);

impl<'de> Deserialize<'de> for Results {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnswerVisitor)
    }
}

struct AnswerVisitor;

impl<'de> Visitor<'de> for AnswerVisitor {
    type Value = Results;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of results")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Results, A::Error> {
        let mut outcomes = Vec::new();
        ResultInto(&mut outcomes).visit_seq(list)?;
        Ok(Results(outcomes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Results, A::Error> {
        let mut outcomes = None;
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key == "result" {
                outcomes = Some(map.next_value_seed(ListInto)?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        outcomes.map(Results).ok_or_else(|| A::Error::missing_field("result"))
    }
}

/// Reads a list of results.
struct ListInto;

impl<'de> DeserializeSeed<'de> for ListInto {
    type Value = Vec<Outcome>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Outcome>, D::Error> {
        let mut outcomes = Vec::new();
        deserializer.deserialize_seq(ResultInto(&mut outcomes))?;
        Ok(outcomes)
    }
}

/// Reads a result, or a list of them, into a list. The depth is that of JSON which is parsed with a limit.
struct ResultInto<'a>(&'a mut Vec<Outcome>);

impl<'de> DeserializeSeed<'de> for ResultInto<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ResultInto<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a result")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(ResultInto(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut result: A) -> Result<(), A::Error> {
        let mut device = Json::Null;
        let mut outcome = Outcome { device_type: None, device_token: None, transmitted: false, response: Json::Null };
        while let Some(key) = result.next_key::<Cow<'_, str>>()? {
            match &*key {
                "device" => device = result.next_value()?,
                "transmitted" => outcome.transmitted = result.next_value::<Json>()? == Json::Bool(true),
                "response" => outcome.response = result.next_value()?,
                _ => {
                    result.next_value::<IgnoredAny>()?;
                }
            }
        }
        let mut text = |key: &str| match device.get_mut(key).map(Json::take) {
            Some(Json::String(text)) => Some(text),
            _ => None,
        };
        (outcome.device_type, outcome.device_token) = (text("deviceType"), text("deviceToken"));
        self.0.push(outcome);
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_of_results() {
        let sent = json!({ "device": { "deviceType": "ios", "deviceToken": "t", "own": 1 }, "transmitted": true });
        let refused = json!({ "device": "t", "transmitted": 1, "response": { "error": "Unregistered" }, "more": [] });
        let read = |answer: &Json| {
            let by_text: Results = serde_json::from_str(&answer.to_string()).unwrap();
            assert_eq!(by_text, Results::deserialize(answer.clone()).unwrap());
            by_text.0
        };
        let outcome = Outcome {
            device_type: Some("ios".to_owned()),
            device_token: Some("t".to_owned()),
            transmitted: true,
            response: Json::Null,
        };
        let failure = Outcome {
            device_type: None,
            device_token: None,
            transmitted: false,
            response: json!({ "error": "Unregistered" }),
        };
        let list = json!([sent, [[refused], "x", 1, -1, 1.5, null, true]]);
        for answer in [list.clone(), json!({ "a": 1, "result": list })] {
            assert_eq!(read(&answer), [outcome.clone(), failure.clone()]);
        }
        assert_eq!(read(&json!([])), []);
        for none in ["{}", "{\"result\":1}", "{\"result\":{}}", "null", "1", "\"x\"", "[", ""] {
            assert!(serde_json::from_str::<Results>(none).is_err(), "{none}");
        }
    }
}

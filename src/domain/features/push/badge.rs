//! The badge of a payload: what becomes of the number on the icon of an application.

use serde_json::{Map, Value as Json};

use super::refusal::misconfigured;
use crate::error::Result;
use crate::model::json::is_truthy;

/// What becomes of the badges of a push's devices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Badge {
    /// They stay.
    Unchanged,
    /// They get this number.
    Set(f64),
    /// They grow by so much, and each device is sent its own.
    Raise(f64),
}

impl Badge {
    /// Reads the badge of a payload.
    ///
    /// # Errors
    /// 115 for what is no badge.
    pub fn read(data: &Map<String, Json>) -> Result<Self> {
        let Some(badge) = data.get("badge").filter(|badge| is_truthy(badge)) else { return Ok(Self::Unchanged) };
        let is_increment = |text: &Json| text.as_str().is_some_and(|text| text.eq_ignore_ascii_case("increment"));
        let read = match badge {
            Json::Number(number) => number.as_f64().map(Self::Set),
            Json::String(_) if is_increment(badge) => Some(Self::Raise(1.0)),
            Json::Object(operation) if operation.get("__op").is_some_and(is_increment) => {
                operation.get("amount").and_then(Json::as_f64).filter(|amount| *amount != 0.0).map(Self::Raise)
            }
            _ => None,
        };
        read.ok_or_else(|| {
            misconfigured("badge must be a number, \"Increment\", or {\"__op\": \"Increment\", \"amount\": number}.")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn badges_are_read() {
        let read = |badge: Json| Badge::read(&Map::from_iter([("badge".to_owned(), badge)])).ok();
        assert_eq!(read(json!("Increment")), Some(Badge::Raise(1.0)));
        assert_eq!(read(json!("iNCREMENT")), Some(Badge::Raise(1.0)));
        assert_eq!(read(json!({ "__op": "Increment", "amount": 10 })), Some(Badge::Raise(10.0)));
        assert_eq!(read(json!(5)), Some(Badge::Set(5.0)));
        for none in [json!(0), json!(null), json!("")] {
            assert_eq!(read(none), Some(Badge::Unchanged));
        }
        for bad in [json!("7"), json!(true), json!("abc"), json!({ "__op": "Increment" }), json!({}), json!([1])] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
    }
}

//! What the app's own code answers to a batch of a push, by web hook or in JavaScript.

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

/// What a list of results says of devices.
pub fn outcomes(list: Vec<Json>) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(list.len());
    flatten(list, &mut outcomes);
    outcomes
}

/// The results of a list and of the lists in it. What is no result is left out.
fn flatten(list: Vec<Json>, outcomes: &mut Vec<Outcome>) {
    // The depth is that of JSON which was parsed with a limit.
    for result in list {
        match result {
            Json::Array(inner) => flatten(inner, outcomes),
            Json::Object(mut result) => {
                let device = result.remove("device").unwrap_or_default();
                let text = |key: &str| device.get(key).and_then(Json::as_str).map(str::to_owned);
                outcomes.push(Outcome {
                    device_type: text("deviceType"),
                    device_token: text("deviceToken"),
                    transmitted: result.get("transmitted") == Some(&Json::Bool(true)),
                    response: result.remove("response").unwrap_or_default(),
                });
            }
            _ => {}
        }
    }
}

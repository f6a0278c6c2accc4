//! Events that clients report (`/events`), for an adapter of the app. Without one they are not kept.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::adapters::cloud::module::OwnModule;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::feature::Feature;
use crate::domain::triggers::{ask, payload};

/// The event that an SDK reports when an app is opened.
const APP_OPENED: &str = "AppOpened";

/// State for the lifetime of the server.
struct Analytics(Arc<OwnModule>);

/// Events, for the kernel.
#[must_use]
pub fn feature(adapter: Option<Arc<OwnModule>>) -> Feature {
    let feature = Feature::new("analytics");
    match adapter {
        Some(adapter) => feature.state(Analytics(adapter)),
        None => feature,
    }
}

/// Tells the adapter of an event: `appOpened(parameters, request)` or `trackEvent(name, parameters, request)`. Gives what it answers, or
/// an empty object: clients do not learn that it failed.
pub async fn record(cx: &Context, name: &str, parameters: Map<String, Json>) -> Json {
    let Ok(Analytics(adapter)) = cx.app.feature() else { return json!({}) };
    let request = Json::Object(payload::request(cx));
    let (method, arguments) = if name == APP_OPENED {
        ("appOpened", vec![parameters.into(), request])
    } else {
        ("trackEvent", vec![name.into(), parameters.into(), request])
    };
    match ask(cx, adapter, Some(method), arguments).await {
        Ok(Some(answer)) if !answer.is_null() => answer,
        Ok(_) => json!({}),
        Err(error) => {
            tracing::warn!(%error, method, "the analytics adapter failed");
            json!({})
        }
    }
}

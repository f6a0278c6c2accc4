//! Hands pushes to own code behind an address: `POST url/send` with `{"body", "installations", "pushStatus"}`.
//!
//! The answer is the list of results that an adapter of parse-server gives, or `{"result": […]}`; lists inside of it are flattened. A
//! result is `{"device": {"deviceType", "deviceToken"}, "transmitted": true, "response": …}`. Any other answer fails all devices.

use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::Url;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use super::own::{self, Results};
use super::{Device, Outcome, Push, PushSender};
use crate::adapters::http::{self, Caller};

/// How long own code may take for one batch, unless the options say otherwise.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Own code that sends.
#[derive(Debug)]
pub struct Webhook {
    caller: Caller,
    url: Url,
    timeout: Duration,
    types: Option<Vec<String>>,
}

/// What own code is told of a batch.
#[derive(Serialize)]
struct Batch<'a> {
    body: &'a Map<String, Json>,
    installations: Vec<&'a RawValue>,
    #[serde(rename = "pushStatus")]
    status_id: &'a str,
}

impl Webhook {
    /// Options: `url`; `path`, the last part of the address when it is not `send`; `types`, the push types there are (none given: any);
    /// `timeoutMs`, how long a call may take.
    ///
    /// # Errors
    /// A text for the person who configured it.
    pub fn open(options: &Map<String, Json>) -> Result<Self, String> {
        let fail = |reason: &str| format!("push adapter webhook: {reason}");
        let known = ["url", "path", "types", "timeoutMs"];
        if let Some(key) = options.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(fail(&format!("there is no option {key}; there are: {}", known.join(", "))));
        }
        let url = options.get("url").and_then(Json::as_str).ok_or_else(|| fail("url must be an address"))?;
        let mut url = http::address(url).map_err(|error| fail(&error))?;
        let path = match options.get("path") {
            None | Some(Json::Null) => "send",
            Some(Json::String(path)) => path,
            Some(_) => return Err(fail("path must be text")),
        };
        url.set_path(&format!("{}/{}", url.path().trim_end_matches('/'), path.trim_start_matches('/')));
        let types = match options.get("types") {
            None | Some(Json::Null) => None,
            Some(Json::Array(types)) if types.iter().all(Json::is_string) => {
                Some(types.iter().filter_map(Json::as_str).map(str::to_owned).collect())
            }
            Some(_) => return Err(fail("types must be a list of texts")),
        };
        let timeout = match options.get("timeoutMs") {
            None | Some(Json::Null) => TIMEOUT,
            Some(timeout) => match timeout.as_u64() {
                Some(millis) if millis > 0 => Duration::from_millis(millis),
                _ => return Err(fail("timeoutMs must be a number greater than 0")),
            },
        };
        Ok(Self { caller: Caller::new()?, url, timeout, types })
    }

    async fn results(&self, push: &Push, devices: &[Device]) -> Result<Vec<Outcome>, String> {
        let installations = devices.iter().map(Device::row).collect();
        let batch = Batch { body: &push.body, installations, status_id: &push.status_id };
        let request = self.caller.post(&self.url).timeout(self.timeout).json(&batch);
        let answer = self.caller.good(request).await.map_err(|error| error.to_string())?;
        let results: Results =
            serde_json::from_slice(&answer).map_err(|error| format!("no list of results: {error}"))?;
        Ok(results.0)
    }
}

impl PushSender for Webhook {
    fn push_types(&self) -> Option<&[String]> {
        self.types.as_deref()
    }

    fn needs_whole_rows(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, push: &'a Push, devices: &'a [Device]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move { own::settled(push, devices, self.results(push, devices).await) })
    }
}

//! Janrain Capture (Akamai Identity Cloud): the customer's host says whose access token it is.

use futures_util::future::BoxFuture;
use reqwest::Url;
use serde_json::{Map, Value as Json};

use super::{Attempt, AuthAdapter, Outcome, endpoint, invalid, text};
use crate::adapters::http::Caller;
use crate::error::Result;

/// The customer's host.
#[derive(Debug)]
pub struct JanrainCapture {
    caller: Caller,
    url: Url,
}

impl JanrainCapture {
    /// Settings: `janrain_capture_host`.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(settings: &Map<String, Json>) -> Result<Self, String> {
        let host = text(settings, "janrain_capture_host")?;
        Ok(Self { caller: Caller::new()?, url: endpoint(settings, "userUrl", &format!("https://{host}/entity"))? })
    }
}

impl AuthAdapter for JanrainCapture {
    fn validate<'a>(&'a self, attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            let wrong = || invalid("Janrain capture auth is invalid for this user.");
            let given = |key: &str| attempt.data.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
            let (Some(id), Some(token)) = (given("id"), given("access_token")) else { return Err(wrong()) };
            let mut url = self.url.clone();
            url.query_pairs_mut().append_pair("access_token", token).append_pair("attribute_name", "uuid");
            let answer =
                self.caller.good_json(self.caller.get(&url)).await.map_err(|error| wrong().with_source(error))?;
            let told = |key: &str| answer.get(key).and_then(Json::as_str);
            if told("stat") == Some("ok") && told("result") == Some(id) { Ok(Outcome::default()) } else { Err(wrong()) }
        })
    }
}

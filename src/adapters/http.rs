//! Calls of other servers: only `https` (or loopback, where the owner allows it), bounded in time and size, no redirects.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, Url};
use serde_json::Value as Json;

/// Seconds until a call is given up.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer that is read, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// Why a call failed. The text is for the log.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server could not be reached, or did not answer in time.
    #[error("the call failed: {0}")]
    Unreachable(String),
    /// The server answered, but not with what was asked for.
    #[error("unexpected answer: {0}")]
    Answer(String),
}

/// Makes calls.
#[derive(Clone)]
pub struct Caller {
    client: Client,
}

impl fmt::Debug for Caller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Caller")
    }
}

impl Caller {
    /// A caller with connections of its own.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, String> {
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("reparse/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("no HTTP client: {error}"))?;
        Ok(Self { client })
    }

    /// A GET.
    pub fn get(&self, url: &Url) -> RequestBuilder {
        self.client.get(url.clone()).header("accept", "application/json")
    }

    /// A POST.
    pub fn post(&self, url: &Url) -> RequestBuilder {
        self.client.post(url.clone()).header("accept", "application/json")
    }

    /// Sends a request and reads its answer: status, whether it was a success, and the body as JSON (null when it is none).
    ///
    /// # Errors
    /// When there is no answer, or one that is too long.
    pub async fn json(&self, request: RequestBuilder) -> Result<(u16, Json), CallError> {
        let response = request.send().await.map_err(|error| CallError::Unreachable(chain(&error)))?;
        let status = response.status().as_u16();
        let body = read(response, MAX_ANSWER).await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Json::Null)))
    }

    /// As [`Caller::json`], but anything except success with JSON is an error.
    ///
    /// # Errors
    /// As [`Caller::json`]; also for other statuses.
    pub async fn good_json(&self, request: RequestBuilder) -> Result<Json, CallError> {
        match self.json(request).await? {
            (status, body) if (200..300).contains(&status) && !body.is_null() => Ok(body),
            (status, _) => Err(CallError::Answer(format!("status {status}"))),
        }
    }
}

/// The text of an error with those of its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The body of an answer, if it has no more bytes than `most`.
pub(super) async fn read(mut response: Response, most: usize) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| CallError::Unreachable(chain(&error)))? {
        if body.len() + chunk.len() > most {
            return Err(CallError::Answer("too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads an address of the configuration: `https`, or `http` to this machine itself.
///
/// # Errors
/// A text for the person who configured it.
pub fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{text} is no address: {error}"))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(format!("{text}: only https is allowed (http to this machine alone)")),
    }
}

/// Whether an address names this machine itself.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        host == "localhost"
            || host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses() {
        for good in ["https://example.com/x", "http://127.0.0.1:1/x", "http://localhost/", "http://[::1]:3/"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in ["http://example.com/", "ftp://127.0.0.1/", "x", "http://127.0.0.1.example.com/", "file:///etc"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}

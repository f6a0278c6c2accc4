//! HTTP client for external services: only `https` (or `http` to this machine), with limits for time and size,
//! without redirects.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, Url};
use serde_json::Value as Json;

/// Timeout of a call in seconds.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum bytes of a response.
const MAX_ANSWER: usize = 1 << 20;

/// Why a call failed; the message is only logged.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server could not be reached, or did not respond in time.
    #[error("the call failed: {0}")]
    Unreachable(String),
    /// The response is not the expected one.
    #[error("unexpected response: {0}")]
    Answer(String),
}

/// Sends requests.
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
    /// A client with its own connection pool.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new() -> Result<Self, String> {
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("reparse/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("cannot create an HTTP client: {error}"))?;
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

    /// Sends a request and reads the response: status, whether it is a success, and the body as JSON (null if it is
    /// not JSON).
    ///
    /// # Errors
    /// If there is no response, or it is too large.
    pub async fn json(&self, request: RequestBuilder) -> Result<(u16, Json), CallError> {
        let (status, body) = self.answer(request).await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Json::Null)))
    }

    /// Like [`Caller::json`], but any response other than a success with JSON is an error.
    ///
    /// # Errors
    /// As [`Caller::json`]; also for other statuses.
    pub async fn good_json(&self, request: RequestBuilder) -> Result<Json, CallError> {
        match self.json(request).await? {
            (status, body) if (200..300).contains(&status) && !body.is_null() => Ok(body),
            (status, _) => Err(CallError::Answer(format!("status {status}"))),
        }
    }

    /// Sends a request and reads the body of the response, whatever it is. Any response other than a success is an error.
    ///
    /// # Errors
    /// As [`Caller::json`]; also for other statuses.
    pub async fn good(&self, request: RequestBuilder) -> Result<Vec<u8>, CallError> {
        match self.answer(request).await? {
            (200..300, body) => Ok(body),
            (status, _) => Err(CallError::Answer(format!("status {status}"))),
        }
    }

    /// Sends a request and reads the response: status and body, whatever they are.
    ///
    /// # Errors
    /// As [`Caller::json`].
    pub async fn answer(&self, request: RequestBuilder) -> Result<(u16, Vec<u8>), CallError> {
        let response = request.send().await.map_err(no_response)?;
        let status = response.status().as_u16();
        Ok((status, read(response, MAX_ANSWER).await?))
    }
}

/// A call without a response. The URL is logged without its query, which can contain tokens and secrets.
fn no_response(mut error: reqwest::Error) -> CallError {
    if let Some(url) = error.url_mut() {
        url.set_query(None);
    }
    CallError::Unreachable(chain(&error))
}

/// The message of an error and its causes.
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

/// The body of a response, if it has at most `most` bytes.
pub(super) async fn read(mut response: Response, most: usize) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(no_response)? {
        if body.len() + chunk.len() > most {
            return Err(CallError::Answer("too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Parses a URL of the configuration: `https`, or `http` to this machine.
///
/// # Errors
/// A message for the administrator.
pub fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{text} is not a valid URL: {error}"))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(format!("{text}: only https is allowed (http only to this machine)")),
    }
}

/// Whether a URL points to this machine.
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

//! Credentials in the headers of a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::{HeaderMap, header};
use serde_json::{Map, Value as Json};

use crate::domain::kernel::auth::Credentials;
use crate::error::{ErrorCode, ParseError, Result};

/// Reads the `X-Parse-…` headers and HTTP Basic authentication, which is ignored unless it names this application:
/// `appId:masterKey` or `appId:javascript-key=KEY`.
#[must_use]
pub fn from_headers(headers: &HeaderMap, known_application: &str) -> Credentials {
    let text = |name: &str| {
        let value = headers.get(name)?.as_bytes();
        (!value.is_empty()).then(|| String::from_utf8_lossy(value).into_owned())
    };
    let mut credentials = Credentials {
        application_id: text("x-parse-application-id"),
        master_key: text("x-parse-master-key"),
        master_key_in_header: false,
        maintenance_key: text("x-parse-maintenance-key"),
        rest_api_key: text("x-parse-rest-api-key"),
        javascript_key: text("x-parse-javascript-key"),
        client_key: text("x-parse-client-key"),
        dot_net_key: text("x-parse-windows-key"),
        session_token: text("x-parse-session-token"),
        installation_id: text("x-parse-installation-id"),
    };
    if let Some((application, secret)) = basic(headers).filter(|(application, _)| application == known_application) {
        credentials.application_id = Some(application);
        match secret.strip_prefix("javascript-key=") {
            Some(key) => credentials.javascript_key = Some(key.to_owned()),
            None if !secret.is_empty() => credentials.master_key = Some(secret),
            None => {}
        }
    }
    credentials.master_key_in_header = credentials.master_key.is_some() || credentials.maintenance_key.is_some();
    credentials
}

/// User and password of HTTP Basic authentication, separated by exactly one colon.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    (!password.contains(':')).then(|| (user.to_owned(), password.to_owned()))
}

/// Parses the context for triggers from its header.
///
/// # Errors
/// 107 if it is not a JSON object.
pub fn cloud_context(headers: &HeaderMap) -> Result<Option<Map<String, Json>>> {
    match headers.get("x-parse-cloud-context") {
        None => Ok(None),
        Some(value) => parse_context(value.as_bytes()).map(Some),
    }
}

/// Parses the context for triggers.
///
/// # Errors
/// 107 if it is not a JSON object.
pub fn parse_context(text: &[u8]) -> Result<Map<String, Json>> {
    serde_json::from_slice(text).map_err(|_| invalid_context())
}

/// 107 `Invalid object for context.`
#[must_use]
pub fn invalid_context() -> ParseError {
    ParseError::new(ErrorCode::InvalidJson, "Invalid object for context.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_basic(text: &str) -> Credentials {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(text)).parse().unwrap());
        from_headers(&headers, "app")
    }

    #[test]
    fn basic_authentication() {
        let master = with_basic("app:master");
        assert_eq!((master.application_id.as_deref(), master.master_key.as_deref()), (Some("app"), Some("master")));
        assert!(master.master_key_in_header);
        let script = with_basic("app:javascript-key=k");
        assert_eq!((script.master_key.as_deref(), script.javascript_key.as_deref()), (None, Some("k")));
        for ignored in ["other:master", "app:a:b", "app"] {
            assert!(with_basic(ignored).application_id.is_none(), "{ignored}");
        }
    }
}

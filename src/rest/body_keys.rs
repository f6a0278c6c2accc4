//! What a JSON body says of its own request: the keys that the JavaScript SDK sends there, and the method.

use poem::http::Method;
use serde_json::{Map, Value as Json};
use subtle::ConstantTimeEq as _;

use super::call::JsonMap;
use crate::config::keys::Keys;
use crate::domain::kernel::auth::{Credentials, unauthorized};
use crate::error::{ErrorCode, ParseError, Result};
use crate::http::{credentials, query};

/// The member that names the application.
const APPLICATION: &str = "_ApplicationId";

/// What a body says besides keys.
pub struct BodyCredentials {
    /// The object for triggers.
    pub cloud_context: Option<Map<String, Json>>,
}

/// Whether a body names the application. No values are built for this: until it is known, nothing about a request is
/// worth more memory than its bytes. `form`: the body says to be a form.
///
/// # Errors
/// 107 when the body is no JSON.
pub fn name_application(bytes: &[u8], application: &str, form: bool) -> Result<bool> {
    if form && !crate::http::body::looks_like_json(bytes) {
        let text = String::from_utf8_lossy(bytes);
        return Ok(query::pairs(&text).any(|(key, value)| key == APPLICATION && value == application));
    }
    Ok(crate::http::body::member(bytes, APPLICATION)?.as_deref() == Some(application))
}

/// Takes credentials out of the body of a request whose headers name no known application. A master key that came in a
/// header all the same must be the right one.
///
/// # Errors
/// 403 when the body names no known application, or holds a key that is no text; 107 when `_context` is no object.
pub fn take(body: &mut JsonMap, known: &Keys, credentials: &mut Credentials) -> Result<BodyCredentials> {
    if body.get(APPLICATION).and_then(Json::as_str) != Some(&known.app_id) {
        return Err(unauthorized());
    }
    credentials.application_id = text(body, APPLICATION)?;
    if let Some(key) = text(body, "_JavaScriptKey")? {
        credentials.javascript_key = Some(key);
    }
    if let Some(id) = text(body, "_InstallationId")? {
        credentials.installation_id = Some(id);
    }
    if let Some(token) = text(body, "_SessionToken")? {
        credentials.session_token = Some(token);
    }
    let in_body = text(body, "_MasterKey")?;
    match &credentials.master_key {
        None => credentials.master_key = in_body,
        Some(in_header) if bool::from(in_header.as_bytes().ct_eq(known.master_key.expose().as_bytes())) => {}
        Some(_) => return Err(unauthorized()),
    }
    text(body, "_ContentType")?;
    let cloud_context = match body.shift_remove("_context") {
        None => None,
        Some(Json::Object(map)) => Some(map),
        Some(Json::String(text)) => Some(credentials::parse_context(text.as_bytes())?),
        Some(_) => return Err(credentials::invalid_context()),
    };
    for ignored in ["_ClientVersion", "_RevocableSession", "_noBody"] {
        body.shift_remove(ignored);
    }
    Ok(BodyCredentials { cloud_context })
}

/// Removes a key whose value must be text; null and empty text count as absent.
fn text(body: &mut JsonMap, key: &str) -> Result<Option<String>> {
    match body.shift_remove(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(_) => Err(unauthorized()),
    }
}

/// Takes `_method` out of a body: the method that a POST stands for.
///
/// # Errors
/// 107 when it is no method.
pub fn method(body: &mut JsonMap) -> Result<Option<Method>> {
    let invalid = || ParseError::new(ErrorCode::InvalidJson, "_method must be the name of an HTTP method");
    match body.shift_remove("_method") {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(name)) if name.is_empty() => Ok(None),
        Some(Json::String(name)) => {
            Method::from_bytes(name.to_ascii_uppercase().as_bytes()).map(Some).map_err(|_| invalid())
        }
        Some(_) => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use serde_json::json;

    fn taken(body: Json, header: Option<&str>) -> Result<(JsonMap, Credentials)> {
        let Json::Object(mut body) = body else { panic!() };
        let known = Keys { app_id: "app".into(), master_key: Secret::new("master"), ..Keys::default() };
        let mut credentials = Credentials { master_key: header.map(str::to_owned), ..Credentials::default() };
        take(&mut body, &known, &mut credentials)?;
        Ok((body, credentials))
    }

    #[test]
    fn keys_leave_the_body() {
        let (body, credentials) = taken(
            json!({"_ApplicationId": "app", "_ClientVersion": "js1", "_SessionToken": "r:1", "_InstallationId": "i", "_MasterKey": "m", "_JavaScriptKey": "j", "_noBody": true, "a": 1}),
            None,
        )
        .unwrap();
        assert_eq!(Json::Object(body), json!({"a": 1}));
        assert_eq!(credentials.session_token.as_deref(), Some("r:1"));
        assert_eq!(credentials.master_key.as_deref(), Some("m"));
        assert!(!credentials.master_key_in_header);
    }

    #[test]
    fn what_is_refused() {
        for bad in [
            json!({}),
            json!({"_ApplicationId": "nope"}),
            json!({"_ApplicationId": ["app"]}),
            json!({"_ApplicationId": "app", "_SessionToken": {"$ne": null}}),
            json!({"_ApplicationId": "app", "_MasterKey": 1}),
            json!({"_ApplicationId": "app", "_InstallationId": []}),
            json!({"_ApplicationId": "app", "_ContentType": {}}),
        ] {
            assert_eq!(taken(bad.clone(), None).err().map(|error| error.status), Some(403), "{bad}");
        }
        assert!(taken(json!({"_ApplicationId": "app"}), Some("wrong")).is_err());
        assert!(
            taken(json!({"_ApplicationId": "app", "_context": "[1]"}), None).err().unwrap().is(ErrorCode::InvalidJson)
        );
    }
}

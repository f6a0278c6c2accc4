//! Credentials and method in a JSON body, where the JavaScript SDK sends them.

use poem::http::Method;
use serde_json::{Map, Value as Json};

use super::call::JsonMap;
use crate::domain::kernel::auth::{Credentials, unauthorized};
use crate::domain::kernel::master_key::MasterKey;
use crate::error::{ErrorCode, ParseError, Result};
use crate::http::{credentials, query};

/// The member with the application id.
const APPLICATION: &str = "_ApplicationId";

/// Other members with a special meaning.
pub struct BodyCredentials {
    /// The context for triggers.
    pub cloud_context: Option<Map<String, Json>>,
    /// Content type of a file in the body.
    pub content_type: Option<String>,
}

/// Whether a body contains the application id. Finds it without building values, so that an unknown caller cannot make
/// the server use more memory than the bytes of the body. `form`: the content type is that of a form.
///
/// # Errors
/// 107 if the body is not JSON.
pub fn name_application(bytes: &[u8], application: &str, form: bool) -> Result<bool> {
    if form && !crate::http::body::looks_like_json(bytes) {
        let text = String::from_utf8_lossy(bytes);
        return Ok(query::pairs(&text).any(|(key, value)| key == APPLICATION && value == application));
    }
    Ok(crate::http::body::member(bytes, APPLICATION)?.as_deref() == Some(application))
}

/// Removes the credentials from the body of a request whose headers name no known application. If the headers contain a
/// master key, it must be right.
///
/// # Errors
/// 403 if the body names no known application or contains a key that is not a string; 107 if `_context` is not an
/// object.
pub fn take(
    body: &mut JsonMap,
    app_id: &str,
    master_key: &MasterKey,
    credentials: &mut Credentials,
) -> Result<BodyCredentials> {
    if body.get(APPLICATION).and_then(Json::as_str) != Some(app_id) {
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
        Some(in_header) if master_key.is(in_header) => {}
        Some(_) => return Err(unauthorized()),
    }
    let content_type = text(body, "_ContentType")?;
    let cloud_context = match body.shift_remove("_context") {
        None => None,
        Some(Json::Object(map)) => Some(map),
        Some(Json::String(text)) => Some(credentials::parse_context(text.as_bytes())?),
        Some(_) => return Err(credentials::invalid_context()),
    };
    for ignored in ["_ClientVersion", "_RevocableSession", "_noBody"] {
        body.shift_remove(ignored);
    }
    Ok(BodyCredentials { cloud_context, content_type })
}

/// Removes a key whose value must be a string; null and an empty string count as absent.
fn text(body: &mut JsonMap, key: &str) -> Result<Option<String>> {
    match body.shift_remove(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(_) => Err(unauthorized()),
    }
}

/// Removes `_method` from a body: the method that a POST stands for.
///
/// # Errors
/// 107 if it is not an HTTP method.
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
    use serde_json::json;

    fn taken(body: Json, header: Option<&str>) -> Result<(JsonMap, Credentials)> {
        let Json::Object(mut body) = body else { panic!() };
        let master_key = MasterKey::new("master");
        let mut credentials = Credentials { master_key: header.map(str::to_owned), ..Credentials::default() };
        take(&mut body, "app", &master_key, &mut credentials)?;
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

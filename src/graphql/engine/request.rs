//! Parses GraphQL requests from a JSON body, a form or a query string.

use async_graphql::{Value as ConstValue, Variables};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::error::Refusal;
use super::multipart::{Form, Uploads};

/// A GraphQL request.
#[derive(Debug, Default)]
pub struct GraphQlRequest {
    /// The document; empty if the client only sends its hash (`persisted_query`).
    pub query: String,
    /// The name of the operation to run, if the document has several.
    pub operation_name: Option<String>,
    /// Values of variables.
    pub variables: Variables,
    /// `extensions.persistedQuery`, not validated yet.
    pub persisted_query: Option<Json>,
    /// `extensions.operationId`: which operation of the client it is, where several share one stream of responses.
    pub operation_id: Option<String>,
    /// Files in the request.
    pub uploads: Uploads,
    /// Whether only queries may run, not mutations.
    pub only_query: bool,
}

/// A well-formed body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Variables,
    #[serde(default)]
    extensions: Option<Extensions>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    #[serde(default)]
    persisted_query: Option<Json>,
    #[serde(default)]
    operation_id: Option<String>,
}

impl GraphQlRequest {
    /// Reads the JSON body of a POST request.
    ///
    /// # Errors
    /// 400 with the problem.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Refusal> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        // serde would accept an array, but that is a batch.
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
            && let Ok(body) = serde_json::from_slice::<Body>(bytes)
            && (body.query.is_some() || body.extensions.is_some())
        {
            let Body { query, operation_name, variables, extensions } = body;
            let Extensions { persisted_query, operation_id } = extensions.unwrap_or_default();
            return Self {
                query: query.unwrap_or_default(),
                operation_name,
                variables,
                persisted_query,
                operation_id,
                ..Self::default()
            }
            .checked();
        }
        match serde_json::from_slice(bytes) {
            Ok(Json::Object(map)) if map.is_empty() => Err(Self::empty()),
            Ok(Json::Object(map)) => Self::from_map(map),
            Ok(Json::Array(_)) => Err(Refusal::bad_request("Operation batching disabled.")),
            Err(_) if bytes.iter().all(u8::is_ascii_whitespace) => Err(Self::empty()),
            Ok(_) | Err(_) => Err(Refusal::bad_request("The request body is no JSON object.")),
        }
    }

    /// Reads the query string of a GET request.
    ///
    /// # Errors
    /// 400 with the problem.
    pub fn from_query_string(query: &str) -> Result<Self, Refusal> {
        let mut body = Map::new();
        for (key, value) in pairs(query) {
            let value = match key.as_str() {
                "query" | "operationName" => Json::from(value),
                "variables" | "extensions" if value.is_empty() => continue,
                "variables" | "extensions" => serde_json::from_str(&value).map_err(|_| {
                    Refusal::bad_request(&format!("The `{key}` search parameter contains invalid JSON."))
                })?,
                _ => continue,
            };
            body.insert(key, value);
        }
        Ok(Self { only_query: true, ..Self::from_map(body)? })
    }

    /// Reads a form with files.
    ///
    /// # Errors
    /// 400 with the problem.
    pub fn from_form(form: Form) -> Result<Self, Refusal> {
        let mut request = Self { uploads: form.uploads, ..Self::from_map(form.operations)? };
        request.uploads.place(&mut request.variables)?;
        Ok(request)
    }

    /// The error for a request whose body is not JSON.
    #[must_use]
    pub fn empty() -> Refusal {
        Refusal::bad_request("POST body missing, invalid Content-Type, or JSON object has no keys.")
    }

    fn from_map(mut body: Map<String, Json>) -> Result<Self, Refusal> {
        let query = match body.remove("query") {
            Some(Json::String(query)) => query,
            None | Some(Json::Null) => String::new(),
            Some(_) => return Err(Refusal::bad_request("GraphQL queries must be strings.")),
        };
        let (persisted_query, operation_id) = match body.remove("extensions") {
            Some(Json::Object(mut extensions)) => {
                let id = extensions.get("operationId").and_then(Json::as_str).map(str::to_owned);
                (extensions.remove("persistedQuery").filter(|given| !given.is_null()), id)
            }
            None | Some(Json::Null) => (None, None),
            Some(_) => return Err(Refusal::bad_request("`extensions` must be an object.")),
        };
        if query.is_empty() && persisted_query.is_none() {
            return Err(no_query());
        }
        let operation_name = match body.remove("operationName") {
            Some(Json::String(name)) => Some(name),
            None | Some(Json::Null) => None,
            Some(_) => return Err(Refusal::bad_request("`operationName` must be a string.")),
        };
        let variables = match body.remove("variables") {
            Some(variables @ Json::Object(_)) => ConstValue::from_json(variables)
                .map(Variables::from_value)
                .map_err(|_| Refusal::bad_request("The variables cannot be read."))?,
            None | Some(Json::Null) => Variables::default(),
            Some(_) => return Err(Refusal::bad_request("`variables` must be an object.")),
        };
        Self { query, operation_name, variables, persisted_query, operation_id, ..Self::default() }.checked()
    }

    fn checked(mut self) -> Result<Self, Refusal> {
        if self.query.is_empty() && self.persisted_query.is_none() {
            return Err(no_query());
        }
        self.operation_name = self.operation_name.filter(|name| !name.is_empty());
        Ok(self)
    }
}

fn no_query() -> Refusal {
    Refusal::bad_request("GraphQL operations must contain a non-empty `query` or a `persistedQuery` extension.")
}

fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let decode =
        |text: &str| percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    query.split('&').filter_map(|pair| pair.split_once('=')).map(move |(key, value)| (decode(key), decode(value)))
}

//! What handlers take and give: bodies and parameters that were parsed before routing, and answers that are serialised once.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{FromRequest, IntoResponse, Request, RequestBody, Response};
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaRequest, MetaResponse, MetaResponses, MetaSchemaRef, Registry,
};
use poem_openapi::{ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::error::Refusal;
use super::request::Rest;
use crate::domain::kernel::context::Context;
use crate::domain::write::Saved;
use crate::error::{ErrorCode, ParseError};
use crate::http::answer;

/// A JSON object.
pub type JsonMap = Map<String, Json>;

/// A request as handlers see it: who calls, and what was sent, parsed once. It rides in the extensions of the framework's
/// request.
#[derive(Clone)]
pub struct Incoming(Arc<Parts>);

struct Parts {
    context: Context,
    body: Mutex<JsonMap>,
    query: String,
    direct: bool,
    rest: Arc<Rest>,
}

impl Incoming {
    /// `query` is the part of the address after the question mark; `direct` tells whether the caller's address is that of
    /// the connection.
    #[must_use]
    pub fn new(context: Context, body: JsonMap, query: String, direct: bool, rest: Arc<Rest>) -> Self {
        Self(Arc::new(Parts { context, body: Mutex::new(body), query, direct, rest }))
    }

    fn of(request: &Request) -> Result<&Self, Refusal> {
        request.data::<Self>().ok_or_else(|| Refusal(crate::domain::kernel::auth::unauthorized()))
    }

    /// The body; it can be taken once.
    fn take_body(&self) -> JsonMap {
        std::mem::take(&mut *self.0.body.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn query(&self) -> impl Iterator<Item = (String, String)> + '_ {
        pairs(&self.0.query)
    }
}

/// The names and values of a query, or of a form without files.
pub fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key), decode(value))
    })
}

/// Percent and plus decoding; bytes that are no UTF-8 become replacement characters.
fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// The way back to the routes, for the parts of a batch.
pub struct Dispatcher {
    /// The API.
    pub rest: Arc<Rest>,
    /// Whether the caller's address is that of the connection.
    pub direct: bool,
}

impl<'a> FromRequest<'a> for Dispatcher {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let incoming = &Incoming::of(request)?.0;
        Ok(Self { rest: incoming.rest.clone(), direct: incoming.direct })
    }
}

/// Extractors that give the [`Context`]; they differ in what the document says a caller needs.
macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident => [$($scheme:literal),*];)*) => {$(
        $(#[$doc])*
        pub struct $name(pub Context);

        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                super::openapi::register_security(registry);
            }

            fn security_schemes() -> Vec<&'static str> {
                vec![$($scheme),*]
            }

            async fn from_request(request: &'a Request, _body: &mut RequestBody, _options: ExtractParamOptions<()>) -> poem::Result<Self> {
                Ok(Self(Incoming::of(request)?.0.context.clone()))
            }
        }
    )*};
}

callers! {
    /// Anybody with the application id (and a client key, where those are configured); a session or a master key counts.
    Caller => ["applicationId"];
    /// A user with a session, or the master key.
    SessionCaller => ["applicationId", "sessionToken"];
    /// A caller with the master key; the domain checks it.
    MasterCaller => ["applicationId", "masterKey"];
}

/// A JSON body whose form is `T`. `T` is for the document: what is in a body is for the domain to judge.
pub struct Body<T>(pub JsonMap, PhantomData<fn() -> T>);

impl<'a, T: poem_openapi::types::Type + 'static> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self(Incoming::of(request)?.take_body(), PhantomData))
    }
}

/// Parameters of a read: from the query, each value as JSON if it is some, else as text; or from the body of a request
/// that came as a POST with `_method`.
pub struct Parameters(pub JsonMap);

impl<'a> FromRequest<'a> for Parameters {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let incoming = Incoming::of(request)?;
        let mut parameters = incoming.take_body();
        let (mut from_query, mut repeated) = (HashSet::new(), HashSet::new());
        for (key, text) in incoming.query() {
            let value = match serde_json::from_str(&text) {
                Ok(value) => value,
                Err(_) => Json::String(text),
            };
            match parameters.get_mut(&key) {
                // A name that comes several times has a list of values.
                Some(Json::Array(list)) if repeated.contains(&key) => list.push(value),
                Some(known) if from_query.contains(&key) => {
                    *known = Json::Array(vec![known.take(), value]);
                    repeated.insert(key);
                }
                _ => {
                    from_query.insert(key.clone());
                    parameters.insert(key, value);
                }
            }
        }
        Ok(Self(parameters))
    }
}

/// The query of an address, each value as text.
pub struct QueryTexts(pub JsonMap);

impl<'a> FromRequest<'a> for QueryTexts {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(Incoming::of(request)?.query().map(|(key, value)| (key, value.into())).collect()))
    }
}

/// Parameters of a log in: the body, or all of the query (as text) when that has the name and the body has not.
pub struct LoginParameters(pub JsonMap);

impl<'a> FromRequest<'a> for LoginParameters {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let incoming = Incoming::of(request)?;
        let body = incoming.take_body();
        let query: JsonMap = incoming.query().map(|(key, value)| (key, Json::String(value))).collect();
        let filled = |map: &JsonMap, key: &str| {
            map.get(key)
                .is_some_and(|value| !matches!(value, Json::Null | Json::Bool(false)) && value.as_str() != Some(""))
        };
        let from_query = ["username", "email"].iter().any(|key| !filled(&body, key) && filled(&query, key));
        Ok(Self(if from_query { query } else { body }))
    }
}

/// A JSON answer whose form is `T` (for the document). `STATUS` 201 means that an object may have been made.
pub struct Reply<T, const STATUS: u16 = 200> {
    created: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
    form: PhantomData<fn() -> T>,
}

/// What handlers give.
pub type Answer<T, const STATUS: u16 = 200> = Result<Reply<T, STATUS>, Refusal>;

impl<T, const STATUS: u16> Reply<T, STATUS> {
    /// An answer with this body.
    ///
    /// # Errors
    /// 1 when it cannot be serialised, which does not happen.
    pub fn new(body: &(impl Serialize + ?Sized)) -> Result<Self, Refusal> {
        let body = serde_json::to_vec(body).map_err(ParseError::internal)?;
        Ok(Self::of_bytes(body))
    }

    /// An answer with a body that is serialised already.
    #[must_use]
    pub fn of_bytes(body: Vec<u8>) -> Self {
        Self { created: false, headers: Vec::new(), body, form: PhantomData }
    }

    /// `{}`.
    #[must_use]
    pub fn empty() -> Self {
        Self::of_bytes(b"{}".to_vec())
    }

    /// The answer to a create or an update: status and `Location` as the domain says.
    ///
    /// # Errors
    /// As [`Reply::new`].
    pub fn saved(context: &Context, saved: &Saved) -> Result<Self, Refusal> {
        let mut reply = Self::new(&saved.body)?;
        reply.created = saved.created;
        if let Some((class, id)) = &saved.location {
            let base = &context.client.base_url;
            let location = match class.as_str() {
                crate::model::names::USER => format!("{base}/users/{id}"),
                class => format!("{base}/classes/{class}/{id}"),
            };
            if let Ok(value) = HeaderValue::from_str(&location) {
                reply.headers.push((header::LOCATION, value));
            }
        }
        Ok(reply)
    }
}

impl<T, const STATUS: u16> IntoResponse for Reply<T, STATUS> {
    fn into_response(self) -> Response {
        let status = if self.created { StatusCode::CREATED } else { StatusCode::OK };
        let mut response = answer::json(status, self.body);
        response.headers_mut().extend(self.headers);
        response
    }
}

impl<T: poem_openapi::types::Type + 'static, const STATUS: u16> ApiResponse for Reply<T, STATUS> {
    fn meta() -> MetaResponses {
        let response = |status, description, headers| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }],
            headers,
        };
        let mut responses = vec![response(200, "Done.", Vec::new())];
        if STATUS == 201 {
            let location = MetaHeader {
                name: "Location".to_owned(),
                description: Some("Address of the object.".to_owned()),
                required: false,
                deprecated: false,
                schema: MetaSchemaRef::Inline(Box::new(poem_openapi::registry::MetaSchema::new("string"))),
            };
            responses.push(response(201, "The object was made.", vec![location]));
        }
        MetaResponses { responses }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// 108: the server does not do this.
#[must_use]
pub fn unavailable(what: &str) -> Refusal {
    Refusal(ParseError::new(ErrorCode::CommandUnavailable, format!("{what} is not available on this server.")))
}
